"""A body that is written to the disk while it comes, and read from there by who is behind.

Clients hardly wait for the disk: what it has yet to take is bounded, and a body that has waited
for it too long is given up.  What was written until then stays readable: readers may need it.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from edge_cache.disk.errors import DiskError
from edge_cache.disk.files import Handle
from edge_cache.disk.store import Store
from edge_cache.disk.stored import Stored
from edge_cache.disk.writer import Writer
from edge_cache.tiers.heads import SALT, run_key, run_suffix

_BATCH = 1 << 20
"""Bytes that go to a thread at a time."""

_PATIENCE = 2.0
"""Seconds in all that a body waits for the disk, and again in the end.  From a near upstream
bytes come in bursts that no disk keeps up with."""

_log = logging.getLogger("edge")
T = TypeVar("T")


class Spool:
    """Used on the loop; its writes happen on *pool*, one after the other."""

    def __init__(
        self, store: Store, pool: Executor, target: bytes, length: int | None, limit: int
    ) -> None:
        self.written = 0
        """Bytes that can be read from the file."""
        self.is_lost = False
        """It will not be stored: the disk is too slow, full or failing."""
        self._store = store
        self._pool = pool
        self._key = run_key(target, run_suffix(os.urandom(SALT), 0))
        self._length = length
        self._limit = limit
        self._patience = _PATIENCE
        self._room: asyncio.Future[None] | None = None
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._is_all = False
        self._wanted = False
        self._news = asyncio.Event()
        self._reader: Handle | None = None
        self._on_written: Callable[[], None] | None = None
        self.ended = asyncio.get_running_loop().create_task(self._run())
        """Done when nothing of it happens any more."""

    def on_written(self, callback: Callable[[], None]) -> None:
        """Call *callback* each time when more can be read, or it is lost."""
        self._on_written = callback

    def append(self, piece: bytes) -> None:
        if self.is_lost:
            return
        self._pieces.append(piece)
        self._waiting += len(piece)
        self._news.set()

    async def room(self) -> None:
        """Wait until the disk is not too far behind.  It is given up if that takes too long."""
        if self._waiting <= self._limit or self.is_lost:
            return
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._room = loop.create_future()
        await asyncio.wait((self._room,), timeout=self._patience)
        self._patience -= loop.time() - began
        if not self._room.done():
            self._lose()

    async def read(self, start: int, stop: int) -> bytes:
        """Bytes ``[start, stop)``, of which so many are written.  DiskError."""
        assert self._reader is not None
        return await self._call(self._reader.read, start, stop)

    async def finish(self) -> Stored | None:
        """The body, all of which has come; None if it was lost.

        A disk that hangs must not keep what its fill holds: memory, and a turn upstream.
        """
        self._wanted = self._is_all = True
        self._news.set()
        try:
            async with asyncio.timeout(_PATIENCE):
                await asyncio.wait((self.ended,))
                return None if self.is_lost else await self._call(self._store.find, self._key)
        except TimeoutError:
            self._lose()
            return None

    def abort(self) -> None:
        """It is not wanted, unless it has been finished."""
        if not self._wanted:
            self._is_all = True
            self._lose()

    def _lose(self) -> None:
        self.is_lost = True
        self._pieces.clear()
        self._waiting = 0
        self._news.set()
        self._tell()

    async def _run(self) -> None:
        writer: Writer | None = None
        try:
            writer = await self._call(self._store.begin, self._key, self._length)
            self._reader = writer.reader()
            await self._write(writer)
            if self._wanted and not self.is_lost:
                await self._call(writer.commit, b"")
        except DiskError:  # counted by the store
            self._lose()
        except Exception:
            _log.exception("a body was not stored")
            self._lose()
        except BaseException:
            self._lose()
            raise
        finally:
            if writer is not None:
                await self._call(writer.abort)

    async def _write(self, writer: Writer) -> None:
        while not self.is_lost:
            if not self._pieces:
                if self._is_all:
                    return
                self._news.clear()
                await self._news.wait()
                continue
            batch = self._next_batch()
            await self._call(_append, writer, batch)
            if self.is_lost:
                self.written = writer.size
                return
            self._waiting -= sum(map(len, batch))
            self.written = writer.size
            self._tell()

    def _tell(self) -> None:
        if self._on_written is not None:
            self._on_written()
        if self._room is not None and not self._room.done() and self._waiting <= self._limit:
            self._room.set_result(None)

    def _next_batch(self) -> list[bytes]:
        size, count = 0, 0
        while count < len(self._pieces) and size < _BATCH:
            size += len(self._pieces[count])
            count += 1
        batch = self._pieces[:count]
        del self._pieces[:count]
        return batch

    async def _call(self, work: Callable[..., T], *arguments: object) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, work, *arguments)


def _append(writer: Writer, batch: list[bytes]) -> None:
    for piece in batch:
        writer.append(piece)
