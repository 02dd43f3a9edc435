"""Audio tracks to formats, and how long their frames sound, samples."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from packager.codecs.aac import parse_asc
from packager.codecs.ac3 import dac3, eac3
from packager.errors import MalformedBox, MalformedElement, MalformedMedia
from packager.isobmff.audio_entries import parse_audio_entry
from packager.isobmff.box import box
from packager.matroska.clusters import HEAD
from packager.matroska.entries import Entry
from packager.samples import Column, column
from packager.tracks import AudioFormat


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    form: AudioFormat
    rate: int
    """Of the durations, Hz."""

    durations: Column
    """Of all frames, or one for each."""

    priming: int = 0
    """Samples in front that a decoder takes out."""


Frame = bytes
Heads = bytes | bytearray
Parse = Callable[[Entry, Frame, Heads], Sound]
"""From the track's entry, its first frame, and ``HEAD`` bytes of each frame where kept."""

_ASC_RATES = (
    96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
)  # fmt: skip
_AAC_PROFILES = {"MAIN": 1, "LC": 2, "SSR": 3, "LTP": 4}
_MP3_ESDS = {
    mpeg1: bytes.fromhex(f"000000000315000000040d{kind}150000000000000000000000060102")
    for mpeg1, kind in ((True, "6b"), (False, "69"))
}
"""An ES_Descriptor of MPEG audio: rate and channels are the sample entry's."""

_MP3_RATES = {
    3: (44_100, 48_000, 32_000),
    2: (22_050, 24_000, 16_000),
    0: (11_025, 12_000, 8000),
}


def _format(fourcc: bytes, config: bytes, entry: Entry, rate: int = 0) -> AudioFormat:
    """As the sample entry that a writer of MP4 would have made of it."""
    fixed = bytes(16) + struct.pack(">HHII", min(entry.channels, 0xFFFF), 16, 0, rate << 16)
    return parse_audio_entry(fourcc, memoryview(fixed + config), quick_time=False)


def aac(entry: Entry, _first: Frame, _heads: Heads) -> Sound:
    record = entry.private or _legacy_record(entry)
    try:
        config = parse_asc(record)
    except MalformedBox as error:
        raise MalformedElement("CodecPrivate", error.reason) from None
    return Sound(AudioFormat(config), config.core_rate, column([config.frame_length]))


def _legacy_record(entry: Entry) -> bytes:
    """AudioSpecificConfig from an identifier such as A_AAC/MPEG4/LC/SBR."""
    parts = entry.codec.split("/")
    rate = round(entry.rate)
    profile = _AAC_PROFILES.get(parts[2]) if len(parts) > 2 else None
    if profile is None or rate not in _ASC_RATES or not 1 <= entry.channels <= 7:
        raise MalformedElement("CodecPrivate", f"missing for {entry.codec}")
    value = profile << 11 | _ASC_RATES.index(rate) << 7 | entry.channels << 3
    if parts[3:] != ["SBR"]:
        return value.to_bytes(2, "big")
    if 2 * rate not in _ASC_RATES:
        raise MalformedElement("SamplingFrequency", f"{rate} Hz before SBR")
    extension = 0x2B7 << 13 | 5 << 8 | 1 << 7 | _ASC_RATES.index(2 * rate) << 3
    return value.to_bytes(2, "big") + extension.to_bytes(3, "big")


def opus(entry: Entry, _first: Frame, heads: Heads) -> Sound:
    """OpusHead (RFC 7845 §5.1), little-endian, to dOps."""
    head = entry.private
    if len(head) < 19 or head[:8] != b"OpusHead" or head[8] >> 4:
        raise MalformedElement("CodecPrivate", "no OpusHead of version 1")
    channels, skip, rate, gain, family = struct.unpack_from("<BHIhB", head, 9)
    mapping = head[19 : 21 + channels] if family else b""
    if family and len(mapping) < 2 + channels:
        raise MalformedElement("CodecPrivate", "OpusHead is cut short in its channel mapping")
    record = struct.pack(">BBHIhB", 0, channels, skip, rate, gain, family) + mapping
    form = _format(b"Opus", box(b"dOps", record), entry)
    return Sound(form, 48_000, opus_durations(heads), skip)


