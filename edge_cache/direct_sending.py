"""Parts of files to a connection, below its transport and without a copy (sendfile(2)).

A megabyte through the transport costs its copy into the kernel; from the page cache it does
not.  It can be sent this way only while the transport holds nothing back, and must not wait
for a disk on the loop: what is not in the page cache, or not known to be whole, is read on a
thread first.
"""

import asyncio
import os
import socket
from collections.abc import Callable

from edge_cache.disk.errors import DiskError
from edge_cache.file_part import FilePart

BURST = 1 << 20
"""Bytes that are looked at, and sent, at a time."""

_TURN = 4 << 20
"""Bytes after which other connections have their turn, though this client would take more."""

_LOOK = 256 << 10
"""Bytes between two looks at whether a file is in the page cache."""

Done = Callable[[Exception | None], None]
"""Called once: with nothing, or what went wrong."""


class FileSender:
    """At most one part is on its way."""

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._socket: socket.socket | None = None
        self._part: FilePart | None = None
        self._head = b""
        self._at = 0
        self._done: Done | None = None
        self._waits = False  # for the socket to take more
        self._look = memoryview(bytearray(1))
        self.sent = 0
        """Bytes of all parts that the kernel has taken."""

    @property
    def is_busy(self) -> bool:
        return self._part is not None

    def start(self, head: bytes, part: FilePart, done: Done) -> None:
        """Send *head* and *part*; the transport must have nothing left to send."""
        self._head, self._part, self._at, self._done = head, part, part.start, done
        if self._socket is None:
            # A descriptor of our own: the transport's may be closed, and given to another
            # connection, while this one waits.
            try:
                number = self._transport.get_extra_info("socket").fileno()
                self._socket = socket.socket(fileno=os.dup(number))
            except OSError as error:  # there are too many open files, or the client has left
                self._finish(error)
                return
        self._step()

    def stop(self) -> None:
        """Forget what is on its way; nothing is called any more."""
        self._part = self._done = None
        self._wait(False)

    def close(self) -> None:
        self.stop()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _step(self) -> None:
        """Send what can be sent now."""
        part = self._part
        if part is None:
            return
        turn = self._at + _TURN
        try:
            while self._at < part.stop:
                if self._at >= turn:
                    self._wait(False)
                    self._loop.call_soon(self._step)
                    return
                stop = min(self._at + BURST, part.stop)
                if not self._is_ready(part, stop):
                    self._wait(False)
                    self._loop.create_task(self._prepare(part, stop))
                    return
                self._send(part, stop)
        except BlockingIOError:
            self._wait(True)
        except OSError as error:
            self._finish(error)
        else:
            self._finish(None)

    def _send(self, part: FilePart, stop: int) -> None:
        """Raises ``BlockingIOError`` when the socket is full."""
        assert self._socket is not None
        while self._head:
            taken = self._socket.send(self._head, socket.MSG_MORE)
            self._head = self._head[taken:]
        stored = part.stored
        while self._at < stop:
            number = self._socket.fileno()
            taken = os.sendfile(number, stored.fd, stored.offset + self._at, stop - self._at)
            if not taken:
                raise OSError("a body has been truncated")
            self._at += taken
            self.sent += taken

    def _is_ready(self, part: FilePart, stop: int) -> bool:
        """Whether the next burst is known to be whole and is in the page cache."""
        stored = part.stored
        if not stored.is_verified(self._at, stop):
            return False
        try:
            for place in (*range(self._at, stop, _LOOK), stop - 1):
                at = stored.offset + place
                if os.preadv(stored.fd, (self._look,), at, os.RWF_NOWAIT) != 1:
                    return False
        except OSError as error:  # EOPNOTSUPP: a file system that is memory
            return error.errno == _CANNOT_TELL
        return True

    async def _prepare(self, part: FilePart, stop: int) -> None:
        start = self._at
        try:
            await self._loop.run_in_executor(None, _read_ahead, part, start, stop)
        except (DiskError, OSError) as error:
            if self._part is part:
                self._finish(error)
            return
        if self._part is part:
            # Read a moment ago: if it is gone again already, the disk is waited for once.
            try:
                self._send(part, stop)
            except BlockingIOError:
                self._wait(True)
            except OSError as error:
                self._finish(error)
            else:
                self._step()

    def _wait(self, wait: bool) -> None:
        if wait == self._waits or self._socket is None:
            return
        self._waits = wait
        if wait:
            self._loop.add_writer(self._socket.fileno(), self._step)
        else:
            self._loop.remove_writer(self._socket.fileno())

    def _finish(self, error: Exception | None) -> None:
        done, self._part, self._done = self._done, None, None
        self._wait(False)
        if done is not None:
            done(error)


_CANNOT_TELL = 95
"""EOPNOTSUPP."""


def _read_ahead(part: FilePart, start: int, stop: int) -> None:
    """Bring bytes into the page cache, and verify them.  Raises DiskError, OSError."""
    stored = part.stored
    if stored.is_verified(start, stop):
        stored.read(start, stop)
    else:
        stored.verify(start, stop)
