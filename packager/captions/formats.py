"""The formats that captions are stored in, and the parser of each."""

from collections.abc import Callable
from enum import StrEnum

from packager.captions import srt, webvtt
from packager.captions.cues import Captions
from packager.errors import Unsupported


class CaptionFormat(StrEnum):
    WEBVTT = "webvtt"
    SRT = "srt"
    DFXP = "dfxp"
    CAP = "cap"


_PARSERS: dict[CaptionFormat, Callable[[bytes], Captions]] = {
    CaptionFormat.WEBVTT: webvtt.parse,
    CaptionFormat.SRT: srt.parse,
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
    begin = data[:64].replace(b"\0", b"")  # of UTF-16 every second byte
    is_webvtt = webvtt.SIGNATURE.encode() in begin.split(b"\n")[0]
    return CaptionFormat.WEBVTT if is_webvtt else CaptionFormat.SRT
