"""How many bits per second a rendition needs, from the sizes of its segments.

Two questions, two answers: BANDWIDTH is a measured rate (RFC 8216 §4.3.4.2, rule P-09),
MPD@bandwidth is a promise about a buffer (ISO/IEC 23009-1 §5.3.5.2, rule D-13).  Both are
exact: integers decide, and a figure is rounded up once, at the end.  Sizes are bytes of whole
segments, container included; how they are known is not asked here.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from packager.presentation import Bitrate, Timeline

_Column = npt.NDArray[Any]
"""``i8``, or Python integers where 64 bits might not do."""

_SAFE = 1 << 60
"""Sums of a few numbers up to this fit ``i8``."""

_PER_SECOND = 1000
"""minBufferTime is printed, so it is kept to whole milliseconds."""


def bitrate(sizes: Sequence[int], timeline: Timeline, target: int) -> Bitrate:
    """Both figures of one playlist; *target* is its EXT-X-TARGETDURATION in seconds."""
    durations = timeline.durations
    mean = average(sizes, durations, timeline.timescale)
    # A short, dense tail may belong to no run at all; a peak below the average helps nobody.
    return Bitrate(max(peak(sizes, durations, timeline.timescale, target), mean), mean)


def combine(*parts: Iterable[Bitrate]) -> Bitrate:
    """What a variant needs that plays one of each part at once (P-09): the largest sum.

    A part is the renditions to choose from, such as the members of an audio group.
    """
    chosen = [tuple(part) for part in parts]
    return Bitrate(
        sum(max(one.peak for one in part) for part in chosen),
        sum(max(one.average for one in part) for part in chosen),
    )


def average(sizes: Sequence[int], durations: Sequence[int], timescale: int) -> int:
    """AVERAGE-BANDWIDTH; *durations* are in ticks of *timescale*."""
    return -(-8 * int(sum(sizes)) * timescale // int(sum(durations)))


def peak(sizes: Sequence[int], durations: Sequence[int], timescale: int, target: int) -> int:
    """BANDWIDTH: the largest rate of contiguous segments that last 0.5 to 1.5 *target* seconds.

    A list that is shorter than half the target has no such run: then it counts as a whole,
    the longest run that there is.  (A segment cannot exceed 1.5 targets, and adding segments
    shorter than half a target cannot step over the window, so this is the only such case.)
    """
    if len(sizes) != len(durations):
        raise ValueError(f"{len(sizes)} sizes for {len(durations)} durations")
    bits, ticks = _sums(sizes, 8), _sums(durations)
    rates = [
        int((-(-_product(bits[stops] - bits[starts], timescale) // lasting)).max())
        for starts, stops, lasting in _runs(ticks, timescale * target)
    ]
    return max(rates) if rates else average(sizes, durations, timescale)


def _runs(ticks: _Column, target: int) -> Iterator[tuple[_Column, _Column, _Column]]:
    """The runs that count, by number of segments: where they start, stop, how long they last.

    Each step keeps only the starts whose run has not grown too long, so that the work is the
    number of runs: about two per segment where segments last about a target.
    """
    starts = np.arange(len(ticks) - 1)
    for count in range(1, len(ticks)):
        starts = starts[starts < len(ticks) - count]
        lasting = ticks[starts + count] - ticks[starts]
        starts, lasting = (column[2 * lasting <= 3 * target] for column in (starts, lasting))
        if not len(starts):
            return
        counts = 2 * lasting >= target
        if counts.any():
            yield starts[counts], starts[counts] + count, lasting[counts]


def minimum_buffer(timelines: Iterable[Timeline]) -> Fraction:
    """MPD@minBufferTime in seconds: the longest segment, up to the next millisecond (D-13)."""
    longest = max(Fraction(max(line.durations), line.timescale) for line in timelines)
    return Fraction(math.ceil(longest * _PER_SECOND), _PER_SECOND)


def leaky_bucket(sizes: Sequence[int], timeline: Timeline, min_buffer: Fraction) -> int:
    """MPD@bandwidth: the smallest rate that keeps the buffer's promise from any segment on.

    Delivery at this rate begins with segment i, playback *min_buffer* seconds later, and every
    segment j is complete when its time comes:
    ``bits(i..j) <= rate * (min_buffer + start(j) - start(i))``.

    The smallest such rate is the largest quotient of the two, and the quotient of the worst
    pair under a guess is a better guess (Dinkelbach), so a few passes over the columns do.
    """
    if len(sizes) != len(timeline.starts):
        raise ValueError(f"{len(sizes)} sizes for {len(timeline.starts)} starts")
    delay, parts = (min_buffer * timeline.timescale).as_integer_ratio()
    # In parts of a tick, of which min_buffer is a whole number too.
    bits = _product(_sums(sizes, 8), timeline.timescale * parts)
    starts = _product(_sums(timeline.durations)[:-1], parts)
    rate = 0
    while True:
        first, last = _worst_run(bits, _product(starts, rate))
        ticks = delay + int(starts[last]) - int(starts[first])
        needed = -(-(int(bits[last + 1]) - int(bits[first])) // ticks)
        if needed <= rate:
            return rate
        rate = needed


def _worst_run(needed: _Column, delivered: _Column) -> tuple[int, int]:
    """First and last segment of the run that falls farthest behind its delivery."""
    before = needed[:-1] - delivered
    lack = needed[1:] - delivered - np.minimum.accumulate(before)
    last = int(lack.argmax())
    return int(before[: last + 1].argmin()), last


def _sums(values: Sequence[int], unit: int = 1) -> _Column:
    """What lies before each of *values* and, last, all of it; *values* are not negative."""
    wide = sum(values) * unit >= _SAFE
    return np.array([0, *values], object if wide else np.int64).cumsum() * unit


def _product(column: _Column, factor: int) -> _Column:
    """*column* times *factor*, exactly; neither is negative."""
    wide = max(1, int(column.max())) * factor >= _SAFE
    return (column.astype(object) if wide else column) * factor
