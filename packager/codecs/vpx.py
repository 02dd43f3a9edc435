"""VP8 and VP9: the configuration record from the first key frame, for containers that store
none (VP codec ISO media file format binding, §2.2)."""

from packager.codecs.bits import Bits, BitsExhausted
from packager.errors import MalformedMedia

_UNSPECIFIED = 2
_BT601, _BT709, _SMPTE170, _SMPTE240, _BT2020, _RGB = 1, 2, 3, 4, 5, 7
_CODE_POINTS = {
    _BT601: (6, 6, 6), _BT709: (1, 1, 1), _SMPTE170: (6, 6, 6), _SMPTE240: (7, 7, 7),
    _BT2020: (9, 14, 9), _RGB: (1, 13, 0),
}  # fmt: skip
"""Primaries, transfer and matrix of a colour space of VP9 (bitstream specification §7.2.2)."""

_VP9_SYNC, _VP8_SYNC = 0x498342, b"\x9d\x01\x2a"


def _record(
    profile: int, depth: int, chroma: int, full: int, points: tuple[int, int, int]
) -> bytes:
    """VPCodecConfigurationRecord in its full box, of a level that is not known."""
    return bytes((1, 0, 0, 0, profile, 0, depth << 4 | chroma << 1 | full, *points, 0, 0))


def vp9_record(frame: bytes) -> bytes:
    """From the uncompressed header of a key frame (VP9 bitstream specification §6.2)."""
    try:
        return _vp9_record(Bits(frame[:16]))
    except BitsExhausted:
        raise MalformedMedia("VP9: the first frame is cut short") from None


def _vp9_record(bits: Bits) -> bytes:
    marker, low, high = bits.read(2), bits.read(1), bits.read(1)
    profile = high << 1 | low
    if profile == 3:
        bits.read(1)
    if marker != 2 or bits.flag() or bits.flag():  # show_existing_frame, frame_type
        raise MalformedMedia("VP9: the first frame is no key frame")
    bits.read(2)  # show_frame, error_resilient_mode
    if bits.read(24) != _VP9_SYNC:
        raise MalformedMedia("VP9: the first frame has no sync code")
    depth = (12 if bits.flag() else 10) if profile >= 2 else 8
    space = bits.read(3)
    full, chroma = 1, 3
    if space != _RGB:
        full, chroma = bits.read(1), 1
        if profile & 1:
            across, down = bits.read(1), bits.read(1)
            chroma = 1 if across and down else 2 if across else 3
    points = _CODE_POINTS.get(space, (_UNSPECIFIED, _UNSPECIFIED, _UNSPECIFIED))
    return _record(profile, depth, chroma, full, points)


def vp8_record(frame: bytes) -> bytes:
    """From the tag of a key frame (RFC 6386 §9.1): there are 8 bits and 4:2:0 alone."""
    if len(frame) < 10 or frame[0] & 1 or frame[3:6] != _VP8_SYNC:
        raise MalformedMedia("VP8: the first frame is no key frame")
    points = (_UNSPECIFIED, _UNSPECIFIED, _UNSPECIFIED)
    return _record(frame[0] >> 1 & 7, 8, 1, 0, points)
