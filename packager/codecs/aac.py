"""AAC, xHE-AAC among it: AudioSpecificConfig and ADTS (ISO/IEC 14496-3 §1.6, §1.A.3).

The configuration in the sample entry is often wrong for HE-AAC, so rate and channels come
from the AudioSpecificConfig alone (rule I-09).
"""

from dataclasses import dataclass

from packager.codecs.bits import Bits, BitsExhausted
from packager.codecs.usac import usac_config
from packager.errors import MalformedBox, Unsupported

AOT_LC, AOT_SBR, AOT_PS = 2, 5, 29
AOT_USAC = 42
_ER_LC, _LD, _ELD = 17, 23, 39  # error resilient: without data in ADTS
_ADTS_PROFILES = range(1, 5)  # Main, LC, SSR, LTP: what two bits of ADTS can say
_ADTS_HEADER_SIZE = 7
ADTS_MAX_FRAME = (1 << 13) - 1
_RATES = (
    96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
)  # fmt: skip
_CHANNELS = (0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8)  # by channelConfiguration
_ID_PCE = 5
_MAX_RECORD = 1 << 10
"""Bytes of a configuration.  The longest that means anything has a comment of 255."""


@dataclass(frozen=True, slots=True)
class AacConfig:
    record: bytes
    """AudioSpecificConfig."""

    object_type_indication: int
    """Of the esds: 0x40 for MPEG-4, 0x66 to 0x68 for MPEG-2."""

    object_type: int
    """What the decoder should play: 5 and 29 where SBR and PS are signalled."""

    core_object_type: int
    """What the bits without extensions are."""

    core_rate: int
    """Hz before SBR."""

    sample_rate: int
    """Hz of the output."""

    channel_configuration: int
    channels: int
    program_config: bytes = b""
    """program_config_element as the first element of a raw_data_block, byte aligned, where
    channelConfiguration is 0 (rule T-07)."""

    frame_length: int = 1024
    """Samples of a frame, at ``core_rate``."""

    @property
    def codec(self) -> str:
        """RFC 6381 §3.3."""
        if self.object_type_indication != 0x40:
            return f"mp4a.{self.object_type_indication:02x}"
        return f"mp4a.40.{self.object_type}"

    def adts_template(self) -> bytes:
        """The ADTS header with a frame length of zero, and what follows it in each frame."""
        rate_index = _RATES.index(self.core_rate)
        mpeg2 = self.object_type_indication != 0x40
        header = (
            0xFFF << 44  # syncword
            | int(mpeg2) << 43
            | 1 << 40  # protection_absent
            | (self.core_object_type - 1) << 38
            | rate_index << 34
            | self.channel_configuration << 30
            | 0x7FF << 2  # adts_buffer_fullness: variable rate
        )
        return header.to_bytes(_ADTS_HEADER_SIZE, "big") + self.program_config

    def why_not_adts(self) -> str | None:
        """The reason why this cannot be carried in ADTS; None where it can."""
        if self.core_object_type not in _ADTS_PROFILES:
            return f"object type {self.core_object_type} does not fit in ADTS"
        if self.frame_length != 1024:
            return f"frames of {self.frame_length} samples do not fit in ADTS"
        if self.core_rate not in _RATES:
            return f"{self.core_rate} Hz has no ADTS index"
        if self.channel_configuration > 7:
            return f"channel configuration {self.channel_configuration} does not fit in ADTS"
        return None


def parse_asc(record: bytes, object_type_indication: int = 0x40) -> AacConfig:
    """AudioSpecificConfig (§1.6.2.1) of AAC of any kind that is one layer, or of USAC."""
    if len(record) > _MAX_RECORD:
        raise MalformedBox(b"esds", f"an AudioSpecificConfig of {len(record)} bytes")
    try:
        return _parse_asc(record, object_type_indication)
    except BitsExhausted:
        raise MalformedBox(b"esds", "AudioSpecificConfig is cut short") from None


def _object_type(bits: Bits) -> int:
    value = bits.read(5)
    return 32 + bits.read(6) if value == 31 else value


def _rate(bits: Bits) -> int:
    index = bits.read(4)
    if index == 15:
        return bits.read(24)
    if index >= len(_RATES):
        raise MalformedBox(b"esds", f"sampling frequency index {index} is reserved")
    return _RATES[index]


