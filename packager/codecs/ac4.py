"""AC-4: what dac4 tells (ETSI TS 103 190-2 §E.5 to §E.10)."""

from dataclasses import dataclass

from packager.codecs.bits import Bits, BitsExhausted
from packager.codecs.carried import CarriedAudio
from packager.errors import MalformedBox, Unsupported

_MAX_RECORD = 64 << 10
_PER_BIT = (2, 1, 2, 2, 2, 2, 1, 2, 2, 1, 1, 1, 1, 2, 1, 1, 2, 2, 2)
"""Channels of each group of speakers, from the lowest bit (§E.10.14, table A.27)."""

OBJECTS = 1 << 23
"""The mask of a presentation that has objects instead of channels."""

_FOUR_BACK = range(11, 15)
"""Channel modes of which further bits tell what is there."""


@dataclass(frozen=True, slots=True)
class Ac4:
    """The first presentation: the one that plays when nobody chooses."""

    bitstream_version: int
    presentation_version: int
    compatibility: int
    """mdcompat: the level of decoder that it takes."""

    sample_rate: int
    mask: int
    """presentation_channel_mask_v1; 0 where the presentation is of an older version."""


def parse_dac4(record: bytes) -> CarriedAudio:
    """AC4SpecificBox; channels of 0 where it does not say."""
    told = dsi(record)
    codec = (
        f"ac-4.{told.bitstream_version:02x}.{told.presentation_version:02x}"
        f".{told.compatibility:02x}"
    )
    channels = sum(count for bit, count in enumerate(_PER_BIT) if told.mask >> bit & 1)
    return CarriedAudio(b"ac-4", b"dac4", record, codec, told.sample_rate, channels)


def dsi(record: bytes) -> Ac4:
    """ac4_dsi_v1()."""
    if len(record) > _MAX_RECORD:
        raise MalformedBox(b"dac4", f"{len(record)} bytes")
    try:
        return _dsi(Bits(record))
    except BitsExhausted:
        raise MalformedBox(b"dac4", "cut short inside its first presentation") from None


def _dsi(bits: Bits) -> Ac4:
    total = bits.left
    version = bits.read(3)
    if version != 1:
        raise Unsupported(f"dac4: ac4_dsi_version {version}")
    bitstream = bits.read(7)
    rate = 48_000 if bits.flag() else 44_100
    bits.read(4)  # frame_rate_index
    count = bits.read(9)
    if not count:
        raise MalformedBox(b"dac4", "no presentation")
    if bitstream > 1 and bits.flag():
        bits.read(16)  # short_program_id
        if bits.flag():
            bits.read(128)  # program_uuid
    bits.read(2 + 32 + 32)  # ac4_bitrate_dsi
    bits.read((bits.left - total) % 8)
    presentation, size = bits.read(8), bits.read(8)
    if size == 255:
        size += bits.read(16)
    if bits.left < 8 * size:
        raise BitsExhausted
    compatibility, mask = _presentation(bits) if presentation else (_older(bits), 0)
    return Ac4(bitstream, presentation, compatibility, rate, mask)


def _older(bits: Bits) -> int:
    """ac4_presentation_v0_dsi(), as far as its mdcompat."""
    return 0 if bits.read(5) == 6 else bits.read(3)


def _presentation(bits: Bits) -> tuple[int, int]:
    """ac4_presentation_v1_dsi(), as far as its channels: mdcompat and mask."""
    if bits.read(5) == 6:  # presentation_config_v1: metadata alone
        return 0, OBJECTS
    compatibility = bits.read(3)
    if bits.flag():
        bits.read(5)  # presentation_id
    bits.read(2 + 2 + 5 + 10)  # frame rates, presentation_emdf_version, presentation_key_id
    if not bits.flag():  # b_presentation_channel_coded
        return compatibility, OBJECTS
    if bits.read(5) in _FOUR_BACK:
        bits.read(1 + 2)  # pres_b_4_back_channels_present, pres_top_channel_pairs
    return compatibility, bits.read(24)
