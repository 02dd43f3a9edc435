"""Seek previews in real players: the tile that they show is the picture of that time."""

import base64
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import pytest

from tests.browser.conftest import NODE_MODULES, SECONDS, Library, Script
from tests.support.processes import running

TIMES = (0, 3, 5.9, 8.1, 11.9)
INTERVAL = 2
PLAYERS = (
    "shaka, DASH", "shaka, HLS", "shaka, CMAF", "shaka, storyboard", "dash.js", "dash.js, CMAF",
)  # fmt: skip


@pytest.fixture(scope="module")
def found(library: Library, script: Script) -> Iterator[dict[str, Any]]:
    options = ("--page-entry", library.entry, "--players", NODE_MODULES, "--thumb-sheets")
    with (
        running("origin", "--data", library.data, "--port", "0", *options) as origin,
        running("edge", "--upstream", origin.url, "--port", "0") as edge,
    ):
        yield script("pictures.mjs", edge.url, library.entry, *map(str, TIMES))


@pytest.fixture(scope="module")
def keys(library: Library) -> list[tuple[float, np.ndarray]]:
    """Every key frame of a flavor, by its time, as small as a tile."""
    [path, *_] = sorted((library.data / "samples").glob("*.mp4"))
    with av.open(str(path)) as opened:
        stream = opened.streams.video[0]
        stream.codec_context.skip_frame = "NONKEY"
        return [
            (frame.time, frame.to_ndarray(width=160, height=90, format="rgb24"))
            for frame in opened.decode(stream)
        ]


@pytest.mark.parametrize("player", PLAYERS)
def test_a_preview_is_the_key_frame_beside_its_tile(
    player: str, found: dict[str, Any], keys: list[tuple[float, np.ndarray]]
) -> None:
    for time, seen in zip(TIMES, found[player], strict=True):
        assert (seen["width"], seen["height"]) == (160, 90)
        assert seen["sheet"] == [800, 450]
        pixels = np.frombuffer(base64.b64decode(seen["rgb"]), np.uint8).reshape(90, 160, 3)
        differences = [np.abs(pixels.astype(int) - key).mean() for _, key in keys]
        tile = time // INTERVAL * INTERVAL
        nearest = min(range(len(keys)), key=lambda n: (abs(keys[n][0] - tile), keys[n][0]))
        assert int(np.argmin(differences)) == nearest, (time, differences)
        assert min(differences) < 8


def test_the_storyboard_covers_the_film(found: dict[str, Any]) -> None:
    cues = found["cues"]
    assert [start for start, _, _ in cues] == list(range(0, SECONDS, INTERVAL))
    assert [stop for _, stop, _ in cues[:-1]] == [start for start, _, _ in cues[1:]]
    assert cues[-1][1] == pytest.approx(SECONDS, abs=0.1)
    assert [text.partition("#")[2] for _, _, text in cues] == [
        f"xywh={n % 5 * 160},{n // 5 * 90},160,90" for n in range(len(cues))
    ]
