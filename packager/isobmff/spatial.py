"""Spatial video: vexu and its eyes and projection (Apple HEVC stereo video, ISO base media
extensions for stereo and projected video).  Contained in: visual sample entries."""

from collections.abc import Iterable
from dataclasses import dataclass

from packager.errors import MalformedBox
from packager.isobmff.box import children

_LEFT_AND_RIGHT = 3


@dataclass(frozen=True, slots=True)
class VideoLayout:
    stereo: bool
    """A view for each eye."""

    projection: str
    """``rect``, ``equi``, ``hequ``, …"""


_FLAT = VideoLayout(stereo=False, projection="rect")


def parse_vexu(payload: bytes) -> VideoLayout:
    boxes = children(memoryview(payload))
    eyes = children(boxes.get(b"eyes", memoryview(b"")))
    stri = bytes(eyes.get(b"stri", b""))
    projections = children(boxes.get(b"proj", memoryview(b"")))
    prji = bytes(projections.get(b"prji", b""))
    for name, found, size in ((b"stri", stri, 5), (b"prji", prji, 8)):
        if found and len(found) < size:
            raise MalformedBox(name, f"{len(found)} bytes where {size} are needed")
    stereo = stri[4:5] != b"" and stri[4] & _LEFT_AND_RIGHT == _LEFT_AND_RIGHT
    return VideoLayout(stereo, prji[4:8].decode("ascii", "replace") if prji else "rect")


def layout_of(boxes: Iterable[tuple[bytes, bytes]]) -> VideoLayout:
    """Of a format's *boxes*, which were parsed before."""
    vexu = dict(boxes).get(b"vexu")
    return _FLAT if vexu is None else parse_vexu(vexu)
