"""Reads that lie close together, as one.  Pure.

A request to another machine costs more than what lies between two reads: up to a gap they are
one run, whatever their order, and what was not asked for is thrown away as it arrives.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from origin.windows import Read


@dataclass(slots=True)
class Run:
    """The bytes ``[start, stop)`` of a source, and the reads they fill, by offset."""

    start: int
    stop: int
    reads: list[Read]


def join(reads: Sequence[Read], gap: int) -> list[Run]:
    """*reads* in runs; those up to *gap* bytes apart are of one run.

    >>> [(run.start, run.stop) for run in join([(50, 0, 10), (0, 10, 40), (99, 40, 41)], 20)]
    [(0, 60), (99, 100)]
    """
    runs: list[Run] = []
    for read in sorted(reads):
        offset, start, stop = read
        end = offset + stop - start
        if start == stop:
            continue
        if runs and offset - runs[-1].stop <= gap:
            runs[-1].reads.append(read)
            runs[-1].stop = max(runs[-1].stop, end)
        else:
            runs.append(Run(offset, end, [read]))
    return runs


def needed(reads: Sequence[Read], runs: Sequence[Run]) -> dict[int, int]:
    """How far each of *runs* must have arrived, by its number, for *reads*, which are of them.

    >>> needed([(50, 0, 10), (0, 10, 40)], join([(50, 0, 10), (0, 10, 40), (99, 40, 41)], 20))
    {0: 60}
    """
    begins, ends = [run.start for run in runs], dict[int, int]()
    for offset, start, stop in reads:
        if start < stop:
            at = bisect_right(begins, offset) - 1
            ends[at] = max(ends.get(at, 0), offset + stop - start)
    return ends


class Filling:
    """A run as it arrives, piece by piece, into the buffer that it is read for."""

    def __init__(self, run: Run, buffer: memoryview) -> None:
        self._reads, self._buffer = run.reads, buffer
        self._first = 0
        """Number of the first read that may lack bytes."""
        self.position, self._stop = run.start, run.stop

    @property
    def lacking(self) -> int:
        """Bytes."""
        return self._stop - self.position

    def add(self, piece: bytes) -> None:
        """The next bytes; there are no more of them than are lacking."""
        begin, end = self.position, self.position + len(piece)
        data, number = memoryview(piece), self._first
        while number < len(self._reads) and self._reads[number][0] < end:
            offset, start, stop = self._reads[number]
            low, high = max(offset, begin), min(offset + stop - start, end)
            if low < high:
                place = start + low - offset
                self._buffer[place : place + high - low] = data[low - begin : high - begin]
            number += 1
        self.position = end
        while self._first < number and _end(self._reads[self._first]) <= end:
            self._first += 1


def _end(read: Read) -> int:
    offset, start, stop = read
    return offset + stop - start
