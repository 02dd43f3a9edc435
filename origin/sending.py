"""Plans to bytes on a connection, a window at a time.

A window is read into a buffer, written, and waited for before the next one: a slow client
holds one window and what the socket has, and of a source on another machine a batch of them.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import tee
from typing import Protocol, cast

from tornado.httputil import HTTPConnection

from origin.batches import reads_of_windows
from origin.buffers import Buffers
from origin.direct import DirectBody, Parts, direct_body
from origin.room import Room
from origin.storage.ahead import Ahead
from origin.storage.remote import RemoteSource
from origin.storage.source import Source
from origin.windows import Making, Read, Straight, Window, Windows


class TooSlow(Exception):
    """The client takes less than the minimum rate."""


class Writer(Protocol):
    """Takes bytes; when it returns, their memory may be used for others."""

    async def write(self, parts: Parts, size: int, limit: float) -> None:
        """Raises ``StreamClosedError``, and ``TimeoutError`` past *limit* seconds."""

    def close(self) -> None: ...


class _TornadoBody:
    """The way through IOStream: its future resolves when the socket has taken the bytes."""

    def __init__(self, connection: HTTPConnection) -> None:
        self._connection = connection

    async def write(self, parts: Parts, size: int, limit: float) -> None:  # noqa: ARG002
        async with asyncio.timeout(limit):
            for part in parts:
                await asyncio.ensure_future(self._connection.write(cast(bytes, part)))

    def close(self) -> None:
        """Tornado's connection goes on."""


class Readable(Protocol):
    """What sending needs of a source."""

    async def read(self, reads: Sequence[Read], buffer: memoryview) -> None: ...

    def sendable(self, offset: int, size: int) -> int | None: ...

    def check(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is read ahead, and what a client must take."""

    window: int
    """Bytes."""

    minimum_rate: int
    """Bytes per second, over a window."""

    patience: float
    """Seconds on top of that."""

    def limit(self, size: int) -> float:
        return self.patience + size / self.minimum_rate


_TURN = 8 << 20
"""Bytes after which other requests have their turn, though the client would take more."""


async def send(
    head: bytes,
    body: Windows,
    source: Source | None,
    connection: HTTPConnection,
    buffers: Buffers,
    room: Room,
    pace: Pace,
    progress: list[int],
) -> None:
    """Send *head* and *body*, on a connection on which nothing of the answer was written.

    *room* is for what is read ahead of other machines; *progress* holds the bytes of the body
    sent so far.  Raises what reading raises, ``TooSlow``, and ``StreamClosedError``.
    """
    if isinstance(source, RemoteSource):
        body, again = tee(body)
        ahead = Ahead(source, reads_of_windows(again, pace.window), room)
        try:
            await _send(head, body, ahead, connection, buffers, pace, progress)
        finally:
            await ahead.close()
    else:
        await _send(head, body, source, connection, buffers, pace, progress)


async def _send(
    head: bytes,
    body: Windows,
    source: Readable | None,
    connection: HTTPConnection,
    buffers: Buffers,
    pace: Pace,
    progress: list[int],
) -> None:
    writer = direct_body(connection) or _TornadoBody(connection)
    turn = _TURN
    try:
        for window in body:
            if isinstance(window, Straight):
                size = window.size
                await _straight(head, window, source, writer, buffers, pace)
            elif isinstance(window, Making):
                made = await _made(window, source, buffers)
                size = len(made)
                await writer.write([head, made], len(head) + size, pace.limit(size))
            else:
                size = window.size
                await _copy(head, window, source, writer, buffers, pace)
            head = b""
            progress[0] += size
            if progress[0] >= turn:
                turn += _TURN
                await asyncio.sleep(0)
        if head:
            await writer.write([head], len(head), pace.limit(0))
    except TimeoutError:
        raise TooSlow from None
    finally:
        writer.close()


async def _copy(
    head: bytes, window: Window, source: Readable | None, writer: Writer, buffers: Buffers,
    pace: Pace,
) -> None:  # fmt: skip
    with buffers.lend(window.room) as buffer:
        if window.reads:
            assert source is not None
            await source.read(window.reads, buffer)
        parts: Parts = [buffer[part] if type(part) is slice else part for part in window.parts]
        parts.insert(0, head)
        await writer.write(parts, len(head) + window.size, pace.limit(window.size))


async def _straight(
    head: bytes, run: Straight, source: Readable | None, writer: Writer, buffers: Buffers,
    pace: Pace,
) -> None:  # fmt: skip
    """A window's worth at a time, from the page cache where it is there and the client's
    connection can take it, or else copied."""
    assert source is not None
    for start in range(0, run.size, pace.window):
        size, offset = min(pace.window, run.size - start), run.offset + start
        file = source.sendable(offset, size) if isinstance(writer, DirectBody) else None
        if file is None:
            part = Window(((offset, 0, size),), (slice(0, size),), size, size)
            await _copy(head, part, source, writer, buffers, pace)
        else:
            assert isinstance(writer, DirectBody)
            await writer.write([head], len(head), pace.limit(0))
            await writer.send_file(file, offset, size, pace.limit(size))
            source.check()
        head = b""


async def _made(window: Making, source: Readable | None, buffers: Buffers) -> memoryview:
    """What a transform makes; what it was made of is let go before the client is waited
    for."""
    with buffers.lend(window.room) as read:
        if window.reads:
            assert source is not None
            await source.read(window.reads, read)
        return window.transform.apply(read)
