"""Pieces of an edit list to one timeline (rule C-01): rows are repeated, left out and moved, so
that what follows knows one origin and nothing of edits.

    media         |  a a a a  b b b b  c c c c  |      each letter is a group of pictures
    edit list     |  c c c  (nothing)  a a b b  |
    one timeline  |  c c c . . . . . . a a b b  |      the last picture stands, sound pauses

Every sample keeps the time that the edit list gives it, to the tick.  Pictures that must be
decoded and are not presented (a piece that starts or ends inside a group) pass in the half
frame before the splice; sound is spliced at frames, of which those belong to a piece whose
middle does.
"""

from dataclasses import dataclass, replace

import numpy as np

from packager.errors import MalformedBox, Unsupported
from packager.samples import Column, Flags, Samples, column
from packager.source import MAX_SAMPLES
from packager.timescale import MAX_TICKS, MPEG2_CLOCK
from packager.tracks import Edit, Kind, Piece, Track

_KEPT_FRAMES = 3
"""Of sound before an edit that comes after a delay: priming, which is silent."""


@dataclass(frozen=True, slots=True, eq=False)
class Spliced:
    track: Track
    samples: Samples
    rows: Column
    """Which sample of the source each one is."""


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One piece of video."""

    rows: Column
    """In decode order."""

    times: Column
    """When each is presented; of what is hidden, where the splices do not move it, on the
    timeline of the piece."""

    before: Column
    """Places in *rows* of what is only decoded for the piece, in order of presentation."""

    behind: Column
    """The same, of what is composed after its end."""

    piece: Piece
    last: int
    """When its last picture is shown."""

    @property
    def begin(self) -> int:
        return self.piece.at


def spliced(track: Track, samples: Samples) -> Spliced:
    """*track* with an edit without pieces, and the samples on its timeline.

    Raises ``Unsupported`` where the pieces present no sample or repeat too many.
    """
    [first, *others] = track.edit.pieces
    if not others and not first.still and _is_plain(track, samples, first):
        end = None if first.length is None else first.start + first.length
        plain = replace(track, edit=Edit(first.start - first.at, end))
        return Spliced(plain, samples, np.arange(len(samples)))
    splice = _video if track.kind is Kind.VIDEO else _audio
    made = splice(track, samples)
    if int(np.abs(made.samples.dts).max()) > MAX_TICKS:
        raise MalformedBox(b"elst", "times are out of range")
    return made


def _is_plain(track: Track, samples: Samples, piece: Piece) -> bool:
    """Nothing that the delay should hide would be presented during it."""
    hidden = np.count_nonzero(samples.cts < piece.start)
    return bool(hidden <= (_KEPT_FRAMES if track.kind is Kind.AUDIO else 0))


def _nothing(track: Track) -> Unsupported:
    return Unsupported(f"elst: the edit of track {track.id} presents no sample")


def _check_count(count: int) -> None:
    if count > MAX_SAMPLES:
        raise Unsupported(f"elst: its pieces repeat more than {MAX_SAMPLES} samples")


def _on_one_timeline(
    track: Track, samples: Samples, rows: Column, cts: Column, dts: Column, last: int, end: int,
) -> Spliced:  # fmt: skip
    """*rows* at new times, moved so that none is decoded before zero."""
    lift = max(0, -int(dts[0]))
    duration = np.append(dts[1:], dts[-1] + last) - dts
    if int(duration.max()) >= 1 << 31:
        raise MalformedBox(b"elst", "a sample would last 2^31 ticks or more")
    taken = replace(samples.take(rows), cts=cts + lift, dts=dts + lift, duration=duration)
    return Spliced(replace(track, edit=Edit(lift, end + lift)), taken, rows)


# -- sound


def _audio(track: Track, samples: Samples) -> Spliced:
    middles = samples.cts + samples.duration // 2
    ends = samples.cts + samples.duration
    rows, times, total, end = [], [], 0, 0
    for piece in track.edit.pieces:
        if piece.still:
            continue
        stop = len(samples)
        if piece.length is not None:
            stop = int(np.searchsorted(middles, piece.start + piece.length))
        # What is played before zero is for the decoder, as with any edit (packager.edits).
        early = piece.start if piece.at else piece.start - track.timescale
        start = int(np.searchsorted(middles, early))
        if start >= stop or (not piece.at and int(ends[stop - 1]) <= piece.start):
            continue
        total += stop - start
        _check_count(total)
        rows.append(np.arange(start, stop))
        times.append(samples.cts[start:stop] - piece.start + piece.at)
        end = max(end, int(ends[stop - 1]) - piece.start + piece.at)
    if not rows:
        raise _nothing(track)
    # Where frames differ in length, one may begin before the end of a shorter one.
    cts = np.maximum.accumulate(np.concatenate(times))
    picked = np.concatenate(rows)
    last = int(samples.duration[picked[-1]])
    return _on_one_timeline(track, samples, picked, cts, cts, last, end)


# -- pictures


def _video(track: Track, samples: Samples) -> Spliced:
    """On a timescale fine enough for many pictures to pass within half a frame."""
    fine = -(-MPEG2_CLOCK // track.timescale)
    track = replace(track, timescale=track.timescale * fine, edit=_scaled(track.edit, fine))
    samples = replace(
        samples, dts=samples.dts * fine, cts=samples.cts * fine,
        duration=samples.duration * fine,
    )  # fmt: skip
    frame = max(1, int(samples.duration.sum()) // len(samples))
    parts = _parts(track, samples)
    if not parts:
        raise _nothing(track)
    end = _end(samples, parts[-1])
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        _hide(part, after, after.begin if after else end, frame)
    if parts[0].begin and len(parts[0].before):
        _hide_in(parts[0], parts[0].before, parts[0].begin, frame)
    cts = np.concatenate([part.times for part in parts])
    rows = np.concatenate([part.rows for part in parts])
    dts = np.sort(cts)  # as early as it can be without reordering; TrackIndex.late moves them
    last = max(1, end - int(cts[-1]))
    return _on_one_timeline(track, samples, rows, cts, dts, last, end)


def _scaled(edit: Edit, factor: int) -> Edit:
    pieces = (
        Piece(
            piece.at * factor, piece.start * factor,
            None if piece.length is None else piece.length * factor, piece.still,
        )
        for piece in edit.pieces
    )  # fmt: skip
    return Edit(pieces=tuple(pieces))


def _parts(track: Track, samples: Samples) -> list[_Part]:
    """The pieces that present a picture."""
    cts = samples.cts
    sync = np.flatnonzero(samples.sync)
    entry_from = _least_from(cts[sync])
    least_from, order = _least_from(cts), np.sort(cts)
    parts: list[_Part] = []
    total = 0
    for piece in track.edit.pieces:
        # The picture that stands at the start: composed then, or the last one before.
        at = max(int(np.searchsorted(order, piece.start, "right")) - 1, 0)
        begin = int(order[at])
        stop = begin + 1 if piece.still else None
        if not piece.still and piece.length is not None:
            stop = piece.start + piece.length
        entry = int(np.searchsorted(entry_from, begin, "right")) - 1
        first = int(sync[entry]) if entry >= 0 else 0
        behind = len(cts) if stop is None else int(np.searchsorted(least_from, stop))
        if first >= behind or (at == len(order) - 1 and _is_over(samples, piece)):
            continue
        total += behind - first
        _check_count(total)
        parts.append(_part(piece, cts, first, behind, (begin, stop)))
    return parts


def _least_from(times: Column) -> Column:
    """The least of each of *times* and all after it: it never decreases, so that the last one
    before a time is found by halving."""
    return np.minimum.accumulate(times[::-1])[::-1]


def _is_over(samples: Samples, piece: Piece) -> bool:
    return int((samples.cts + samples.duration).max()) <= piece.start


def _part(
    piece: Piece, cts: Column, first: int, behind: int, shown: tuple[int, int | None]
) -> _Part:
    """Rows ``[first, behind)``, of which those composed within *shown* are."""
    rows = np.arange(first, behind)
    times = cts[first:behind]
    if piece.at:
        # Leading pictures refer to what is not there (rule S-09).
        rows = rows[times >= times[0]]
        times = cts[rows]
    begin, stop = shown
    early = times < begin
    late = np.zeros(len(rows), np.bool_) if stop is None else times >= stop
    placed = times - piece.start + piece.at
    if piece.at:
        placed = np.maximum(placed, piece.at)
    last = placed[~early & ~late].max(initial=piece.at)
    hidden = _in_order(early, times), _in_order(late, times)
    return _Part(rows, placed, *hidden, piece, int(last))


def _in_order(some: Flags, times: Column) -> Column:
    """Places of *some*, in order of presentation."""
    places = np.flatnonzero(some)
    return places[np.argsort(times[places], kind="stable")]


def _end(samples: Samples, part: _Part) -> int:
    """When the presentation ends: with the last piece, or before it with the media."""
    piece = part.piece
    end = int((samples.cts + samples.duration).max()) - piece.start + piece.at
    if piece.length is not None:
        own = piece.at + piece.length
        end = own if piece.still else min(end, own)
    return max(end, part.last + 1)


def _hide(part: _Part, after: _Part | None, splice: int, frame: int) -> None:
    """Let what is not presented around *splice* pass in the half frame before it."""
    before = after.before if after else column([])
    count = len(part.behind) + len(before)
    window = min(splice - part.last, frame) // 2
    places = splice - window + window * np.arange(count) // max(count, 1)
    part.times[part.behind] = places[: len(part.behind)]
    if after:
        after.times[before] = places[len(part.behind) :]


def _hide_in(part: _Part, places: Column, splice: int, frame: int) -> None:
    window = frame // 2
    part.times[places] = splice - window + window * np.arange(len(places)) // len(places)
