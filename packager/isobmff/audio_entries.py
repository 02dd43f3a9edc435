"""Audio sample entries (ISO/IEC 14496-12 §12.2.3, 14496-14 §5.6), without their headers."""

import struct

from packager.codecs.aac import AacConfig, parse_asc
from packager.codecs.carried import CarriedAudio
from packager.codecs.carried_audio import (
    mp3,
    parse_alac,
    parse_dac3,
    parse_dec3,
    parse_dfla,
    parse_dops,
)
from packager.errors import MalformedBox, Unsupported
from packager.isobmff.box import box, children, version_and_flags
from packager.tracks import AudioFormat

_SIZE = {0: 28, 1: 44, 2: 64}  # by QuickTime's version of the sound description
_CARRIED = {
    b"ac-3": (b"dac3", parse_dac3),
    b"ec-3": (b"dec3", parse_dec3),
    b"Opus": (b"dOps", parse_dops),
    b"fLaC": (b"dfLa", parse_dfla),
    b"alac": (b"alac", parse_alac),
}
AUDIO_ENTRIES = frozenset({b"mp4a", *_CARRIED})
_AAC_OBJECT_TYPES = frozenset({0x40, 0x66, 0x67, 0x68})
_MP3_OBJECT_TYPES = frozenset({0x69, 0x6B})
_ES, _DECODER_CONFIG, _DECODER_SPECIFIC, _SL_CONFIG = 3, 4, 5, 6
_AUDIO_STREAM = 5


def parse_audio_entry(fourcc: bytes, entry: memoryview, *, quick_time: bool) -> AudioFormat:
    """In an stsd of version 1 the entry's own version is not QuickTime's (§12.2.3)."""
    version = int.from_bytes(entry[8:10], "big")
    start = _SIZE.get(version if quick_time else 0)
    if start is None or len(entry) < start:
        raise MalformedBox(fourcc, f"{len(entry)} bytes do not hold version {version}")
    boxes = children(entry[start:])
    if b"wave" in boxes:  # QuickTime puts configurations one level down
        boxes = children(boxes[b"wave"])
    name, parse = _CARRIED.get(fourcc, (b"esds", None))
    if name not in boxes:
        raise MalformedBox(name, f"missing from {fourcc.decode()}")
    if parse is not None:
        return AudioFormat(parse(bytes(boxes[name])))
    channels, rate = struct.unpack_from(">H6xI", entry, 16)
    esds = version_and_flags(b"esds", boxes[b"esds"])[2]
    return AudioFormat(_parse_esds(esds, rate >> 16, channels))


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
    if config[0] not in _AAC_OBJECT_TYPES:
        raise Unsupported(f"mp4a: object type 0x{config[0]:02x} is neither AAC nor MP3")
    return parse_asc(bytes(_descriptor(config[13:], _DECODER_SPECIFIC)), config[0])


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
    return box(
        fourcc,
        bytes(6) + struct.pack(">H", 1) + bytes(8),
        struct.pack(
            ">HHII", min(channels, 0xFFFF), bits, 0, rate << 16 if rate < 1 << 16 else 0
        ),
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
