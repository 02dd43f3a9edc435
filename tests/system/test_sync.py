"""Sound and picture are together for a player that goes by the manifest: FFmpeg's HLS over
HTTP from a running origin, and what an MPD names (rules C-01, C-05, C-06, T-05, P-03)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.presented import adaptations, representation
from tests.packager.flashes import Film, tones, whites
from tests.support.http import get
from tests.support.processes import Running, running

NEAR = 0.005
FILMS = {
    "priming": Film(),
    "trimmed": Film(((0, 0.6),)),
    "late": Film(((1.5, -1), (0, 0.52))),
    "pieces": Film(((1.5, 0.2), (2.3, 4.3), (1.0, 2.7))),
    "sets-in-the-samples": Film(in_band=True, delimiters=True, length_size=2),
}
LISTS = {  # where presentation time zero is for FFmpeg, seconds
    "HLS in MPEG-TS": ("hls", 10),
    "HLS in fMP4": ("hls/container/fmp4", 0),
    "CMAF": ("cmaf", 0),
}


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("films")
    for name, film in FILMS.items():
        (folder / f"{name}.mp4").write_bytes(film.encode())
    with running("origin", "--local-root", folder, "--port", "0") as origin:
        yield origin


@pytest.mark.parametrize(("protocol", "zero"), LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("name", FILMS)
def test_hls(origin: Running, name: str, protocol: str, zero: float) -> None:
    film, url = FILMS[name], f"{origin.url}/{protocol}/local/{name}.mp4/master.m3u8"
    seen = [time - zero for time in whites(url)]
    heard = [time - zero for time in tones(url)]
    assert seen == pytest.approx(film.presented(), abs=NEAR)
    assert heard == pytest.approx(film.presented(sound=True), abs=NEAR)


@pytest.mark.parametrize("name", FILMS)
def test_dash(origin: Running, name: str, tmp_path: Path) -> None:
    """What the MPD names, one after the other, at its times less presentationTimeOffset, after
    the edit list of the init segment."""
    film, folder = FILMS[name], f"{origin.url}/dash/local/{name}.mp4/"
    found = {}
    for outer, one, template in adaptations(get(folder + "manifest.mpd").body.decode()):
        named = representation(one, template)
        assert named.init is not None
        whole = tmp_path / "whole.mp4"
        parts = (get(folder + uri).body for uri in (named.init, *named.media))
        whole.write_bytes(b"".join(parts))
        offset = int(template.get("presentationTimeOffset", "0"))
        zero = offset / int(template.attrib["timescale"])
        kind = outer.attrib["contentType"]
        found[kind] = [
            time - zero for time in (whites if kind == "video" else tones)(str(whole))
        ]
    assert found["video"] == pytest.approx(film.presented(), abs=NEAR)
    assert found["audio"] == pytest.approx(film.presented(sound=True), abs=NEAR)
