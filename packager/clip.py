"""A part of a presentation: whole segments of it, which keep their bytes, numbers and times.

A clip begins with the segment that holds its first asked millisecond and ends with the one
that holds its last, so that no frame which was asked for is missing, players start on a key
frame, and caches hold the media of every clip of a film once.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from fractions import Fraction

from packager.errors import UnknownSegment
from packager.presentation import Timeline
from packager.segmenter import Times


@dataclass(frozen=True, slots=True)
class Clip:
    """Between two boundaries, seconds of the presentation."""

    start: Fraction = Fraction(0)
    stop: Fraction | None = None
    """None: to the end."""

    def segments(self, timeline: Timeline) -> range:
        """Which segments of *timeline*, from 0: those whose middle lies in it, since tracks
        follow a boundary to within a frame."""
        if self == WHOLE:
            return range(len(timeline.starts))
        scale = 2 * timeline.timescale
        begin = round(self.start * scale)
        end = None if self.stop is None else round(self.stop * scale)
        starts = timeline.starts
        middles = [a + b for a, b in zip(starts, (*starts[1:], timeline.end), strict=True)]
        first = sum(1 for middle in middles if middle < begin)
        return range(first, sum(1 for middle in middles if end is None or middle < end))

    def within(self, other: "Clip") -> "Clip":
        """What is in both."""
        stops = [one.stop for one in (self, other) if one.stop is not None]
        return Clip(max(self.start, other.start), min(stops, default=None))

    def of(self, timeline: Timeline) -> Timeline:
        """The part of *timeline* that is in it.  Raises ``UnknownSegment`` where nothing is."""
        if self == WHOLE:
            return timeline
        kept = self.segments(timeline)
        if not kept:
            raise UnknownSegment("the clip has nothing of this track")
        starts = (*timeline.starts, timeline.end)
        return replace(
            timeline,
            starts=timeline.starts[kept.start : kept.stop],
            end=starts[kept.stop],
            first=timeline.first + kept.start,
            zero=round(self.start * timeline.timescale),
        )


WHOLE = Clip()


def clip_of(times: Times, start: int | None, stop: int | None) -> Clip:
    """That has the milliseconds from *start* to *stop*; *times* are where segments 2, 3, …
    begin."""
    after = bisect_right(times, Fraction(start or 0, 1000))
    begin = times[after - 1] if after else Fraction(0)
    if stop is None:
        return Clip(begin)
    last = bisect_left(times, Fraction(stop, 1000), after)
    return Clip(begin, times[last] if last < len(times) else None)
