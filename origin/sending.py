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
            if isinstance(group[0], Transform):
                made = await _transformed(group[0], source, buffers)
                await writer.write(made, pace.limit(len(made)))
                progress[0] += len(made)
                continue
            with buffers.lend(sum(map(len, group))) as window:
                await _fill(window, group, source)
                await writer.write(window, pace.limit(len(window)))
            progress[0] += len(window)
    except TimeoutError:
        raise TooSlow from None
    finally:
        writer.close()


async def _transformed(piece: Transform, source: Source | None, buffers: Buffers) -> memoryview:
    """What *piece* makes; what it was made of is let go before the client is waited for."""
    with buffers.lend(sum(extent.length for extent in piece.extents)) as read:
        if piece.extents:
            assert source is not None
            await source.read(piece.extents, read)
        return piece.apply(read)


async def _fill(window: memoryview, group: Sequence[Piece], source: Source | None) -> None:
    """Bytes and extents, end to end: one write takes them all."""
    position = 0
    extents: list[Extent] = []
    for piece in group:
        if isinstance(piece, Extent):
            extents.append(piece)
            continue
        position = await _read(window, position, extents, source)
        extents = []
        window[position : position + len(piece)] = cast(bytes, piece)
        position += len(piece)
    await _read(window, position, extents, source)


async def _read(
    window: memoryview, position: int, extents: Sequence[Extent], source: Source | None
) -> int:
    """Read *extents* to *window* from *position* on; where they end."""
    if not extents:
        return position
    assert source is not None
    end = position + sum(extent.length for extent in extents)
    await source.read(extents, window[position:end])
    return end
