"""``tracks`` and ``lang`` behind a source."""

import io
import re
from urllib.parse import urljoin

import av
import pytest

from tests.origin.inside import Origin


def streams(data: bytes) -> list[str]:
    with av.open(io.BytesIO(data)) as file:
        return [one.type for one in file.streams]


def first_segment(origin: Origin, playlist: str) -> bytes:
    names = [urljoin("/", name) for name in origin.media_names(playlist)]
    return b"".join(origin.get(name) for name in names[: 1 + names[0].endswith(".mp4")])


MASTERS = {
    "": ["video", "audio"],
    "/tracks/v1-a1": ["video", "audio"],
    "/tracks/v0-a0": ["video", "audio"],
    "/tracks/v1": ["video"],
    "/tracks/a1": ["audio"],
}


@pytest.mark.parametrize(("parameter", "kinds"), MASTERS.items(), ids=MASTERS)
def test_hls(shared: Origin, parameter: str, kinds: list[str]) -> None:
    folder = f"/hls/e/{shared.entry}{parameter}"
    master = shared.text(f"{folder}/master.m3u8")
    assert ("avc1." in master, "mp4a." in master) == ("video" in kinds, "audio" in kinds)
    name = next(line for line in master.split() if line.startswith("index"))
    assert streams(first_segment(shared, f"{folder}/{name}")) == kinds


def test_dash(shared: Origin) -> None:
    mpd = shared.text(f"/dash/e/{shared.entry}/tracks/v1/manifest.mpd")
    assert 'contentType="video"' in mpd and 'contentType="audio"' not in mpd


def test_segments_of_some_tracks_are_others(shared: Origin) -> None:
    token = re.compile(r"-x([0-9a-f]{8})")
    whole = shared.text(f"/hls/e/{shared.entry}/index-f1-v1.m3u8")
    some = shared.text(f"/hls/e/{shared.entry}/tracks/v1/index-f1-v1.m3u8")
    all_of_them = shared.text(f"/hls/e/{shared.entry}/tracks/v1-a1/index-f1-v1.m3u8")
    assert token.findall(whole)[0] == token.findall(all_of_them)[0] != token.findall(some)[0]


def test_with_a_clip(shared: Origin) -> None:
    folder = f"/hls/e/{shared.entry}/clipFrom/7000/tracks/a1"
    assert "#EXT-X-MEDIA-SEQUENCE:2\n" in shared.text(f"{folder}/index-f1-a1.m3u8")
    assert streams(first_segment(shared, f"{folder}/index-f1-a1.m3u8")) == ["audio"]


def test_a_file_of_some_tracks(shared: Origin) -> None:
    path = f"/p/101/serveFlavor/entryId/{shared.entry}/flavorId/{shared.flavors[0]}/name/a.mp4"
    assert streams(shared.get(f"{path}/tracks/a1")) == ["audio"]
    answer = shared.ask(f"{path}/tracks/a1")
    assert answer.headers["content-type"] == "audio/mp4"


def test_a_language(shared: Origin) -> None:
    entry = f"e/{shared.entry}/lang/fra"
    assert 'lang="fr"' in shared.text(f"/dash/{entry}/manifest.mpd")
    assert 'LANGUAGE="fr"' in shared.text(f"/cmaf/{entry}/master.m3u8")
    assert 'LANGUAGE="fr"' not in shared.text(f"/cmaf/e/{shared.entry}/master.m3u8")


REFUSED = {
    "tracks/x1": 400,
    "tracks/v1/tracks/v1": 400,
    "tracks/v65": 400,
    "lang/french!": 400,
    "lang/und": 400,
    "tracks/v2": 404,
}


@pytest.mark.parametrize(("parameter", "status"), REFUSED.items(), ids=REFUSED)
def test_refused(shared: Origin, parameter: str, status: int) -> None:
    answer = shared.ask(f"/hls/e/{shared.entry}/{parameter}/master.m3u8")
    assert answer.status == status
