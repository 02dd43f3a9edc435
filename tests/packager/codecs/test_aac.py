"""AudioSpecificConfig and ADTS, bit by bit, and by FFmpeg."""

import io

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.codecs.aac import AacConfig, parse_asc
from packager.errors import MalformedBox, PackagerError, Unsupported


def bits(*fields: tuple[int, int]) -> bytes:
    """``(value, width)`` fields, padded with zeros."""
    text = "".join(f"{value:0{width}b}" for value, width in fields)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


GA = ((0, 3),)  # frame length 1024, no core coder, no extension
PCE_STEREO = (
    (0, 4), (1, 2), (4, 4),  # tag, profile, rate
    (1, 4), (0, 4), (0, 4), (0, 2), (0, 3), (0, 4),  # one element in front
    (0, 3), (1, 1), (0, 4),  # no mixdown; it is a pair, tag 0
)  # fmt: skip
# record: codec, core rate, output rate, channels
VECTORS = {
    "LC stereo": (bits((2, 5), (4, 4), (2, 4), *GA), "mp4a.40.2", 44100, 44100, 2),
    "LC mono 8 kHz": (bits((2, 5), (11, 4), (1, 4), *GA), "mp4a.40.2", 8000, 8000, 1),
    "LC 5.1": (bits((2, 5), (3, 4), (6, 4), *GA), "mp4a.40.2", 48000, 48000, 6),
    "LC 7.1": (bits((2, 5), (3, 4), (7, 4), *GA), "mp4a.40.2", 48000, 48000, 8),
    "Main": (bits((1, 5), (3, 4), (2, 4), *GA), "mp4a.40.1", 48000, 48000, 2),
    "own rate": (bits((2, 5), (15, 4), (44116, 24), (2, 4), *GA), "mp4a.40.2", 44116, 44116, 2),
    "HE, hierarchical": (
        bits((5, 5), (7, 4), (2, 4), (4, 4), (2, 5), *GA), "mp4a.40.5", 22050, 44100, 2,
    ),
    "HE, backward compatible": (
        bits((2, 5), (7, 4), (2, 4), *GA, (0x2B7, 11), (5, 5), (1, 1), (4, 4)),
        "mp4a.40.5", 22050, 44100, 2,
    ),
    "no SBR, said so": (
        bits((2, 5), (4, 4), (2, 4), *GA, (0x2B7, 11), (5, 5), (0, 1)),
        "mp4a.40.2", 44100, 44100, 2,
    ),
    "HE v2, hierarchical": (
        bits((29, 5), (6, 4), (1, 4), (3, 4), (2, 5), *GA), "mp4a.40.29", 24000, 48000, 2,
    ),
    "HE v2, backward compatible": (
        bits(
            (2, 5), (6, 4), (1, 4), *GA,
            (0x2B7, 11), (5, 5), (1, 1), (3, 4), (0x548, 11), (1, 1),
        ),
        "mp4a.40.29", 24000, 48000, 2,
    ),
    "LC 6.1": (bits((2, 5), (3, 4), (11, 4), *GA), "mp4a.40.2", 48000, 48000, 7),
    "LC 7.1, behind": (bits((2, 5), (3, 4), (12, 4), *GA), "mp4a.40.2", 48000, 48000, 8),
    "LC 22.2": (bits((2, 5), (3, 4), (13, 4), *GA), "mp4a.40.2", 48000, 48000, 24),
    "LC 7.1, above": (bits((2, 5), (3, 4), (14, 4), *GA), "mp4a.40.2", 48000, 48000, 8),
    "LC of 960": (bits((2, 5), (3, 4), (2, 4), (1, 1), (0, 2)), "mp4a.40.2", 48000, 48000, 2),
    "LTP": (bits((4, 5), (3, 4), (2, 4), *GA), "mp4a.40.4", 48000, 48000, 2),
    "LD": (bits((23, 5), (3, 4), (2, 4), *GA), "mp4a.40.23", 48000, 48000, 2),
    "ELD": (bits((31, 5), (7, 6), (3, 4), (2, 4), (0, 5)), "mp4a.40.39", 48000, 48000, 2),
    "ELD with SBR": (
        bits((31, 5), (7, 6), (6, 4), (2, 4), (0, 4), (3, 2)), "mp4a.40.39", 24000, 48000, 2,
    ),
    # of the files that mp4parse and Shaka Player test with
    "xHE mono": (
        bytes.fromhex("f94824211cc0185000200097084730b0"), "mp4a.40.42", 44100, 44100, 1,
    ),
    "xHE stereo": (
        bytes.fromhex("f94643622cc04152660673002b9000013800800011bf2c00"),
        "mp4a.40.42", 48000, 48000, 2,
    ),
    "xHE, channel by channel": (
        bits((31, 5), (10, 6), (3, 4), (0, 4), (31, 5), (48000, 24), (1, 3), (0, 5), (3, 5)),
        "mp4a.40.42", 48000, 48000, 3,
    ),
    "program config": (
        bits((2, 5), (4, 4), (0, 4), *GA, *PCE_STEREO, (0, 5), (0, 8)),
        "mp4a.40.2", 44100, 44100, 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("record", "codec", "core", "rate", "channels"), VECTORS.values(), ids=VECTORS
)
def test_vector(record: bytes, codec: str, core: int, rate: int, channels: int) -> None:
    config = parse_asc(record)
    assert (config.codec, config.core_rate, config.sample_rate) == (codec, core, rate)
    assert config.channels == channels
    assert config.record == record


REFUSED = {
    "empty": (b"", MalformedBox, "esds: AudioSpecificConfig is cut short"),
    "scalable": (bits((6, 5), (3, 4), (2, 4)), Unsupported, "mp4a: audio object type 6"),
    "xHE cut": (bits((31, 5), (10, 6), (3, 4), (2, 4)), MalformedBox, "esds: AudioSpecificC"),
    "xHE rate": (
        bits((31, 5), (10, 6), (3, 4), (2, 4), (13, 5), (1, 3), (2, 5)), MalformedBox,
        "esds: sampling frequency index 13 is reserved",
    ),
    "xHE rate 0": (
        bits((31, 5), (10, 6), (3, 4), (2, 4), (31, 5), (0, 24), (1, 3), (2, 5)), MalformedBox,
        "esds: sampling frequency 0",
    ),
    "xHE frames": (
        bits((31, 5), (10, 6), (3, 4), (2, 4), (3, 5), (5, 3), (2, 5)), MalformedBox,
        "esds: USAC frame length index 5",
    ),
    "xHE channels": (
        bits((31, 5), (10, 6), (3, 4), (2, 4), (3, 5), (1, 3), (21, 5)), Unsupported,
        "mp4a: USAC channel configuration 21",
    ),
    "xHE of 65,821 channels": (
        bits(
            (31, 5), (10, 6), (3, 4), (2, 4), (3, 5), (1, 3), (0, 5),
            (31, 5), (255, 8), (65_535, 16),
        ),
        Unsupported, "mp4a: USAC channel configuration 0",
    ),
    "rate": (bits((2, 5), (13, 4), (2, 4)), MalformedBox, "esds: sampling frequency index 13"),
    "rate 0": (
        bits((2, 5), (15, 4), (0, 24), (2, 4), *GA), MalformedBox, "esds: sampling frequency 0",
    ),
    "channels": (
        bits((2, 5), (3, 4), (15, 4), *GA), Unsupported, "mp4a: channel configuration 15",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("record", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(record: bytes, kind: type[PackagerError], message: str) -> None:
    with pytest.raises(kind) as error:
        parse_asc(record)
    assert str(error.value).startswith(message)


@given(st.binary(max_size=40))
def test_anything_else_ends_by_name(record: bytes) -> None:
    try:
        config = parse_asc(record)
    except PackagerError:
        return
    if config.why_not_adts() is None:
        assert len(config.adts_template()) == 7 + len(config.program_config)


def adts(config: AacConfig, frame: bytes) -> bytes:
    head = bytearray(config.adts_template())
    size = len(head) + len(frame)
    head[3] |= size >> 11
    head[4] = size >> 3 & 0xFF
    head[5] |= size << 5 & 0xE0
    return bytes(head) + frame


def test_the_header_field_by_field() -> None:
    template = parse_asc(VECTORS["LC stereo"][0]).adts_template()
    assert template == bits(
        (0xFFF, 12), (0, 1), (0, 2), (1, 1), (1, 2), (4, 4), (0, 1), (2, 3), (0, 4),
        (0, 13), (0x7FF, 11), (0, 2),
    )  # fmt: skip


def test_mpeg_2_says_so() -> None:
    assert parse_asc(VECTORS["LC stereo"][0], 0x67).adts_template()[1] == 0xF9


def test_a_program_config_comes_first_in_each_frame() -> None:
    """As an element of raw_data_block: aligned from there (rule T-07)."""
    config = parse_asc(VECTORS["program config"][0])
    assert config.program_config == bits((5, 3), *PCE_STEREO, (0, 2), (0, 8))
    assert config.adts_template()[7:] == config.program_config


def test_every_part_of_a_program_config() -> None:
    """5.1 with a mixdown, data, coupling and a comment; aligned again in its new place."""
    elements = (
        (0, 4), (1, 2), (3, 4),
        (2, 4), (0, 4), (1, 4), (1, 2), (1, 3), (1, 4),  # how many of each
        (1, 1), (9, 4), (1, 1), (8, 4), (1, 1), (5, 3),
        (0, 1), (0, 4), (1, 1), (0, 4), (1, 1), (1, 4), (0, 4), (2, 4), (1, 1), (3, 4),
    )  # fmt: skip
    comment = ((2, 8), (0x68, 8), (0x69, 8))
    head = ((2, 5), (3, 4), (0, 4), *GA)
    used = sum(width for _, width in (*head, *elements))
    aligned = ((0, -used % 8),) if used % 8 else ()
    config = parse_asc(bits(*head, *elements, *aligned, *comment))
    assert config.channels == 6
    placed = sum(width for _, width in elements) + 3
    padding = ((0, -placed % 8),) if placed % 8 else ()
    assert config.program_config == bits((5, 3), *elements, *padding, *comment)


NOT_IN_ADTS = {
    "LC of 960": "frames of 960 samples do not fit in ADTS",
    "LD": "object type 23 does not fit in ADTS",
    "ELD": "object type 39 does not fit in ADTS",
    "xHE mono": "object type 42 does not fit in ADTS",
}


def test_what_adts_cannot_say() -> None:
    odd = parse_asc(VECTORS["own rate"][0])
    assert odd.why_not_adts() == "44116 Hz has no ADTS index"
    wide = parse_asc(bits((2, 5), (3, 4), (11, 4), *GA))
    assert wide.why_not_adts() == "channel configuration 11 does not fit in ADTS"
    for name, said in NOT_IN_ADTS.items():
        assert parse_asc(VECTORS[name][0]).why_not_adts() == said


@pytest.mark.parametrize(
    ("rate", "layout", "count"), [(44_100, "stereo", 2), (48_000, "5.1", 6), (8000, "mono", 1)]
)
def test_ffmpeg_reads_the_headers(rate: int, layout: str, count: int) -> None:
    encoder = av.CodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate, layout, "fltp"
    frames = []
    for number in range(12):
        frame = av.AudioFrame("fltp", layout, 1024)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate, frame.pts = rate, number * 1024
        frames += [bytes(packet) for packet in encoder.encode(frame)]
    config = parse_asc(bytes(encoder.extradata))
    stream = b"".join(adts(config, frame) for frame in frames)
    with av.logging.Capture() as messages, av.open(io.BytesIO(stream), format="aac") as found:
        audio = found.streams.audio[0]
        assert (audio.rate, audio.channels) == (rate, count)
        assert [bytes(one)[7:] for one in found.demux(audio) if one.size] == frames
    assert not [text for level, _, text in messages if level <= av.logging.ERROR]
