"""How a plan is carried out: windows of bounded size, each read, then written.  Pure.

What lies close together is read in one go, and what was read in between is left out when the
window is written: a segment of an interleaved file is read like the whole of it, and no byte
is copied to bring its runs together.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from packager.plan import Extent, Extents, Plan, Transform

Read = tuple[int, int, int]
"""An offset in the source, and the part ``[start, stop)`` of a buffer that it fills."""

GAP = 8 << 10
"""Bytes between two runs that are read along: reading them costs less than a call."""

_MAX_PARTS = 1000
"""Of one window: ``writev`` takes 1024 (IOV_MAX), and a head comes before them."""


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


Windows = tuple[Window | Making, ...]


def windows(plan: Plan, limit: int, gap: int = GAP) -> Windows:
    """*plan* in windows of at most *limit* bytes read; runs that are up to *gap* bytes apart
    are read together."""
    return tuple(_windows(plan, limit, gap))


def _windows(plan: Plan, limit: int, gap: int) -> Iterator[Window | Making]:
    open_ = _Open(limit, gap)
    for piece in plan:
        if isinstance(piece, bytes):
            open_.add(piece)
            continue
        if isinstance(piece, Extents):
            for offset, length in zip(piece.offsets, piece.lengths, strict=True):
                yield from open_.extend(offset, length)
            continue
        yield from open_.close()
        yield _making(piece)
    yield from open_.close()


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

    def add(self, piece: bytes) -> None:
        self._parts.append(piece)
        self._size += len(piece)

    def extend(self, offset: int, length: int) -> Iterator[Window]:
        """Add a run; what does not fit goes to further windows."""
        while length:
            if self._room >= self._limit or len(self._parts) >= _MAX_PARTS:
                yield from self.close()
            between = self._between(offset)
            start = self._room + (between or 0)
            taken = min(length, self._limit - start)
            if between is None:
                self._reads.append((offset, start, start + taken))
            else:
                last, began, _ = self._reads[-1]
                self._reads[-1] = (last, began, start + taken)
            self._send(start, start + taken)
            offset, length = offset + taken, length - taken

    def _between(self, offset: int) -> int | None:
        """Bytes between the last read and *offset*; None if that wants a read of its own."""
        if not self._reads:
            return None
        last, start, stop = self._reads[-1]
        between = offset - (last + stop - start)
        return between if 0 <= between <= min(self._gap, self._limit - stop - 1) else None

    def _send(self, start: int, stop: int) -> None:
        self._size += stop - start
        self._room = stop
        last = self._parts[-1] if self._parts else None
        if isinstance(last, slice) and last.stop == start:
            self._parts[-1] = slice(last.start, stop)
        else:
            self._parts.append(slice(start, stop))

    def close(self) -> Iterator[Window]:
        if self._parts:
            yield Window(tuple(self._reads), tuple(self._parts), self._size, self._room)
            self._clear()
