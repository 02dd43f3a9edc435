"""Parts of a body that is not held whole (RFC 9111 §3.3).  Pure and immutable."""

from dataclasses import dataclass
from typing import Self

MAX_RUNS = 256
"""Runs kept of one body; the oldest go first.  Clients choose what they ask for the end of."""


@dataclass(frozen=True, slots=True)
class Parts:
    size: int
    """Bytes of the whole."""

    runs: tuple[tuple[int, bytes], ...] = ()
    """Where each begins, and its bytes; the oldest first.  They may overlap."""

    @property
    def held(self) -> int:
        """Bytes that are kept."""
        return sum(len(data) for _, data in self.runs)

    def read(self, start: int, stop: int) -> list[memoryview] | None:
        """Bytes ``[start, stop)`` in pieces; None if they are not all there."""
        pieces: list[memoryview] = []
        while start < stop:
            piece = self._at(start, stop)
            if piece is None:
                return None
            pieces.append(piece)
            start += len(piece)
        return pieces

    def with_run(self, start: int, data: bytes, limit: int) -> Self:
        """These and *data*; the oldest go where more than *limit* bytes would be kept."""
        runs = [(at, old) for at, old in self.runs if not _covers(start, data, at, old)]
        runs.append((start, data))
        kept = sum(len(old) for _, old in runs)
        while len(runs) > 1 and (kept > limit or len(runs) > MAX_RUNS):
            kept -= len(runs.pop(0)[1])
        return type(self)(self.size, tuple(runs))

    def _at(self, start: int, stop: int) -> memoryview | None:
        for at, data in self.runs:
            if at <= start < at + len(data):
                return memoryview(data)[start - at : stop - at]
        return None


def _covers(start: int, data: bytes, at: int, old: bytes) -> bool:
    return start <= at and at + len(old) <= start + len(data)
