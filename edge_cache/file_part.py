"""A part of a body that lies in a file, to be sent from there."""

from dataclasses import dataclass

from edge_cache.disk.stored import Stored


@dataclass(frozen=True, slots=True)
class FilePart:
    """Bytes ``[start, stop)`` of *stored*, which stays readable while this refers to it: who
    sends it holds on to it, and nobody calls ``release``."""

    stored: Stored
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start
