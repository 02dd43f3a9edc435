"""What an MPD means (ISO/IEC 23009-1): SegmentTemplate, SegmentList and a single segment."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from xml.etree import ElementTree

from bench.errors import BenchError
from bench.manifests import MAX_SEGMENTS, seconds_of
from bench.shadow.differences import Difference, Tolerance
from bench.shadow.renditions import Rendition, compare_renditions, pair, tag
from bench.shadow.spans import Spans, compare_spans

_MPD = "{urn:mpeg:dash:schema:mpd:2011}"
_FAULTS = (ElementTree.ParseError, ValueError, ArithmeticError, KeyError)
Element = ElementTree.Element


@dataclass(frozen=True, slots=True)
class Presentation:
    dynamic: bool
    total: float
    """Seconds; 0 where it is not told."""

    periods: int
    protected: bool
    renditions: tuple[Rendition, ...]
    frame: float | None
    """Seconds of the shortest frame that is told."""


def read_mpd(data: bytes) -> Presentation:
    try:
        return _presentation(ElementTree.fromstring(data))
    except _FAULTS as error:
        raise BenchError(f"not an MPD: {error}") from None


def _presentation(root: Element) -> Presentation:
    total = seconds_of(root.get("mediaPresentationDuration") or "PT0S")
    periods = root.findall(f"{_MPD}Period")
    found, rates = [], []
    for period in periods:
        lasts = seconds_of(period.get("duration") or "PT0S") or total
        for group in period.findall(f"{_MPD}AdaptationSet"):
            for one in group.findall(f"{_MPD}Representation"):
                chain = (one, group, period)
                found.append(_rendition(chain, lasts))
                if rate := _attribute(chain[:2], "frameRate"):
                    rates.append(float(Fraction(rate)))
    protected = next(root.iter(f"{_MPD}ContentProtection"), None) is not None
    frame = 1 / max(rates) if rates and max(rates) > 0 else None
    dynamic = root.get("type") == "dynamic"
    return Presentation(dynamic, total, len(periods), protected, tuple(found), frame)


def _rendition(chain: tuple[Element, ...], lasts: float) -> Rendition:
    own, group = chain[:2]
    kind = _attribute((own, group), "mimeType") or group.get("contentType") or ""
    width, height = (_attribute((own, group), name) for name in ("width", "height"))
    codecs = _attribute((own, group), "codecs") or ""
    kind = kind.partition("/")[0]
    return Rendition(
        kind,
        frozenset(code.strip() for code in codecs.split(",") if code.strip()),
        f"{width}x{height}" if width and height else "",
        "" if kind == "video" else tag(group.get("lang")),
        int(own.get("bandwidth", "0")),
        _spans(chain, lasts),
    )


def _attribute(chain: tuple[Element, ...], name: str) -> str | None:
    values = (one.get(name) for one in chain)
    return next((value for value in values if value is not None), None)


def _spans(chain: tuple[Element, ...], lasts: float) -> Spans:
    """What is nearer wins (§5.3.9.1)."""
    for name in ("SegmentTemplate", "SegmentList"):
        own = [found for one in chain if (found := one.find(f"{_MPD}{name}")) is not None]
        if not own:
            continue
        scale = int(_attribute(tuple(own), "timescale") or "1")
        lines = (one.find(f"{_MPD}SegmentTimeline") for one in own)
        timeline = next((one for one in lines if one is not None), None)
        if timeline is not None:
            ticks = tuple(islice(_ticks(timeline), MAX_SEGMENTS))
            return Spans(tuple(one / scale for one in ticks), sum(ticks) / scale)
        each = int(_attribute(tuple(own), "duration") or "0") / scale
        urls = len(own[0].findall(f"{_MPD}SegmentURL"))
        return _even(each, lasts, urls)
    return Spans((lasts,), lasts)


def _even(each: float, lasts: float, urls: int) -> Spans:
    """Segments of one length, the last of what is left."""
    if each <= 0:
        return Spans((lasts,), lasts)
    count = urls or min(MAX_SEGMENTS, -int(-lasts // each))
    lengths = [each] * count
    if count and 0 < lasts - each * (count - 1) < each:
        lengths[-1] = lasts - each * (count - 1)
    return Spans(tuple(lengths), lasts)


def _ticks(timeline: Element) -> Iterator[int]:
    for row in timeline.findall(f"{_MPD}S"):
        repeats = int(row.get("r", "0"))
        if repeats < 0:
            raise ValueError("S@r=-1 is not counted here")
        for _ in range(repeats + 1):
            yield int(row.get("d", "0"))


def compare_mpds(
    peer: Presentation, ours: Presentation, tolerance: Tolerance
) -> Iterator[Difference]:
    told = ("dynamic", "static")
    if peer.dynamic != ours.dynamic:
        yield Difference("ended", told[not peer.dynamic], told[not ours.dynamic])
    if peer.periods != ours.periods:
        yield Difference("discontinuities", str(peer.periods), str(ours.periods), "periods")
    if peer.protected != ours.protected:
        words = ("clear", "protected")
        yield Difference("encryption", words[peer.protected], words[ours.protected])
    frame = peer.frame or ours.frame or tolerance.frame
    yield from compare_spans(Spans((), peer.total), Spans((), ours.total), frame / 2)
    yield from compare_renditions(peer.renditions, ours.renditions, tolerance)
    for a, b in pair(peer.renditions, ours.renditions)[0]:
        # Sound is cut between frames of its own, by each packager its own way.
        slack = max(frame / 2, 0.024) if a.kind == "audio" else frame / 2
        assert a.spans is not None and b.spans is not None
        yield from compare_spans(a.spans, b.spans, slack, f"{a.kind} {a.size}".rstrip())
