"""Which worker owns a key.  Pure."""

from zlib import crc32


def owner_of(target: bytes, workers: int) -> int:
    """The number of the worker that fills *target*, all its variants and parts.

    >>> owner_of(b"/a.ts", 4), owner_of(b"/b.ts", 4)
    (0, 2)
    """
    return crc32(target) % workers
