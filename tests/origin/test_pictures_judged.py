"""Pictures of real files beside FFmpeg's frames of them: codecs, depth, turns, pixel shapes."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest

from origin.config import OriginConfig
from tests.origin.inside import Origin, running


@dataclass(frozen=True)
class Film:
    file: str
    size: tuple[int, int]
    """As it is shown."""

    turned: int = 0
    """Quarters that the coded picture is turned by, counter-clockwise."""

    at: float = 0.73
    """Seconds: between key frames."""

    mapped: bool = False
    """From high dynamic range: shapes can be compared, brightness cannot."""


FILMS = {
    "H.264": Film("shaka-packager/bear-640x360.mp4", (640, 360)),
    "H.264, open groups of a pyramid": Film(
        "media3/bbb_800x640_768kbps_30fps_avc_pyramid_3b.mp4", (1138, 640)
    ),
    "H.264, full range": Film("torchcodec/bt709_full_range.mp4", (1280, 720)),
    "H.264, 2-byte lengths": Film("media3/sample_2_byte_NAL_length.mp4", (1080, 720)),
    "H.264, upright": Film("mediabunny/rotate-buck-bunny.mp4", (1080, 1920), turned=-1),
    "H.264, an edit inside a group": Film("media3/iibbibb_editlist_videoonly.mp4", (704, 576)),
    "HEVC": Film("shaka-packager/bear-640x360-hevc.mp4", (640, 360)),
    "HEVC, 10 bits, PQ": Film(
        "shaka-packager/bear-640x360-hevc-hdr10.mp4", (640, 360), mapped=True
    ),
    "HEVC, HLG": Film("media3/hlg10-color-test.mp4", (1920, 1080), at=0.2, mapped=True),
    "VP9": Film("shaka-packager/bear-640x360-vp9.mp4", (640, 360)),
    "AV1": Film("shaka-packager/bear-av1.mp4", (320, 240)),
    "VVC": Film("media3/sample_vvc.mp4", (320, 180)),
}


@pytest.fixture(scope="module")
def origin(media_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    data = tmp_path_factory.mktemp("data")
    with running(OriginConfig(data=data, local_root=media_dir)) as serving:
        yield serving


def luma(jpeg: bytes) -> np.ndarray:
    with av.open(io.BytesIO(jpeg), format="jpeg_pipe") as opened:
        return next(opened.decode(video=0)).to_ndarray(format="gray").astype(float)


def by_ffmpeg(path: Path, film: Film, shape: tuple[int, int]) -> np.ndarray:
    """The frame shown at its time, counted from the first one."""
    height, width = shape if not film.turned else shape[::-1]
    shown, begin = None, None
    with av.open(str(path)) as opened:
        for frame in opened.decode(video=0):
            begin = frame.time if begin is None else begin
            if frame.time - begin > film.at + 1e-6:
                break
            shown = frame
    assert shown is not None
    pixels = shown.to_ndarray(width=width, height=height, format="gray")
    return np.rot90(pixels, film.turned).astype(float)


def unlike(one: np.ndarray, other: np.ndarray) -> float:
    """0 for the same picture at whatever brightness and contrast, 1 for another."""
    return 1 - float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@pytest.mark.parametrize("film", FILMS.values(), ids=FILMS)
def test_a_picture_is_ffmpegs(film: Film, origin: Origin, media_dir: Path) -> None:
    at = f"/thumb/local/{film.file}"
    with av.open(io.BytesIO(origin.get(f"{at}/thumb-0.jpg")), format="jpeg_pipe") as opened:
        frame = next(opened.decode(video=0))
        assert (frame.width, frame.height) == film.size
    seen = luma(origin.get(f"{at}/frame-{int(film.at * 1000)}-w160.jpg"))
    wanted = by_ffmpeg(media_dir / film.file, film, seen.shape)
    if film.mapped:
        assert unlike(seen, wanted) < 0.1
    else:
        assert np.abs(seen - wanted).mean() < 4
        assert unlike(seen, wanted) < 0.05
