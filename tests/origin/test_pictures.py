"""Pictures over HTTP: which frame, what size, what is read, what is refused."""

import io
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from tests.origin.inside import Origin


def size_of(jpeg: bytes) -> tuple[int, int]:
    with av.open(io.BytesIO(jpeg), format="jpeg_pipe") as opened:
        frame = next(opened.decode(video=0))
    return frame.width, frame.height


SIZES = {
    "as it is": ("thumb-0.jpg", (160, 90)),
    "a width": ("thumb-0-w80.jpg", (80, 45)),
    "a height": ("thumb-0-h30.jpg", (53, 30)),
    "both": ("thumb-0-w50-h50.jpg", (50, 50)),
    "larger": ("thumb-0-w320.jpg", (320, 180)),
    "odd": ("thumb-0-w51-h33.jpg", (51, 33)),
    "a flavor": ("thumb-0-f1.jpg", (96, 54)),
    "the frame": ("frame-1000-f1-v1-w64.jpg", (64, 36)),
}


@pytest.mark.parametrize(("name", "size"), SIZES.values(), ids=SIZES)
def test_a_picture_has_the_size_that_is_asked(
    name: str, size: tuple[int, int], shared: Origin
) -> None:
    answer = shared.ask(f"/thumb/e/{shared.entry}/{name}")
    assert answer.status == 200, answer.headers
    assert answer.headers["content-type"] == "image/jpeg"
    assert size_of(answer.body) == size
