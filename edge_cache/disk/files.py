"""Open volume files, and handles to bodies in them.

Evicting unlinks a volume and overwrites nothing, so a body stays readable as it was for as long
as somebody has the file open: its descriptor is closed with the last reference to ``File``,
which CPython does at once and from any thread.
"""

import os
from collections.abc import Callable
from errno import EAGAIN, EOPNOTSUPP
from pathlib import Path

from edge_cache.disk.errors import DiskError, Reason, disk_error
from edge_cache.disk.record import GRAIN


class File:
    """A volume, open for reading."""

    __slots__ = ("fd", "number", "verified")

    def __init__(self, fd: int, number: int, *, is_trusted: bool) -> None:
        self.fd = fd
        self.number = number
        self.verified: bytearray | None = None
        """What is known to be good: a byte for each grain where a block begins.  A byte and
        not a bit, since two threads may note two blocks at once.  None: all of it is."""
        if not is_trusted:
            self.verified = bytearray(os.fstat(fd).st_size // GRAIN + 1)

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        close(self.fd)  # a default, since modules may be gone by then

    @property
    def is_gone(self) -> bool:
        """Whether it has been evicted, by whatever process."""
        return os.fstat(self.fd).st_nlink == 0

    @property
    def disk(self) -> int:
        """Bytes of disk that it takes."""
        return os.fstat(self.fd).st_blocks * 512

    def may_hold(self, offset: int, length: int) -> bool:
        """Whether a body can be there: the file may have been truncated before."""
        return self.verified is None or offset + length <= len(self.verified) * GRAIN

    def pread(self, size: int, offset: int, *, waits: bool = True) -> bytes:
        """DiskError if it cannot be read; fewer bytes at the end of the file.

        Without *waits* BlockingIOError if they are not all in the page cache.
        """
        try:
            if not waits and (found := self._cached(size, offset)) is not None:
                return found
            return os.pread(self.fd, size, offset)
        except BlockingIOError:
            raise
        except OSError as error:
            raise disk_error(error) from error

    def _cached(self, size: int, offset: int) -> bytes | None:
        """None if the file system cannot tell: it is memory, or not a local one."""
        buffer = bytearray(size)
        try:
            if os.preadv(self.fd, (buffer,), offset, os.RWF_NOWAIT) == size:
                return bytes(buffer)
        except OSError as error:
            if error.errno != EOPNOTSUPP:
                raise
            return None
        raise BlockingIOError(EAGAIN, "not in the page cache")


def open_file(path: Path, number: int, *, is_trusted: bool) -> File:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    return File(fd, number, is_trusted=is_trusted)


class Handle:
    """Holds a body readable until it is released or forgotten."""

    __slots__ = ("_file", "fd", "offset")

    def __init__(self, file: File, offset: int) -> None:
        self._file: File | None = file
        self.fd = file.fd
        """For ``os.sendfile`` and ``os.preadv`` at ``offset`` + a place in the body."""
        self.offset = offset

    def read(self, start: int, stop: int, *, waits: bool = True) -> bytes:
        """Bytes ``[start, stop)`` of the body, of which so many must be there.

        Blocks, or without *waits* raises BlockingIOError.
        """
        data = self._held().pread(stop - start, self.offset + start, waits=waits)
        if len(data) != stop - start:
            raise DiskError(Reason.DAMAGED, "a body has been truncated")
        return data

    def release(self) -> None:
        """The descriptor must not be used any more: it may be another file's soon."""
        self._file = None
        self.fd = -1

    def _held(self) -> File:
        if self._file is None:
            raise ValueError("the handle has been released")
        return self._file
