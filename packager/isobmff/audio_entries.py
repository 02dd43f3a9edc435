"""Audio sample entries (ISO/IEC 14496-12 §12.2.3, 14496-14 §5.6), without their headers."""

import struct
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from packager.codecs.aac import AacConfig, parse_asc
from packager.codecs.ac4 import parse_dac4
from packager.codecs.carried import CarriedAudio
from packager.codecs.carried_audio import (
    dts_of_mpeg4,
    mp3,
    parse_alac,
    parse_dac3,
    parse_dec3,
    parse_dfla,
    parse_dops,
    vorbis,
)
from packager.codecs.dts import parse_ddts, parse_udts
from packager.codecs.mpegh import parse_mhac
from packager.codecs.truehd import parse_dmlp
from packager.errors import MalformedBox, Unsupported
from packager.isobmff.box import box, children, version_and_flags
from packager.tracks import AudioFormat

_SIZE = {0: 28, 1: 44, 2: 64}  # by QuickTime's version of the sound description
_DTS = (b"dtsc", b"dtse", b"dtsh", b"dtsl")
_CARRIED: dict[bytes, tuple[bytes, Callable[[bytes], CarriedAudio]]] = {
    b"ac-3": (b"dac3", parse_dac3),
    b"ec-3": (b"dec3", parse_dec3),
    b"Opus": (b"dOps", parse_dops),
    b"fLaC": (b"dfLa", parse_dfla),
    b"alac": (b"alac", parse_alac),
    b"ac-4": (b"dac4", parse_dac4),
    b"dtsx": (b"udts", parse_udts),
    b"mlpa": (b"dmlp", parse_dmlp),
    **{name: (b"ddts", partial(parse_ddts, name)) for name in _DTS},
    **{name: (b"mhaC", partial(parse_mhac, name)) for name in (b"mha1", b"mhm1")},
}
AUDIO_ENTRIES = frozenset({b"mp4a", *_CARRIED})
_AAC_OBJECT_TYPES = frozenset({0x40, 0x66, 0x67, 0x68})
_MP3_OBJECT_TYPES = frozenset({0x69, 0x6B})
_DTS_OBJECT_TYPE, _VORBIS_OBJECT_TYPE = 0xA9, 0xDD
_ES, _DECODER_CONFIG, _DECODER_SPECIFIC, _SL_CONFIG = 3, 4, 5, 6
_AUDIO_STREAM = 5
_MAX_SPECIFIC = 16_000
"""Bytes of a DecoderSpecificInfo: its descriptors' lengths take two bytes."""


def parse_audio_entry(fourcc: bytes, entry: memoryview, *, quick_time: bool) -> AudioFormat:
    """In an stsd of version 1 the entry's own version is not QuickTime's (§12.2.3)."""
    version = int.from_bytes(entry[8:10], "big")
    start = _SIZE.get(version if quick_time else 0)
    if start is None or len(entry) < start:
        raise MalformedBox(fourcc, f"{len(entry)} bytes do not hold version {version}")
    boxes = children(entry[start:])
    if b"wave" in boxes:  # QuickTime puts configurations one level down
        boxes = children(boxes[b"wave"])
    name, parse = _CARRIED.get(fourcc) or (b"esds", None)
    if name not in boxes:
        raise MalformedBox(name, f"missing from {fourcc.decode()}")
    channels, rate = struct.unpack_from(">H6xI", entry, 16)
    if parse is not None:
        return AudioFormat(_whole(fourcc, parse(bytes(boxes[name])), rate >> 16, channels))
    esds = version_and_flags(b"esds", boxes[b"esds"])[2]
    return AudioFormat(_parse_esds(esds, rate >> 16, channels))


def _whole(fourcc: bytes, config: CarriedAudio, rate: int, channels: int) -> CarriedAudio:
    """With the entry's *rate* and *channels* where the configuration does not say."""
    config = replace(
        config, sample_rate=config.sample_rate or rate, channels=config.channels or channels
    )
    if not 1 <= config.sample_rate <= 768_000 or not config.channels:
        told = f"{config.channels} channels at {config.sample_rate} Hz"
        raise MalformedBox(fourcc, told)
    return config


