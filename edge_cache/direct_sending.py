"""Large bodies to a connection, below its transport.

From the page cache they go without a copy (sendfile(2)).  From RAM they are copied, but by one
call for all that the socket takes, behind a head that waits for it: through the transport a
megabyte costs twice as much.  Either is possible only while the transport holds nothing back.

Nothing here waits for a disk on the loop: what is not in the page cache, or not known to be
whole, is read on a thread first.
"""

import asyncio
import errno
import os
import socket
from collections.abc import Callable

from edge_cache.disk.errors import DiskError
from edge_cache.disk.threads import READERS
from edge_cache.file_part import FilePart

LARGE = 192 << 10
"""Bytes up to which the transport does as well with a body in RAM."""

BURST = 1 << 20
"""Bytes of a file that are looked at, and sent, at a time."""

_TURN = 4 << 20
"""Bytes after which other connections have their turn, though this client would take more."""

Piece = memoryview | FilePart
"""Bytes in RAM, which nobody changes, or in a file."""

Done = Callable[[Exception | None], None]
"""Called once: with nothing, or what went wrong."""


class DirectSender:
    """At most one piece is on its way."""

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._socket: socket.socket | None = None
        self._piece: Piece | None = None
        self._head = b""
        self._at = self._stop = 0
        self._done: Done | None = None
        self._waits = False  # for the socket to take more
        self.sent = 0
        """Bytes of all pieces that the kernel has taken."""

    @property
    def is_busy(self) -> bool:
        return self._piece is not None

    def can_send(self) -> bool:
        """False if there are too many open files, or the client has left."""
        if self._socket is None:
            # A descriptor of our own: the transport's may be closed, and given to another
            # connection, while this one waits.
            try:
                number = self._transport.get_extra_info("socket").fileno()
                self._socket = socket.socket(fileno=os.dup(number))
            except OSError:
                return False
        return True

    def start(self, head: bytes, piece: Piece, done: Done) -> None:
        """Send *head* and *piece*; the transport must have nothing left to send."""
        self._head, self._piece, self._done = head, piece, done
        if isinstance(piece, FilePart):
            self._at, self._stop = piece.start, piece.stop
        else:
            self._at, self._stop = 0, len(piece)
        if self.can_send():
            self._step()
        else:
            self._finish(OSError(errno.EMFILE, os.strerror(errno.EMFILE)))

    def stop(self) -> None:
        """Forget what is on its way; nothing is called any more."""
        self._piece = self._done = None
        self._wait(False)

    def close(self) -> None:
        self.stop()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _step(self) -> None:
        """Send what can be sent now."""
        piece = self._piece
        if piece is None:
            return
        turn = self._at + _TURN
        try:
            while self._at < self._stop:
                if self._at >= turn:
                    self._wait(False)
                    self._loop.call_soon(self._step)
                    return
                stop = min(self._at + BURST, self._stop)
                if isinstance(piece, FilePart) and not self._is_ready(piece, stop):
                    self._wait(False)
                    self._loop.create_task(self._prepare(piece, stop))
                    return
                if not self._send(piece, stop):
                    self._wait(True)
                    return
        except OSError as error:
            self._finish(error)
        else:
            self._finish(None)

    def _send(self, piece: Piece, stop: int) -> bool:
        """Send up to *stop*; False if the socket is full before."""
        assert self._socket is not None
        try:
            while self._head:
                taken = self._socket.send(self._head, socket.MSG_MORE)
                self._head = self._head[taken:]
            while self._at < stop:
                wanted = stop - self._at
                if isinstance(piece, FilePart):
                    taken = _send_file(self._socket, piece, self._at, wanted)
                else:
                    taken = self._socket.send(piece[self._at : stop])
                self._at += taken
                self.sent += taken
                if taken < wanted:  # to ask once more would cost a call, and be refused
                    return False
        except BlockingIOError:
            return False
        return True

    def _is_ready(self, part: FilePart, stop: int) -> bool:
        """Whether the next burst is known to be whole and is in the page cache."""
        stored, start = part.stored, self._at
        return stored.is_verified(start, stop) and stored.is_cached(start, stop)

    async def _prepare(self, part: FilePart, stop: int) -> None:
        start = self._at
        try:
            await self._loop.run_in_executor(READERS, _read_ahead, part, start, stop)
        except (DiskError, OSError) as error:
            if self._piece is part:
                self._finish(error)
            return
        if self._piece is part:
            # Read a moment ago: if it is gone again already, the disk is waited for once.
            try:
                is_sent = self._send(part, stop)
            except OSError as error:
                self._finish(error)
                return
            if is_sent:
                self._step()
            else:
                self._wait(True)

    def _wait(self, wait: bool) -> None:
        if wait == self._waits or self._socket is None:
            return
        self._waits = wait
        if wait:
            self._loop.add_writer(self._socket.fileno(), self._step)
        else:
            self._loop.remove_writer(self._socket.fileno())

    def _finish(self, error: Exception | None) -> None:
        done, self._piece, self._done = self._done, None, None
        self._wait(False)
        if done is not None:
            done(error)


def _send_file(connection: socket.socket, part: FilePart, start: int, size: int) -> int:
    """Bytes that were taken of *size* from *start*."""
    stored = part.stored
    taken = os.sendfile(connection.fileno(), stored.fd, stored.offset + start, size)
    if not taken:
        raise OSError("a body has been truncated")
    return taken


def _read_ahead(part: FilePart, start: int, stop: int) -> None:
    """Bring bytes into the page cache, and verify them.  Raises DiskError, OSError."""
    stored = part.stored
    if stored.is_verified(start, stop):
        stored.read(start, stop)
    else:
        stored.verify(start, stop)
