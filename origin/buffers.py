"""Memory for windows of a response, used again and again.

A fresh megabyte costs a page fault for every 4 KiB that is touched, more than copying into
it.  A buffer goes back only when nobody can touch it any more: its user left normally, which
here means that the kernel has taken every byte (``origin.direct``).  After an error or a
cancellation a thread may still be reading into it: then it is dropped.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


class Buffers:
    def __init__(self, size: int, kept: int) -> None:
        """Keep up to *kept* buffers of *size* bytes."""
        self._size = size
        self._kept = kept
        self._free: list[memoryview] = []

    @contextmanager
    def lend(self, length: int) -> Iterator[memoryview]:
        """*length* bytes of any content; one longer than *size* is made and forgotten."""
        if length > self._size:
            yield _fresh(length)
            return
        buffer = self._free.pop() if self._free else _fresh(self._size)
        yield buffer[:length]
        if len(self._free) < self._kept:
            self._free.append(buffer)


def _fresh(length: int) -> memoryview:
    return memoryview(np.empty(length, np.uint8))  # type: ignore[arg-type]
