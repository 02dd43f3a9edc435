"""Where a presentation is cut.

Boundaries are times, exact rationals, taken from the reference video; every rendition maps
the same list (rules C-03, C-04).
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from packager.index import Blocks, TrackIndex
from packager.samples import Column
from packager.timescale import ceil_ticks
from packager.tracks import Kind

DEFAULT_TARGET = Fraction(6)
"""Seconds."""

MAX_SEGMENTS = 20_000
"""Of sound without pictures: 33 hours at 6 s.  What is longer stays in one segment."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """The segments of one track: none is empty."""

    rows: tuple[tuple[int, int], ...]
    """Samples ``[start, stop)`` of each."""

    starts: tuple[int, ...]
    """Earliest presentation time of each, ticks, not before zero."""

    end: int

    complete: bool
    """Each boundary before the track's end has its segment: this track cuts where the
    reference does."""


def reference(video: Sequence[TrackIndex]) -> TrackIndex:
    """The video that decides: the tallest; of these the one with the most bytes."""

    def rank(track: TrackIndex) -> tuple[int, int]:
        return track.track.format.height, track.total_size  # type: ignore[union-attr]

    return max(video, key=rank)


def boundaries(
    video: Sequence[TrackIndex], audio: Sequence[TrackIndex], target: Fraction
) -> tuple[Fraction, ...]:
    """Presentation times, in seconds, of the starts of segments 2, 3, …"""
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


def _grid(
    start: Fraction, audio: Sequence[TrackIndex], target: Fraction
) -> tuple[Fraction, ...]:
    """Multiples of *target* that lie at least a target behind *start*, while some audio has a
    frame that starts there or later.

    With video, that is sound which goes on long after the last picture.
    """
    if not audio:
        return ()
    begin = min(_seconds(track, int(track.block_dts[0])) for track in audio)
    last = max(_seconds(track, track.end - track.last_duration) for track in audio)
    first = math.ceil(max(start, begin) / target) + 1
    if last / target - first > MAX_SEGMENTS:
        return ()
    return tuple(target * number for number in range(first, math.floor(last / target) + 1))


def _entries(track: TrackIndex) -> Column:
    """Presentation times at which a segment of *track* may start, ticks."""
    return track.entry_cts - track.origin


def _from_entries(lead: TrackIndex, entries: Column, target: Fraction) -> tuple[Fraction, ...]:
    """Boundary k is the first entry at or after k targets."""
    timescale = lead.track.timescale
    # Whole numbers, and a list: a film has thousands of boundaries, and a cold segment waits.
    step, parts = target.numerator * timescale, target.denominator
    places: list[int] = entries.tolist()
    chosen: list[int] = []
    number = 1
    while (at := bisect_left(places, -(-number * step // parts))) < len(places):
        time = places[at]
        if time > 0 and at:
            chosen.append(time)
        number = max(number + 1, time * parts // step + 1)
    return tuple(Fraction(time, timescale) for time in chosen)


def _longest(cut: tuple[Fraction, ...], lead: TrackIndex) -> Fraction:
    edges = (Fraction(0), *cut, Fraction(lead.end - lead.origin, lead.track.timescale))
    return max(stop - start for start, stop in pairwise(edges))


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


@dataclass(frozen=True, slots=True)
class Edge:
    """Where one boundary falls in a track."""

    row: int
    """The first sample behind it."""

    time: int
    """When that sample is presented, ticks."""

    exact: bool = True
    """It is presented at the boundary (video within half a frame) or is the first audio
    frame after it."""


def edges(track: TrackIndex, times: Sequence[Fraction], blocks: Blocks) -> list[Edge]:
    """The edge in *track* for each boundary; rows never decrease.

    *blocks* are needed only for audio whose frames differ in duration.
    """
    if track.kind is Kind.AUDIO:
        return _audio_edges(track, times, blocks)
    found = _video_edges(track, times)
    for number in range(1, len(found)):
        if found[number].row < found[number - 1].row:
            found[number] = Edge(found[number - 1].row, found[number - 1].time, False)
    return found


def _audio_edges(track: TrackIndex, times: Sequence[Fraction], blocks: Blocks) -> list[Edge]:
    """The first frame that starts at or after each of *times* (rule C-04)."""
    wanted = [ceil_ticks(time, track.track.timescale) + track.origin for time in times]
    return [Edge(row, dts - track.origin) for row, dts in track.first_at(wanted, blocks)]


def _video_edges(track: TrackIndex, times: Sequence[Fraction]) -> list[Edge]:
    """The entry at each of *times*, within half a frame, or else the next one."""
    places: list[int] = _entries(track).tolist()
    rows: list[int] = track.entry.tolist()
    near = _tolerance(track)
    found = []
    for time in times:
        wanted = ceil_ticks(time, track.track.timescale)
        at = bisect_left(places, wanted - near)
        if at < len(places):
            found.append(Edge(rows[at], places[at], places[at] - wanted <= near))
        else:
            found.append(Edge(track.count, track.end - track.origin, False))
    return found


def cut(track: TrackIndex, times: Sequence[Fraction], blocks: Blocks) -> Cuts:
    """The segments of *track* on its own, cut at *times*."""
    found = edges(track, times, blocks)
    end = track.end - track.origin
    rows, starts = [], []
    first, begin = 0, max(0, track.first_time)
    for edge in (*found, Edge(track.count, end)):
        if edge.row > first:
            rows.append((first, edge.row))
            starts.append(begin)
            first = edge.row
        begin = max(0, edge.time)
    last = end - _tolerance(track)
    inside = [
        edge
        for edge, time in zip(found, times, strict=True)
        if ceil_ticks(time, track.track.timescale) < last
    ]
    complete = all(edge.exact for edge in inside) and len(rows) == len(inside) + 1
    return Cuts(tuple(rows), tuple(starts), max(end, starts[-1] + 1), complete)
