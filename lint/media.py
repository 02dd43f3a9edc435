"""A segment that was fetched, whatever its container: what it holds."""

from dataclasses import dataclass, field

from lint.findings import Malformed, Say
from lint.isobmff.header import Header, read_header
from lint.isobmff.segment import read_segment as read_fragments
from lint.mpegts.segment import TransportSegment
from lint.mpegts.segment import read_segment as read_transport
from lint.timing import Stretch

_BOXES = {b"ftyp", b"styp", b"moof", b"sidx", b"emsg", b"prft", b"moov", b"free"}


@dataclass(slots=True)
class Media:
    form: str
    """``mp4``, ``ts``, ``text``, ``packed`` or empty if it is not known."""
    stretches: list[Stretch] = field(default_factory=list)
    transport: TransportSegment | None = None
    sequence: list[int] = field(default_factory=list)
    last: bool = False
    header: Header | None = None
    """Of MP4: the one given, or that of the file itself."""


def form_of(body: bytes) -> str:
    """By its first octets."""
    if body[4:8] in _BOXES:
        return "mp4"
    if body[:1] == b"\x47":
        return "ts"
    if body.removeprefix(b"\xef\xbb\xbf")[:6] == b"WEBVTT":
        return "text"
    if body[:3] == b"ID3":
        return "packed"
    return ""


def read_media(body: bytes, header: Header | None, say: Say, *, hls: bool) -> Media:
    """Check a segment.  Raises Malformed."""
    media = Media(form_of(body))
    if media.form == "ts":
        media.transport = read_transport(body, say)
        media.stretches = media.transport.stretches
    elif media.form == "mp4":
        start = 0
        if header is None:
            header = read_header(body, say, hls=hls)
            start = header.length
        media.header = header
        fragments = read_fragments(body, start, header, say)
        media.stretches, media.sequence = fragments.stretches, fragments.sequence
        media.last = fragments.last
    elif media.form == "text":
        if b"X-TIMESTAMP-MAP=" not in body[:1000] and hls:
            say("P-15.map", "line 2", "no X-TIMESTAMP-MAP")
    elif media.form == "packed":
        if b"com.apple.streaming.transportStreamTimestamp" not in body[:1000]:
            say("T-08.packed", "byte 0", "ID3 without a transportStreamTimestamp")
    else:
        raise Malformed(
            "byte 0", f"neither MP4, MPEG-TS nor WebVTT: {body[:8].hex() or 'empty'}"
        )
    return media
