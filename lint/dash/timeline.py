"""Addressing: templates and timelines to segments (rules D-03 to D-07)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from lint.dash.mpd import Element, whole
from lint.fetching import Range
from lint.findings import Malformed, Say

SEGMENTS = 200_000
_IDENTIFIER = re.compile(r"\$(\w*)(%0\d{1,2}d)?\$")
_RANGE = re.compile(r"(\d{1,18})-(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Listed:
    time: int
    """Start, in the timescale."""
    duration: int


@dataclass(slots=True)
class Addressing:
    timescale: int
    offset: int
    """presentationTimeOffset."""
    initialization: str
    listed: list[Listed]
    nominal: int
    """@duration; 0 with a timeline."""
    uri: Callable[[int], str]
    """The reference of the segment that is listed at a position."""


def template(
    element: Element, representation: Element, period: Fraction | None, say: Say
) -> Addressing:
    """Segments of a SegmentTemplate.  Raises Malformed."""
    values = element.attributes
    scale = whole(element, "timescale", 1)
    if scale < 1:
        raise Malformed(element.place, f"@timescale {scale}")
    media, header = values.get("media", ""), values.get("initialization", "")
    number = whole(element, "startNumber", 1)
    offset, listed = whole(element, "presentationTimeOffset", 0), list[Listed]()

    def uri(index: int) -> str:
        time = listed[index].time
        return _filled(media, representation, number + index, time, element, say)

    found = Addressing(scale, offset, "", listed, 0, uri)
    names = {name for name, _ in _IDENTIFIER.findall(media)}
    if len(names & {"Number", "Time"}) != 1:
        say("D-04.media", element.place, f"@media {media[:200]!r}")
    if {name for name, _ in _IDENTIFIER.findall(header)} & {"Number", "Time"}:
        say("D-04.initialization", element.place, f"@initialization {header[:200]!r}")
    found.initialization = _filled(header, representation, 0, 0, element, say)
    timeline = element.first("SegmentTimeline")
    found.nominal = whole(element, "duration", 0)
    if (timeline is None) == (not found.nominal):
        say("D-04.addressing", element.place, "not one of @duration and SegmentTimeline")
        return found
    if timeline is not None:
        times = _timeline(timeline, found, period, say)
    else:
        times = _nominal(found, period)
    listed += [Listed(time, duration) for time, duration in times]
    return found


def _timeline(
    timeline: Element, found: Addressing, period: Fraction | None, say: Say
) -> list[tuple[int, int]]:
    times: list[tuple[int, int]] = []
    at = 0
    runs = timeline.all("S")
    for index, run in enumerate(runs):
        start, length, again = (
            whole(run, "t", at), whole(run, "d", 0), whole(run, "r", 0)
        )  # fmt: skip
        if length <= 0:
            say("D-05.zero", run.place, f"@d {length}")
            continue
        if times and start != at:
            word = "gap" if start > at else "overlap"
            say("D-05.contiguous", run.place, f"@t {start}, expected {at}: {word}")
        if again < 0:
            following = runs[index + 1].attributes.get("t") if index + 1 < len(runs) else None
            end = start
            if following is not None and following.isdecimal():
                end = int(following)
            elif period is not None:
                end = found.offset + int(period * found.timescale)
            again = max(0, -(-(end - start) // length) - 1)
        if len(times) + again >= SEGMENTS:
            raise Malformed(run.place, f"more than {SEGMENTS} segments")
        times += [(start + k * length, length) for k in range(again + 1)]
        at = start + (again + 1) * length
    return times


def _nominal(found: Addressing, period: Fraction | None) -> list[tuple[int, int]]:
    if period is None:
        return []
    count = -(-int(period * found.timescale) // found.nominal)
    if count > SEGMENTS:
        raise Malformed("SegmentTemplate", f"more than {SEGMENTS} segments")
    return [(found.offset + k * found.nominal, found.nominal) for k in range(count)]


def _filled(
    text: str, representation: Element, number: int, time: int, element: Element, say: Say
) -> str:
    values: dict[str, str | int] = {
        "RepresentationID": representation.attributes.get("id", ""),
        "Number": number,
        "Time": time,
        "Bandwidth": whole(representation, "bandwidth", 0),
        "": "$",
    }

    def fill(found: re.Match[str]) -> str:
        name, form = found[1], found[2]
        if name not in values or (form and name in ("RepresentationID", "")):
            say("D-04.identifier", element.place, found[0])
            return ""
        value = values[name]
        return form % value if form else str(value)

    return _IDENTIFIER.sub(fill, text)


def octets(text: str) -> Range | None:
    """A byte range of an attribute."""
    found = _RANGE.fullmatch(text)
    if found is None or int(found[2]) < int(found[1]):
        return None
    return Range(int(found[1]), int(found[2]) - int(found[1]) + 1)
