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

from origin.errors import NotFound, SourceChanged, SourceUnavailable
from packager.plan import Extent

_GAP = 8 << 10
"""Bytes between two extents that are read along: copying them costs less than a call."""

_IOV_MAX = 1024
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)

_Call = tuple[int, list[memoryview]]
"""One preadv: where it starts, and the buffers that it fills."""


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

    def __init__(self, path: str) -> None:
        self._fd = -1
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in _NOTHING_THERE:
                raise NotFound("no such file") from None
            raise SourceUnavailable(f"the file cannot be opened: {error.strerror}") from None
        status = os.fstat(self._fd)
        self.identity = Identity.of(status)
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise NotFound("not a file")

    @property
    def size(self) -> int:
        return self.identity.size

    @property
    def validator(self) -> str:
        return f"{self.identity.inode:x}-{self.identity.mtime_ns:x}-{self.size:x}"

    def is_unchanged(self) -> bool:
        return Identity.of(os.fstat(self._fd)) == self.identity

    async def read(self, extents: Sequence[Extent], buffer: memoryview) -> None:
        calls = _calls(extents, buffer)
        if not self._read_cached(calls):
            await asyncio.get_running_loop().run_in_executor(None, self._read_all, calls)
        if not self.is_unchanged():
            raise SourceChanged("the file was changed while it was read")

    def read_now(self, extent: Extent) -> bytes:
        """For work that runs in a thread already."""
        return os.pread(self._fd, extent.length, extent.offset)

    def _read_cached(self, calls: list[_Call]) -> bool:
        """Read what is in the page cache; False where any of it is not."""
        for offset, views in calls:
            wanted = sum(map(len, views))
            try:
                if os.preadv(self._fd, views, offset, os.RWF_NOWAIT) != wanted:
                    return False
            except OSError:  # EAGAIN, or EOPNOTSUPP where the file system cannot tell
                return False
        return True

    def _read_all(self, calls: list[_Call]) -> None:
        for offset, views in calls:
            while views:
                try:
                    got = os.preadv(self._fd, views, offset)
                except OSError as error:
                    raise SourceUnavailable(f"reading failed: {error.strerror}") from None
                if not got:
                    raise SourceChanged("the file ends before its end")
                offset += got
                views = _rest(views, got)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()


def _rest(views: list[memoryview], done: int) -> list[memoryview]:
    """What is left of *views* after *done* bytes."""
    left = []
    for view in views:
        if done >= len(view):
            done -= len(view)
        else:
            left.append(view[done:])
            done = 0
    return left


def _calls(extents: Sequence[Extent], buffer: memoryview) -> list[_Call]:
    """Few calls that fill *buffer* with *extents*; small gaps fall into a scrap buffer."""
    scrap: memoryview | None = None
    calls: list[_Call] = []
    end = -1
    position = 0
    for extent in extents:
        view = buffer[position : position + extent.length]
        position += extent.length
        gap = extent.offset - end
        if calls and 0 <= gap <= _GAP and len(calls[-1][1]) < _IOV_MAX - 2:
            if gap:
                scrap = memoryview(bytearray(_GAP)) if scrap is None else scrap
                calls[-1][1].append(scrap[:gap])
            calls[-1][1].append(view)
        else:
            calls.append((extent.offset, [view]))
        end = extent.offset + extent.length
    return calls


class LocalFiles:
    """Files that are kept open, the least recently used closed first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._files: OrderedDict[str, LocalFile] = OrderedDict()

    async def open(self, path: str) -> LocalFile:
        """The file at *path* as it is now.  Raises ``NotFound`` or ``SourceUnavailable``."""
        known = self._files.get(path)
        if known is not None and self._is_current(path, known):
            self._files.move_to_end(path)
            return known
        opened = await asyncio.get_running_loop().run_in_executor(None, LocalFile, path)
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
