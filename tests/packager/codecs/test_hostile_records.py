"""Configuration records that lie: each is refused by the name of its box, or read, quickly."""

import random
import time
from collections.abc import Callable

import pytest

from packager.codecs.av1 import parse_av1c
from packager.codecs.carried_video import parse_vpcc
from packager.codecs.dolby_vision import parse_dolby_vision
from packager.codecs.h264 import parse_avcc, parse_sps
from packager.codecs.hevc import parse_hvcc
from packager.codecs.hevc import parse_sps as parse_hevc_sps
from packager.codecs.vvc import parse_vvcc
from packager.errors import MalformedBox, PackagerError, Unsupported
from packager.isobmff.box import box
from packager.isobmff.spatial import parse_vexu
from tests.packager.tables import PPS, SPS, avcc

Parse = Callable[[bytes], object]


def _avc(record: bytes) -> object:
    return [parse_sps(sps) for sps in parse_avcc(record).sps]


def _hevc(record: bytes) -> object:
    config = parse_hvcc(record)
    return parse_hevc_sps(config.sps) if config.sps else None


PARSE: dict[str, Parse] = {
    "avcC": _avc,
    "hvcC": _hevc,
    "av1C": parse_av1c,
    "vvcC": lambda record: parse_vvcc(b"vvc1", record),
    "vpcC": lambda record: parse_vpcc(b"vp09", record, 640, 360),
    "dvcC": lambda record: parse_dolby_vision(b"dvcC", record, b"hvc1"),
    "vexu": parse_vexu,
}

AVC = avcc() + bytes((0xFD, 0xF8, 0xF8, 0))  # with the fields of the high profiles
# Of libx265, SVT-AV1 and VVenC, 320 by 180
HEVC = bytes.fromhex(
    "0101600000009000000000003cf000fcfdf8f800000f03200001001840010c01ffff01600000030090000003"
    "000003003c959809210001002a42010101600000030090000003000003003ca00a080b9f796566924cae6808"
    "000003000800000300c04022000100074401c172b46240"
)
AV1 = bytes.fromhex("81000c000a0b000000043cfecc02f80040")
VVC = bytes.fromhex("00000000ff00655f010220800000014000b800")
VPX = bytes.fromhex("010000000014820101010000")
DOLBY = bytes.fromhex("0100103c10") + bytes(19)
VEXU = box(
    b"eyes", box(b"stri", bytes(4) + b"\3")
) + box(b"proj", box(b"prji", bytes(4) + b"hequ"))  # fmt: skip
GOOD = {
    "avcC": AVC, "hvcC": HEVC, "av1C": AV1, "vvcC": VVC, "vpcC": VPX, "dvcC": DOLBY,
    "vexu": VEXU,
}  # fmt: skip

