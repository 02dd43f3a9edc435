"""Sample entries (ISO/IEC 14496-12 §8.5.2, 14496-14 §5.6, 14496-15 §5.4).  Contained in: stsd.

``parse_sample_entry`` and ``encode_sample_entry`` are near inverses: what is written is
made anew from the format, so that nothing of the source but what a decoder needs gets out.
"""

import struct
from fractions import Fraction

from packager.codecs.aac import AacConfig, parse_asc
from packager.codecs.h264 import Colour, parse_avcc, parse_sps
from packager.errors import MalformedBox, Unsupported
from packager.isobmff.box import box, children, full_box, iter_boxes, unpack, version_and_flags
from packager.tracks import AudioFormat, VideoFormat

_VISUAL_SIZE = 78
_AUDIO_SIZE = {0: 28, 1: 44, 2: 64}  # by QuickTime's version of the sound description
_COUNT = struct.Struct(">I")
_AAC_OBJECT_TYPES = frozenset({0x40, 0x66, 0x67, 0x68})
_ES, _DECODER_CONFIG, _DECODER_SPECIFIC, _SL_CONFIG = 3, 4, 5, 6
_AUDIO_STREAM = 5


def parse_sample_entry(stsd: memoryview) -> VideoFormat | AudioFormat:
    """The first entry of *stsd*; ``Unsupported`` names a codec that is not handled."""
    version, _, body = version_and_flags(b"stsd", stsd)
    unpack(b"stsd", _COUNT, body)
    fourcc, entry = next(iter_boxes(body[4:]), (b"", body[:0]))
    if fourcc == b"avc1":
        return _parse_avc1(entry)
    if fourcc == b"mp4a":
        return _parse_mp4a(entry, quick_time=version == 0)
    if fourcc in (b"encv", b"enca"):
        raise Unsupported(f"{fourcc.decode()}: the samples are encrypted")
    if not fourcc:
        raise MalformedBox(b"stsd", "no sample entry")
    raise Unsupported(f"stsd: codec {fourcc.decode('ascii', 'backslashreplace')!r}")


def _parse_avc1(entry: memoryview) -> VideoFormat:
    if len(entry) < _VISUAL_SIZE:
        raise MalformedBox(b"avc1", f"{len(entry)} bytes where {_VISUAL_SIZE} are needed")
    boxes = children(entry[_VISUAL_SIZE:])
    if b"avcC" not in boxes:
        raise MalformedBox(b"avcC", "missing from avc1")
    config = parse_avcc(bytes(boxes[b"avcC"]))
    sps = parse_sps(config.sps[0])
    return VideoFormat(
        config,
        sps.width,
        sps.height,
        _parse_pasp(boxes.get(b"pasp")) or sps.pixel_aspect,
        _parse_nclx(boxes.get(b"colr")) or sps.colour,
    )


def _parse_pasp(payload: memoryview | None) -> Fraction | None:
    if payload is None or len(payload) < 8:
        return None
    horizontal, vertical = struct.unpack_from(">II", payload)
    return Fraction(horizontal, vertical) if horizontal and vertical else None


def _parse_nclx(payload: memoryview | None) -> Colour | None:
    if payload is None or bytes(payload[:4]) != b"nclx" or len(payload) < 11:
        return None
    primaries, transfer, matrix, full = struct.unpack_from(">HHHB", payload, 4)
    return Colour(primaries, transfer, matrix, bool(full >> 7))


def _parse_mp4a(entry: memoryview, *, quick_time: bool) -> AudioFormat:
    """In an stsd of version 1 the entry's own version is not QuickTime's (§12.2.3)."""
    version = int.from_bytes(entry[8:10], "big")
    start = _AUDIO_SIZE.get(version if quick_time else 0)
    if start is None or len(entry) < start:
        raise MalformedBox(b"mp4a", f"{len(entry)} bytes do not hold version {version}")
    boxes = children(entry[start:])
    if b"wave" in boxes:  # QuickTime puts esds one level down
        boxes = children(boxes[b"wave"])
    if b"esds" not in boxes:
        raise MalformedBox(b"esds", "missing from mp4a")
    return AudioFormat(_parse_esds(version_and_flags(b"esds", boxes[b"esds"])[2]))


def _parse_esds(body: memoryview) -> AacConfig:
    """ES_Descriptor (ISO/IEC 14496-1 §7.2.6.5) down to the AudioSpecificConfig."""
    es = _descriptor(body, _ES)
    flags = es[2] if len(es) > 2 else 0
    skip = 5 if flags & 0x80 else 3  # dependsOn_ES_ID
    if flags & 0x40:  # URLlength, URLstring
        skip += 1 + (es[skip] if len(es) > skip else 0)
    skip += 2 if flags & 0x20 else 0  # OCR_ES_Id
    config = _descriptor(es[skip:], _DECODER_CONFIG)
    if len(config) < 13:
        raise MalformedBox(b"esds", "DecoderConfigDescriptor is cut short")
    if config[0] not in _AAC_OBJECT_TYPES:
        raise Unsupported(f"mp4a: object type 0x{config[0]:02x} is not AAC")
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


def encode_sample_entry(form: VideoFormat | AudioFormat) -> bytes:
    return _encode_avc1(form) if isinstance(form, VideoFormat) else _encode_mp4a(form.config)


def _encode_avc1(form: VideoFormat) -> bytes:
    parts = [
        bytes(6) + struct.pack(">H", 1) + bytes(16),
        struct.pack(">HHIIIH", form.width, form.height, 0x480000, 0x480000, 0, 1),
        bytes(32) + struct.pack(">Hh", 0x18, -1),
        box(b"avcC", form.config.record),
    ]
    if form.colour is not None:
        colour = form.colour
        code_points = (colour.primaries, colour.transfer, colour.matrix)
        full_range = int(colour.full_range) << 7
        parts.append(box(b"colr", b"nclx" + struct.pack(">HHHB", *code_points, full_range)))
    aspect = form.pixel_aspect
    parts.append(box(b"pasp", struct.pack(">II", aspect.numerator, aspect.denominator)))
    return box(b"avc1", *parts)


def _encode_mp4a(config: AacConfig) -> bytes:
    # ES_ID 0, no flags (14496-14 §3.1.2); rates 0: unknown, and no decoder reads them
    decoder = _encode_descriptor(
        _DECODER_CONFIG,
        struct.pack(">BB", config.object_type_indication, _AUDIO_STREAM << 2 | 1) + bytes(11),
        _encode_descriptor(_DECODER_SPECIFIC, config.record),
    )
    es = _encode_descriptor(_ES, bytes(3), decoder, _encode_descriptor(_SL_CONFIG, b"\x02"))
    rate = config.sample_rate if config.sample_rate < 1 << 16 else 0
    return box(
        b"mp4a",
        bytes(6) + struct.pack(">H", 1) + bytes(8),
        struct.pack(">HHII", min(config.channels, 0xFFFF), 16, 0, rate << 16),
        full_box(b"esds", 0, 0, es),
    )


def _encode_descriptor(tag: int, *parts: bytes) -> bytes:
    payload = b"".join(parts)
    size = len(payload)  # of a configuration that is bounded: two bytes hold it
    length = bytes([size]) if size < 128 else bytes([0x80 | size >> 7, size & 0x7F])
    return bytes([tag]) + length + payload
