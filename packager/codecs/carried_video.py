"""VP8 and VP9: the configuration box (VP codec ISO media file format binding, §2.2)."""

from packager.codecs.carried import CarriedVideo
from packager.codecs.h264 import Colour
from packager.errors import MalformedBox

_MAX_RECORD = 16 << 10
_UNSPECIFIED = 2
_BT709 = Colour(1, 1, 1, full_range=False)
_LEVELS = (
    (36_864, 10), (73_728, 11), (122_880, 20), (245_760, 21), (552_960, 30), (983_040, 31),
    (2_228_224, 40), (8_912_896, 50),
)  # fmt: skip
"""The largest picture of a level, luma samples (VP9 levels, table 1)."""


def parse_vpcc(
    entry: bytes, record: bytes, width: int, height: int
) -> tuple[CarriedVideo, Colour | None]:
    """VPCodecConfigurationRecord in an entry ``vp08`` or ``vp09``, and the colour it tells.

    A level that the writer left at 0 is that of the picture's size.
    """
    if not 12 <= len(record) <= _MAX_RECORD or record[0] != 1:
        raise MalformedBox(b"vpcC", "not a version 1 record")
    profile, level, depth = record[4], record[5], record[6] >> 4
    if profile > 3 or level > 99 or depth not in (8, 10, 12):
        raise MalformedBox(b"vpcC", f"profile {profile}, level {level}, {depth} bits")
    if not level:
        level = next((n for size, n in _LEVELS if width * height <= size), 60)
        record = record[:5] + bytes((level,)) + record[6:]
    colour = Colour(record[7], record[8], record[9], bool(record[6] & 1))
    told = _UNSPECIFIED not in (colour.primaries, colour.transfer, colour.matrix)
    codec = f"{entry.decode()}.{profile:02}.{level:02}.{depth:02}"
    codec += _tail(record[6] >> 1 & 7, colour if told else _BT709)
    return CarriedVideo(entry, b"vpcC", record, codec), colour if told else None


def _tail(chroma: int, colour: Colour) -> str:
    """The optional fields (§4): all of them, or none where all have their defaults, which are
    4:2:0 and BT.709."""
    if chroma <= 1 and colour == _BT709:
        return ""
    points = f"{colour.primaries:02}.{colour.transfer:02}.{colour.matrix:02}"
    return f".{chroma:02}.{points}.{int(colour.full_range):02}"
