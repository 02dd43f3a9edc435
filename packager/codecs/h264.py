"""H.264: decoder configuration, parameter sets, NAL units (ITU-T H.264, ISO/IEC 14496-15 §5).

avcC  -> AvcConfig (lengths of NAL length fields, parameter sets, codec string)
SPS   -> picture size, sample aspect ratio, colour
sample-> NAL lengths, for ``annexb`` sizes and for refusing what is not filled by them
"""

from dataclasses import dataclass
from fractions import Fraction

from packager.codecs.bits import Bits, BitsExhausted
from packager.errors import MalformedBox, Unsupported

NAL_IDR, NAL_SPS, NAL_PPS, NAL_AUD = 5, 7, 8, 9
START_CODE = b"\x00\x00\x00\x01"
AUD = START_CODE + b"\x09\xf0"
"""Access unit delimiter with primary_pic_type 7: any slice type (§7.4.2.4)."""

HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_MAX_RECORD = 8 << 10
"""Bytes of a decoder configuration.  Parameter sets are some hundred bytes; they are repeated
before each IDR in MPEG-TS, so they must not be what fills a segment."""

_UNSPECIFIED = (2, 2, 2)
_EXTENDED_SAR = 255
_SAR = (  # table E-1
    (0, 1), (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11),
    (80, 33), (18, 11), (15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Colour:
    """Code points of ISO/IEC 23091-2."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool


@dataclass(frozen=True, slots=True)
class Sps:
    width: int
    height: int
    pixel_aspect: Fraction = Fraction(1)
    colour: Colour | None = None


@dataclass(frozen=True, slots=True)
class AvcConfig:
    record: bytes
    """AVCDecoderConfigurationRecord, as in avcC."""

    nal_length_size: int
    """Bytes of the length before each NAL unit: 1, 2 or 4."""

    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]

    @property
    def entry(self) -> bytes:
        return b"avc1"

    @property
    def box(self) -> bytes:
        return b"avcC"

    @property
    def codec(self) -> str:
        """RFC 6381 §3.3."""
        return f"avc1.{self.record[1:4].hex()}"

    @property
    def complete(self) -> bool:
        """Whether its parameter sets are in the record."""
        return bool(self.sps and self.pps)

    @property
    def parameter_sets(self) -> bytes:
        """SPS and PPS in Annex B form, to repeat before each IDR (rule T-06)."""
        return b"".join(START_CODE + unit for unit in (*self.sps, *self.pps))


def parse_avcc(record: bytes) -> AvcConfig:
    """AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1); parameter sets may be in the
    samples."""
    if len(record) < 7 or record[0] != 1:
        raise MalformedBox(b"avcC", "not a version 1 record")
    if len(record) > _MAX_RECORD:
        raise Unsupported(f"avcC: {len(record)} bytes are more than {_MAX_RECORD}")
    length_size = (record[4] & 3) + 1
    if length_size == 3:
        raise MalformedBox(b"avcC", "NAL lengths of 3 bytes are not allowed")
    sps, position = _units(record, 6, record[5] & 31)
    if position >= len(record):
        raise MalformedBox(b"avcC", "cut short before its picture parameter sets")
    pps, _ = _units(record, position + 1, record[position])
    return AvcConfig(record, length_size, sps, pps)


def _units(record: bytes, position: int, count: int) -> tuple[tuple[bytes, ...], int]:
    units = []
    for _ in range(count):
        length = int.from_bytes(record[position : position + 2], "big")
        unit = record[position + 2 : position + 2 + length]
        if not unit or len(unit) < length:
            raise MalformedBox(b"avcC", "a parameter set does not fit in the box")
        units.append(unit)
        position += 2 + length
    return tuple(units), position


def unescape(unit: bytes) -> bytes:
    """Take out emulation prevention bytes (§7.4.1)."""
    return unit.replace(b"\x00\x00\x03", b"\x00\x00")


def parse_sps(unit: bytes) -> Sps:
    """The fields of a sequence parameter set that a manifest needs (§7.3.2.1.1)."""
    try:
        return _parse_sps(Bits(unescape(unit[1:])))
    except BitsExhausted:
        raise MalformedBox(b"avcC", "sequence parameter set is cut short") from None


def _parse_sps(bits: Bits) -> Sps:
    profile = bits.read(8)
    bits.read(16)  # constraints, level
    bits.ue()  # seq_parameter_set_id
    chroma = _parse_chroma(bits) if profile in HIGH_PROFILES else 1
    bits.ue()  # log2_max_frame_num_minus4
    _skip_picture_order_count(bits)
    bits.ue()  # max_num_ref_frames
    bits.flag()  # gaps_in_frame_num_value_allowed_flag
    width = 16 * (bits.ue() + 1)
    height = 16 * (bits.ue() + 1)
    frame_mbs_only = bits.flag()
    if not frame_mbs_only:
        height *= 2
        bits.flag()  # mb_adaptive_frame_field_flag
    bits.flag()  # direct_8x8_inference_flag
    if bits.flag():
        unit_x = 2 if chroma in (1, 2) else 1
        unit_y = (2 if chroma == 1 else 1) * (1 if frame_mbs_only else 2)
        left, right, top, bottom = (bits.ue() for _ in range(4))
        width -= unit_x * (left + right)
        height -= unit_y * (top + bottom)
    if width <= 0 or height <= 0 or max(width, height) >= 1 << 16:
        raise MalformedBox(b"avcC", f"a picture of {width} by {height} pixels")
    return Sps(width, height, *(parse_vui(bits) if bits.flag() else ()))


def _parse_chroma(bits: Bits) -> int:
    chroma = bits.ue()
    if chroma == 3:
        bits.flag()  # separate_colour_plane_flag
    bits.ue()  # bit_depth_luma_minus8
    bits.ue()  # bit_depth_chroma_minus8
    bits.flag()  # qpprime_y_zero_transform_bypass_flag
    if bits.flag():  # seq_scaling_matrix_present_flag
        for index in range(8 if chroma != 3 else 12):
            if bits.flag():
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return chroma


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last, following = 8, 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _skip_picture_order_count(bits: Bits) -> None:
    match bits.ue():
        case 0:
            bits.ue()
        case 1:
            bits.flag()
            bits.se()
            bits.se()
            for _ in range(min(bits.ue(), 255)):
                bits.se()


def parse_vui(bits: Bits) -> tuple[Fraction, Colour | None]:
    """Aspect ratio and colour, the first fields of the VUI (§E.1.1)."""
    aspect = Fraction(1)
    if bits.flag():
        index = bits.read(8)
        pair = (bits.read(16), bits.read(16)) if index == _EXTENDED_SAR else (0, 0)
        if index < len(_SAR):
            pair = _SAR[index]
        aspect = Fraction(*pair) if all(pair) else aspect
    if bits.flag():  # overscan_info_present_flag
        bits.flag()
    if not bits.flag():  # video_signal_type_present_flag
        return aspect, None
    bits.read(3)
    full_range = bits.flag()
    if not bits.flag():  # colour_description_present_flag
        return aspect, Colour(*_UNSPECIFIED, full_range) if full_range else None
    return aspect, Colour(bits.read(8), bits.read(8), bits.read(8), full_range)
