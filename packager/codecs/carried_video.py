"""AV1 and VP9: configuration boxes (AV1 in ISO base media files §2.3, VP9 in MP4 §2.2)."""

from packager.codecs.carried import CarriedVideo
from packager.codecs.h264 import Colour
from packager.errors import MalformedBox

_MAX_RECORD = 16 << 10
_UNSPECIFIED = 2
_VP9_LEVELS = (
    (36_864, 10), (73_728, 11), (122_880, 20), (245_760, 21), (552_960, 30), (983_040, 31),
    (2_228_224, 40), (8_912_896, 50),
)  # fmt: skip
"""The largest picture of a level, luma samples (VP9 levels, table 1)."""


def parse_av1c(record: bytes) -> CarriedVideo:
    """AV1CodecConfigurationRecord."""
    if not 4 <= len(record) <= _MAX_RECORD or record[0] != 0x81:
        raise MalformedBox(b"av1C", "not a version 1 record")
    profile, level, flags = record[1] >> 5, record[1] & 31, record[2]
    depth = 8 if not flags & 0x40 else 12 if flags & 0x20 and profile == 2 else 10
    tier = "H" if flags & 0x80 else "M"
    return CarriedVideo(b"av01", b"av1C", record, f"av01.{profile}.{level:02}{tier}.{depth:02}")


def parse_vpcc(record: bytes, width: int, height: int) -> tuple[CarriedVideo, Colour | None]:
    """VPCodecConfigurationRecord, and the colour it tells.

    A level that the writer left at 0 is that of the picture's size.
    """
    if not 12 <= len(record) <= _MAX_RECORD or record[0] != 1:
        raise MalformedBox(b"vpcC", "not a version 1 record")
    profile, level, depth = record[4], record[5], record[6] >> 4
    if profile > 3 or level > 99 or depth not in (8, 10, 12):
        raise MalformedBox(b"vpcC", f"profile {profile}, level {level}, {depth} bits")
    if not level:
        level = next((n for size, n in _VP9_LEVELS if width * height <= size), 60)
    codec = f"vp09.{profile:02}.{level:02}.{depth:02}"
    colour = Colour(record[7], record[8], record[9], bool(record[6] & 1))
    told = _UNSPECIFIED not in (colour.primaries, colour.transfer, colour.matrix)
    return CarriedVideo(b"vp09", b"vpcC", record, codec), colour if told else None
