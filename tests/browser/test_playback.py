"""Real players in Chromium, on the product's page, from the edge.

Judged is what a viewer would see: no error, one gapless buffered range, every frame decoded, no
wait after the start.  How the page is driven is in ``drive.mjs``.
"""

from pathlib import Path
from typing import Any

import av
import pytest

from tests.browser.conftest import SECONDS, Library, Script

FRAMES = 25 * SECONDS
HALF_FRAME = 0.02  # of the picture; about a frame of sound

COMBINATIONS = [
    "hls-ts",
    "cmaf-hls-hlsjs",
    "cmaf-hls-shaka",
    "cmaf-dash-shaka",
    "cmaf-dash-dashjs",
]

START = {"hls-ts": 0.09}
"""Where the buffer may start, seconds.  hls.js takes the first DTS of a transport stream for
zero, so the picture begins by the delay of its B-frames later, and the sound with it."""


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_plays_from_the_edge(
    script: Script, library: Library, edge: str, combination: str, tmp_path: Path
) -> None:
    picture = tmp_path / "picture.png"
    found = script("drive.mjs", edge, library.entry, combination, picture)
    through, sought = found["through"], found["sought"]
    for run in (through, sought):
        assert_undisturbed(run, START.get(combination, 0.0))
        assert moved(run) == 0
    verdicts = {request["verdict"] for run in (through, sought) for request in run["requests"]}
    assert verdicts & {"hit", "miss"}, "the page read no Cache-Status"
    assert through["totalVideoFrames"] == FRAMES
    chosen = "{width}x{height}".format(**through["chosen"])
    assert chosen in through["renditionsSeen"][1:], "the switch was not seen"
    middle = next(event["time"] for event in sought["events"] if event["type"] == "seeked")
    assert middle == pytest.approx(sought["duration"] / 2, abs=0.1)
    assert_a_picture(picture)


def assert_undisturbed(run: dict[str, Any], start: float) -> None:
    assert (run["errors"], run["complaints"]) == ([], [])
    assert run["waits"] == 0, run["events"]
    assert run["duration"] == pytest.approx(SECONDS, abs=0.1)
    assert run["currentTime"] == pytest.approx(run["duration"], abs=0.1)
    for buffered in (run["buffered"], *(each["buffered"] for each in run["sourceBuffers"])):
        [[first, last]] = buffered
        assert 0 <= first <= start + HALF_FRAME
        assert last == pytest.approx(run["duration"], abs=2 * HALF_FRAME)
    assert {request["status"] for request in run["requests"]} == {200}
    assert {request["verdict"] for request in run["requests"]} <= {"hit", "miss", "browser"}


def moved(run: dict[str, Any]) -> float:
    """The widest difference between time stamp offsets, of sound and picture alike."""
    offsets = [float(each) for sort in run["sourceBuffers"] for each in sort["offsets"]]
    return max(offsets) - min(offsets)


def assert_a_picture(path: Path) -> None:
    """Colour bars: neither black nor of one colour."""
    with av.open(str(path)) as image:
        pixels = next(image.decode(video=0)).to_ndarray(format="rgb24")
    assert pixels.std() > 40
    red, green, blue = pixels.reshape(-1, 3).astype(int).T
    assert ((blue > 120) & (red < 60) & (green < 60)).mean() > 0.01, "no blue bar"
    assert ((red > 120) & (blue < 60) & (green < 60)).mean() > 0.01, "no red bar"
