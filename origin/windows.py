"""How a plan is carried out: windows of bounded size, each read, then written.  Pure.

What lies close together is read in one go, and what was read in between is left out when the
window is written: a segment of an interleaved file is read like the whole of it, and no byte
is copied to bring its runs together.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packager.plan import Extent, Extents, Plan, Transform

Read = tuple[int, int, int]
"""An offset in the source, and the part ``[start, stop)`` of a buffer that it fills."""

GAP = 8 << 10
"""Bytes between two runs that are read along: reading them costs less than a call."""

_MAX_PARTS = 1000
"""Of one window: ``writev`` takes 1024 (IOV_MAX), and a head comes before them."""

_MANY_RUNS = 5000
"""Segments have hundreds."""


@dataclass(frozen=True, slots=True)
class Window:
    """Bytes that are read into a buffer, and what of them is sent."""

    reads: tuple[Read, ...]
    parts: tuple[bytes | slice, ...]
    """In the order in which they are sent: bytes, and slices of the buffer."""

    size: int
    """Bytes that are sent."""

    room: int
    """Bytes of the buffer."""


@dataclass(frozen=True, slots=True)
class Making:
    """A transform, and how what it takes is read, end to end."""

    reads: tuple[Read, ...]
    room: int
    transform: Transform


@dataclass(frozen=True, slots=True)
class Straight:
    """A run that may go from the file to the socket without passing through a buffer."""

    offset: int
    size: int


AnyWindow = Window | Making | Straight
Windows = Iterable[AnyWindow]


def windows(plan: Plan, limit: int, gap: int = GAP, straight: int | None = None) -> Windows:
    """*plan* in windows of at most *limit* bytes read; runs that are up to *gap* bytes apart
    are read together.  Runs of *straight* bytes or more stand alone.

    Each is made when it is its turn where there are many runs: those of a film weigh more than
    its plan, and take a fifth of a second.
    """
    made = _windows(plan, limit, gap, straight)
    runs = sum(len(piece.offsets) for piece in plan if isinstance(piece, Extents))
    return made if runs > _MANY_RUNS else tuple(made)


def _windows(plan: Plan, limit: int, gap: int, straight: int | None) -> Iterator[AnyWindow]:
    open_ = _Open(limit, gap)
    for piece in plan:
        if isinstance(piece, bytes):
            open_.add(piece)
        elif isinstance(piece, Extents):
            if straight is not None and max(piece.lengths, default=0) >= straight:
                yield from _with_straight(open_, piece, straight)
            else:
                yield from open_.extend(piece)
        else:
            yield from open_.close()
            yield _making(piece)
    yield from open_.close()


def _with_straight(open_: "_Open", piece: Extents, least: int) -> Iterator[Window | Straight]:
    for run in piece:
        if run.length >= least:
            yield from open_.close()
            yield Straight(run.offset, run.length)
        else:
            yield from open_.extend(Extents((run.offset,), (run.length,), run.length))


def _making(piece: Transform) -> Making:
    reads = reads_of(piece.extents)
    return Making(reads, reads[-1][2] if reads else 0, piece)


def reads_of(extents: tuple[Extent, ...]) -> tuple[Read, ...]:
    """How *extents* are read, end to end."""
    reads, position = [], 0
    for extent in extents:
        reads.append((extent.offset, position, position + extent.length))
        position += extent.length
    return tuple(reads)


class _Open:
    """A window that is being put together."""

    def __init__(self, limit: int, gap: int) -> None:
        self._limit, self._gap = limit, gap
        self._clear()

    def _clear(self) -> None:
        self._reads: list[Read] = []
        self._parts: list[bytes | slice] = []
        self._size = self._room = 0
        self._end = 0  # of the last read, in the source

    def add(self, piece: bytes) -> None:
        self._parts.append(piece)
        self._size += len(piece)

    def extend(self, piece: Extents) -> Iterator[Window]:
        """Add runs; what does not fit goes to further windows."""
        # One loop over plain numbers: it is what a segment of many runs costs here.
        limit, gap = self._limit, self._gap
        for offset, length in zip(piece.offsets, piece.lengths, strict=True):
            while length:
                if self._room >= limit or len(self._parts) >= _MAX_PARTS:
                    yield from self.close()
                reads, parts, room = self._reads, self._parts, self._room
                between = offset - self._end
                joins = bool(reads) and 0 <= between <= gap and room + between < limit
                start = room + between if joins else room
                taken = min(length, limit - start)
                stop = start + taken
                if joins:
                    reads[-1] = (*reads[-1][:2], stop)
                else:
                    reads.append((offset, start, stop))
                last = parts[-1] if parts else None
                if type(last) is slice and last.stop == start:
                    parts[-1] = slice(last.start, stop)
                else:
                    parts.append(slice(start, stop))
                self._room = stop
                self._size += taken
                self._end = offset = offset + taken
                length -= taken

    def close(self) -> Iterator[Window]:
        if self._parts:
            yield Window(tuple(self._reads), tuple(self._parts), self._size, self._room)
            self._clear()