def opus_durations(heads: Heads) -> Column:
    """Samples at 48 kHz of each packet, from its first bytes (RFC 6716 §3.1, §3.2)."""
    rows = np.frombuffer(heads, np.uint8).reshape(-1, HEAD).astype(np.int64)
    silk = column([480, 960, 1920, 2880] * 3)
    table = np.concatenate((silk, column([480, 960] * 2), column([120, 240, 480, 960] * 4)))
    code = rows[:, 0] & 3
    count = np.where(code == 3, rows[:, 1] & 63, np.minimum(code, 1) + 1)
    return column(np.maximum(table[rows[:, 0] >> 3] * count, 1))


def flac(entry: Entry, _first: Frame, heads: Heads) -> Sound:
    """The blocks of metadata (RFC 9639 §8), of which STREAMINFO is kept, to dfLa."""
    private = entry.private
    if private[:4] != b"fLaC" or len(private) < 42 or private[4] & 127:
        raise MalformedElement("CodecPrivate", "no STREAMINFO of FLAC")
    record = bytes(4) + b"\x80\0\0\x22" + private[8:42]
    form = _format(b"fLaC", box(b"dfLa", record), entry)
    return Sound(form, form.config.sample_rate, flac_durations(heads))


def flac_durations(heads: Heads) -> Column:
    """Samples of each frame, from its header (RFC 9639 §9.1)."""
    rows = np.frombuffer(heads, np.uint8).reshape(-1, HEAD)
    code = rows[:, 2] >> 4
    table = column([0, 192, 576, 1152, 2304, 4608, 0, 0, *(256 << n for n in range(8))])
    durations = table[code]
    for row in np.flatnonzero((code == 6) | (code == 7)).tolist():
        head = rows[row].tobytes()
        ones = 8 - (~head[4] & 0xFF).bit_length()  # of the coded number, as in UTF-8
        at = 4 + max(1, ones)
        size = 1 if head[2] >> 4 == 6 else 2
        durations[row] = int.from_bytes(head[at : at + size], "big") + 1
    bad = np.flatnonzero((durations == 0) | (rows[:, 0] != 0xFF) | (rows[:, 1] & 0xFE != 0xF8))
    if len(bad):
        raise MalformedMedia(f"FLAC: frame {int(bad[0]) + 1} has no frame header")
    return column(durations)


def ac3_sound(entry: Entry, first: Frame, _heads: Heads) -> Sound:
    form = _format(b"ac-3", box(b"dac3", dac3(first)), entry)
    return Sound(form, form.config.sample_rate, column([1536]))


def eac3_sound(entry: Entry, first: Frame, _heads: Heads) -> Sound:
    made = eac3(first)
    form = _format(b"ec-3", box(b"dec3", made.record), entry)
    return Sound(form, form.config.sample_rate, column([made.duration]))


def mp3(_entry: Entry, first: Frame, _heads: Heads) -> Sound:
    """From the header of the first frame (ISO/IEC 11172-3 §2.4.1.3)."""
    if len(first) < 4 or first[0] != 0xFF or first[1] & 0xE6 != 0xE2:
        raise MalformedMedia("MP3: the first frame has no header of layer III")
    version, index = first[1] >> 3 & 3, first[2] >> 2 & 3
    if version == 1 or index == 3:
        raise MalformedMedia("MP3: a reserved version or sample rate")
    rate = _MP3_RATES[version][index]
    channels = 1 if first[3] >> 6 == 3 else 2
    fixed = bytes(16) + struct.pack(">HHII", channels, 16, 0, rate << 16)
    entry_of_mp4 = memoryview(fixed + box(b"esds", _MP3_ESDS[version == 3]))
    form = parse_audio_entry(b"mp4a", entry_of_mp4, quick_time=False)
    return Sound(form, rate, column([1152 if version == 3 else 576]))


def alac(entry: Entry, _first: Frame, _heads: Heads) -> Sound:
    """CodecPrivate is the ALACSpecificConfig."""
    private = entry.private
    if len(private) == 36 and private[4:8] == b"alac":  # with the box around it
        private = private[12:]
    if len(private) < 24:
        raise MalformedElement("CodecPrivate", f"{len(private)} bytes of ALAC's configuration")
    form = _format(b"alac", box(b"alac", bytes(4) + private[:24]), entry)
    length = int.from_bytes(private[:4], "big")
    if not 1 <= length <= 1 << 20:
        raise MalformedElement("CodecPrivate", f"ALAC frames of {length} samples")
    return Sound(form, form.config.sample_rate, column([length]))
