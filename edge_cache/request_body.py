"""A request body on its way through: bounded, at the reader's pace."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from edge_cache.errors import Refused

HIGH_WATER = 64 * 1024
"""Bytes that wait for the upstream before the client is paused."""


class RequestBody:
    """Fed by the connection's parser, iterated once by the upstream's connection.

    What comes out is framed as it came in: by Content-Length, or in chunks again.
    """

    def __init__(self, *, chunked: bool, limit: int) -> None:
        self.chunked = chunked
        self.is_complete = False
        self.resume: Callable[[], None] = lambda: None
        """Called when there is room for more."""
        self._limit = limit
        self._size = 0
        self._pieces: deque[bytes] = deque()
        self._waiting = 0
        self._refused: Refused | None = None
        self._more = asyncio.Event()

    @property
    def is_full(self) -> bool:
        return self._waiting > HIGH_WATER

    def feed(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._limit:
            raise Refused(413, "body")
        self._pieces.append(data)
        self._waiting += len(data)
        self._more.set()

    def feed_end(self) -> None:
        self.is_complete = True
        self._more.set()

    def cut(self, refused: Refused) -> None:
        """The rest will not come; whoever reads it gets *refused*."""
        if not self.is_complete:
            self._refused = refused
            self._more.set()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            while self._pieces:
                yield self._frame(self._take())
            if self._refused is not None:
                raise self._refused
            if self.is_complete:
                break
            self._more.clear()
            await self._more.wait()
        if self.chunked:
            yield b"0\r\n\r\n"

    def _take(self) -> bytes:
        piece = self._pieces.popleft()
        self._waiting -= len(piece)
        if not self.is_full:
            self.resume()
        return piece

    def _frame(self, piece: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(piece), piece) if self.chunked else piece
