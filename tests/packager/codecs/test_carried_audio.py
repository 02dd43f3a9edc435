"""Configuration boxes of audio that is carried as it is: what they tell, and those that lie."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.codecs.channel_layouts import ChannelLayout, channel_layout
from packager.errors import MalformedBox, PackagerError, Unsupported
from packager.isobmff.box import box
from packager.isobmff.sample_entries import encode_sample_entry, parse_sample_entry
from packager.tracks import AudioFormat
from tests.packager.codecs.test_aac import bits
from tests.packager.tables import esds, mp4a, stsd

DOLBY = "tag:dolby.com,2014:dash:audio_channel_configuration:2011"
AC4 = "tag:dolby.com,2015:dash:audio_channel_configuration:2015"
DTS = "tag:dts.com,2014:dash:audio_channel_configuration:2012"
DTS_UHD = "tag:dts.com,2018:uhd:audio_channel_configuration"


def entry(fourcc: bytes, name: bytes, record: bytes, rate: int = 48_000) -> bytes:
    fields = struct.pack(">HHIHHII", 0, 0, 0, 2, 16, 0, rate << 16)
    return box(fourcc, bytes(6), b"\0\1", fields, box(name, record))


def parse(wire: bytes) -> AudioFormat:
    form = parse_sample_entry(memoryview(stsd(wire, version=0))[8:])
    assert isinstance(form, AudioFormat)
    return form


def dac3(acmod: int, lfe: int) -> bytes:
    return bits((0, 2), (8, 5), (0, 3), (acmod, 3), (lfe, 1), (14, 5), (0, 5))


def dec3(acmod: int, lfe: int, locations: int = 0, *more: tuple[int, int]) -> bytes:
    depends = ((1, 4), (locations, 9)) if locations else ((0, 4), (0, 1))
    head = ((640, 13), (0, 3), (0, 2), (16, 5), (0, 5), (acmod, 3), (lfe, 1), (0, 3))
    return bits(*head, *depends, *more)


def dac4(
    mask: int | None, presentation: int = 1, mode: int = 4, *, bitstream: int = 2
) -> bytes:
    """One presentation of decoder level 3, padded to the 20 bytes it says to have."""
    program = ((0, 1),) if bitstream > 1 else ()
    head = bits(
        (1, 3), (bitstream, 7), (1, 1), (13, 4), (1, 9), *program, (0, 2), (0, 32), (0, 32)
    )
    channels = ((0, 1),) if mask is None else ((1, 1), (mode, 5), (mask, 24))
    if mode in range(11, 15):
        channels = ((1, 1), (mode, 5), (1, 1), (2, 2), (mask or 0, 24))
    body = bits((1, 5), (3, 3), (1, 1), (9, 5), (0, 19), *channels)
    return head + bytes((presentation, 20)) + body.ljust(20, b"\0")


def ddts(layout: int, rate: int = 48_000) -> bytes:
    head = struct.pack(">IIIB", rate, 768_000, 768_000, 24)
    return head + bits((0, 2), (1, 5), (0, 1), (9, 6), (0, 14), (0, 4), (layout, 16), (0, 8))


def udts(mask: int) -> bytes:
    return bits((1, 6), (1, 2), (0, 3), (0, 5), (mask, 32), (1, 1), (1, 2), (0, 5))


def mhac(layout: int, *config: tuple[int, int]) -> bytes:
    body = bits(*config) if config else b""
    return struct.pack(">BBBH", 1, 0x0D, layout, len(body)) + body


def dmlp(rate: int, six: int, eight: int) -> bytes:
    return bits((rate, 4), (0, 8), (six, 5), (0, 2), (eight, 13), (0, 16), (0, 32))


def vorbis(channels: int = 2, rate: int = 48_000) -> bytes:
    """Three headers in Xiph's lacing."""
    first = b"\x01vorbis" + struct.pack("<IBIIIIBB", 0, channels, rate, 0, 0, 0, 0xB8, 1)
    return b"\2\x1e\x10" + first + b"\3vorbis" + bytes(9) + b"\5vorbis" + bytes(99)


def flac(channels: int) -> bytes:
    info = bits((4096, 16), (4096, 16), (0, 48), (48_000, 20), (channels - 1, 3), (15, 5))
    return bytes(4) + b"\x80\0\0\x22" + info.ljust(34, b"\0")


def alac(channels: int) -> bytes:
    return bytes(4) + struct.pack(
        ">IBBBBBBHIII", 4096, 0, 24, 40, 10, 14, channels, 255, 0, 0, 48_000
    )


