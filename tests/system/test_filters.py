"""Filtered manifests through an edge: objects of their own, over the same media."""

from pathlib import Path

from tests.support.http import get
from tests.support.processes import running
from tests.support.waiting import until
from tests.system.delivery import ENTRY, ingest, names_in, requests_for

FILTER = "video_height:1-60"


def test_an_edge_keeps_manifests_apart_and_media_together(
    clips: list[Path], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    ingest(data, *clips)
    manifest = f"/cmaf/e/{ENTRY}/manifest.mpd"
    with (
        running("origin", "--data", data, "--port", "0") as origin,
        running("edge", "--upstream", origin.url, "--port", "0") as edge,
    ):
        lowest = min(
            int(one.partition(b'"')[0])
            for one in get(edge.url + manifest).body.split(b' height="')[1:]
        )
        rules = FILTER.replace("60", str(lowest))
        filtered = f"{manifest}?aws.manifestfilter={rules}"
        by_path = f"/cmaf/e/{ENTRY}/filter/{rules}/manifest.mpd"
        bodies = {url: get(edge.url + url).body for url in (manifest, filtered, by_path)}
        assert len(set(bodies.values())) == 3
        for url, body in bodies.items():
            again = get(edge.url + url)
            assert again.body == body and "hit" in again.headers["cache-status"]
            assert len(until(lambda url=url: requests_for(origin, url))) == 1
        media = [one for one in names_in(edge.url + filtered) if "init-f1-v1" in one]
        assert media and set(media) <= set(names_in(edge.url + manifest))
        get(media[0])
        assert "hit" in get(media[0]).headers["cache-status"]
