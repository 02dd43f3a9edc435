"""Runs of movie fragments to neutral sample tables, all of a file at once.

Rules for decode times:

- a fragment begins where its tfdt says; without one, where the fragment before ended
- what was decoded last before a gap lasts until the next fragment
- a fragment may begin up to one sample early: that sample is cut short (rounded durations)
- one that begins earlier still is refused: its samples overlap others
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from packager.errors import MalformedBox
from packager.isobmff.fragments import ROWS, Defaults, Run
from packager.isobmff.sample_tables import MAX_SAMPLE_SIZE
from packager.samples import Column, Samples, column

_NON_SYNC = 0x0001_0000
_DEPENDS = 0x0300_0000
_DEPENDS_ON_OTHERS = 0x0100_0000


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Samples of all tracks of the fragments, in the order of the file."""

    runs: Sequence[Run]
    first: Column
    """Number of the first sample of each run."""

    count: Column
    size: Column
    duration: Column
    composition: Column
    flags: Column
    offset: Column

    def of(self, track_id: int) -> "Rows":
        own = [number for number, run in enumerate(self.runs) if run.track_id == track_id]
        count = self.count[own]
        rows = np.repeat(self.first[own] - (np.cumsum(count) - count), count)
        rows += np.arange(len(rows))
        return Rows(
            [self.runs[number] for number in own], np.cumsum(count) - count, count,
            self.size[rows], self.duration[rows], self.composition[rows], self.flags[rows],
            self.offset[rows],
        )  # fmt: skip


def expand(runs: Sequence[Run], trex: Mapping[int, Defaults], file_size: int) -> Rows:
    """The rows of *runs*, each of which lies within *file_size*."""
    count = column([run.count for run in runs])
    first = np.cumsum(count) - count
    alike = {
        name: np.repeat(_defaults(runs, trex, name), count)
        for name in ("duration", "size", "flags")
    }
    columns = {**alike, "offset": np.zeros(len(alike["size"]), np.int64)}
    by_run = column([run.columns for run in runs])
    for layout in set(by_run.tolist()):
        _fill(columns, runs, by_run == layout, layout, count)
    for row, run in zip(first.tolist(), runs, strict=True):
        if run.first_flags is not None and run.count:
            columns["flags"][row] = run.first_flags
    size = columns["size"]
    _check_sizes(size, file_size)
    return Rows(
        runs, first, count, size, columns["duration"], columns["offset"], columns["flags"],
        _offsets(runs, first, count, size, file_size),
    )  # fmt: skip


def _defaults(runs: Sequence[Run], trex: Mapping[int, Defaults], name: str) -> Column:
    """tfhd's, or else trex's, or 0 (§8.8.7)."""
    nothing = Defaults()
    made = []
    for run in runs:
        value = getattr(run.defaults, name)
        if value is None:
            value = getattr(trex.get(run.track_id, nothing), name)
        made.append(value or 0)
    return column(made)


def _fill(
    columns: dict[str, Column],
    runs: Sequence[Run],
    which: npt.NDArray[np.bool_],
    layout: int,
    count: Column,
) -> None:
    """Take in the rows of the runs *which* have the same *layout*."""
    fields = [(name, kind) for flag, name, kind in ROWS if layout & flag]
    if not fields:
        return
    held = b"".join(run.rows for run, own in zip(runs, which.tolist(), strict=True) if own)
    rows = np.frombuffer(held, np.dtype(fields))
    target = slice(None) if which.all() else np.repeat(which, count)
    for name, _ in fields:
        columns[name][target] = rows[name]


def _check_sizes(size: Column, file_size: int) -> None:
    if len(size) and int(size.max()) > MAX_SAMPLE_SIZE:
        raise MalformedBox(b"trun", f"a sample has {int(size.max())} bytes")
    # Samples that claim the same bytes many times would make work without end.
    if int(size.sum()) > file_size:
        raise MalformedBox(b"trun", f"{int(size.sum())} bytes of samples overlap in the file")


def _offsets(
    runs: Sequence[Run], first: Column, count: Column, size: Column, file_size: int
) -> Column:
    before = np.concatenate((column([0]), np.cumsum(size)))
    lengths = (before[first + count] - before[first]).tolist()
    starts: list[int] = []
    for run, length in zip(runs, lengths, strict=True):
        start = run.place.base
        if run.place.after is not None:
            start += starts[run.place.after] + lengths[run.place.after]
        if start < 0 or (length and start + length > file_size):
            raise MalformedBox(
                b"trun",
                f"the data of fragment {run.fragment}, {length} bytes at {start},"
                f" is not in the file of {file_size}",
            )
        starts.append(min(start, file_size))
    return np.repeat(column(starts) - before[first], count) + before[:-1]


def samples_of(rows: Rows, known: Samples | None, *, sound: bool) -> Samples:
    """The samples of one track; of a hybrid file behind *known*, those of moov."""
    flags = rows.flags
    non_sync = ((flags & _NON_SYNC) != 0) | ((flags & _DEPENDS) == _DEPENDS_ON_OTHERS)
    begin = 0 if known is None else int(known.dts[-1] + known.duration[-1])
    dts = _decode_times(rows, begin)
    found = Samples(
        dts, dts + rows.composition, rows.duration, rows.size, rows.offset,
        np.ones(len(dts), np.bool_) if sound else ~non_sync,
    )  # fmt: skip
    return _without_gaps(found if known is None else _joined(known, found), rows.runs)


def _decode_times(rows: Rows, begin: int) -> Column:
    """A cumulative sum of durations that begins anew at each run which has a time."""
    before = np.concatenate((column([0]), np.cumsum(rows.duration)))
    total = before[rows.first]
    shift, shifts = begin, []
    for run, elapsed in zip(rows.runs, total.tolist(), strict=True):
        if run.decode_time is not None:
            shift = run.decode_time - elapsed
        shifts.append(shift)
    return np.repeat(column(shifts), rows.count) + before[:-1]


def _joined(first: Samples, second: Samples) -> Samples:
    return Samples(
        np.concatenate((first.dts, second.dts)),
        np.concatenate((first.cts, second.cts)),
        np.concatenate((first.duration, second.duration)),
        np.concatenate((first.size, second.size)),
        np.concatenate((first.offset, second.offset)),
        np.concatenate((first.sync, second.sync)),
    )


def _without_gaps(samples: Samples, runs: Sequence[Run]) -> Samples:
    steps = np.diff(samples.dts)
    early = np.flatnonzero((steps < 0) | ((steps == 0) & (samples.duration[:-1] > 0)))
    if len(early):
        row = int(early[0])
        track = runs[0].track_id
        raise MalformedBox(
            b"tfdt",
            f"sample {row + 2} of track {track} is decoded at {int(samples.dts[row + 1])},"
            f" not after the one before at {int(samples.dts[row])}",
        )
    if int(steps.max(initial=0)) >= 1 << 31:
        raise MalformedBox(b"tfdt", "a sample lasts 2^31 ticks or more")
    duration = samples.duration.copy()
    duration[:-1] = steps
    return replace(samples, duration=duration)