def _parse_asc(record: bytes, object_type_indication: int) -> AacConfig:
    bits = Bits(record)
    object_type = core = _object_type(bits)
    core_rate = rate = _rate(bits)
    channel_configuration = bits.read(4)
    if object_type in (AOT_SBR, AOT_PS):  # hierarchical signalling
        rate = _rate(bits)
        core = _object_type(bits)
    if core == AOT_USAC:
        told = usac_config(bits)
        return AacConfig(
            bytes(record), object_type_indication, core, core,
            _plausible(told.sample_rate), told.sample_rate, told.channel_configuration,
            told.channels, frame_length=told.frame_length,
        )  # fmt: skip
    if core not in (*_ADTS_PROFILES, _ER_LC, _LD, _ELD):
        raise Unsupported(f"mp4a: audio object type {core} is no AAC of one layer")
    short = bits.flag()
    frame_length = (480 if short else 512) if core in (_LD, _ELD) else (960 if short else 1024)
    channels, program_config = 0, b""
    if channel_configuration < len(_CHANNELS):
        channels = _CHANNELS[channel_configuration]
    if core == _ELD:
        bits.read(3)  # resilience flags
        rate = 2 * rate if _sbr_doubles(bits) else rate
    else:
        if bits.flag():
            bits.read(14)  # coreCoderDelay
        bits.flag()  # extensionFlag
        if channel_configuration == 0:
            channels, program_config = _program_config(bits, 8 * len(record))
    if not channels:
        raise Unsupported(f"mp4a: channel configuration {channel_configuration}")
    if object_type == core and core in _ADTS_PROFILES:
        object_type, rate = _backward_compatible_extension(bits, object_type, rate)
    if object_type == AOT_PS and channels == 1:
        channels = 2  # what parametric stereo is for
    return AacConfig(
        bytes(record), object_type_indication, object_type, core, _plausible(core_rate),
        _plausible(rate), channel_configuration, channels, program_config, frame_length,
    )  # fmt: skip


def _plausible(rate: int) -> int:
    if not 1 <= rate <= 192_000:
        raise MalformedBox(b"esds", f"sampling frequency {rate}")
    return rate


def _sbr_doubles(bits: Bits) -> bool:
    """ldSbrPresentFlag and ldSbrSamplingRate of an ELDSpecificConfig (§4.6.20.2)."""
    return bits.flag() and bits.flag()


def _backward_compatible_extension(bits: Bits, object_type: int, rate: int) -> tuple[int, int]:
    """SBR and PS announced behind the core's configuration (§1.6.5)."""
    if bits.left < 16 or bits.read(11) != 0x2B7 or _object_type(bits) != AOT_SBR:
        return object_type, rate
    if not bits.flag():
        return object_type, rate
    rate = _rate(bits)
    if bits.left >= 12 and bits.read(11) == 0x548 and bits.flag():
        return AOT_PS, rate
    return AOT_SBR, rate


def _program_config(bits: Bits, total: int) -> tuple[int, bytes]:
    """program_config_element (§4.5.1.2): its channel count, and itself as the first element
    of a raw_data_block: the alignment inside it counts from another start there."""
    copied: list[tuple[int, int]] = [(_ID_PCE, 3)]

    def take(count: int) -> int:
        value = bits.read(count)
        copied.append((value, count))
        return value

    take(4 + 2 + 4)  # element_instance_tag, object_type, sampling_frequency_index
    front, side, back, lfe, data, coupling = (take(n) for n in (4, 4, 4, 2, 3, 4))
    for mixdown_bits in (4, 4, 3):
        if take(1):
            take(mixdown_bits)
    channels = lfe
    for _ in range(front + side + back):
        channels += 1 + take(1)
        take(4)
    for _ in range(lfe + data):
        take(4)
    for _ in range(coupling):
        take(5)
    bits.read((bits.left - total) % 8)
    written = sum(count for _, count in copied)
    copied.append((0, -written % 8))
    for _ in range(take(8)):
        take(8)
    value = 0
    for part, count in copied:
        value = value << count | part
    return channels, value.to_bytes(sum(count for _, count in copied) // 8, "big")
