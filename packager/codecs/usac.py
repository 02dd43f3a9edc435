"""USAC, which is xHE-AAC: the head of UsacConfig (ISO/IEC 23003-3 §5.2, §6.1)."""

from dataclasses import dataclass

from packager.codecs.bits import Bits
from packager.codecs.cicp import CHANNELS
from packager.errors import MalformedBox, Unsupported

_RATES = (
    96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
    0, 0, 57600, 51200, 40000, 38400, 34150, 28800, 25600, 20000, 19200, 17075, 14400, 12800,
    9600, 0, 0, 0,
)  # fmt: skip
_ESCAPE = 31
_FRAME_LENGTHS = (768, 1024, 2048, 2048, 4096)
"""Output samples by coreSbrFrameLengthIndex (table 70)."""


@dataclass(frozen=True, slots=True)
class Usac:
    sample_rate: int
    """Hz of the output, SBR included."""

    frame_length: int
    """Output samples."""

    channel_configuration: int
    """A code point; 0 where each channel's place is listed."""

    channels: int


def sampling_frequency(bits: Bits, box: bytes) -> int:
    """usacSamplingFrequencyIndex, and the frequency behind it where it is escaped."""
    index = bits.read(5)
    if index == _ESCAPE:
        return bits.read(24)
    if not _RATES[index]:
        raise MalformedBox(box, f"sampling frequency index {index} is reserved")
    return _RATES[index]


def usac_config(bits: Bits) -> Usac:
    """Raises ``BitsExhausted`` where it is cut short."""
    rate = sampling_frequency(bits, b"esds")
    index = bits.read(3)
    if index >= len(_FRAME_LENGTHS):
        raise MalformedBox(b"esds", f"USAC frame length index {index} is reserved")
    configuration = bits.read(5)
    channels = CHANNELS.get(configuration, 0) if configuration else _escaped(bits)
    if not 1 <= channels <= 64:
        raise Unsupported(f"mp4a: USAC channel configuration {configuration}")
    return Usac(rate, _FRAME_LENGTHS[index], configuration, channels)


def _escaped(bits: Bits) -> int:
    """numOutChannels: escapedValue(5, 8, 16)."""
    value = bits.read(5)
    if value == 31:
        value += (more := bits.read(8))
        if more == 255:
            value += bits.read(16)
    return value
