"""Which samples a picture is decoded from: a key frame, or its group up to the frame.

Sync samples are what counts here, not the entry points of segments: the I-frame of an open
group decodes alone, whatever follows it.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from packager.errors import UnknownSegment, Unsupported
from packager.index import TrackIndex
from packager.index_blocks import BLOCK
from packager.recipe import Choice, Needs, Recipe, Wanted
from packager.samples import Samples
from packager.tracks import Kind, VideoFormat

MAX_BYTES = 64 << 20
"""Of the samples of one picture."""

MAX_FRAMES = 1_200
"""That are decoded for an exact frame: 20 s of 60 frames a second."""

_REORDERED = 32
"""Frames that may follow a key frame and be shown before it: more than any codec allows."""


@dataclass(frozen=True, slots=True)
class Shot:
    """Samples to be decoded in order, and which of them is the picture."""

    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    cts: tuple[int, ...]
    """When each is presented, media time: the decoder gives it back with its frame."""

    shown: int
    """That of the picture."""


def video_track(recipe: Recipe, choice: Choice) -> TrackIndex:
    """Of *choice*: its first where it names none.  Raises ``UnknownSegment``."""
    if choice.audio is not None:
        raise UnknownSegment("there are no pictures of sound")
    tracks = recipe.flavor(choice.flavor).of_kind(Kind.VIDEO)
    if choice.video is None and tracks:
        return tracks[0]
    return recipe.track(choice.flavor, Kind.VIDEO, choice.video or 1)


def pictured(recipe: Recipe, width: int | None, height: int | None) -> Choice:
    """The track to take pictures of that size from: the smallest that has no fewer pixels each
    way, or else the largest; without a size the largest.  Raises ``UnknownSegment``."""
    found = [
        (_pixels(track), Choice(flavor, track.number))
        for flavor, index in enumerate(recipe.flavors, 1)
        for track in index.of_kind(Kind.VIDEO)
    ]
    if not found:
        raise UnknownSegment("there is no video")
    enough = [
        one
        for one in found
        if (width or height) and one[0][0] >= (width or 0) and one[0][1] >= (height or 0)
    ]

    def area(one: tuple[tuple[int, int], Choice]) -> int:
        return one[0][0] * one[0][1]

    return min(enough, key=area)[1] if enough else max(found, key=area)[1]


def _pixels(track: TrackIndex) -> tuple[int, int]:
    return shown_size(form_of(track))


def form_of(track: TrackIndex) -> VideoFormat:
    form = track.track.format
    assert isinstance(form, VideoFormat)
    return form


def shown_size(form: VideoFormat) -> tuple[int, int]:
    """Width and height in square pixels, as the picture is shown."""
    width = round(form.width * form.pixel_aspect) or 1
    return (form.height, width) if form.turned else (width, form.height)


def nearest_key(flavor: int, track: TrackIndex, at: Fraction) -> Needs[Shot]:
    """The key frame whose time is nearest to *at*, seconds of the presentation; of two the
    earlier one."""
    wanted = track.origin + at * track.track.timescale
    keys = yield from _keys_about(flavor, track, wanted)
    best = min(keys, key=lambda row: (abs(int(row.cts[0]) - wanted), int(row.cts[0])))
    return _shot(best, int(best.cts[0]))


def frame_at(flavor: int, track: TrackIndex, at: Fraction) -> Needs[Shot]:
    """The frame that is shown at *at*, with what it needs: its group from the key frame on.

    Raises ``Unsupported`` where that is too much.
    """
    wanted = track.origin + at * track.track.timescale
    keys = yield from _keys_about(flavor, track, wanted)
    before = [row for row in keys if row.cts[0] <= wanted]
    first = before[-1] if before else keys[0]
    later = [row.first for row in keys if row.first > first.first]
    stop = min(track.count, (later[0] if later else track.count) + _REORDERED)
    stop = min(stop, first.first + MAX_FRAMES + _REORDERED)
    [blocks] = yield (Wanted(flavor, track, track.block_range(first.first, stop)),)
    rows = track.samples(first.first, stop, blocks)
    shown = np.flatnonzero(rows.cts <= int(wanted))
    last = int(shown[np.argmax(rows.cts[shown])]) if len(shown) else 0
    if last >= MAX_FRAMES:
        raise Unsupported(f"the frame is more than {MAX_FRAMES} frames behind a key frame")
    return _shot(rows.rows(0, last + 1), int(rows.cts[last]))


def _shot(rows: Samples, shown: int) -> Shot:
    sizes = rows.size.tolist()
    if sum(sizes) > MAX_BYTES:
        raise Unsupported(f"the samples of the picture are more than {MAX_BYTES} bytes")
    return Shot(tuple(rows.offset.tolist()), tuple(sizes), tuple(rows.cts.tolist()), shown)


def _keys_about(flavor: int, track: TrackIndex, wanted: Fraction) -> Needs[list[Samples]]:
    """The two sync samples decoded before media time *wanted* and the two after it, one row
    each, in decode order: what is presented nearest is among them."""
    block = max(0, int(np.searchsorted(track.block_dts, int(wanted), "right")) - 1)
    [blocks] = yield (Wanted(flavor, track, range(block, block + 1)),)
    start = block * BLOCK
    rows = track.samples(start, min(start + BLOCK, track.count), blocks)
    at = start + int(np.searchsorted(rows.dts, int(wanted), "right")) - 1
    numbers = _sync_about(track, max(at, 0))
    ranges = [track.block_range(number, number + 1) for number in numbers]
    found = yield tuple(Wanted(flavor, track, one) for one in ranges)
    return [
        track.samples(number, number + 1, own)
        for number, own in zip(numbers, found, strict=True)
    ]


def _sync_about(track: TrackIndex, row: int) -> list[int]:
    """Up to two at *row* or before, and two behind it.  Raises ``Unsupported`` for none."""
    if track.all_sync:
        return list(range(max(0, row - 1), min(track.count, row + 3)))
    after = int(np.searchsorted(track.sync, row, "right"))
    numbers = [int(one) for one in track.sync[max(0, after - 2) : after + 2]]
    if not numbers:
        raise Unsupported("the video has no key frame")
    return numbers
