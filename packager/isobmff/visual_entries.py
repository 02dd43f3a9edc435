"""Visual sample entries (ISO/IEC 14496-12 §12.1.3, 14496-15 §5.4 and §8.4)."""

import struct
from fractions import Fraction

from packager.codecs.av1 import parse_av1c
from packager.codecs.carried_video import parse_vpcc
from packager.codecs.dolby_vision import BOXES, DolbyVision, parse_dolby_vision
from packager.codecs.h264 import AvcConfig, Colour, parse_avcc, parse_sps
from packager.codecs.hevc import HevcConfig, parse_hvcc
from packager.codecs.hevc import parse_sps as parse_hevc_sps
from packager.codecs.vvc import parse_vvcc
from packager.errors import MalformedBox
from packager.isobmff.box import box, children, iter_boxes
from packager.isobmff.spatial import parse_vexu
from packager.tracks import VideoFormat

_SIZE = 78
_AVC, _HEVC, _AV1, _VPX, _VVC = b"avcC", b"hvcC", b"av1C", b"vpcC", b"vvcC"
_CONFIGS = {
    b"avc1": _AVC, b"avc3": _AVC, b"dva1": _AVC, b"dvav": _AVC,
    b"hvc1": _HEVC, b"hev1": _HEVC, b"dvh1": _HEVC, b"dvhe": _HEVC,
    b"av01": _AV1, b"dav1": _AV1, b"vp08": _VPX, b"vp09": _VPX, b"vvc1": _VVC, b"vvi1": _VVC,
}  # fmt: skip
VISUAL_ENTRIES = frozenset(_CONFIGS)
_WITH_SETS = {b"dvhe": b"dvh1", b"dvav": b"dva1"}
"""Dolby Vision entries whose parameter sets may be in the samples."""

_KEPT = {
    b"mdcv": 24, b"clli": 4, b"cclv": 256, b"amve": 8, b"SmDm": 64, b"CoLL": 64, b"clap": 32,
    b"lhvC": 16 << 10, b"vexu": 4 << 10, b"hfov": 4,
}  # fmt: skip
"""What else a display must know, and its most bytes: light, clean aperture, the second view of
MV-HEVC and how the two are seen.  One that is longer is no such box and is left."""


def parse_visual_entry(fourcc: bytes, entry: memoryview) -> VideoFormat:
    """With the configuration as it is: parameter sets may be in the samples
    (``with_in_band``)."""
    if len(entry) < _SIZE:
        raise MalformedBox(fourcc, f"{len(entry)} bytes where {_SIZE} are needed")
    boxes = children(entry[_SIZE:])
    if (name := _CONFIGS[fourcc]) not in boxes:
        raise MalformedBox(name, f"missing from {fourcc.decode()}")
    form = _parse_config(fourcc, name, bytes(boxes[name]), entry)
    if b"vexu" in boxes:
        parse_vexu(bytes(boxes[b"vexu"]))
    return VideoFormat(
        form.config,
        form.width,
        form.height,
        _parse_pasp(boxes.get(b"pasp")) or form.pixel_aspect,
        _parse_colr(entry[_SIZE:], form.colour) or form.colour,
        boxes=tuple(
            (name, bytes(boxes[name]))
            for name, most in _KEPT.items()
            if name in boxes and len(boxes[name]) <= most
        ),
        dolby_vision=_parse_dolby_vision(boxes, _WITH_SETS.get(fourcc, fourcc)),
    )


def _parse_config(fourcc: bytes, name: bytes, record: bytes, entry: memoryview) -> VideoFormat:
    """With what the configuration tells of the picture."""
    width, height = struct.unpack_from(">HH", entry, 24)
    if name == _AVC:
        return of_parameter_sets(parse_avcc(record), width, height)
    if name == _HEVC:
        return of_parameter_sets(parse_hvcc(record), width, height)
    if not width or not height:
        raise MalformedBox(name, f"a picture of {width} by {height} pixels")
    if name == _VVC:
        return VideoFormat(parse_vvcc(fourcc, record), width, height)
    if name == _VPX:
        config, colour = parse_vpcc(fourcc, record, width, height)
        return VideoFormat(config, width, height, colour=colour)
    config, header = parse_av1c(record)
    return VideoFormat(config, width, height, colour=header.colour if header else None)


def of_parameter_sets(config: AvcConfig | HevcConfig, width: int, height: int) -> VideoFormat:
    """What the sequence parameter set tells; *width* and *height* until there is one."""
    if not config.complete:
        return VideoFormat(config, width, height)
    if isinstance(config, AvcConfig):
        sps = parse_sps(config.sps[0])
    else:
        sps = parse_hevc_sps(config.sps)
    return VideoFormat(config, sps.width, sps.height, sps.pixel_aspect, sps.colour)


def _parse_dolby_vision(boxes: dict[bytes, memoryview], entry: bytes) -> DolbyVision | None:
    name = next((name for name in BOXES if name in boxes), None)
    return None if name is None else parse_dolby_vision(name, bytes(boxes[name]), entry)


def _parse_pasp(payload: memoryview | None) -> Fraction | None:
    if payload is None or len(payload) < 8:
        return None
    horizontal, vertical = struct.unpack_from(">II", payload)
    return Fraction(horizontal, vertical) if horizontal and vertical else None


def _parse_colr(boxes: memoryview, coded: Colour | None) -> Colour | None:
    """Of the first colr with code points, for one with a profile may be before it.  QuickTime's
    (nclc) leaves the range to the stream."""
    for name, payload in iter_boxes(boxes):
        if name != b"colr":
            continue
        kind = bytes(payload[:4])
        if kind == b"nclx" and len(payload) >= 11:
            primaries, transfer, matrix, full = struct.unpack_from(">HHHB", payload, 4)
            return Colour(primaries, transfer, matrix, bool(full >> 7))
        if kind == b"nclc" and len(payload) >= 10:
            primaries, transfer, matrix = struct.unpack_from(">HHH", payload, 4)
            full_range = coded is not None and coded.full_range
            return Colour(primaries, transfer, matrix, full_range)
    return None


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
