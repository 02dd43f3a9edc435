"""Plans to bytes on a connection, a window at a time.

A window is read, written, and waited for before the next one: a slow client holds one window
and what the socket has.  Buffers are never reused here, so nothing can change under a write.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import cast

from origin.storage.source import Source
from packager.plan import Extent, Piece, Plan, Transform

Write = Callable[[bytes], Awaitable[None]]


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


async def fetch(group: list[Piece], source: Source | None) -> list[bytes | memoryview]:
    """The bytes of one window, in few buffers."""
    if isinstance(group[0], Transform):
        return [await _transformed(group[0], source)]
    extents = [piece for piece in group if isinstance(piece, Extent)]
    read = memoryview(b"")
    if extents:
        assert source is not None
        read = await source.read(extents)
    buffers: list[bytes | memoryview] = []
    position = taken = 0
    for piece in group:
        if isinstance(piece, Extent):
            position += piece.length
            continue
        if position > taken:
            buffers.append(read[taken:position])
            taken = position
        buffers.append(cast(bytes, piece))
    if position > taken:
        buffers.append(read[taken:position])
    return buffers


async def _transformed(piece: Transform, source: Source | None) -> memoryview:
    parts: list[memoryview] = []
    if piece.extents:
        assert source is not None
        read = await source.read(piece.extents)
        position = 0
        for extent in piece.extents:
            parts.append(read[position : position + extent.length])
            position += extent.length
    return piece.apply(parts)


async def send(
    plan: Plan,
    source: Source | None,
    write: Write,
    *,
    window: int,
    minimum_rate: int,
    patience: float,
) -> None:
    """Send *plan*.  Raises what reading raises, and ``TooSlow``."""
    for group in windows(plan, window):
        size = 0
        written = None
        for buffer in await fetch(group, source):
            size += len(buffer)
            written = asyncio.ensure_future(write(cast(bytes, buffer)))
        if written is None or written.done():
            continue
        try:
            await asyncio.wait_for(written, patience + size / minimum_rate)
        except TimeoutError:
            raise TooSlow from None
