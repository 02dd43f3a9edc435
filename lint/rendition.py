"""Segments of one rendition of HLS or DASH: fetched, read, and compared with one another."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from lint.fetching import MEDIA_LIMIT, Fetcher, Range, Unreachable, resolve
from lint.findings import Malformed, Report
from lint.isobmff.header import Header, read_header
from lint.media import Media, form_of, read_media
from lint.mpegts.segment import TransportSegment, check_following
from lint.timing import (
    LISTED,
    Segment,
    check_declared,
    check_drift,
    check_sequence,
    check_shift,
    check_starts,
    sap_missing,
)

PICTURE = "a picture"
_JPEG = b"\xff\xd8"
"""Start of image (ISO/IEC 10918-1 §B.1.1.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A segment as its manifest names it."""

    base: str
    uri: str
    """As seen from *base*."""
    part: Range | None
    place: str
    number: int
    """From 0 in its rendition."""
    declared: Fraction
    listed: Fraction | None = None
    discontinuity: int = 0
    header: tuple[str, Range | None] | None = None
    """Of the header, as seen from *base* too."""
    whole: bool = False
    """Header and media in one file: the header is read from it."""
    sealed: str = ""
    """Why only its size can be told: ``AES-128``, ``PICTURE``, or another word."""


@dataclass(slots=True)
class Rendition:
    address: str
    """Of its playlist, or the MPD."""
    name: str
    """Where the rendition is declared."""
    count: int = 0
    """Segments of the manifest."""
    duration: Fraction = Fraction(0)
    segments: list[Segment] = field(default_factory=list)
    header: Header | None = None
    form: str = ""
    sizes: dict[int, int] = field(default_factory=dict)
    """Octets of segments that are known, by their number."""
    durations: list[Fraction] = field(default_factory=list)
    slack: Fraction | None = LISTED
    """Seconds by which declared durations may differ; None if they are nominal."""

    @property
    def codecs(self) -> set[str]:
        if self.header is not None:
            return {track.config.codec for track in self.header.tracks}
        return {s.codec for segment in self.segments[:1] for s in segment.stretches}


def choose(count: int, most: int) -> list[int]:
    """Which of *count* segments are looked at: the first ones and the last."""
    if count <= most:
        return list(range(count))
    return [*range(most - 1), count - 1]


@dataclass(slots=True)
class Walker:
    """Loads renditions; headers are fetched once."""

    fetcher: Fetcher
    report: Report
    most: int
    hls: bool
    _headers: dict[tuple[str, str, Range | None], Header | None] = field(default_factory=dict)

    def walk(
        self, rendition: Rendition, count: int, wanted: Callable[[int], Wanted | None]
    ) -> None:
        """Fill *rendition* from its *count* segments; None is one that is not there."""
        rendition.count = count
        rendition.duration = sum(rendition.durations, Fraction(0))
        before: tuple[Wanted, TransportSegment] | None = None
        sequence = 0
        for index in choose(count, self.most):
            item = wanted(index)
            media = None if item is None else self._one(item, rendition)
            if item is None or media is None:
                continue
            say = self.report.of(rendition.segments[-1].address)
            if media.sequence and index and sequence and media.sequence[0] <= sequence:
                say("S-05.sequence", "moof/mfhd", f"{media.sequence[0]} after {sequence}")
            sequence = media.sequence[-1] if media.sequence else sequence
            if media.last and index < count - 1:
                say("S-01.lmsg", "styp", "brand lmsg before the last segment")
            if media.transport is not None:
                if before is not None and (before[0].number, before[0].discontinuity) == (
                    index - 1,
                    item.discontinuity,
                ):
                    check_following(before[1], media.transport, item.place, say)
                before = item, media.transport
        self._times(rendition)

    def _one(self, item: Wanted, rendition: Rendition) -> Media | None:
        """A segment fetched, checked and added to *rendition*; None if it cannot be read."""
        try:
            address = resolve(item.base, item.uri)
            got = self.fetcher.get(address, MEDIA_LIMIT, item.part)
            header = None if item.header is None else self._header(item.base, *item.header)
        except Unreachable as error:
            say = self.report.of(rendition.address)
            say("F-01.segment", item.place, f"{item.uri[:200]}: {error}")
            return None
        say = self.report.of(address)
        rendition.sizes[item.number] = len(got.body)
        self._content_type(address, got.headers, got.body)
        if item.sealed:
            if item.sealed == "AES-128" and (len(got.body) % 16 or not got.body):
                say("T-10.length", "file", f"{len(got.body)} octets")
            if item.sealed == PICTURE and not got.body.startswith(_JPEG):
                say("F-02.segment", "file", "no JPEG, and the list is one of images")
            return None
        rendition.header = header or rendition.header
        if form_of(got.body) == "mp4" and header is None and not item.whole:
            if item.header is None:
                text = "fragmented MP4 without a header"
                self.report.of(rendition.address)("P-06.absent", item.place, text)
            return None
        try:
            media = read_media(got.body, header, say, hls=self.hls)
        except Malformed as error:
            say("F-02.segment", error.place, error.text)
            return None
        rendition.header = rendition.header or media.header
        rendition.form = media.form
        rendition.segments.append(
            Segment(
                address=address,
                place=item.place,
                number=item.number,
                octets=len(got.body),
                stretches=tuple(media.stretches),
                declared=item.declared,
                listed=item.listed,
                discontinuity=item.discontinuity,
            )
        )
        return media

    def _times(self, rendition: Rendition) -> None:
        say = self.report.of(rendition.address)
        check_sequence(rendition.segments, say, "S-08.gap" if self.hls else "S-08.gap_dash")
        check_starts(rendition.segments, say)
        if rendition.slack is not None:
            check = "P-03.duration" if self.hls else "D-05.duration"
            check_declared(rendition.segments, say, check, rendition.slack)
        if self.hls:
            check_drift(rendition.segments, say)
            if rendition.form == "mp4":
                check_shift(rendition.segments, say)

    def _header(self, base: str, uri: str, part: Range | None) -> Header | None:
        """The header at an address, checked once, and fetched twice: I-12."""
        key = base, uri, part
        if key in self._headers:
            return self._headers[key]
        self._headers[key] = None
        say = self.report.of(base)
        try:
            address = resolve(base, uri)
            say = self.report.of(address)
            first = self.fetcher.get(address, MEDIA_LIMIT, part)
            again = self.fetcher.get(address, MEDIA_LIMIT, part)
            if first.body != again.body:
                say("I-12.stable", "file", "two requests give different octets")
            header = read_header(first.body, say, hls=self.hls)
        except Unreachable as error:
            say("F-01.header", "file", f"{uri[:200]}: {error}")
            return None
        except Malformed as error:
            say("F-02.header", error.place, error.text)
            return None
        self._headers[key] = header
        return header

    def _content_type(self, address: str, headers: object, body: bytes) -> None:
        if not isinstance(headers, dict):
            return
        kind = str(headers.get("content-type", "")).partition(";")[0].strip().lower()
        say = self.report.of(address)
        wanted: tuple[str, ...] = ("video/mp2t",) if body[:1] == b"\x47" else ()
        if body[4:8] in (b"styp", b"moof", b"ftyp", b"sidx"):
            wanted = ("video/mp4", "audio/mp4", "application/mp4", "video/iso.segment")
        if wanted and kind not in wanted:
            say("P-18.type", "Content-Type", kind or "absent")
        if "cache-control" not in headers and "expires" not in headers:
            say("P-18.cache", "Cache-Control", "absent")


def independent(renditions: Iterable[Rendition]) -> list[tuple[Rendition, Segment]]:
    """Segments whose picture does not start with a random access point."""
    return [(r, segment) for r in renditions for segment in sap_missing(r.segments)]