WRONG: dict[str, tuple[str, bytes, str]] = {
    "avcC, nothing": ("avcC", b"", "avcC: not a version 1 record"),
    "avcC, version": ("avcC", b"\2" + AVC[1:], "avcC: not a version 1 record"),
    "avcC, 31 sets that are not there": (
        "avcC", AVC[:5] + b"\xff" + AVC[6:], "avcC: a parameter set does not fit",
    ),
    "avcC, a set of 65535 bytes": (
        "avcC", AVC[:6] + b"\xff\xff" + AVC[8:], "avcC: a parameter set does not fit",
    ),
    "avcC, without picture sets": (
        "avcC", AVC[: 8 + len(SPS)], "avcC: cut short before its picture",
    ),
    "avcC, empty set": (
        "avcC", AVC[:6] + bytes(2) + AVC[8:], "avcC: a parameter set does not fit",
    ),
    "avcC, sequence set of ones": (
        "avcC", avcc(sps=[SPS[:4] + b"\xff" * 9]), "avcC: ",
    ),
    "avcC, sequence set of zeros": (
        "avcC", avcc(sps=[SPS[:4] + bytes(90)]), "avcC: sequence parameter set is cut short",
    ),
    "avcC, cut sequence set": (
        "avcC", avcc(sps=[SPS[:6]]), "avcC: sequence parameter set is cut short",
    ),
    "avcC, too long": ("avcC", avcc(pps=[PPS] * 255) * 9, "avcC: "),
    "hvcC, nothing": ("hvcC", b"", "hvcC: not a version 1 record"),
    "hvcC, 255 arrays": (
        "hvcC", HEVC[:22] + b"\xff" + HEVC[23:], "hvcC: an array does not fit",
    ),
    "hvcC, 65535 units": (
        "hvcC", HEVC[:24] + b"\xff\xff" + HEVC[26:], "hvcC: ",
    ),
    "hvcC, lengths of 3": (
        "hvcC", HEVC[:21] + b"\x0e" + HEVC[22:], "hvcC: NAL lengths of 3 bytes",
    ),
    "hvcC, too long": ("hvcC", HEVC + bytes(17 << 10), "hvcC: "),
    "av1C, nothing": ("av1C", b"", "av1C: not a version 1 record"),
    "av1C, version": ("av1C", b"\x82" + AV1[1:], "av1C: not a version 1 record"),
    "av1C, header without end": (
        "av1C", AV1[:5] + b"\xff\xff\xff\xff\x7f" + AV1[6:9], "av1C: sequence header is cut",
    ),
    "av1C, header cut short": ("av1C", AV1[:10], "av1C: sequence header is cut short"),
    "av1C, too long": ("av1C", AV1 + bytes(17 << 10), "av1C: not a version 1 record"),
    "vvcC, nothing": ("vvcC", b"", "vvcC: not a version 0 record"),
    "vvcC, lengths of 3": ("vvcC", VVC[:4] + b"\xfd" + VVC[5:], "vvcC: NAL lengths of 3"),
    "vvcC, no profile": ("vvcC", VVC[:4] + b"\xfe" + VVC[5:], "vvcC: no profile, tier"),
    "vvcC, 63 bytes of constraints": (
        "vvcC", VVC[:8] + b"\xff" + VVC[9:], "vvcC: cut short in its profile",
    ),
    "vvcC, too long": ("vvcC", VVC + bytes(17 << 10), "vvcC: "),
    "vpcC, nothing": ("vpcC", b"", "vpcC: not a version 1 record"),
    "vpcC, version 0": ("vpcC", b"\0" + VPX[1:], "vpcC: not a version 1 record"),
    "vpcC, profile 255": ("vpcC", VPX[:4] + b"\xff" + VPX[5:], "vpcC: profile 255"),
    "vpcC, 15 bits": ("vpcC", VPX[:6] + b"\xf2" + VPX[7:], "vpcC: profile 0, level 20, 15"),
    "vpcC, too long": ("vpcC", VPX + bytes(17 << 10), "vpcC: not a version 1 record"),
    "dvcC, nothing": ("dvcC", b"", "dvcC: 0 bytes are no configuration"),
    "dvcC, too long": ("dvcC", bytes(65), "dvcC: 65 bytes are no configuration"),
    "vexu, a box that ends outside": ("vexu", b"\0\0\0\x20eyes" + bytes(8), "eyes: size 32"),
    "vexu, short stri": ("vexu", box(b"eyes", box(b"stri", b"\0")), "stri: 1 bytes where 5"),
    "vexu, short prji": ("vexu", box(b"proj", box(b"prji", bytes(7))), "prji: 7 bytes where"),
    "vexu, a thousand boxes": ("vexu", box(b"eyes", box(b"free") * 10_001), "free: follows"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_the_records_are_good_as_they_are(name: str) -> None:
    PARSE[name](GOOD[name])


@pytest.mark.parametrize(("name", "record", "message"), WRONG.values(), ids=WRONG)
def test_refused_by_the_name_of_the_box(name: str, record: bytes, message: str) -> None:
    begin = time.perf_counter()
    with pytest.raises((MalformedBox, Unsupported)) as error:
        PARSE[name](record)
    assert str(error.value).startswith(message)
    assert time.perf_counter() - begin < 0.1


def test_an_extension_that_lies_stays_where_it_is() -> None:
    """Decoders look at it with doubt, and nothing here is made of it."""
    lies = AVC[:-1] + b"\xff\xff\xff"
    assert parse_avcc(lies).record == lies
    assert parse_avcc(lies).codec == parse_avcc(AVC).codec


def _changed(record: bytes, chance: random.Random) -> bytes:
    made = bytearray(record)
    for _ in range(chance.choice((1, 1, 2, 5))):
        made[chance.randrange(len(made))] = chance.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF))
    if chance.random() < 0.3:
        del made[chance.randrange(len(made)) :]
    if chance.random() < 0.3:
        made += chance.choice((b"\0", b"\xff")) * chance.choice((1, 100, 8000))
    return bytes(made)


@pytest.mark.parametrize("name", GOOD)
def test_changed_records_are_read_or_refused(name: str) -> None:
    chance = random.Random(name)
    refused = 0
    for _ in range(1000):
        record = _changed(GOOD[name], chance)
        begin = time.perf_counter()
        try:
            PARSE[name](record)
        except PackagerError as error:
            refused += 1
            assert isinstance(error, Unsupported | MalformedBox) and ": " in str(error)
        assert time.perf_counter() - begin < 0.2
    assert refused > 10
