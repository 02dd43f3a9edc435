"""Video tracks to formats: as the sample entry that a writer of MP4 would have made of them.

So that a picture is the same whichever container it came in, it goes through the parser of
``isobmff.visual_entries``.
"""

import math
import struct
from fractions import Fraction

from packager.codecs.dolby_vision import BOXES
from packager.errors import MalformedElement
from packager.isobmff.box import box
from packager.isobmff.visual_entries import parse_visual_entry
from packager.matroska.ebml import children, floating, unsigned
from packager.matroska.entries import Entry
from packager.tracks import VideoFormat

_WIDTH, _HEIGHT = 0xB0, 0xBA
_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT = 0x54B0, 0x54BA, 0x54B2
_CROPS = {"Bottom": 0x54AA, "Top": 0x54BB, "Left": 0x54CC, "Right": 0x54DD}
_COLOUR, _MATRIX, _RANGE, _TRANSFER, _PRIMARIES = 0x55B0, 0x55B1, 0x55B9, 0x55BA, 0x55BB
_MAX_CLL, _MAX_FALL, _MASTERING = 0x55BC, 0x55BD, 0x55D0
_CHROMATICITIES = (0x55D3, 0x55D4, 0x55D5, 0x55D6, 0x55D1, 0x55D2, 0x55D7, 0x55D8)
"""Green, blue, red and white, x before y: the order of mdcv (ISO/IEC 23001-8)."""

_LUMINANCES = (0x55D9, 0x55DA)
_PROJECTION, _PROJECTION_TYPE, _ROLL = 0x7670, 0x7671, 0x7675
_UNSPECIFIED, _FULL_RANGE, _UNIT_UNKNOWN = 2, 2, 4
_MAX_SIDE = (1 << 16) - 1

Elements = dict[int, memoryview]


def video_format(entry: Entry, fourcc: bytes, config: tuple[bytes, bytes]) -> VideoFormat:
    """*fourcc* is the sample entry's type, *config* the type and payload of the box in it."""
    video = children(entry.video, "Video")
    width, height = _side(video, _WIDTH, "PixelWidth"), _side(video, _HEIGHT, "PixelHeight")
    boxes = [box(*config), *_colour_boxes(video)]
    # The mapping's type is the box's (Matroska codec specifications, block addition mappings).
    mapped = {kind.to_bytes(8, "big")[4:]: data for kind, data in entry.mapped}
    boxes += [box(name, mapped[name]) for name in BOXES if name in mapped]
    payload = bytes(24) + struct.pack(">HH", width, height) + bytes(50) + b"".join(boxes)
    form = parse_visual_entry(fourcc, memoryview(payload))
    return VideoFormat(
        form.config, form.width, form.height, _aspect(video, form), form.colour,
        _rotation(video), form.boxes, form.dolby_vision,
    )  # fmt: skip


def picture_size(entry: Entry) -> tuple[int, int]:
    video = children(entry.video, "Video")
    return _side(video, _WIDTH, "PixelWidth"), _side(video, _HEIGHT, "PixelHeight")


def _number(found: Elements, identifier: int, name: str, default: int = 0) -> int:
    return unsigned(found[identifier], name) if identifier in found else default


def _side(video: Elements, identifier: int, name: str) -> int:
    value = _number(video, identifier, name)
    if not 1 <= value <= _MAX_SIDE:
        raise MalformedElement(name, f"{value} pixels")
    return value


def _aspect(video: Elements, form: VideoFormat) -> Fraction:
    """Of a pixel: where the display size is no more than the rounding of what the codec says,
    the codec is right."""
    unit = _number(video, _DISPLAY_UNIT, "DisplayUnit")
    if _DISPLAY_WIDTH not in video or _DISPLAY_HEIGHT not in video or unit >= _UNIT_UNKNOWN:
        return form.pixel_aspect
    crop = {side: _number(video, each, f"PixelCrop{side}") for side, each in _CROPS.items()}
    width = _side(video, _WIDTH, "PixelWidth") - crop["Left"] - crop["Right"]
    height = _side(video, _HEIGHT, "PixelHeight") - crop["Top"] - crop["Bottom"]
    shown = (
        _number(video, _DISPLAY_WIDTH, "DisplayWidth"),
        _number(video, _DISPLAY_HEIGHT, "DisplayHeight"),
    )
    if min(width, height, *shown) < 1 or max(shown) >= 1 << 31:
        return form.pixel_aspect
    if abs(width * form.pixel_aspect * shown[1] / height - shown[0]) <= 1:
        return form.pixel_aspect
    aspect = Fraction(shown[0] * height, shown[1] * width)
    return aspect.limit_denominator(1 << 16) or form.pixel_aspect


def _colour_boxes(video: Elements) -> list[bytes]:
    if _COLOUR not in video:
        return []
    colour = children(video[_COLOUR], "Colour")
    points = [
        _number(colour, each, "Colour", _UNSPECIFIED)
        for each in (_PRIMARIES, _TRANSFER, _MATRIX)
    ]
    boxes = []
    if any(point != _UNSPECIFIED for point in points) and max(points) < 1 << 16:
        full = _number(colour, _RANGE, "Range") == _FULL_RANGE
        boxes.append(box(b"colr", b"nclx" + struct.pack(">HHHB", *points, full << 7)))
    if _MASTERING in colour:
        boxes += _mastering(children(colour[_MASTERING], "MasteringMetadata"))
    levels = [_number(colour, each, "MaxCLL") for each in (_MAX_CLL, _MAX_FALL)]
    if any(levels) and max(levels) < 1 << 16:
        boxes.append(box(b"clli", struct.pack(">HH", *levels)))
    return boxes


def _mastering(found: Elements) -> list[bytes]:
    """mdcv, where everything in it is told: chromaticities in 1/50,000, luminances in 1/10,000
    of a candela."""
    if not all(each in found for each in (*_CHROMATICITIES, *_LUMINANCES)):
        return []
    places = [round(floating(found[each], "MasteringMetadata") * 50_000)
              for each in _CHROMATICITIES]  # fmt: skip
    light = [round(floating(found[each], "MasteringMetadata") * 10_000)
             for each in _LUMINANCES]  # fmt: skip
    if min(*places, *light) < 0 or max(places) >= 1 << 16 or max(light) >= 1 << 32:
        raise MalformedElement("MasteringMetadata", "a value is out of range")
    return [box(b"mdcv", struct.pack(">8HII", *places, *light))]


def _rotation(video: Elements) -> bytes:
    """The matrix of tkhd for a roll by a quarter or two; nothing for any other angle."""
    projection = children(video.get(_PROJECTION, memoryview(b"")), "Projection")
    if _ROLL not in projection or _number(projection, _PROJECTION_TYPE, "ProjectionType"):
        return b""
    roll = floating(projection[_ROLL], "ProjectionPoseRoll")
    quarters = round(roll / 90) % 4
    if not quarters or not math.isclose(roll, round(roll / 90) * 90, abs_tol=0.5):
        return b""
    # Counter-clockwise (§5.1.4.1.28.46).
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarters]
    one = 0x10000
    return struct.pack(
        ">9i", cosine * one, -sine * one, 0, sine * one, cosine * one, 0, 0, 0, 1 << 30
    )
