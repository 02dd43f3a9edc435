"""Exact times from timestamps that were rounded to a millisecond.

Matroska stores when a frame is presented, in ticks of usually a millisecond.  Where frames
come at a constant rate, or codecs say how long each sounds, times are exact again; where they
do not fit, they stay as they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from packager.errors import MalformedElement
from packager.matroska.clusters import UNTIMED
from packager.samples import Column, column
from packager.timescale import MAX_TICKS

_SECOND = 1_000_000_000
_LEAST_TIMESCALE = 10_000
"""Ticks a second: finer than what timestamps were rounded to."""

_MAX_RATE = 1000
_EXACT_TICKS = 1 << 62
_SETTLED = 64
"""Frames whose mean tells when the sound began."""


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """Of one track, in decode order."""

    timescale: int
    dts: Column
    cts: Column
    duration: Column
    start: int
    """Ticks by which times here are later than those of the file."""


def picture_times(stamps: Column, scale: int, default_duration: int, last: int | None) -> Times:
    """From timestamps in ticks of *scale* nanoseconds.

    Pictures are decoded in the order of the file and presented in another one: decode times
    are the presentation times in order, early enough that none is decoded after it is shown.
    """
    timescale, cts, period = _on_grid(stamps, scale, default_duration) or _as_told(
        stamps, scale, default_duration, last
    )
    order = np.sort(cts)
    delay = int((order - cts).max())
    duration = np.append(np.diff(order), period)
    dts = order - order[0]
    _check(dts, duration)
    return Times(timescale, dts, cts - order[0] + delay, duration, delay - int(order[0]))


def _on_grid(
    stamps: Column, scale: int, default_duration: int
) -> tuple[int, Column, int] | None:
    """Timescale, times and ticks of a frame, where *stamps* are those of a constant rate."""
    first, count = int(stamps.min()), len(stamps)
    span = int(stamps.max()) - first
    period = default_duration or (span * scale / (count - 1) if count > 1 else 0)
    for rate in _rates(period, exact=bool(default_duration)):
        # A frame lasts den/num seconds: num * scale * stamp / (den * 10^9) of them.
        top, bottom = rate.numerator * scale, rate.denominator * _SECOND
        common = Fraction(top, bottom)
        top, bottom = common.numerator, common.denominator
        if span * top + bottom >= _EXACT_TICKS:
            continue
        passed = (stamps - first) * top
        number = (2 * passed + bottom) // (2 * bottom)
        off = passed - number * bottom  # of the rounding, in 1/top ticks
        low, high = int(off.min()), int(off.max())
        if high - low > top or len(np.unique(number)) < count:
            continue
        factor = -(-_LEAST_TIMESCALE // rate.numerator)
        timescale, ticks = rate.numerator * factor, rate.denominator * factor
        begin = _begin(first * top, low, high, top, bottom)
        cts = number * ticks + round(begin * ticks)
        return timescale, cts, ticks
    return None


def _begin(first: int, low: int, high: int, tick: int, frame: int) -> Fraction:
    """When the first picture is presented, in frames: on the grid from zero where that is
    within the rounding.  All arguments but the answer are in 1/*tick* ticks."""
    least, most = first + high - Fraction(tick, 2), first + low + Fraction(tick, 2)
    number = round(Fraction(first, frame))
    if least <= number * frame <= most:
        return Fraction(number)
    return (least + most) / 2 / frame


def _rates(period: float, *, exact: bool) -> Iterator[Fraction]:
    """Frame rates that *period*, nanoseconds, may stand for: usual ones, the nearest first,
    before what its nanoseconds are as a fraction."""
    if period < _SECOND / _MAX_RATE:
        return
    rate = _SECOND / period
    near = {Fraction(round(rate)), Fraction(round(2 * rate), 2)}
    near.add(Fraction(round(rate * 1.001) * 1000, 1001))
    limit = max(2 / period, 1 / 50_000) if exact else 1 / 1000
    fit = [each for each in near if each > 0 and abs(each / Fraction(rate) - 1) <= limit]
    yield from sorted(fit, key=lambda each: abs(each - Fraction(rate)))
    if exact:
        yield Fraction(_SECOND, round(period)).limit_denominator(1001)


def _as_told(
    stamps: Column, scale: int, default_duration: int, last: int | None
) -> tuple[int, Column, int]:
    """Timescale, times and the duration of the last frame, rounded as they are."""
    timescale, times = in_ticks(stamps, scale)
    if last is not None and 0 < last < 1 << 31:
        period = int(in_ticks(column([last]), scale)[1][0])
    elif default_duration:
        period = round(Fraction(default_duration * timescale, _SECOND))
    else:
        steps = np.diff(np.sort(times))
        period = int(np.median(steps)) if len(steps) else timescale // 25
    return timescale, times, min(max(period, 1), (1 << 31) - 1)


def in_ticks(stamps: Column, scale: int) -> tuple[int, Column]:
    """A timescale, and *stamps* in it: exact where a second is a whole number of ticks."""
    timescale = _SECOND // scale if _SECOND % scale == 0 else 1_000_000
    if 1000 <= timescale <= 1_000_000:
        if timescale * scale == _SECOND:
            return timescale, stamps
    else:
        timescale = 1_000_000
    made = [round(Fraction(stamp * scale, 1000)) for stamp in stamps.tolist()]
    if made and max(map(abs, made)) > MAX_TICKS:
        raise MalformedElement("Timestamp", "out of range")
    return timescale, column(made)


def sound_times(stamps: Column, scale: int, rate: int, durations: Column) -> Times:
    """From timestamps, of which some are ``UNTIMED``, and the samples of each frame at *rate*:
    frames follow each other, and begin anew where the timestamps are more than a frame off."""
    told = stamps != UNTIMED
    if not told[0]:
        raise MalformedElement("Block", "the first frame has no timestamp")
    if int(np.abs(stamps[told]).max()) * scale * rate < _EXACT_TICKS:
        at = (2 * stamps * (scale * rate) + _SECOND) // (2 * _SECOND)
    else:
        exact = (2 * each * scale * rate + _SECOND for each in stamps.tolist())
        at = np.where(told, [min(each // (2 * _SECOND), MAX_TICKS) for each in exact], 0)
    elapsed = np.cumsum(durations) - durations
    off = np.where(told, at - elapsed, UNTIMED)
    shift = _shifts(off, durations, max(durations.max(), 2 * scale * rate // _SECOND))
    times = elapsed + shift
    duration = np.append(np.diff(times), durations[-1:])
    _check(times - times[0], duration)
    return Times(rate, times - times[0], times - times[0], duration, -int(times[0]))


def _shifts(off: Column, durations: Column, tolerance: int) -> Column:
    """What is added to the time that frames took before each one.

    Behind a gap sound begins anew.  Where frames overlap, for the writer's clock ran faster,
    each lasts half as long until they fit.
    """
    first = off[:_SETTLED][off[:_SETTLED] != UNTIMED]
    settled = first[np.abs(first - first[0]) <= tolerance]
    shift = 0 if off[0] == 0 else (int(settled.min()) + int(settled.max())) // 2
    known = np.where(off == UNTIMED, shift, off)
    if (np.abs(known - shift) <= tolerance).all():
        return np.full(len(off), shift)
    made, half = [], (durations // 2).tolist()
    for row, each in enumerate(off.tolist()):
        if each != UNTIMED:
            if each - shift > tolerance:
                shift = each
            elif shift - each > tolerance and row:
                shift -= min(half[row - 1], shift - each)
        made.append(shift)
    return column(made)


def _check(times: Column, duration: Column) -> None:
    if len(times) and (int(times[-1]) + int(duration[-1]) > MAX_TICKS):
        raise MalformedElement("Timestamp", "the track is longer than 2^46 ticks")
    if len(duration) and (int(duration.max()) >= 1 << 31):
        raise MalformedElement("Timestamp", "a frame lasts 2^31 ticks or more")