def opus(channels: int) -> bytes:
    return struct.pack(">BBHIhB", 0, channels, 312, 48_000, 0, 1) + bytes(2 + channels)


# entry: codec, rate, channels, code point, the codec's own scheme and value
TOLD = {
    "AC-3 mono": (entry(b"ac-3", b"dac3", dac3(1, 0)), "ac-3", 48_000, 1, 1, DOLBY, "4000"),
    "AC-3 stereo": (entry(b"ac-3", b"dac3", dac3(2, 0)), "ac-3", 48_000, 2, 2, DOLBY, "A000"),
    "AC-3 two": (entry(b"ac-3", b"dac3", dac3(0, 0)), "ac-3", 48_000, 2, 8, DOLBY, "A000"),
    "AC-3 2/1": (entry(b"ac-3", b"dac3", dac3(4, 0)), "ac-3", 48_000, 3, 9, DOLBY, "A100"),
    "AC-3 2/2": (entry(b"ac-3", b"dac3", dac3(6, 0)), "ac-3", 48_000, 4, 10, DOLBY, "B800"),
    "AC-3 3/1": (entry(b"ac-3", b"dac3", dac3(5, 0)), "ac-3", 48_000, 4, 4, DOLBY, "E100"),
    "AC-3 5.1": (entry(b"ac-3", b"dac3", dac3(7, 1)), "ac-3", 48_000, 6, 6, DOLBY, "F801"),
    "AC-3 2.1": (entry(b"ac-3", b"dac3", dac3(2, 1)), "ac-3", 48_000, 3, None, DOLBY, "A001"),
    "E-AC-3 5.1": (entry(b"ec-3", b"dec3", dec3(7, 1)), "ec-3", 48_000, 6, 6, DOLBY, "F801"),
    "E-AC-3 7.1": (
        entry(b"ec-3", b"dec3", dec3(7, 1, 2)), "ec-3", 48_000, 8, 12, DOLBY, "FA01",
    ),
    "E-AC-3 7.1, wide": (
        entry(b"ec-3", b"dec3", dec3(7, 1, 1)), "ec-3", 48_000, 8, 7, DOLBY, "FC01",
    ),
    "E-AC-3 6.1": (
        entry(b"ec-3", b"dec3", dec3(7, 1, 4)), "ec-3", 48_000, 7, 11, DOLBY, "F901",
    ),
    "E-AC-3 5.1.2": (
        entry(b"ec-3", b"dec3", dec3(7, 1, 64)), "ec-3", 48_000, 8, 14, DOLBY, "F811",
    ),
    "AC-4 stereo": (
        entry(b"ac-4", b"dac4", dac4(1)), "ac-4.02.01.03", 48_000, 2, 2, AC4, "000001",
    ),
    "AC-4 5.1": (
        entry(b"ac-4", b"dac4", dac4(0x47)), "ac-4.02.01.03", 48_000, 6, 6, AC4, "000047",
    ),
    "AC-4 7.1.4": (
        entry(b"ac-4", b"dac4", dac4(0x7F, mode=12)),
        "ac-4.02.01.03", 48_000, 12, 19, AC4, "00007F",
    ),
    "AC-4 of objects": (
        entry(b"ac-4", b"dac4", dac4(None)), "ac-4.02.01.03", 48_000, 2, None, AC4, "800000",
    ),
    "AC-4 for headphones": (
        entry(b"ac-4", b"dac4", dac4(1, presentation=2)),
        "ac-4.02.02.03", 48_000, 2, 2, AC4, "000001",
    ),
    "AC-4, first edition": (
        entry(b"ac-4", b"dac4", dac4(1, presentation=0, bitstream=0)),
        "ac-4.00.00.03", 48_000, 2, None, None, None,
    ),
    "DTS 5.1": (entry(b"dtsc", b"ddts", ddts(0xF)), "dtsc", 48_000, 6, 6, DTS, "6"),
    "DTS-HD": (
        entry(b"dtsh", b"ddts", ddts(0x4F, 96_000), 0), "dtsh", 96_000, 8, 12, DTS, "8",
    ),
    "DTS Express": (entry(b"dtse", b"ddts", ddts(2)), "dtse", 48_000, 2, 2, DTS, "2"),
    "DTS lossless": (entry(b"dtsl", b"ddts", ddts(0x1F)), "dtsl", 48_000, 7, 11, DTS, "7"),
    "DTS that does not say": (
        entry(b"dtsc", b"ddts", ddts(0)), "dtsc", 48_000, 2, None, DTS, "2",
    ),
    "DTS:X": (
        entry(b"dtsx", b"udts", udts(0x3F)), "dtsx", 96_000, 6, 6, DTS_UHD, "0000003F",
    ),
    "MPEG-H": (
        entry(b"mhm1", b"mhaC", mhac(19, (13, 8), (4, 5), (0, 27))),
        "mhm1.0x0D", 44_100, 12, 19, None, None,
    ),
    "MPEG-H, own rate": (
        entry(b"mha1", b"mhaC", mhac(6, (13, 8), (31, 5), (48_001, 24), (0, 3))),
        "mha1.0x0D", 48_001, 6, 6, None, None,
    ),
    "MPEG-H that does not say": (
        entry(b"mhm1", b"mhaC", mhac(0)), "mhm1.0x0D", 48_000, 2, None, None, None,
    ),
    "TrueHD stereo": (entry(b"mlpa", b"dmlp", dmlp(0, 1, 0)), "mlpa", 48_000, 2, 2, None, None),
    "TrueHD 5.1": (entry(b"mlpa", b"dmlp", dmlp(1, 15, 0)), "mlpa", 96_000, 6, 6, None, None),
    "TrueHD 7.1": (
        entry(b"mlpa", b"dmlp", dmlp(2, 15, 0x4F)), "mlpa", 192_000, 8, 12, None, None,
    ),
    "Vorbis": (mp4a(esds(vorbis(6), 0xDD)), "mp4a.DD", 48_000, 6, 6, None, None),
    "DTS by object type": (mp4a(esds(b"", 0xA9)), "mp4a.A9", 44_100, 2, 2, None, None),
    "FLAC, four": (entry(b"fLaC", b"dfLa", flac(4)), "fLaC", 48_000, 4, 10, None, None),
    "FLAC, eight": (entry(b"fLaC", b"dfLa", flac(8)), "fLaC", 48_000, 8, 12, None, None),
    "ALAC": (entry(b"alac", b"alac", alac(2), 0), "alac", 48_000, 2, 2, None, None),
    "ALAC, four": (entry(b"alac", b"alac", alac(4)), "alac", 48_000, 4, 4, None, None),
    "ALAC, eight": (entry(b"alac", b"alac", alac(8)), "alac", 48_000, 8, 7, None, None),
    "Opus, seven": (entry(b"Opus", b"dOps", opus(7)), "Opus", 48_000, 7, 11, None, None),
    "Opus, nine": (entry(b"Opus", b"dOps", opus(9)), "Opus", 48_000, 9, None, None, None),
    "AAC, seven": (
        mp4a(esds(bits((2, 5), (3, 4), (7, 4), (0, 3)))), "mp4a.40.2", 48_000, 8, 7, None, None,
    ),
    "AAC, eight": (
        mp4a(esds(bits((2, 5), (3, 4), (12, 4), (0, 3)))),
        "mp4a.40.2", 48_000, 8, 12, None, None,
    ),
    "AAC, parametric": (
        mp4a(esds(bits((29, 5), (6, 4), (1, 4), (3, 4), (2, 5), (0, 3)))),
        "mp4a.40.29", 48_000, 2, 2, None, None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("wire", "codec", "rate", "channels", "point", "scheme", "value"), TOLD.values(), ids=TOLD
)
def test_told(
    wire: bytes, codec: str, rate: int, channels: int, point: int | None,
    scheme: str | None, value: str | None,
) -> None:  # fmt: skip
    form = parse(wire)
    assert (form.codec, form.config.sample_rate, form.config.channels) == (
        codec,
        rate,
        channels,
    )
    own = None if scheme is None or value is None else (scheme, value)
    assert channel_layout(form.config) == ChannelLayout(point, own)


@pytest.mark.parametrize("name", TOLD)
def test_what_is_written_reads_the_same(name: str) -> None:
    form = parse(TOLD[name][0])
    assert parse(encode_sample_entry(form)) == form


def test_truehd_has_its_rate_in_whole_hertz() -> None:
    wire = encode_sample_entry(parse(TOLD["TrueHD 7.1"][0]))
    assert int.from_bytes(wire[32:36], "big") == 192_000


PROGRAMS = {
    "3/2.1": ((2, 4), (0, 4), (1, 4), (1, 2), [(0, 5), (16, 5), (16, 5)], 1, 6),
    "3/2/2.1": ((2, 4), (1, 4), (1, 4), (1, 2), [(0, 5), (16, 5), (16, 5), (16, 5)], 1, 12),
    "2/1": ((1, 4), (0, 4), (1, 4), (0, 2), [(16, 5), (0, 5)], 0, 9),
    "no known one": ((1, 4), (0, 4), (0, 4), (1, 2), [(16, 5)], 1, None),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_config_is_a_layout(name: str) -> None:
    *counts, elements, lfe, point = PROGRAMS[name]
    record = bits(
        (2, 5), (3, 4), (0, 4), (0, 3), (0, 4), (1, 2), (3, 4), *counts, (0, 3), (0, 4), (0, 3),
        *elements, *([(0, 4)] * lfe), (0, 7), (0, 8),
    )  # fmt: skip
    assert channel_layout(parse(mp4a(esds(record))).config).code_point == point


REFUSED = {
    "ddts": (entry(b"dtsc", b"ddts", ddts(2)[:19]), MalformedBox, "ddts: 19 bytes where 20"),
    "ddts of no rate": (
        entry(b"dtsc", b"ddts", ddts(2, 0), 0), MalformedBox, "dtsc: 2 channels",
    ),
    "ddts of a wild rate": (
        entry(b"dtsc", b"ddts", ddts(2, 2**32 - 1)), MalformedBox, "dtsc: 2 channels at 42949",
    ),
    "udts": (entry(b"dtsx", b"udts", bytes(6)), MalformedBox, "udts: 6 bytes where 7"),
    "dac4": (entry(b"ac-4", b"dac4", b""), MalformedBox, "dac4: cut short"),
    "dac4 of version 0": (entry(b"ac-4", b"dac4", bytes(40)), Unsupported, "dac4: ac4_dsi_ver"),
    "dac4 without presentation": (
        entry(b"ac-4", b"dac4", bits((1, 3), (2, 7), (1, 1), (13, 4), (0, 9))),
        MalformedBox, "dac4: no presentation",
    ),
    "dac4 cut": (entry(b"ac-4", b"dac4", dac4(1)[:-1]), MalformedBox, "dac4: cut short inside"),
    "dac4 of megabytes": (
        entry(b"ac-4", b"dac4", dac4(1) + bytes(1 << 20)), MalformedBox, "dac4: 1048610 bytes",
    ),
    "mhaC": (entry(b"mhm1", b"mhaC", b"\1\x0d\6\0"), MalformedBox, "mhaC: 4 bytes where 5"),
    "mhaC that lies": (
        entry(b"mhm1", b"mhaC", mhac(6)[:3] + b"\xff\xff"), MalformedBox,
        "mhaC: version 1, a configuration of 65535 bytes",
    ),
    "mhaC of a reserved rate": (
        entry(b"mhm1", b"mhaC", mhac(6, (13, 8), (30, 5), (0, 27))), MalformedBox,
        "mhaC: sampling frequency index 30 is reserved",
    ),
    "dmlp": (entry(b"mlpa", b"dmlp", bytes(9)), MalformedBox, "dmlp: 9 bytes where 10"),
    "dmlp of a reserved rate": (
        entry(b"mlpa", b"dmlp", dmlp(7, 1, 0)), MalformedBox, "dmlp: sampling frequency 7",
    ),
    "Vorbis of no channels": (mp4a(esds(vorbis(0), 0xDD)), MalformedBox, "esds: Vorbis of no"),
    "Vorbis of no rate": (mp4a(esds(vorbis(2, 0), 0xDD)), MalformedBox, "esds: sampling freq"),
    "Vorbis cut": (mp4a(esds(vorbis()[:30], 0xDD)), MalformedBox, "esds: no identification"),
    "ALAC of no channels": (entry(b"alac", b"alac", alac(0)), MalformedBox, "alac: 0 channels"),
    "ALAC cut": (entry(b"alac", b"alac", alac(2)[:27]), MalformedBox, "alac: 27 bytes where"),
}  # fmt: skip


@pytest.mark.parametrize(("wire", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(wire: bytes, kind: type[PackagerError], message: str) -> None:
    with pytest.raises(kind) as error:
        parse(wire)
    assert type(error.value) is kind
    assert str(error.value).startswith(message), str(error.value)


@given(st.sampled_from([one[0] for one in TOLD.values()]), st.data())
def test_damage_ends_by_name(wire: bytes, data: st.DataObject) -> None:
    """Whatever is still read has a layout too, or none."""
    at = data.draw(st.integers(36, len(wire) - 1))
    value = data.draw(st.integers(0, 255))
    try:
        form = parse(wire[:at] + bytes([value]) + wire[at + 1 :])
    except PackagerError:
        return
    channel_layout(form.config)
