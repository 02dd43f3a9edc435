"""The formats that captions are stored in, and the parser of each."""

import re
from collections.abc import Callable
from enum import StrEnum

from packager.captions import ass, scc, srt, ttml, webvtt
from packager.captions.cues import Captions
from packager.errors import Unsupported


class CaptionFormat(StrEnum):
    WEBVTT = "webvtt"
    SRT = "srt"
    DFXP = "dfxp"
    CAP = "cap"
    SCC = "scc"
    ASS = "ass"
    MP4 = "mp4"
    """A track of text: ``mp4_tracks``."""


_PREFIXED = re.compile(rb"<[A-Za-z_]\w{0,30}:tt[ \t\r\n>]")
_ASS = tuple(one.encode() for one in ass.SECTIONS)

_PARSERS: dict[CaptionFormat, Callable[[bytes], Captions]] = {
    CaptionFormat.WEBVTT: webvtt.parse,
    CaptionFormat.SRT: srt.parse,
    CaptionFormat.DFXP: ttml.parse,
    CaptionFormat.SCC: scc.parse,
    CaptionFormat.ASS: ass.parse,
}


def parse(data: bytes, form: CaptionFormat | None) -> Captions:
    """The captions of a file; without a *form* its first line tells.

    Raises ``MalformedCaptions`` and ``Unsupported``.
    """
    known = form or guess(data)
    parser = _PARSERS.get(known)
    if parser is None:
        raise Unsupported(f"captions in {known} are not supported yet")
    return parser(data)


def guess(data: bytes) -> CaptionFormat:
    """What the first line says; SubRip says nothing."""
    begin = data[:256].replace(b"\0", b"")  # of UTF-16 every second byte
    if webvtt.SIGNATURE.encode() in begin.split(b"\n")[0]:
        return CaptionFormat.WEBVTT
    begin = begin.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if begin.startswith((b"<?xml", b"<tt", b"<!--")) or _PREFIXED.match(begin):
        return CaptionFormat.DFXP
    if begin.startswith(scc.SIGNATURE.encode()):
        return CaptionFormat.SCC
    if begin.startswith(_ASS):
        return CaptionFormat.ASS
    return CaptionFormat.SRT
