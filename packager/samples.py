"""The neutral sample table: what every demuxer makes and every muxer starts from.

One row per sample, in decode order.  Columns are native ``int64``; wire types are converted
where bytes are parsed, because arithmetic over big-endian columns is twenty times slower.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    dts: Column
    """Decode time, ticks of the track's timescale, media timeline (before the edit list)."""

    cts: Column
    """Composition time, same timeline."""

    duration: Column
    """Decode time to the next sample, ticks."""

    size: Column
    """Bytes."""

    offset: Column
    """Of the first byte, from the start of the source."""

    sync: Flags
    """A decoder can start here."""

    first: int = 0
    """Number of the first row in the whole track, 0-based."""

    def __len__(self) -> int:
        return len(self.dts)

    def rows(self, start: int, stop: int) -> "Samples":
        """Rows ``[start, stop)``, as views."""
        part = slice(start, stop)
        return Samples(
            self.dts[part],
            self.cts[part],
            self.duration[part],
            self.size[part],
            self.offset[part],
            self.sync[part],
            self.first + start,
        )

    def take(self, rows: "Column") -> "Samples":
        """Rows in another order, numbered anew."""
        return Samples(
            self.dts[rows],
            self.cts[rows],
            self.duration[rows],
            self.size[rows],
            self.offset[rows],
            self.sync[rows],
        )


def runs(starts: Column, lengths: Column) -> tuple[Column, Column]:
    """Coalesce byte runs that touch: ``(starts, lengths)`` of the merged ones, in order."""
    if not len(starts):
        return starts, lengths
    stops = starts + lengths
    cut = np.flatnonzero(starts[1:] != stops[:-1]) + 1
    firsts = np.concatenate(([0], cut))
    lasts = np.concatenate((cut, [len(starts)])) - 1
    return starts[firsts], stops[lasts] - starts[firsts]


def column(values: Any) -> Column:
    """*values* as an ``int64`` column."""
    return np.asarray(values, dtype=np.int64)


def overlapping(data: Bytes, kind: npt.DTypeLike) -> npt.NDArray[Any]:
    """What of *kind* begins at each place in *data*: a view, so that what lies at many places
    is read or written in one call."""
    form = np.dtype(kind)
    return np.ndarray((max(0, len(data) - form.itemsize + 1),), form, data, 0, (1,))
