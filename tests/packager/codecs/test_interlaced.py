"""Interlaced H.264: two fields are one sample, so the rate is that of frames."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from packager.hls.variants import separate_variants
from tests.packager.carrying import Packaged

FRAMES = 50


@pytest.fixture(scope="module")
def film() -> bytes:
    """Two seconds of 25 frames a second, 50 fields, in macroblock pairs."""
    out = io.BytesIO()
    options = {"x264-params": "interlaced=1:keyint=25:bframes=2:log-level=none"}
    noise = np.random.default_rng(1)
    with av.open(out, "w", "mp4") as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 352, 280, "yuv420p"
        for _ in range(FRAMES):
            picture = noise.integers(16, 235, (280 * 3 // 2, 352), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "yuv420p")))
        container.mux(stream.encode())
    return out.getvalue()


def test_frames_are_counted_and_not_fields(film: bytes) -> None:
    packaged = Packaged(film, target=Fraction(1))
    [shown] = packaged.presentation().video
    assert (shown.width, shown.height, shown.frame_rate) == (352, 280, Fraction(25))
    [variant] = separate_variants(packaged.presentation(), lambda one: one.name).variants
    assert (variant.resolution, variant.frame_rate) == ((352, 280), Fraction(25))
    [track] = packaged.flavors[0].tracks
    for segments in (packaged.ts(), packaged.cmaf(track)):
        with av.open(io.BytesIO(b"".join(segments)), "r") as container:
            frames = list(container.decode(video=0))
        assert len(frames) == FRAMES
        assert all(one.interlaced_frame for one in frames)
        assert {one.height for one in frames} == {280}
