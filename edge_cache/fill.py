"""One fetch that many requests wait for, and the body they read while it grows.

    started ---> Flowing ---> complete (stored)
       |            +-------> cut: every reader sees it; nothing is stored
       +-------> Refreshed    a 304: the stored entry is good again
       +-------> Gathered     a part of the body has come, and is kept with the others
       +-------> StoodIn      the upstream failed, and what is stored may be served stale
       +-------> Turned       may not be shared: its leader has it, the others go themselves
       +-------> Released     the owner of the key has nothing to share: all go themselves
       +-------> failed       nothing came: everyone gets the same error

No client owns a fill: the one that began it reads it like the others, and may leave.
"""

import asyncio
from dataclasses import dataclass

from edge_cache.body import GrowingBody
from edge_cache.entry import CacheKey, Entry
from edge_cache.http.fields import Fields
from edge_cache.outcomes import Outcome
from edge_cache.purging.tags import UNKNOWN
from edge_cache.request import Request
from edge_cache.siblings.told import Told
from edge_cache.spool import Spool
from edge_cache.upstream.response import Interim, Response
from edge_cache.variants import Offered
from edge_cache.vary import Names, variant

_FROM_FILE = 256 << 10
"""Bytes that are read from a file at a time."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The part of a body that a fill asks for."""

    start: int | None
    """None for the last bytes, of which the size is not known yet."""

    stop: int

    @property
    def field(self) -> bytes:
        """As Range says it."""
        if self.start is None:
            return b"bytes=-%d" % self.stop
        return b"bytes=%d-%d" % (self.start, self.stop - 1)


class Fill:
    """State only; ``filling`` drives it and ``node`` reads from it."""

    def __init__(
        self,
        key: CacheKey,
        request: Request,
        stored: Entry | None,
        wanted: Wanted | None = None,
        interim: Interim | None = None,
    ) -> None:
        self.key = key
        self.request = request
        """Of the leader; only its fields are used once its client has left."""
        self.stored = stored
        """What is revalidated, or completed by a part, if anything."""
        self.wanted = wanted
        """None is the whole body."""
        self._interim = interim
        self.offered: Offered = {}
        """Other variants, of which a 304 may name one."""
        self.names: Names = ()
        """What the response varies on."""
        self.tags = UNKNOWN
        """Under which what it brings can be purged; known once the head is there."""
        self.begun = 0
        """The number of the latest purge when it began."""
        self.is_overtaken = False
        """An unsafe request has succeeded since it began: it must not be stored."""
        self.told: Told | None = None
        """What the owner of the key said of its answer, if it is from there."""
        self.leader_here = True
        self.body = GrowingBody()
        self.spool: Spool | None = None
        """Writes the body to the disk, and has what is no longer held of it."""
        self.is_complete = False
        self.readers: set[Reader] = set()
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._error: Exception | None = None
        self._waiting: list[asyncio.Future[None]] = []
        self._progress: asyncio.Future[None] | None = None

    def settle(self, outcome: Outcome) -> None:
        self.outcome.set_result(outcome)

    def interim(self, status: int, fields: Fields) -> None:
        """A 1xx, which is for the client that is waiting for this very response."""
        if self._interim is not None and self.leader_here:
            self._interim(status, fields)

    def append(self, piece: bytes) -> None:
        self.body.append(piece)
        if self.spool is not None:
            self.spool.append(piece)
        self._wake()

    def spool_to(self, spool: Spool, window: int) -> None:
        """Let *spool* have the body; what it has written is held in RAM for the last *window*
        bytes alone."""
        self.spool = spool
        for piece in self.body.pieces:
            spool.append(piece)

        def written() -> None:
            if not spool.is_lost:
                self.body.drop_before(min(spool.written, self.body.size - window))

        spool.on_written(written)

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
        self.free_if_cut()

    def free_if_cut(self) -> None:
        """Let go of a cut body that nobody reads any more.

        The error's traceback and the fill hold each other, and the collector, which counts
        objects and not bytes, may leave them for long.
        """
        if self._error is not None and not self.readers:
            self.body = GrowingBody()

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
        self.found_whole = fill.is_complete
        """All of the body was there when the client joined."""

    def __enter__(self) -> "Reader":
        self._fill.readers.add(self)
        return self

    def __exit__(self, *_error: object) -> None:
        self._fill.readers.discard(self)
        self._fill.progressed()
        self._fill.free_if_cut()

    @property
    def told(self) -> Told | None:
        """What the owner of the key said of its answer."""
        return self._fill.told

    def suits(self, request: Request) -> bool:
        """Whether *request* selects the variant that came; known once the head is there."""
        names, leader = self._fill.names, self._fill.request
        return variant(names, request.fields) == variant(names, leader.fields)

    def may_relay(self, response: Response) -> bool:
        """Whether its leader may have *response* as it is: not a part of other bounds."""
        wanted, known = self._fill.wanted, self._fill.request.known
        if wanted is None or response.status != 206:
            return True
        return known.get(b"range") == wanted.field and b"if-range" not in known

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
                piece = await self._piece(fill, stop)
                self.offset += len(piece)
                return piece
            if fill.is_complete or self.offset == self._stop:
                return None
            await fill.more()

    async def _piece(self, fill: Fill, stop: int) -> memoryview:
        """From RAM, or for who is behind from the file."""
        start = fill.body.start
        if self.offset >= start or fill.spool is None:
            return fill.body.read(self.offset, stop)
        stop = min(stop, start, self.offset + _FROM_FILE)
        return memoryview(await fill.spool.read(self.offset, stop))
