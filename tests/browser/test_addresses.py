"""Addresses as an embedding page has them, in bare players, from the edge: playManifest, parts
of a film, entries one after the other."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.samples import make_samples
from tests.browser.conftest import SECONDS, Library, Script
from tests.browser.test_playback import assert_a_picture
from tests.support.processes import headrace, running

FPS = 25
MANIFEST = "/p/101/sp/10100/playManifest/entryId/{entry}"
SEQUENCE = (
    "p/101/sp/10100/serveFlavor/entryId/{entry}"
    "/sequence/{before}/flavorIds/{flavors}/name/a.mp4"
)
SHORT = 3

CASES = {
    # player, address: seconds that it plays
    ("hlsjs", f"{MANIFEST}/format/applehttp/protocol/http/a.m3u8"): SECONDS,
    ("shaka", f"{MANIFEST}/format/mpegdash/protocol/http/a.mpd"): SECONDS,
    ("dashjs", f"{MANIFEST}/format/mpegdash/protocol/http/a.mpd"): SECONDS,
    ("video", f"{MANIFEST}/format/url/protocol/http/a.mp4"): SECONDS,
    ("hlsjs", f"{MANIFEST}/format/applehttp/seekFrom/7000/a.m3u8"): SECONDS - 6,
    ("shaka", f"{MANIFEST}/format/mpegdash/seekFrom/7000/a.mpd"): SECONDS - 6,
    ("video", f"{MANIFEST}/format/url/seekFrom/3500/clipTo/8000/a.mp4"): 4.52,
    ("hlsjs", f"/hls/{SEQUENCE}/master.m3u8"): SHORT + SECONDS,
    ("shaka", f"/cmaf/{SEQUENCE}/master.m3u8"): SHORT + SECONDS,
    ("dashjs", f"/dash/{SEQUENCE}/manifest.mpd"): SHORT + SECONDS,
}


@pytest.fixture(scope="module")
def site(
    library: Library, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """The address of an edge, and an entry to be played before the one of the library."""
    folder = tmp_path_factory.mktemp("short")
    samples = make_samples(folder, SHORT, lambda name, share: None)
    done = headrace("ingest", *samples, "--data", library.data)
    assert done.returncode == 0, done.stderr
    with (
        running("origin", "--data", library.data, "--port", "0") as origin,
        running("edge", "--upstream", origin.url, "--port", "0") as edge,
    ):
        yield edge.url, done.stdout.strip()


@pytest.fixture(scope="module")
def flavors(library: Library) -> str:
    """Ids, between commas."""
    done = headrace("show", library.entry, "--data", library.data, "--json")
    assert done.returncode == 0, done.stderr
    return ",".join(one["flavor"] for one in map(json.loads, done.stdout.splitlines()))


@pytest.mark.parametrize(
    ("case", "seconds"), CASES.items(), ids=[" ".join(one) for one in CASES]
)
def test_plays(
    script: Script, site: tuple[str, str], library: Library, flavors: str,
    case: tuple[str, str], seconds: float, tmp_path: Path,
) -> None:  # fmt: skip
    (edge, before), (player, pattern) = site, case
    address = pattern.format(entry=library.entry, before=before, flavors=flavors)
    found = script("address.mjs", edge, player, address, tmp_path / "picture.png")
    assert [one for one in found["errors"] if not one.startswith("false ")] == []
    assert found["waits"] == 0
    assert found["duration"] == pytest.approx(seconds, abs=0.1)
    assert found["currentTime"] == pytest.approx(found["duration"], abs=0.1)
    [[first, last]] = found["buffered"]
    # hls.js takes the first DTS of a transport stream for zero
    assert -0.01 <= first <= 0.09
    assert last == pytest.approx(found["duration"], abs=0.04)
    # A player that changes to another rendition may show a few pictures of both.
    assert -1 <= found["frames"] - seconds * FPS < FPS
    assert set(found["statuses"]) <= {200, 206, 302}
    assert_a_picture(tmp_path / "picture.png")
