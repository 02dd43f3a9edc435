"""A part of a flavor as one progressive file, to the frame.

It begins with the picture that is seen at the asked time.  Others may have to be decoded for
it: the file's samples begin with their key frame, and its edit list with the picture (ISO/IEC
14496-12 §8.6.6).
"""

import math
from fractions import Fraction

import numpy as np

from packager.errors import UnknownSegment
from packager.index import TrackIndex
from packager.isobmff.progressive import Part, progressive
from packager.plan import Plan
from packager.recipe import Needs, Wanted
from packager.samples import column
from packager.tracks import Kind

_PRIMING = 2
"""Frames of AAC before the first one that is heard: it overlaps with the one before it."""


def excerpt(
    flavor: int, tracks: tuple[TrackIndex, ...], start: int | None, stop: int | None
) -> Needs[Plan]:
    """What *tracks* of a flavor (1-based) present from *start* to *stop*, milliseconds.

    Raises ``UnknownSegment`` where that is nothing.
    """
    begin = Fraction(start or 0, 1000)
    end = None if stop is None else Fraction(stop, 1000)
    video = next((track for track in tracks if track.kind is Kind.VIDEO), None)
    if video is not None:
        begin = yield from _seen_at(flavor, video, begin)
    parts = []
    for track in tracks:
        part = yield from _part(flavor, track, begin, end)
        if part is not None:
            parts.append(part)
    if not parts:
        raise UnknownSegment("the part begins behind the end")
    return progressive(parts)


def _seen_at(flavor: int, video: TrackIndex, begin: Fraction) -> Needs[Fraction]:
    """When the picture that is seen at *begin* is presented first: readers of a file whose
    edit begins inside a picture's duration do not agree on where the next one is."""
    wanted = video.origin + math.floor(begin * video.track.timescale)
    rows = _group(video, wanted, wanted + 1)
    [blocks] = yield (Wanted(flavor, video, video.block_range(*rows)),)
    times = video.samples(*rows, blocks).cts
    seen = times[times <= wanted]
    if not len(seen) or wanted >= video.end:
        return begin  # no picture: sound may begin before it and go on behind
    return max(Fraction(0), Fraction(int(seen.max()) - video.origin, video.track.timescale))


def _part(
    flavor: int, track: TrackIndex, start: Fraction, stop: Fraction | None
) -> Needs[Part | None]:
    scale, end = track.track.timescale, track.end
    begin = track.origin + round(start * scale)
    if stop is not None:
        end = min(end, track.origin + math.ceil(stop * scale))
    if max(begin, track.origin + max(track.first_time, 0)) >= end:
        return None
    rows = yield from _rows(flavor, track, begin, end)
    [blocks] = yield (Wanted(flavor, track, track.block_range(*rows)),)
    samples = track.samples(*rows, blocks)
    if track.kind is Kind.VIDEO:
        shown = np.flatnonzero(samples.cts < end)
        samples = samples.rows(0, int(shown[-1]) + 1)
    return Part(track, samples, begin, end)


def _rows(flavor: int, track: TrackIndex, begin: int, end: int) -> Needs[tuple[int, int]]:
    """Samples ``[start, stop)`` that what is presented from *begin* to *end* needs."""
    if track.kind is Kind.VIDEO:
        return _group(track, begin, end)
    every = range(0 if track.uniform_duration else track.block_count)
    [blocks] = yield (Wanted(flavor, track, every),)
    (first, last), _ = track.first_at(column((begin, end)), blocks)
    return max(int(first) - _PRIMING, 0), int(last)


def _group(video: TrackIndex, begin: int, end: int) -> tuple[int, int]:
    """The groups of pictures between two media times."""
    entry = np.append(video.entry, video.count)
    first = int(np.searchsorted(video.entry_cts, begin, "right")) - 1
    last = int(np.searchsorted(video.entry_cts, end))
    first = max(first, 0)
    return int(entry[first]), int(entry[max(last, first + 1)])
