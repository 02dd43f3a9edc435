"""One fetch that many requests wait for, and the body they read while it grows.

    started ---> Flowing ---> complete (stored)
       |            +-------> cut: every reader sees it; nothing is stored
       +-------> Refreshed    a 304: the stored entry is good again
       +-------> Turned       may not be shared: its leader has it, the others go themselves
       +-------> failed       nothing came: everyone gets the same error

No client owns a fill: the one that began it reads it like the others, and may leave.
"""

import asyncio
from dataclasses import dataclass

from edge_cache.body import GrowingBody
from edge_cache.entry import CacheKey, Entry
from edge_cache.request import Request
from edge_cache.storability import Refusal
from edge_cache.upstream.response import Response
from edge_cache.vary import Names, variant


@dataclass(frozen=True, slots=True)
class Flowing:
    """The head is there and may be shared; the body is on its way."""

    entry: Entry
    """Without its body."""

    size: int | None
    """Of the whole body, if the head tells."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The upstream says that what is stored still holds."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Turned:
    """The response may not be stored, and so not be shared."""

    refusal: Refusal
    response: Response
    """For the leader alone."""


Outcome = Flowing | Refreshed | Turned


class Fill:
    """State only; ``filling`` drives it and ``node`` reads from it."""

    def __init__(self, key: CacheKey, request: Request, stale: Entry | None) -> None:
        self.key = key
        self.request = request
        """Of the leader; only its fields are used once its client has left."""
        self.stale = stale
        """What is revalidated, if anything."""
        self.names: Names = ()
        """What the response varies on."""
        self.leader_here = True
        self.body = GrowingBody()
        self.is_complete = False
        self.readers: set[Reader] = set()
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._error: Exception | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._progress: asyncio.Future[None] | None = None

    def settle(self, outcome: Outcome) -> None:
        self.outcome.set_result(outcome)

    def append(self, piece: bytes) -> None:
        self.body.append(piece)
        self._wake()

    def complete(self) -> None:
        self.is_complete = True
        self._wake()

    def fail(self, error: Exception) -> None:
        """Everyone who waits for the head or the rest of the body gets *error*."""
        self._error = error
        if not self.outcome.done():
            self.outcome.set_exception(error)
            self.outcome.exception()  # seen: there may be nobody left to ask
        self._wake()

    async def more(self) -> None:
        """Wait until there is more of the body, or the end of it."""
        if self._error is not None:
            raise self._error
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        await waiter

    async def room(self, window: int) -> bool:
        """Wait until the slowest reader is within *window* bytes; False if none is left."""
        while self.readers:
            slowest = min(reader.offset for reader in self.readers)
            self.body.drop_before(slowest)
            if self.body.size - slowest <= window:
                return True
            self._progress = asyncio.get_running_loop().create_future()
            await self._progress
        return False

    def progressed(self) -> None:
        """A reader has gone on, or away."""
        if self._progress is not None and not self._progress.done():
            self._progress.set_result(None)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():  # or its client has left
                waiter.set_result(None)


class Reader:
    """One client's place in a fill's body: ``[offset, stop)``; None is the end.

    It is taken when the client joins, before it is known what it will read: what nobody has
    read yet must not be dropped under it.
    """

    def __init__(self, fill: Fill) -> None:
        self.offset = 0
        self._fill = fill
        self._stop: int | None = None

    def __enter__(self) -> "Reader":
        self._fill.readers.add(self)
        return self

    def __exit__(self, *_error: object) -> None:
        self._fill.readers.discard(self)
        self._fill.progressed()

    def suits(self, request: Request) -> bool:
        """Whether *request* selects the variant that came; known once the head is there."""
        names, leader = self._fill.names, self._fill.request
        return variant(names, request.fields) == variant(names, leader.fields)

    def select(self, start: int, stop: int | None) -> None:
        """Read this part only."""
        self.offset, self._stop = start, stop

    async def read(self) -> memoryview | None:
        """The next bytes as they come; None at the end.  Raises what cut the body."""
        fill = self._fill
        fill.progressed()
        while True:
            size = fill.body.size
            stop = size if self._stop is None else min(self._stop, size)
            if self.offset < stop:
                piece = fill.body.read(self.offset, stop)
                self.offset += len(piece)
                return piece
            if fill.is_complete or self.offset == self._stop:
                return None
            await fill.more()
