"""Local files: read where the page cache has them, in a thread where it has not.

A file is known by an open descriptor.  Before its bytes are handed out its size and times
are compared with those at opening, so that a file that is overwritten never mixes.
"""

import asyncio
import errno
import os
import stat
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from os import RWF_NOWAIT, preadv
from typing import TypeVar

from origin.errors import NotFound, SourceChanged, SourceUnavailable
from origin.storage.opening import open_for_reading, open_known
from origin.windows import Read
from packager.plan import Extent, Reads, run_reads

T = TypeVar("T")

_LOOK = 64 << 10
"""Bytes between two looks at whether a file is in the page cache."""

_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of a file without reading it."""

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Identity":
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


class LocalFile:
    """An open file.  Closed when the last user lets go of it."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        status = os.fstat(fd)
        self.identity = Identity.of(status)
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise NotFound("not a file")

    @classmethod
    def at(cls, path: str) -> "LocalFile":
        """Raises ``NotFound`` or ``SourceUnavailable``."""
        try:
            return cls(open_for_reading(path))
        except OSError as error:
            if error.errno in _NOTHING_THERE:
                raise NotFound("no such file") from None
            raise SourceUnavailable(f"the file cannot be opened: {error.strerror}") from None

    @property
    def size(self) -> int:
        return self.identity.size

    @property
    def validator(self) -> str:
        return f"{self.identity.inode:x}-{self.identity.mtime_ns:x}-{self.size:x}"

    @property
    def stamp(self) -> int:
        return self.identity.mtime_ns

    def is_unchanged(self) -> bool:
        status, known = os.fstat(self._fd), self.identity
        return status.st_mtime_ns == known.mtime_ns and status.st_size == known.size

    async def read(self, reads: Sequence[Read], buffer: memoryview) -> None:
        if not self._read_cached(reads, buffer):
            await asyncio.get_running_loop().run_in_executor(
                None, self._read_all, reads, buffer
            )
        self.check()

    def check(self) -> None:
        if not self.is_unchanged():
            raise SourceChanged("the file was changed while it was read")

    def sendable(self, offset: int, size: int) -> int | None:
        """Looks at a byte of every so many: what was read together was read ahead together."""
        look = memoryview(bytearray(1))
        for place in (*range(offset, offset + size, _LOOK), offset + size - 1):
            if not self._read_cached([(place, 0, 1)], look):
                return None
        return self._fd

    async def carry_out(self, reads: Reads[T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(None, self._answer, reads)

    def _answer(self, reads: Reads[T]) -> T:
        try:
            return run_reads(reads, self._read_now)
        except OSError as error:
            raise SourceUnavailable(f"reading failed: {error.strerror}") from None

    def _read_now(self, extent: Extent) -> bytes:
        return os.pread(self._fd, extent.length, extent.offset)

    def _read_cached(self, reads: Sequence[Read], buffer: memoryview) -> bool:
        """Read what is in the page cache; False where any of it is not."""
        fd = self._fd
        try:
            for offset, start, stop in reads:
                if preadv(fd, (buffer[start:stop],), offset, RWF_NOWAIT) != stop - start:
                    return False
        except OSError:  # EAGAIN, or EOPNOTSUPP where the file system cannot tell
            return False
        return True

    def _read_all(self, reads: Sequence[Read], buffer: memoryview) -> None:
        for offset, start, stop in reads:
            while start < stop:
                try:
                    got = preadv(self._fd, (buffer[start:stop],), offset)
                except OSError as error:
                    raise SourceUnavailable(f"reading failed: {error.strerror}") from None
                if not got:
                    raise SourceChanged("the file ends before its end")
                offset, start = offset + got, start + got

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()


class LocalFiles:
    """Files that are kept open, the least recently used closed first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._files: OrderedDict[str, LocalFile] = OrderedDict()

    def at_hand(self, path: str) -> LocalFile | None:
        """The file at *path* if it is open, and still is what is there."""
        known = self._files.get(path)
        if known is None or not self._is_current(path, known):
            return None
        self._files.move_to_end(path)
        return known

    async def open(self, path: str) -> LocalFile:
        """The file at *path* as it is now.  Raises ``NotFound`` or ``SourceUnavailable``."""
        if (known := self.at_hand(path)) is not None:
            return known
        if (fd := open_known(path)) is not None:
            opened = LocalFile(fd)
        else:
            opened = await asyncio.get_running_loop().run_in_executor(None, LocalFile.at, path)
        self._files[path] = opened
        self._files.move_to_end(path)
        while len(self._files) > self._limit:
            self._files.popitem(last=False)
        return opened

    def _is_current(self, path: str, known: LocalFile) -> bool:
        try:
            return Identity.of(os.stat(path)) == known.identity  # noqa: PTH116
        except OSError:
            return False
