"""A stored body, found."""

import os
import time
from collections.abc import Callable
from errno import EOPNOTSUPP

from xxhash import xxh3_64_digest, xxh3_64_intdigest

from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.files import File, Handle
from edge_cache.disk.index import Row
from edge_cache.disk.record import BLOCK, GRAIN, SUM, Record, block_count

_STEP = BLOCK // GRAIN

_LOOK = 256 << 10
"""Bytes between two looks at whether a body is in the page cache."""

_REMEMBERED = 0.1
"""Seconds: what was there and has been sent does not leave the page cache so soon."""

_BYTE = (bytearray(1),)
"""Where the bytes go that are looked at for being there."""

Forget = Callable[[Row, bytes], None]


class Stored(Handle):
    """A body and what was stored beside it.

    Bytes ``[start, stop)`` may be sent once ``is_verified(start, stop)``; until then call
    ``verify`` on a thread.  It costs something after an unclean stop alone, once per block.
    """

    __slots__ = (
        *("_forget", "_row", "_seen", "_sum_of_sums", "_sums"),
        *("key", "length", "meta"),
    )

    def __init__(self, file: File, row: Row, record: Record, forget: Forget) -> None:
        super().__init__(file, record.offset)
        self.key = record.key
        self.meta = record.meta
        self.length = record.length
        """Bytes of the body."""
        self._row = row
        self._sum_of_sums = record.sum_of_sums
        self._sums: bytes | None = None
        self._seen = (0, 0, 0.0)
        """What was in the page cache, and until when that is taken for granted."""
        self._forget = forget

    def __len__(self) -> int:
        return self.length

    @property
    def volume(self) -> int:
        """The number of the volume it is in."""
        return self._row.volume

    def read(self, start: int, stop: int, *, waits: bool = True) -> bytes:
        """As of any body; one that has been truncated is dropped."""
        try:
            return super().read(start, stop, waits=waits)
        except DiskError:
            self._forget(self._row, self.key)
            raise

    def is_verified(self, start: int, stop: int) -> bool:
        file = self._held()
        if file.verified is None:
            return True
        first = self.offset // GRAIN
        begins = slice(first + start // BLOCK * _STEP, first + block_count(stop) * _STEP, _STEP)
        return 0 not in file.verified[begins]

    def is_cached(self, start: int, stop: int) -> bool:
        """Whether ``[start, stop)`` can be sent without waiting for the disk, as far as a look
        here and there can tell."""
        first, last, until = self._seen
        now = time.monotonic()
        if now < until and first <= start and stop <= last:
            return True
        try:
            for place in (*range(start, stop, _LOOK), stop - 1):
                if os.preadv(self.fd, _BYTE, self.offset + place, os.RWF_NOWAIT) != 1:
                    return False
        except OSError as error:  # EOPNOTSUPP: a file system that is memory
            return error.errno == EOPNOTSUPP
        self._seen = start, stop, now + _REMEMBERED
        return True

    def verify(self, start: int, stop: int) -> None:
        """Read the blocks of ``[start, stop)`` that nobody has verified yet.

        DiskError if one is not as it was written: the object is dropped, and what has been
        sent of it must be cut short.
        """
        file = self._held()
        if file.verified is None:
            return
        try:
            for block in range(start // BLOCK, block_count(min(stop, self.length))):
                grain = self.offset // GRAIN + block * _STEP
                if not file.verified[grain]:
                    self._verify_block(block)
                    file.verified[grain] = 1
        except DiskError:
            self._forget(self._row, self.key)
            raise

    def _verify_block(self, block: int) -> None:
        if self._sums is None:
            self._sums = self._read_sums()
        start = block * BLOCK
        data = super().read(start, min(start + BLOCK, self.length))
        if xxh3_64_digest(data) != self._sums[block * SUM : (block + 1) * SUM]:
            raise DiskError(Reason.DAMAGED, f"block {block} of a body")

    def _read_sums(self) -> bytes:
        size = SUM * block_count(self.length)
        sums = self._held().pread(size, self._row.at + self._row.size)
        if len(sums) != size or xxh3_64_intdigest(sums) != self._sum_of_sums:
            raise DiskError(Reason.DAMAGED, "the sums of a body")
        return sums
