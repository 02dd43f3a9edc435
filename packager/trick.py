"""Key frames on their own, for fast forward and seeking: the pictures of trick play.

A picture is one key frame in a segment of its own, which lasts until the next one is shown: it
needs no byte range, begins with all that a decoder needs and is decoded alone.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from packager.bandwidth import bitrate
from packager.errors import UnknownSegment
from packager.index import Blocks, Timed, TrackIndex
from packager.isobmff.media_segment import LONE_SAMPLE_SIZE, lone_sample
from packager.mpegts.segment import TrackRows, ts_segment
from packager.mpegts.sizes import Film, ts_sizes
from packager.plan import Plan, Unplanned
from packager.presentation import Bitrate, Timeline
from packager.recipe import Choice, Needs, Recipe, Wanted, annexb_bound
from packager.samples import Column, column
from packager.tracks import Kind

_APART = Fraction(1, 2)
"""Seconds between pictures at the least, where every sample is a key frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """The key frames of one video track that manifests list."""

    timeline: Timeline
    bitrate: Bitrate


def key_rows(track: TrackIndex) -> Column:
    """The samples that are pictures of trick play, in decode order."""
    if not track.all_sync:
        return track.sync
    length = track.uniform_duration or max(1, track.end // track.count)
    step = max(1, int(_APART * track.track.timescale) // length)
    return column(np.arange(0, track.count, step))


def pictures(recipe: Recipe, choice: Choice, *, fmp4: bool) -> Needs[Pictures | None]:
    """When they are shown and what they take; None where the track has none.

    Times are those of the presentation; a key frame that is shown before its zero, or before
    one decoded earlier, is listed with the next.
    """
    track = _video(recipe, choice)
    rows = key_rows(track)
    if not len(rows):
        return None
    [blocks] = yield (Wanted(choice.flavor, track, range(track.block_count)),)
    timed = track.timed(blocks)
    starts = np.maximum(timed.cts[rows] - track.origin, 0).tolist()
    end = track.end - track.origin
    if any(one >= after for one, after in zip(starts, (*starts[1:], end), strict=True)):
        return None
    whole = Timeline(track.track.timescale, tuple(starts), end)
    kept = recipe.clip.segments(whole)
    if not kept:
        return None
    sizes = _sizes(track, rows, timed, fmp4=fmp4)[kept.start : kept.stop]
    timeline = recipe.clip.of(whole)
    longest = max(timeline.durations)
    target = max(1, -(-longest // timeline.timescale))
    return Pictures(timeline, bitrate(sizes, timeline, target))


def _sizes(track: TrackIndex, rows: Column, timed: Timed, *, fmp4: bool) -> list[int]:
    if fmp4:
        return [int(size) for size in timed.size[rows] + LONE_SAMPLE_SIZE]
    part = Timed(
        timed.dts[rows], timed.cts[rows], timed.stops[rows], timed.sync[rows],
        timed.size[rows], timed.annexb[rows],
    )  # fmt: skip
    sizes = part.annexb if track.exact else annexb_bound(track, part.size)
    film = Film(track, part, sizes, column(np.arange(len(rows) + 1)))
    return [int(size) for size in ts_sizes(film, None)]


def picture_segment(
    recipe: Recipe, choice: Choice, number: int, *, fmp4: bool
) -> Generator[tuple[Wanted, ...], tuple[Blocks, ...], Plan | Unplanned]:
    """Picture *number* (from 1) of the video in *choice*."""
    track = _video(recipe, choice)
    rows = key_rows(track)
    if not 1 <= number <= len(rows):
        raise UnknownSegment(f"key frame {number} of {len(rows)}")
    row = int(rows[number - 1])
    following = int(rows[number]) if number < len(rows) else track.count - 1
    places = [track.block_range(one, one + 1) for one in (row, following)]
    found = yield tuple(Wanted(choice.flavor, track, one) for one in places)
    sample = track.samples(row, row + 1, found[0])
    after = track.samples(following, following + 1, found[1])
    if not fmp4:
        annexb = track.annexb_sizes(row, row + 1, found[0]) if track.exact else None
        return ts_segment(
            TrackRows(track, sample, annexb), None, number, has_video=True, program_audio=None
        )
    stop = after.dts if number < len(rows) else after.dts + after.duration
    return lone_sample(track, replace(sample, duration=stop - sample.dts), number)


def _video(recipe: Recipe, choice: Choice) -> TrackIndex:
    if choice.video is None or choice.audio is not None:
        raise UnknownSegment("trick play has one video track")
    return recipe.track(choice.flavor, Kind.VIDEO, choice.video)
