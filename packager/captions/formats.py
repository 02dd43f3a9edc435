"""The formats that captions are stored in, and the parser of each."""

from collections.abc import Callable
from enum import StrEnum

from packager.captions import srt, webvtt
from packager.captions.cues import Captions


class CaptionFormat(StrEnum):
    WEBVTT = "webvtt"
    SRT = "srt"


_PARSERS: dict[CaptionFormat, Callable[[bytes], Captions]] = {
    CaptionFormat.WEBVTT: webvtt.parse,
    CaptionFormat.SRT: srt.parse,
}


def parse(data: bytes, form: CaptionFormat | None) -> Captions:
    """The captions of a file; without a *form* its first word tells.

    Raises ``MalformedCaptions``.
    """
    return _PARSERS[form or _guess(data)](data)


def _guess(data: bytes) -> CaptionFormat:
    begin = data[:64].replace(b"\0", b"")  # of UTF-16 every second byte
    is_webvtt = webvtt.SIGNATURE.encode() in begin.split(b"\n")[0]
    return CaptionFormat.WEBVTT if is_webvtt else CaptionFormat.SRT
