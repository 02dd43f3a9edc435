"""Visual sample entries (ISO/IEC 14496-12 §12.1.3, 14496-15 §5.4 and §8.4)."""

import struct
from fractions import Fraction

from packager.codecs.carried_video import parse_av1c, parse_vpcc
from packager.codecs.dolby_vision import BOXES, DolbyVision, parse_dolby_vision
from packager.codecs.h264 import Colour, parse_avcc, parse_sps
from packager.codecs.hevc import parse_hvcc
from packager.codecs.hevc import parse_sps as parse_hevc_sps
from packager.errors import MalformedBox
from packager.isobmff.box import box, children
from packager.tracks import VideoFormat

_SIZE = 78
_AVC, _AV1, _VP9 = b"avcC", b"av1C", b"vpcC"
_HEVC = b"hvcC"
_CONFIGS = {
    b"avc1": _AVC, b"hvc1": _HEVC, b"hev1": _HEVC, b"dvh1": _HEVC, b"dvhe": _HEVC,
    b"av01": _AV1, b"dav1": _AV1, b"vp09": _VP9,
}  # fmt: skip
VISUAL_ENTRIES = frozenset(_CONFIGS)
_WITH_SETS = {b"dvhe": b"dvh1"}
"""Dolby Vision entries whose parameter sets may be in the samples."""

_OF_DISPLAY = (b"mdcv", b"clli", b"amve", b"SmDm", b"CoLL")
_MAX_BOX = 64


def parse_visual_entry(fourcc: bytes, entry: memoryview) -> VideoFormat:
    if len(entry) < _SIZE:
        raise MalformedBox(fourcc, f"{len(entry)} bytes where {_SIZE} are needed")
    boxes = children(entry[_SIZE:])
    if (name := _CONFIGS[fourcc]) not in boxes:
        raise MalformedBox(name, f"missing from {fourcc.decode()}")
    form = _parse_config(name, bytes(boxes[name]), entry)
    pixel_aspect = _parse_pasp(boxes.get(b"pasp")) or form.pixel_aspect
    colour = _parse_nclx(boxes.get(b"colr")) or form.colour
    if name == _AVC:
        return VideoFormat(form.config, form.width, form.height, pixel_aspect, colour)
    return VideoFormat(
        form.config, form.width, form.height, pixel_aspect, colour,
        boxes=tuple((n, bytes(boxes[n][:_MAX_BOX])) for n in _OF_DISPLAY if n in boxes),
        dolby_vision=_parse_dolby_vision(boxes, _WITH_SETS.get(fourcc, fourcc)),
    )  # fmt: skip


def _parse_config(name: bytes, record: bytes, entry: memoryview) -> VideoFormat:
    """With what the configuration tells of the picture."""
    if name == _AVC:
        avc = parse_avcc(record)
        sps = parse_sps(avc.sps[0])
        return VideoFormat(avc, sps.width, sps.height, sps.pixel_aspect, sps.colour)
    if name == _HEVC:
        hevc = parse_hvcc(record)
        sps = parse_hevc_sps(hevc.sps)
        return VideoFormat(hevc, sps.width, sps.height, sps.pixel_aspect, sps.colour)
    width, height = struct.unpack_from(">HH", entry, 24)
    if not width or not height:
        raise MalformedBox(name, f"a picture of {width} by {height} pixels")
    if name == _AV1:
        return VideoFormat(parse_av1c(record), width, height)
    config, colour = parse_vpcc(record, width, height)
    return VideoFormat(config, width, height, colour=colour)


def _parse_dolby_vision(boxes: dict[bytes, memoryview], entry: bytes) -> DolbyVision | None:
    name = next((name for name in BOXES if name in boxes), None)
    return None if name is None else parse_dolby_vision(name, bytes(boxes[name]), entry)


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


def encode_visual_entry(form: VideoFormat) -> bytes:
    vision = form.dolby_vision
    parts = [
        bytes(6) + struct.pack(">H", 1) + bytes(16),
        struct.pack(">HHIIIH", form.width, form.height, 0x480000, 0x480000, 0, 1),
        bytes(32) + struct.pack(">Hh", 0x18, -1),
        box(form.config.box, form.config.record),
    ]
    if vision is not None:
        parts.append(box(vision.box, vision.record))
    parts += [box(name, payload) for name, payload in form.boxes]
    if form.colour is not None:
        colour = form.colour
        code_points = (colour.primaries, colour.transfer, colour.matrix)
        full_range = int(colour.full_range) << 7
        parts.append(box(b"colr", b"nclx" + struct.pack(">HHHB", *code_points, full_range)))
    aspect = form.pixel_aspect
    parts.append(box(b"pasp", struct.pack(">II", aspect.numerator, aspect.denominator)))
    entry = form.config.entry if vision is None else vision.entry or form.config.entry
    return box(entry, *parts)
