"""HEVC: decoder configuration and sequence parameter set (ITU-T H.265, ISO/IEC 14496-15 §8)."""

from dataclasses import dataclass

from packager.codecs.bits import Bits, BitsExhausted
from packager.codecs.h264 import Sps, parse_vui, unescape
from packager.errors import MalformedBox, Unsupported

NAL_IRAP = range(16, 24)
"""Pictures at which decoding can start (§7.4.2.2)."""

NAL_VPS, NAL_SPS, NAL_PPS = 32, 33, 34
_MAX_RECORD = 16 << 10
_FIXED_SIZE = 23
_MAX_SETS, _MAX_LONG_TERM, _MAX_PICTURES = 64, 32, 16
"""Reference picture sets, long-term pictures, and pictures of a set (§7.4.3.2.1)."""


@dataclass(frozen=True, slots=True)
class HevcConfig:
    record: bytes
    """HEVCDecoderConfigurationRecord, as in hvcC."""

    nal_length_size: int
    """Bytes of the length before each NAL unit: 1, 2 or 4."""

    sps: bytes
    """Empty where parameter sets are in the samples."""

    complete: bool = True
    """Whether its parameter sets are in the record."""

    @property
    def entry(self) -> bytes:
        """hvc1, whatever the source says: the parameter sets are in the record (I-08)."""
        return b"hvc1"

    @property
    def box(self) -> bytes:
        return b"hvcC"

    @property
    def codec(self) -> str:
        """ISO/IEC 14496-15 §E.3."""
        space = ("", "A", "B", "C")[self.record[1] >> 6]
        tier, profile = "LH"[self.record[1] >> 5 & 1], self.record[1] & 31
        compatible = int(f"{int.from_bytes(self.record[2:6], 'big'):032b}"[::-1], 2)
        constraints = "".join(f".{byte:X}" for byte in self.record[6:12].rstrip(b"\0"))
        return f"hvc1.{space}{profile}.{compatible:X}.{tier}{self.record[12]}{constraints}"


def parse_hvcc(record: bytes) -> HevcConfig:
    """HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1)."""
    if len(record) < _FIXED_SIZE or record[0] != 1:
        raise MalformedBox(b"hvcC", "not a version 1 record")
    if len(record) > _MAX_RECORD:
        raise Unsupported(f"hvcC: {len(record)} bytes are more than {_MAX_RECORD}")
    length_size = (record[21] & 3) + 1
    if length_size == 3:
        raise MalformedBox(b"hvcC", "NAL lengths of 3 bytes are not allowed")
    sets = _parameter_sets(record)
    complete = all(kind in sets for kind in (NAL_VPS, NAL_SPS, NAL_PPS))
    return HevcConfig(record, length_size, sets.get(NAL_SPS, b""), complete)


def _parameter_sets(record: bytes) -> dict[int, bytes]:
    """The first NAL unit of each type."""
    found: dict[int, bytes] = {}
    position = _FIXED_SIZE
    for _ in range(record[22]):
        head = record[position : position + 3]
        if len(head) < 3:
            raise MalformedBox(b"hvcC", "an array does not fit in the box")
        position += 3
        for _ in range(int.from_bytes(head[1:], "big")):
            length = int.from_bytes(record[position : position + 2], "big")
            unit = record[position + 2 : position + 2 + length]
            if not unit or len(unit) < length:
                raise MalformedBox(b"hvcC", "a parameter set does not fit in the box")
            found.setdefault(head[0] & 63, unit)
            position += 2 + length
    return found


def parse_sps(unit: bytes) -> Sps:
    """The fields that a manifest needs (ITU-T H.265 §7.3.2.2.1)."""
    try:
        return _parse_sps(Bits(unescape(unit[2:])))
    except BitsExhausted:
        raise MalformedBox(b"hvcC", "sequence parameter set is cut short") from None


def _parse_sps(bits: Bits) -> Sps:
    bits.read(4)  # sps_video_parameter_set_id
    sub_layers = bits.read(3)
    bits.flag()  # sps_temporal_id_nesting_flag
    _skip_profile_tier_level(bits, sub_layers)
    bits.ue()  # sps_seq_parameter_set_id
    chroma = bits.ue()
    if chroma == 3:
        bits.flag()  # separate_colour_plane_flag
    width, height = bits.ue(), bits.ue()
    if bits.flag():  # conformance_window_flag
        left, right, top, bottom = (bits.ue() for _ in range(4))
        width -= (2 if chroma in (1, 2) else 1) * (left + right)
        height -= (2 if chroma == 1 else 1) * (top + bottom)
    if width <= 0 or height <= 0 or max(width, height) >= 1 << 16:
        raise MalformedBox(b"hvcC", f"a picture of {width} by {height} pixels")
    bits.ue(), bits.ue()  # bit depths
    order_bits = bits.ue() + 4
    for _ in range(sub_layers + 1 if bits.flag() else 1):
        bits.ue(), bits.ue(), bits.ue()  # buffering, reordering, latency
    for _ in range(6):  # sizes and depths of blocks
        bits.ue()
    if bits.flag() and bits.flag():  # scaling lists that are sent
        _skip_scaling_lists(bits)
    bits.read(2)  # amp_enabled_flag, sample_adaptive_offset_enabled_flag
    if bits.flag():  # pcm_enabled_flag
        bits.read(8), bits.ue(), bits.ue(), bits.flag()
    _skip_reference_sets(bits)
    if bits.flag():  # long_term_ref_pics_present_flag
        for _ in range(_bounded(bits.ue(), _MAX_LONG_TERM)):
            bits.read(order_bits + 1)
    bits.read(2)  # sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
    if not bits.flag():
        return Sps(width, height)
    return Sps(width, height, *parse_vui(bits))  # it begins as in H.264


def _bounded(count: int, most: int) -> int:
    if count > most:
        raise MalformedBox(b"hvcC", f"sequence parameter set: {count} where {most} may be")
    return count


def _skip_profile_tier_level(bits: Bits, sub_layers: int) -> None:
    bits.read(88 + 8)
    present = [(bits.flag(), bits.flag()) for _ in range(sub_layers)]
    if sub_layers:
        bits.read(2 * (8 - sub_layers))
    for profile, level in present:
        bits.read(88 * profile + 8 * level)


def _skip_scaling_lists(bits: Bits) -> None:
    for size in range(4):
        for _ in range(2 if size == 3 else 6):
            if not bits.flag():
                bits.ue()  # scaling_list_pred_matrix_id_delta
                continue
            for _ in range(min(64, 1 << (4 + 2 * size)) + (size > 1)):
                bits.se()


def _skip_reference_sets(bits: Bits) -> None:
    """Each may be told by the one before it (§7.3.7)."""
    pictures = 0
    for number in range(_bounded(bits.ue(), _MAX_SETS)):
        if number and bits.flag():
            bits.flag(), bits.ue()  # delta_rps_sign, abs_delta_rps_minus1
            pictures = sum(bits.flag() or bits.flag() for _ in range(pictures + 1))
            continue
        pictures = bits.ue() + bits.ue()
        for _ in range(_bounded(pictures, _MAX_PICTURES)):
            bits.ue(), bits.flag()
