"""What to send, without having read it.

A plan is a list of pieces: bytes made here, extents that stay in the source until an I/O
shell fetches them, and transformations of such extents.  Its length is known before any
media byte is read, so ``Content-Length`` and ``Range`` cost nothing.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

Buffer = bytes | bytearray | memoryview | npt.NDArray[np.uint8]
"""Contiguous bytes."""


@dataclass(frozen=True, slots=True)
class Extent:
    """A run of bytes in a source."""

    offset: int
    length: int
    source: int = 0
    """Which of the sources that the plan's maker was given, counted from 0."""

    def __len__(self) -> int:
        return self.length


@dataclass(frozen=True, slots=True)
class Extents:
    """Runs of bytes in a source, end to end; columns, for a segment of an interleaved file
    has hundreds."""

    offsets: tuple[int, ...]
    lengths: tuple[int, ...]
    length: int
    """Of all of them."""

    source: int = 0
    """Which of the sources that the plan's maker was given, counted from 0."""

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Extent]:
        for offset, length in zip(self.offsets, self.lengths, strict=True):
            yield Extent(offset, length, self.source)

    def slice(self, start: int, stop: int) -> "Extents":
        """The runs of bytes ``[start, stop)``."""
        if start >= stop:
            return Extents((), (), 0, self.source)
        ends = list(accumulate(self.lengths))
        first, last = bisect_right(ends, start), min(bisect_left(ends, stop), len(ends) - 1)
        offsets, lengths = (
            list(each[first : last + 1]) for each in (self.offsets, self.lengths)
        )
        lengths[-1] -= max(ends[last] - stop, 0)
        before = start - (ends[first] - self.lengths[first])
        offsets[0] += before
        lengths[0] -= before
        return Extents(tuple(offsets), tuple(lengths), stop - start, self.source)


@dataclass(frozen=True, slots=True)
class Transform:
    """Bytes computed from *extents*, of a length that is known before they are read."""

    extents: tuple[Extent, ...]
    length: int
    make: Callable[[memoryview], Buffer]
    """Takes the bytes of all extents, end to end; returns *length* bytes before slicing, in
    memory of their own.  Works in the memory it is given where that is writable, so that is
    used up.  Raises
    ``MalformedSample`` where the bytes break their own rules."""

    start: int = 0
    stop: int | None = None
    """The part of the result that is wanted, half-open."""

    def __len__(self) -> int:
        return (self.length if self.stop is None else self.stop) - self.start

    def slice(self, start: int, stop: int) -> "Transform":
        return replace(self, start=self.start + start, stop=self.start + stop)

    def apply(self, read: memoryview) -> memoryview:
        made = memoryview(self.make(read)).cast("B")  # type: ignore[arg-type]
        if len(made) != self.length:
            raise AssertionError(f"made {len(made)} bytes where {self.length} were planned")
        return made[self.start : self.stop]


Piece = bytes | Extents | Transform


def _cut(piece: Piece, start: int, stop: int) -> Piece:
    return piece[start:stop] if isinstance(piece, bytes) else piece.slice(start, stop)


@dataclass(frozen=True, slots=True)
class Plan:
    pieces: tuple[Piece, ...]

    def __len__(self) -> int:
        return sum(map(len, self.pieces))

    def __iter__(self) -> Iterator[Piece]:
        return iter(self.pieces)

    def slice(self, start: int, stop: int) -> Self:
        """The plan for bytes ``[start, stop)`` of what this plan describes."""
        kept: list[Piece] = []
        position = 0
        for piece in self.pieces:
            first, last = max(start - position, 0), min(stop - position, len(piece))
            if first < last:
                kept.append(_cut(piece, first, last))
            position += len(piece)
        return type(self)(tuple(kept))


@dataclass(frozen=True, slots=True)
class Unplanned:
    """A body whose length is not known before its source is read."""

    extents: tuple[Extent, ...]
    make: Callable[[memoryview], Plan]
    """Takes the bytes of all extents, end to end; the plan that it returns works in them and
    reads nothing more.  Raises ``MalformedSample``."""


T = TypeVar("T")
Reads = Generator[Extent, bytes, T]
"""A computation that needs bytes of its source: it yields the extent that it wants and is
sent the bytes, exactly as many as asked unless the source ends there."""


def run_reads(reads: Reads[T], read: Callable[[Extent], bytes]) -> T:
    """Carry out *reads* with a blocking *read*: for ingest and tests."""
    try:
        wanted = next(reads)
        while True:
            wanted = reads.send(read(wanted))
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
