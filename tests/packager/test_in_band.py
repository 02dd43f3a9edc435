"""Parameter sets that are in the samples alone."""

import io

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from packager.codecs.h264 import AvcConfig
from packager.codecs.hevc import HevcConfig
from packager.errors import Unsupported
from packager.tracks import VideoFormat
from tests.packager.carrying import Packaged, index_of

ENCODERS = {
    b"avc3": ("libx264", {"x264-params": "repeat-headers=1:log-level=none"}, b"avc1", b"avcC"),
    b"hev1": ("libx265", {"x265-params": "repeat-headers=1:log-level=none"}, b"hev1", b"hvcC"),
}


def film(entry: bytes) -> bytes:
    """Half a second whose samples repeat the parameter sets, with none in the record."""
    encoder, options, written, record = ENCODERS[entry]
    out = io.BytesIO()
    with av.open(out, "w", "mp4") as container:
        stream = container.add_stream(encoder, rate=24, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 192, 112, "yuv420p"
        for shade in range(12):
            picture = np.full((112 * 3 // 2, 192), 20 * shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "yuv420p")))
        container.mux(stream.encode())
    data = bytearray(out.getvalue())
    at = data.index(record) + 4
    if record == b"avcC":
        data[at + 5 : at + 7] = b"\xe0\0"
    else:
        data[at + 22] = 0
    return bytes(data).replace(written, entry)


def without_sets(data: bytes, entry: bytes) -> bytes:
    """Those of the first sample become units that mean nothing."""
    track = index_of(data).tracks[0]
    config = track.track.format.config
    assert isinstance(config, AvcConfig | HevcConfig)
    spoilt = config.sps[0] if isinstance(config, AvcConfig) else config.sps
    kind = b"\x0c" if entry == b"avc3" else b"\x4c"
    return data.replace(spoilt, kind + spoilt[1:])


@pytest.mark.parametrize("entry", ENCODERS)
def test_they_go_into_the_record(entry: bytes) -> None:
    packaged = Packaged(film(entry))
    track = packaged.flavors[0].tracks[0]
    form = track.track.format
    assert isinstance(form, VideoFormat)
    assert (form.width, form.height) == (192, 112)
    assert form.codec.startswith("avc1.64" if entry == b"avc3" else "hvc1.1.6.L")
    init, *segments = packaged.cmaf(track)
    with av.open(io.BytesIO(b"".join((init, *segments))), "r") as container:
        assert container.streams[0].codec_context.extradata
        assert len(list(container.decode(container.streams.video[0]))) == 12


@pytest.mark.parametrize("entry", ENCODERS)
def test_there_are_none(entry: bytes) -> None:
    with pytest.raises(Unsupported, match="no parameter sets, nor has the first sample any"):
        index_of(without_sets(film(entry), entry))