def _parse_esds(body: memoryview, rate: int, channels: int) -> AacConfig | CarriedAudio:
    """ES_Descriptor (ISO/IEC 14496-1 §7.2.6.5); *rate* and *channels* are the entry's."""
    es = _descriptor(body, _ES)
    flags = es[2] if len(es) > 2 else 0
    skip = 5 if flags & 0x80 else 3  # dependsOn_ES_ID
    if flags & 0x40:  # URLlength, URLstring
        skip += 1 + (es[skip] if len(es) > skip else 0)
    skip += 2 if flags & 0x20 else 0  # OCR_ES_Id
    config = _descriptor(es[skip:], _DECODER_CONFIG)
    if len(config) < 13:
        raise MalformedBox(b"esds", "DecoderConfigDescriptor is cut short")
    if config[0] in _MP3_OBJECT_TYPES:
        return mp3(_esds(config[0]), config[0], rate, channels)
    if config[0] == _DTS_OBJECT_TYPE:
        return dts_of_mpeg4(_esds(config[0]), rate, channels)
    if config[0] not in (*_AAC_OBJECT_TYPES, _VORBIS_OBJECT_TYPE):
        raise Unsupported(f"mp4a: object type 0x{config[0]:02x} is not packaged")
    specific = bytes(_descriptor(config[13:], _DECODER_SPECIFIC))
    if config[0] != _VORBIS_OBJECT_TYPE:
        return parse_asc(specific, config[0])
    if len(specific) > _MAX_SPECIFIC:
        raise Unsupported(f"mp4a: Vorbis headers of {len(specific)} bytes")
    return vorbis(_esds(config[0], _encode_descriptor(_DECODER_SPECIFIC, specific)), specific)


def _descriptor(data: memoryview, wanted: int) -> memoryview:
    """The payload of the descriptor *wanted* at the start of *data* (§8.3.3)."""
    size, position = 0, 1
    for position in range(1, 5):
        if position >= len(data):
            break
        size = size << 7 | data[position] & 0x7F
        if not data[position] & 0x80:
            break
    payload = data[position + 1 :]
    if len(data) < 2 or data[0] != wanted or size > len(payload):
        raise MalformedBox(b"esds", f"no descriptor {wanted} where it should be")
    return payload[:size]


def encode_audio_entry(form: AudioFormat) -> bytes:
    config = form.config
    if isinstance(config, AacConfig):
        specific = _encode_descriptor(_DECODER_SPECIFIC, config.record)
        made = box(b"esds", _esds(config.object_type_indication, specific))
        return _entry(b"mp4a", config.channels, 16, config.sample_rate, made)
    made = box(config.box, config.record)
    return _entry(config.entry, config.channels, config.sample_bits, config.sample_rate, made)


def _entry(fourcc: bytes, channels: int, bits: int, rate: int, config: bytes) -> bytes:
    told = rate << 16 if rate < 1 << 16 else 0
    if fourcc == b"mlpa":
        told = rate  # not 16.16 (Dolby TrueHD in the ISO base media file format §3.2)
    return box(
        fourcc,
        bytes(6) + struct.pack(">H", 1) + bytes(8),
        struct.pack(">HHII", min(channels, 0xFFFF), bits, 0, told),
        config,
    )


def _esds(object_type: int, *specific: bytes) -> bytes:
    """The payload of an esds.  ES_ID 0, no flags (14496-14 §3.1.2); rates 0: unknown, and no
    decoder reads them."""
    decoder = _encode_descriptor(
        _DECODER_CONFIG,
        struct.pack(">BB", object_type, _AUDIO_STREAM << 2 | 1) + bytes(11),
        *specific,
    )
    es = _encode_descriptor(_ES, bytes(3), decoder, _encode_descriptor(_SL_CONFIG, b"\x02"))
    return bytes(4) + es


def _encode_descriptor(tag: int, *parts: bytes) -> bytes:
    payload = b"".join(parts)
    size = len(payload)  # of a configuration that is bounded: two bytes hold it
    length = bytes([size]) if size < 128 else bytes([0x80 | size >> 7, size & 0x7F])
    return bytes([tag]) + length + payload
