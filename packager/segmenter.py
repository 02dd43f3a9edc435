"""Where a presentation is cut.

Boundaries are times, exact rationals, taken from the reference video; every rendition maps
the same list (rules C-03, C-04).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from packager.index import Blocks, TrackIndex
from packager.samples import Column, Flags, column
from packager.tracks import Kind

DEFAULT_TARGET = Fraction(6)
"""Seconds."""

MAX_SEGMENTS = 20_000
"""Of sound without pictures: 33 hours at 6 s.  What is longer stays in one segment."""


_SAFE = 1 << 62
"""Products up to this fit ``i8``."""


class Times(Sequence[Fraction]):
    """Presentation times in order, seconds; columns, for a film has thousands and the first
    segment of it waits."""

    def __init__(self, ticks: npt.NDArray[Any], scale: int) -> None:
        """*ticks* of 1/*scale* seconds, ``i8`` or Python integers."""
        self.ticks, self.scale = ticks, scale

    @classmethod
    def of(cls, times: Sequence[Fraction]) -> "Times":
        scale = math.lcm(*(time.denominator for time in times))
        ticks = [time.numerator * (scale // time.denominator) for time in times]
        wide = max(map(abs, ticks), default=0) >= _SAFE
        return cls(np.array(ticks, object if wide else np.int64), scale)

    def __len__(self) -> int:
        return len(self.ticks)

    def __iter__(self) -> Iterator[Fraction]:
        return (Fraction(tick, self.scale) for tick in self.ticks.tolist())

    @overload
    def __getitem__(self, at: int) -> Fraction: ...
    @overload
    def __getitem__(self, at: slice) -> "Times": ...
    def __getitem__(self, at: int | slice) -> "Fraction | Times":
        if isinstance(at, slice):
            return Times(self.ticks[at], self.scale)
        return Fraction(int(self.ticks[at]), self.scale)

    def __add__(self, other: "Times") -> "Times":
        if not len(other):
            return self
        if not len(self):
            return other
        scale = math.lcm(self.scale, other.scale)
        parts = (
            _times(self.ticks, scale // self.scale), _times(other.ticks, scale // other.scale)
        )  # fmt: skip
        return Times(np.concatenate(parts), scale)

    @property
    def digested(self) -> bytes:
        """The same for the same ticks, whatever holds them."""
        wide = self.ticks.dtype != np.int64
        return str(self.ticks.tolist()).encode() if wide else self.ticks.tobytes()

    def at(self, timescale: int) -> Column:
        """The first tick of *timescale* at or after each of them."""
        ticks = _times(self.ticks, timescale)
        if self.scale >= _SAFE:
            ticks = ticks.astype(object)
        return (-(-ticks // self.scale)).astype(np.int64)


def _times(ticks: npt.NDArray[Any], factor: int) -> npt.NDArray[Any]:
    """*ticks*, in order, times *factor*, exactly."""
    if len(ticks) and max(-int(ticks[0]), int(ticks[-1]), 1) * factor >= _SAFE:
        ticks = ticks.astype(object)
    return ticks * factor


@dataclass(frozen=True, eq=False)
class Cuts:
    """The segments of one track: none is empty."""

    bounds: Column
    """First sample of each, and behind the last one the number of samples."""

    begins: Column
    """Earliest presentation time of each, ticks, not before zero."""

    end: int

    complete: bool
    """Each boundary before the track's end has its segment: this track cuts where the
    reference does."""

    def __len__(self) -> int:
        return len(self.begins)

    def row(self, number: int) -> tuple[int, int]:
        """Samples ``[start, stop)`` of segment *number*, from 0."""
        return int(self.bounds[number]), int(self.bounds[number + 1])

    @cached_property
    def rows(self) -> tuple[tuple[int, int], ...]:
        """Samples ``[start, stop)`` of each."""
        return tuple(pairwise(self.bounds.tolist()))

    @cached_property
    def starts(self) -> tuple[int, ...]:
        return tuple(self.begins.tolist())


def reference(video: Sequence[TrackIndex]) -> TrackIndex:
    """The video that decides: the tallest; of these the one with the most bytes."""

    def rank(track: TrackIndex) -> tuple[int, int]:
        return track.track.format.height, track.total_size  # type: ignore[union-attr]

    return max(video, key=rank)


def boundaries(
    video: Sequence[TrackIndex], audio: Sequence[TrackIndex], target: Fraction
) -> Times:
    """Presentation times of the starts of segments 2, 3, …"""
    if not video:
        return _grid(Fraction(0), audio, target)
    lead = reference(video)
    cut = _from_entries(lead, _entries(lead), target)
    if len(video) > 1:
        common = _from_entries(lead, _common_entries(lead, video), target)
        if _longest(common, lead) <= 2 * max(_longest(cut, lead), target):
            cut = common
    return cut + _grid(_seconds(lead, lead.end), audio, target)


def _seconds(track: TrackIndex, media_time: int) -> Fraction:
    """*media_time* of *track* in presentation time."""
    return Fraction(media_time - track.origin, track.track.timescale)


def _grid(start: Fraction, audio: Sequence[TrackIndex], target: Fraction) -> Times:
    """Multiples of *target* that lie at least a target behind *start*, while some audio has a
    frame that starts there or later.

    With video, that is sound which goes on long after the last picture.
    """
    none = Times(column(()), 1)
    if not audio:
        return none
    begin = min(_seconds(track, int(track.block_dts[0])) for track in audio)
    last = max(_seconds(track, track.end - track.last_duration) for track in audio)
    first = math.ceil(max(start, begin) / target) + 1
    if last / target - first > MAX_SEGMENTS:
        return none
    numbers = np.arange(first, max(first, math.floor(last / target) + 1))
    return Times(_times(numbers, target.numerator), target.denominator)


def _entries(track: TrackIndex) -> Column:
    """Presentation times at which a segment of *track* may start, ticks."""
    return track.entry_cts - track.origin


def _from_entries(lead: TrackIndex, entries: Column, target: Fraction) -> Times:
    """Boundary k is the first entry at or after k targets: one between which and the entry
    before it lies a multiple of the target."""
    timescale = lead.track.timescale
    step = target.numerator * timescale
    multiple = _times(entries, target.denominator) // step
    chosen = np.flatnonzero(multiple[1:] > np.maximum(multiple[:-1], 0)) + 1
    return Times(entries[chosen], timescale)


def _longest(cut: Times, lead: TrackIndex) -> Fraction:
    end = lead.end - lead.origin
    return Fraction(int(np.diff(cut.ticks, prepend=0, append=end).max()), cut.scale)


def _tolerance(track: TrackIndex) -> int:
    """Half an average frame, ticks."""
    return max(0, (track.end - int(track.block_dts[0])) // (2 * track.count))


def _matches(track: TrackIndex, lead: TrackIndex, times: Column) -> tuple[Column, Column]:
    """For each of *times* (ticks of *lead*): the entry of *track* that stands for it, and
    how far off it is (ticks of *track*)."""
    entries = _entries(track)
    scale, own = lead.track.timescale, track.track.timescale
    if len(times) and int(times[-1]) * own >= 1 << 61:
        times = times.astype(object)  # exact, where 64 bits are not enough
    wanted = ((2 * times * own + scale) // (2 * scale)).astype(np.int64)
    after = np.minimum(np.searchsorted(entries, wanted), len(entries) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.abs(entries[before] - wanted) < np.abs(entries[after] - wanted)
    found = np.where(nearer, before, after)
    return found, np.abs(entries[found] - wanted)


def _common_entries(lead: TrackIndex, video: Sequence[TrackIndex]) -> Column:
    """Entries of *lead* that every other video has too, within half a frame."""
    entries = _entries(lead)
    for track in video:
        if track is not lead and len(entries):
            entries = entries[_matches(track, lead, entries)[1] <= _tolerance(track)]
    return entries


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Where boundaries fall in a track."""

    rows: Column
    """The first sample behind each; they never decrease."""

    times: Column
    """When that sample is presented, ticks."""

    exact: Flags
    """It is presented at the boundary (video within half a frame) or is the first audio
    frame after it."""


def edges(track: TrackIndex, times: Times, blocks: Blocks) -> Edges:
    """The edge in *track* for each boundary.

    *blocks* are needed only for audio whose frames differ in duration.
    """
    wanted = times.at(track.track.timescale)
    if track.kind is Kind.AUDIO and len(track.entry):
        return _sync_edges(track, wanted)
    if track.kind is Kind.AUDIO:
        rows, media_times = track.first_at(wanted + track.origin, blocks)
        return Edges(rows, media_times - track.origin, np.ones(len(rows), np.bool_))
    return _video_edges(track, wanted)


def _sync_edges(track: TrackIndex, wanted: Column) -> Edges:
    """The first sync sample of sound at or after each of *wanted* (ticks)."""
    places = np.append(_entries(track), track.end - track.origin)
    at = np.searchsorted(places[:-1], wanted)
    return Edges(
        np.append(track.entry, track.count)[at], places[at], np.ones(len(at), np.bool_)
    )


def _video_edges(track: TrackIndex, wanted: Column) -> Edges:
    """The entry at each of *wanted* (ticks), within half a frame, or else the next one."""
    near = _tolerance(track)
    places = np.append(_entries(track), track.end - track.origin)
    rows = np.append(track.entry, track.count)
    at = np.searchsorted(places[:-1], wanted - near)
    exact = (at < len(track.entry)) & (places[at] - wanted <= near)
    return Edges(rows[at], places[at], exact)


def cut(track: TrackIndex, times: Times, blocks: Blocks) -> Cuts:
    """The segments of *track* on its own, cut at *times*."""
    found = edges(track, times, blocks)
    end = track.end - track.origin
    bounds = np.concatenate(([0], found.rows, [track.count]))
    begins = np.maximum(np.append(track.first_time, found.times), 0)
    filled = np.flatnonzero(bounds[1:] > bounds[:-1])
    inside = times.at(track.track.timescale) < end - _tolerance(track)
    return Cuts(
        bounds=np.append(bounds[filled], track.count),
        begins=begins[filled],
        end=max(end, int(begins[filled[-1]]) + 1),
        complete=bool(found.exact[inside].all())
        and len(filled) == np.count_nonzero(inside) + 1,
    )
