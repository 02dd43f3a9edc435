"""Plans to bytes on a connection, a window at a time.

A window is read into a buffer, written, and waited for before the next one: a slow client
holds one window and what the socket has.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from tornado.httputil import HTTPConnection

from origin.buffers import Buffers
from origin.direct import direct_body
from origin.storage.source import Source
from packager.plan import Extent, Piece, Plan, Transform


class TooSlow(Exception):
    """The client takes less than the minimum rate."""


def windows(plan: Plan, limit: int) -> Iterator[list[Piece]]:
    """Pieces in order, in groups of about *limit* bytes; a transform is a group of its own."""
    group: list[Piece] = []
    size = 0
    for piece in plan:
        if isinstance(piece, Transform):
            if group:
                yield group
            yield [piece]
            group, size = [], 0
            continue
        for part in _parts(piece, limit):
            group.append(part)
            size += len(part)
            if size >= limit:
                yield group
                group, size = [], 0
    if group:
        yield group


def _parts(piece: bytes | Extent, limit: int) -> Iterator[bytes | Extent]:
    if len(piece) <= limit:
        yield piece
        return
    for start in range(0, len(piece), limit):
        stop = min(start + limit, len(piece))
        yield piece[start:stop] if isinstance(piece, bytes) else piece.slice(start, stop)


class Writer(Protocol):
    """Takes bytes; when it returns, their memory may be used for others."""

    async def write(self, data: memoryview, limit: float) -> None:
        """Raises ``StreamClosedError``, and ``TimeoutError`` past *limit* seconds."""

    def close(self) -> None: ...


class _TornadoBody:
    """The way through IOStream: its future resolves when the socket has taken the bytes."""

    def __init__(self, connection: HTTPConnection) -> None:
        self._connection = connection

    async def write(self, data: memoryview, limit: float) -> None:
        written = asyncio.ensure_future(self._connection.write(cast(bytes, data)))
        if not written.done():
            async with asyncio.timeout(limit):
                await written

    def close(self) -> None:
        """Tornado's connection goes on."""


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


async def send(
    plan: Plan,
    source: Source | None,
    connection: HTTPConnection,
    buffers: Buffers,
    pace: Pace,
    progress: list[int],
) -> None:
    """Send *plan* as the body of a response whose headers have been written and flushed.

    *progress* holds the bytes sent so far.  Raises what reading raises, ``TooSlow``, and
    ``StreamClosedError``.
    """
    writer: Writer = direct_body(connection) or _TornadoBody(connection)
    try:
        for group in windows(plan, pace.window):
            extents = _extents(group)
            with buffers.lend(sum(extent.length for extent in extents)) as read:
                if extents:
                    assert source is not None
                    await source.read(extents, read)
                for data in _made(group, read):
                    await writer.write(data, pace.limit(len(data)))
                    progress[0] += len(data)
    except TimeoutError:
        raise TooSlow from None
    finally:
        writer.close()


def _extents(group: Sequence[Piece]) -> Sequence[Extent]:
    if isinstance(group[0], Transform):
        return group[0].extents
    return [piece for piece in group if isinstance(piece, Extent)]


def _made(group: Sequence[Piece], read: memoryview) -> Iterator[memoryview]:
    """The bytes of *group*, in few buffers; *read* holds those of its extents."""
    if isinstance(group[0], Transform):
        yield group[0].apply(split(group[0].extents, read))
        return
    start = stop = 0
    for piece in group:
        if isinstance(piece, Extent):
            stop += piece.length
            continue
        if stop > start:
            yield read[start:stop]
            start = stop
        yield memoryview(cast(bytes, piece))
    if stop > start:
        yield read[start:stop]


def split(extents: Sequence[Extent], read: memoryview) -> list[memoryview]:
    """*read*, which holds *extents* end to end, as one view for each."""
    parts, position = [], 0
    for extent in extents:
        parts.append(read[position : position + extent.length])
        position += extent.length
    return parts
