"""Audio outside of MP4: as a stream of MPEG-TS and as packed audio (RFC 8216 §3.3, §3.4).

Frames of AC-3, E-AC-3 and MP3 carry their own headers; those of AAC get one of ADTS.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache

from packager.codecs.aac import AacConfig
from packager.codecs.bits import Bits
from packager.codecs.carried import CarriedAudio

_MPEG_AUDIO, _PRIVATE_STREAM_1 = 0xC0, 0xBD  # stream_id (ISO/IEC 13818-1 table 2-22)
_REGISTRATION = 0x05
_AC3_DESCRIPTOR, _EAC3_DESCRIPTOR = 0x81, 0xCC
_MP3 = ("mp4a.69", "mp4a.6B")
_LSF_BELOW = 32_000
"""Hz: what is slower is a frame of MPEG-2, or of what came after it (stream_type 0x04)."""


@dataclass(frozen=True, slots=True)
class AudioStream:
    stream_type: int
    """Of the PMT (ISO/IEC 13818-1 table 2-34; ATSC A/52 annexes A and G)."""

    stream_id: int
    """Of its PES."""

    descriptors: bytes
    """Of the PMT."""

    frame_header: bytes
    """ADTS header of a frame of length zero, and what follows it in each; or nothing."""

    suffix: str
    """Of the name of packed audio."""


@lru_cache(maxsize=256)
def audio_stream(config: AacConfig | CarriedAudio) -> AudioStream | None:
    """None for what is in fMP4 alone."""
    if isinstance(config, AacConfig):
        if config.why_not_adts():
            return None
        return AudioStream(0x0F, _MPEG_AUDIO, b"", config.adts_template(), "aac")
    match config.box:
        case b"dac3":
            told = _registration(b"AC-3") + _ac3_descriptor(config.record)
            return AudioStream(0x81, _PRIVATE_STREAM_1, told, b"", "ac3")
        case b"dec3":
            told = _registration(b"EAC3") + _eac3_descriptor(config)
            return AudioStream(0x87, _PRIVATE_STREAM_1, told, b"", "ec3")
        case b"esds" if config.codec in _MP3:
            kind = 0x04 if config.sample_rate < _LSF_BELOW else 0x03
            return AudioStream(kind, _MPEG_AUDIO, b"", b"", "mp3")
    return None


def _descriptor(tag: int, body: bytes) -> bytes:
    return bytes([tag, len(body)]) + body


def _registration(name: bytes) -> bytes:
    return _descriptor(_REGISTRATION, name)


def _ac3_descriptor(dac3: bytes) -> bytes:
    """AC-3_audio_stream_descriptor (ATSC A/52 §A4.3), from the AC3SpecificBox."""
    bits = Bits(dac3)
    rate, bsid, bsmod, acmod = (bits.read(count) for count in (2, 5, 3, 3))
    bits.flag()  # lfeon
    bit_rate = bits.read(5)
    head = rate << 21 | bsid << 16 | bit_rate << 10 | bsmod << 5 | acmod << 1 | 1  # full_svc
    return _descriptor(_AC3_DESCRIPTOR, struct.pack(">I", head)[1:])


def _eac3_descriptor(config: CarriedAudio) -> bytes:
    """E-AC-3_audio_stream_descriptor (§G3.5): bsid, a complete main service, its channels."""
    bits = Bits(config.record)
    bits.read(13 + 3 + 2)  # data_rate, num_ind_sub, fscod
    bsid = bits.read(5)
    channels = {1: 0, 2: 2}.get(config.channels, 4 if config.channels <= 6 else 5)
    return _descriptor(_EAC3_DESCRIPTOR, bytes([0xC0, 0xC0 | channels, 0x20 | bsid]))
