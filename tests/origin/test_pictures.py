"""Pictures over HTTP: which frame, what size, what is read, what is refused."""

import io
import posixpath

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


def test_lists_name_the_same_sheets(shared: Origin) -> None:
    at = f"e/{shared.entry}/thumbSheets/1"
    master = shared.text(f"/hls/{at}/master.m3u8")
    assert "#EXT-X-IMAGE-STREAM-INF:" in master
    images = shared.text(f"/hls/{at}/images.m3u8")
    mpd = shared.text(f"/dash/{at}/manifest.mpd")
    cues = shared.text(f"/thumb/{at}/storyboard.vtt")
    [sheet] = {line.partition("#")[0] for line in cues.splitlines() if "#xywh" in line}
    assert sheet in images.splitlines()
    assert f'media="{sheet.replace("sheet-1", "sheet-$Number$")}"' in mpd
    bodies = set()
    for protocol in ("hls", "dash", "cmaf", "thumb"):
        answer = shared.ask(posixpath.normpath(f"/{protocol}/{at}/{sheet}"))
        assert answer.status == 200 and "immutable" in answer.headers["cache-control"]
        bodies.add(answer.body)
    assert len(bodies) == 1
    assert size_of(bodies.pop()) == (800, 450)
