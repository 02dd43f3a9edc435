"""Decoder configuration, against what FFmpeg makes and reads."""

import io
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.codecs.h264 import Colour, parse_avcc, parse_sps, unescape
from packager.errors import MalformedBox, PackagerError, Unsupported
from tests.packager.tables import PPS, SPS, avcc

FORMATS = {
    "4:2:0": ("yuv420p", (320, 180), "sar=1/1"),
    "odd height": ("yuv420p", (322, 182), "sar=4/3"),
    "table SAR": ("yuv420p", (720, 576), "sar=16/11"),
    "extended SAR": ("yuv420p", (176, 144), "sar=123/100"),
    "no SAR": ("yuv420p", (64, 64), "bframes=0"),
    "4:2:2": ("yuv422p", (98, 66), "sar=1/1"),
    "4:4:4": ("yuv444p", (99, 67), "sar=1/1"),
    "10 bits": ("yuv420p10le", (130, 70), "sar=1/1"),
    "interlaced": ("yuv420p", (352, 292), "interlaced=1"),
    "scaling lists": ("yuv420p", (320, 240), "cqm=jvt"),
    "baseline": ("yuv420p", (320, 242), "bframes=0:cabac=0:8x8dct=0:weightp=0"),
}


def encoded(pix_fmt: str, size: tuple[int, int], parameters: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "one.mp4")
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height = size
            stream.pix_fmt = pix_fmt
            stream.options = {"preset": "ultrafast", "x264-params": f"threads=1:{parameters}"}
            picture = np.zeros((size[1], size[0], 3), np.uint8)
            for number in range(3):
                frame = av.VideoFrame.from_ndarray(picture, "rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path.read_bytes()


@pytest.mark.parametrize(("pix_fmt", "size", "parameters"), FORMATS.values(), ids=FORMATS)
def test_the_sps_says_what_ffmpeg_sees(
    pix_fmt: str, size: tuple[int, int], parameters: str
) -> None:
    with av.open(io.BytesIO(encoded(pix_fmt, size, parameters))) as container:
        context = container.streams.video[0].codec_context
        config = parse_avcc(bytes(context.extradata))
        sps = parse_sps(config.sps[0])
        assert (sps.width, sps.height) == (context.width, context.height) == size
        assert sps.pixel_aspect == (context.sample_aspect_ratio or 1)


PQ = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"


def test_colour() -> None:
    data = encoded(
        "yuv420p", (64, 64), "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"
    )
    with av.open(io.BytesIO(data)) as container:
        record = bytes(container.streams.video[0].codec_context.extradata)
    assert parse_sps(parse_avcc(record).sps[0]).colour == Colour(9, 16, 9, full_range=False)


def test_avcc() -> None:
    config = parse_avcc(avcc(length_size=2, sps=[SPS, SPS], pps=[PPS]))
    assert config.nal_length_size == 2
    assert config.sps == (SPS, SPS)
    assert config.pps == (PPS,)
    assert config.codec == "avc1.64000d"
    start = b"\0\0\0\1"
    assert config.parameter_sets == start + SPS + start + SPS + start + PPS


@given(st.integers(0, len(avcc()) - 1))
def test_a_cut_record_is_refused(length: int) -> None:
    with pytest.raises((MalformedBox, Unsupported), match=r"^avc"):
        parse_avcc(avcc()[:length])


@given(st.binary(max_size=40))
def test_unescape_takes_out_what_an_encoder_puts_in(unit: bytes) -> None:
    escaped, zeros = bytearray(), 0
    for byte in unit:
        if zeros == 2 and byte <= 3:
            escaped.append(3)
            zeros = 0
        escaped.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    assert unescape(bytes(escaped)) == unit


@given(st.data())
def test_a_damaged_sps_ends_by_name(data: st.DataObject) -> None:
    unit = bytearray(SPS[: data.draw(st.integers(1, len(SPS)))])
    for _ in range(data.draw(st.integers(0, 4))):
        unit[data.draw(st.integers(0, len(unit) - 1))] = data.draw(st.integers(0, 255))
    try:
        sps = parse_sps(bytes(unit))
    except PackagerError as error:
        assert str(error).startswith("avcC: ")
        return
    assert 0 < sps.width < 1 << 16
    assert 0 < sps.height < 1 << 16


def test_a_picture_too_wide_is_refused() -> None:
    """pic_width_in_mbs 4096 makes 65,536 pixels, one more than a sample entry can say."""
    bits = f"{66:08b}" + "0" * 8 + f"{30:08b}" + "1" + "1" + "1" + "1" + "1" + "0"
    bits += f"{4096:025b}" + f"{9:07b}" + "1" + "1" + "0" + "0" + "1"
    bits += "0" * (-len(bits) % 8)
    unit = b"\x67" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    with pytest.raises(MalformedBox, match="avcC: a picture of 65536 by 144 pixels"):
        parse_sps(unit)


def unit_of(*fields: str) -> bytes:
    text = "".join(fields) + "1"
    text += "0" * (-len(text) % 8)
    return b"\x67" + int(text, 2).to_bytes(len(text) // 8, "big")


def test_picture_order_count_by_cycle() -> None:
    """Type 1 has fields of its own, one of them a list."""
    head = f"{77:08b}" + "0" * 8 + f"{30:08b}" + "1" + "1"
    cycle = "010" + "0" + "1" + "1" + "011" + "010" + "00110"  # type 1; two offsets
    size = "1" + "0" + f"{20:09b}" + f"{12:07b}"  # 320 by 192
    unit = unit_of(head, cycle, size, "1", "1", "0", "0")
    assert (parse_sps(unit).width, parse_sps(unit).height) == (320, 192)


def test_a_number_without_end_is_refused() -> None:
    with pytest.raises(MalformedBox, match="avcC: sequence parameter set is cut short"):
        parse_sps(b"\x67\x4d\0\x1e" + bytes(20))
