"""Captions in segments, as HLS has them (RFC 8216 §3.5; rules T-05, P-15).

A cue is in every segment in which anything of it is shown, each time with all of its times:
players know it again.  A cue that lies before the first segment or behind the last is in that.
"""

from bisect import bisect_left, bisect_right
from itertools import accumulate

from packager.captions.cues import Captions
from packager.captions.webvtt import cue_text, header
from packager.errors import UnknownSegment
from packager.presentation import Timeline

CLOCK = {True: 0, False: 900_000}
"""Where the presentation zero is on the 90 kHz clock, by whether segments are fMP4: the times
of those count from it, transport streams have it at 10 s."""


def segment(captions: Captions, timeline: Timeline, number: int, *, fmp4: bool) -> str:
    """Segment *number*, from 1."""
    count = len(timeline.starts)
    if not 1 <= number <= count:
        raise UnknownSegment(f"segment {number} of {count}")
    start = None if number == 1 else _floor(timeline.starts[number - 1], timeline)
    stop = None if number == count else _ceil(timeline.starts[number], timeline)
    cues = captions.shown(start, stop)
    return "".join((header(captions, CLOCK[fmp4]), *map(cue_text, cues)))


def segment_sizes(captions: Captions, timeline: Timeline, *, fmp4: bool) -> list[int]:
    """Bytes of every segment, without writing any: a cue as long as the film is in all."""
    starts = timeline.starts
    stops = [_ceil(tick, timeline) for tick in starts[1:]]
    begins = [_floor(tick, timeline) for tick in starts[1:]]
    more = [len(header(captions, CLOCK[fmp4]).encode()), *([0] * len(starts))]
    for cue in captions.cues:
        size = len(cue_text(cue).encode())
        more[bisect_right(stops, cue.start)] += size
        more[bisect_left(begins, cue.end) + 1] -= size
    return list(accumulate(more[:-1]))


def _floor(tick: int, timeline: Timeline) -> int:
    return tick * 1000 // timeline.timescale


def _ceil(tick: int, timeline: Timeline) -> int:
    return -(-tick * 1000 // timeline.timescale)
