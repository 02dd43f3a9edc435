"""Parameter sets that are in the samples alone (``avc3``, ``hev1``): the decoder configuration
record with those of the first sample (ISO/IEC 14496-15 §5.3.3.1 and §8.3.3.1)."""

import struct
from collections.abc import Iterator

from packager.codecs.bits import Bits, BitsExhausted
from packager.codecs.h264 import (
    HIGH_PROFILES,
    NAL_PPS,
    NAL_SPS,
    AvcConfig,
    parse_avcc,
    unescape,
)
from packager.codecs.hevc import NAL_PPS as HEVC_PPS
from packager.codecs.hevc import NAL_SPS as HEVC_SPS
from packager.codecs.hevc import NAL_VPS as HEVC_VPS
from packager.codecs.hevc import HevcConfig, parse_hvcc
from packager.errors import MalformedBox, Unsupported

_MAX_SETS = {NAL_SPS: 31, NAL_PPS: 255}
_SPS_PROFILE = slice(3, 15)
"""profile_tier_level of a sequence parameter set without sub-layers (ITU-T H.265 §7.3.3)."""


def with_sets_of(config: AvcConfig | HevcConfig, sample: bytes) -> AvcConfig | HevcConfig:
    """*config* with the parameter sets of *sample*, or of what there is of its beginning.

    Raises ``Unsupported`` where it has none.
    """
    if isinstance(config, AvcConfig):
        return parse_avcc(_avcc(config, sample))
    return parse_hvcc(_hvcc(config, sample))


def _units(sample: bytes, length_size: int) -> Iterator[bytes]:
    position = 0
    while position + length_size < len(sample):
        length = int.from_bytes(sample[position : position + length_size], "big")
        position += length_size
        if not length or position + length > len(sample):
            return
        yield sample[position : position + length]
        position += length


def _avcc(config: AvcConfig, sample: bytes) -> bytes:
    sets: dict[int, list[bytes]] = {NAL_SPS: list(config.sps), NAL_PPS: list(config.pps)}
    for unit in _units(sample, config.nal_length_size):
        kept = sets.get(unit[0] & 31)
        if kept is not None and unit not in kept and len(kept) < _MAX_SETS[unit[0] & 31]:
            kept.append(unit)
    sps, pps = sets[NAL_SPS], sets[NAL_PPS]
    if not sps or not pps or len(sps[0]) < 4:
        raise Unsupported("avcC: no parameter sets, nor has the first sample any")
    return b"".join(
        (
            bytes((1, *sps[0][1:4], 0xFC | config.nal_length_size - 1, 0xE0 | len(sps))),
            *map(_sized, sps),
            bytes((len(pps),)),
            *map(_sized, pps),
            _high_profile_fields(sps[0]),
        )
    )


def _high_profile_fields(sps: bytes) -> bytes:
    """Chroma format and bit depths, and that there is no extension of the set."""
    if sps[1] not in HIGH_PROFILES:
        return b""
    bits = Bits(unescape(sps[4:]))
    try:
        bits.ue()  # seq_parameter_set_id
        chroma = bits.ue()
        if chroma == 3:
            bits.flag()  # separate_colour_plane_flag
        return bytes((0xFC | chroma & 3, 0xF8 | bits.ue() & 7, 0xF8 | bits.ue() & 7, 0))
    except BitsExhausted:
        raise MalformedBox(b"avcC", "sequence parameter set is cut short") from None


def _hvcc(config: HevcConfig, sample: bytes) -> bytes:
    sets: dict[int, bytes] = {}
    for unit in _units(sample, config.nal_length_size):
        sets.setdefault(unit[0] >> 1 & 63, unit)
    kinds = (HEVC_VPS, HEVC_SPS, HEVC_PPS)
    if not all(kind in sets for kind in kinds):
        raise Unsupported("hvcC: no parameter sets, nor has the first sample any")
    profile = unescape(sets[HEVC_SPS])[_SPS_PROFILE]
    if len(profile) < 12:
        raise MalformedBox(b"hvcC", "sequence parameter set is cut short")
    arrays = (
        bytes((0x80 | kind,)) + struct.pack(">H", 1) + _sized(sets[kind]) for kind in kinds
    )
    return b"".join((b"\1", profile, config.record[13:22], bytes((len(kinds),)), *arrays))


def _sized(unit: bytes) -> bytes:
    if len(unit) >= 1 << 16:
        raise Unsupported(f"a parameter set of {len(unit)} bytes")
    return struct.pack(">H", len(unit)) + unit
