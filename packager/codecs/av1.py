"""AV1: configuration record and sequence header (AV1 in ISO base media files §2.3, AV1
bitstream specification §5.5)."""

from dataclasses import dataclass

from packager.codecs.bits import Bits, BitsExhausted
from packager.codecs.carried import CarriedVideo
from packager.codecs.h264 import Colour
from packager.errors import MalformedBox

_MAX_RECORD = 16 << 10
_SEQUENCE_HEADER = 1
_UNSPECIFIED = Colour(2, 2, 2, full_range=False)
_SRGB = (1, 13, 0)
_BT709 = Colour(1, 1, 1, full_range=False)


@dataclass(frozen=True, slots=True)
class SequenceHeader:
    width: int
    height: int
    colour: Colour | None


def parse_av1c(record: bytes) -> tuple[CarriedVideo, SequenceHeader | None]:
    """AV1CodecConfigurationRecord, and the sequence header where it holds one."""
    if not 4 <= len(record) <= _MAX_RECORD or record[0] != 0x81:
        raise MalformedBox(b"av1C", "not a version 1 record")
    profile, level, flags = record[1] >> 5, record[1] & 31, record[2]
    depth = 8 if not flags & 0x40 else 12 if flags & 0x20 and profile == 2 else 10
    tier = "H" if flags & 0x80 else "M"
    header = _sequence_header(record[4:])
    codec = f"av01.{profile}.{level:02}{tier}.{depth:02}{_tail(flags, header)}"
    return CarriedVideo(b"av01", b"av1C", record, codec), header


def _tail(flags: int, header: SequenceHeader | None) -> str:
    """The optional fields (§5): all of them, or none where all have their defaults, which are
    4:2:0 and BT.709."""
    monochrome, across, down = flags >> 4 & 1, flags >> 3 & 1, flags >> 2 & 1
    usual = not monochrome and across and down
    if header is None or (usual and header.colour in (None, _BT709)):
        return ""
    chroma = f"{across}{down}{flags & 3 if across and down else 0}"
    colour = header.colour or _UNSPECIFIED
    points = f"{colour.primaries:02}.{colour.transfer:02}.{colour.matrix:02}"
    return f".{monochrome}.{chroma}.{points}.{int(colour.full_range)}"


def _sequence_header(units: bytes) -> SequenceHeader | None:
    """Of configOBUs (§5.3): the first unit, if there is any."""
    if not units:
        return None
    kind, extended, sized = units[0] >> 3 & 15, units[0] >> 2 & 1, units[0] >> 1 & 1
    if kind != _SEQUENCE_HEADER or not sized:
        return None
    size, position = 0, 1 + extended
    for shift in range(0, 35, 7):  # leb128
        byte = units[position] if position < len(units) else 0
        size |= (byte & 127) << shift
        position += 1
        if not byte & 128:
            break
    try:
        return _parse_header(Bits(units[position : position + size]))
    except BitsExhausted:
        raise MalformedBox(b"av1C", "sequence header is cut short") from None


def _parse_header(bits: Bits) -> SequenceHeader:
    profile = bits.read(3)
    bits.flag()  # still_picture
    reduced = bits.flag()
    if reduced:
        bits.read(5)  # seq_level_idx
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.read(4) + 1, bits.read(4) + 1
    width, height = bits.read(width_bits) + 1, bits.read(height_bits) + 1
    if not reduced and bits.flag():  # frame_id_numbers_present_flag
        bits.read(4 + 3)
    bits.read(3)  # superblocks of 128, filter_intra, intra_edge_filter
    if not reduced:
        _skip_tools(bits)
    bits.read(3)  # superres, cdef, restoration
    return SequenceHeader(width, height, _parse_colour(bits, profile))


def _skip_operating_points(bits: Bits) -> None:
    delay_bits = 0
    if bits.flag():  # timing_info_present_flag
        bits.read(64)
        if bits.flag():  # equal_picture_interval
            bits.ue()
        if bits.flag():  # decoder_model_info_present_flag
            delay_bits = bits.read(5) + 1
            bits.read(32 + 10)
    initial_delay = bits.flag()
    for _ in range(bits.read(5) + 1):
        bits.read(12)  # operating_point_idc
        if bits.read(5) > 7:
            bits.flag()  # seq_tier
        if delay_bits and bits.flag():
            bits.read(2 * delay_bits + 1)
        if initial_delay and bits.flag():
            bits.read(4)


def _skip_tools(bits: Bits) -> None:
    bits.read(4)  # interintra, masked compound, warped motion, dual filter
    order_hint = bits.flag()
    if order_hint:
        bits.read(2)  # jnt_comp, ref_frame_mvs
    chosen = bits.flag()  # seq_choose_screen_content_tools
    screen_content = True if chosen else bits.flag()
    if screen_content and not bits.flag():  # seq_choose_integer_mv
        bits.flag()
    if order_hint:
        bits.read(3)


def _parse_colour(bits: Bits, profile: int) -> Colour | None:
    """color_config (§5.5.2); None where it tells nothing."""
    if bits.flag() and profile == 2:  # high_bitdepth
        bits.flag()  # twelve_bit
    monochrome = profile != 1 and bits.flag()
    points = (2, 2, 2)
    if bits.flag():  # color_description_present_flag
        points = (bits.read(8), bits.read(8), bits.read(8))
    full_range = (not monochrome and points == _SRGB) or bits.flag()
    colour = Colour(*points, full_range)
    return None if colour == _UNSPECIFIED else colour
