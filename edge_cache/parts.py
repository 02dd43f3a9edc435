"""Parts of a body that is not held whole (RFC 9111 §3.3).  No file is looked into."""

from dataclasses import dataclass
from typing import Self

from edge_cache.disk.stored import Stored
from edge_cache.file_part import FilePart

MAX_RUNS = 256
"""Runs kept of one body; the oldest go first.  Clients choose what they ask for the end of."""


@dataclass(frozen=True, slots=True)
class Parts:
    size: int
    """Bytes of the whole."""

    runs: tuple[tuple[int, bytes | Stored], ...] = ()
    """Where each begins, and its bytes; the oldest first.  They may overlap."""

    @property
    def held(self) -> int:
        """Bytes that are kept in RAM."""
        return sum(memory(data) for _, data in self.runs)

    def read(self, start: int, stop: int) -> list[memoryview | FilePart] | None:
        """Bytes ``[start, stop)`` in pieces; None if they are not all there."""
        pieces: list[memoryview | FilePart] = []
        while start < stop:
            piece = self._at(start, stop)
            if piece is None:
                return None
            pieces.append(piece)
            start += len(piece)
        return pieces

    def with_run(self, start: int, data: bytes, limit: int) -> Self:
        """These and *data*; the oldest go where RAM would keep more than *limit* bytes."""
        runs: list[tuple[int, bytes | Stored]]
        runs = [(at, old) for at, old in self.runs if not _covers(start, data, at, old)]
        runs.append((start, data))
        kept = sum(memory(old) for _, old in runs)
        while len(runs) > 1 and (kept > limit or len(runs) > MAX_RUNS):
            kept -= memory(runs.pop(0)[1])
        return type(self)(self.size, tuple(runs))

    def _at(self, start: int, stop: int) -> memoryview | FilePart | None:
        for at, data in self.runs:
            if at <= start < at + len(data):
                return part_of(data, start - at, stop - at)
        return None


def part_of(body: bytes | Stored, start: int, stop: int) -> memoryview | FilePart:
    """Bytes ``[start, stop)``, as far as there are so many."""
    if isinstance(body, Stored):
        return FilePart(body, start, min(stop, len(body)))
    return memoryview(body)[start:stop]


def memory(body: bytes | Stored) -> int:
    """Bytes of RAM that it takes."""
    return 0 if isinstance(body, Stored) else len(body)


def _covers(start: int, data: bytes, at: int, old: bytes | Stored) -> bool:
    return start <= at and at + len(old) <= start + len(data)
