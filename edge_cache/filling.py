"""Who fills what: the fills on their way, and what becomes of each response."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from edge_cache.config import EdgeConfig
from edge_cache.entry import CacheKey, Entry, make_entry, updated_fields
from edge_cache.errors import EdgeError, Failure, UpstreamError
from edge_cache.fill import Fill, Flowing, Refreshed, Turned
from edge_cache.forwarding import fill_fields, received_fields
from edge_cache.freshness import Freshness, assess
from edge_cache.gate import Gate
from edge_cache.http.cache_control import CacheControl
from edge_cache.http.fields import Fields, values
from edge_cache.markers import Markers
from edge_cache.metrics import Tally
from edge_cache.request import Request
from edge_cache.storability import Refusal, refusal, shareable
from edge_cache.tiers.memory import MemoryTier
from edge_cache.upstream.client import UpstreamClient
from edge_cache.upstream.outgoing import Outgoing
from edge_cache.upstream.response import Response
from edge_cache.vary import variant, vary_names

FillKey = tuple[CacheKey, bool]
"""A key, and whether the request carries Authorization: a response to one that does may not
be for one that does not, so they never wait for each other (RFC 9111 §3.5)."""

_OF_THE_REQUEST = (Refusal.NO_ROOM, Refusal.AUTHORIZATION)
"""Refusals that say nothing about what others were served before."""

_log = logging.getLogger("edge")


class Filling:
    def __init__(
        self,
        config: EdgeConfig,
        upstream: UpstreamClient,
        tier: MemoryTier,
        gate: Gate,
        tally: Tally,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._upstream = upstream
        self._tier = tier
        self._gate = gate
        self._tally = tally
        self._clock, self._wall = clock, wall
        self._fills: dict[FillKey, Fill] = {}
        self._arriving = 0
        """Bytes that bodies on their way hold or have announced."""
        self._refused: Markers[FillKey] = Markers(config.hit_for_miss)
        self._resting: Markers[CacheKey] = Markers(config.refresh_rest)
        self._tasks: set[asyncio.Task[None]] = set()  # keeps them from being collected

    def join(self, key: CacheKey, request: Request, stale: Entry | None) -> tuple[Fill, bool]:
        """The fill for *key*, and whether *request* has begun it."""
        fill_key = key, request.is_authorized
        fill = self._fills.get(fill_key)
        if fill is not None:
            return fill, False
        fill = self._fills[fill_key] = Fill(key, request, stale)
        self._spawn(self._run(fill, fill_key))
        return fill, True

    def refresh(self, key: CacheKey, request: Request, stale: Entry) -> None:
        """Fetch *key* anew in the background, unless that is under way or has just failed."""
        if (key, request.is_authorized) in self._fills:
            return
        if self._resting.holds(key, self._clock()):
            return
        fill, _ = self.join(key, request, stale)
        fill.leader_here = False

    def is_refused(self, key: CacheKey, request: Request) -> bool:
        """Whether a response for *key* was refused a moment ago."""
        return self._refused.holds((key, request.is_authorized), self._clock())

    async def close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, fill: Fill, fill_key: FillKey) -> None:
        self._tally.fill_started()
        try:
            async with self._gate.turn():
                await self._fetch(fill, fill_key)
        except EdgeError as error:
            self._fail(fill, error)
        except BaseException as error:  # a bug, or the end of the process: nobody may hang
            self._fail(fill, UpstreamError(Failure.CLOSED))
            if not isinstance(error, asyncio.CancelledError):
                _log.exception("a fill failed")
        finally:
            self._forget(fill)
            self._tally.fill_ended()

    def _fail(self, fill: Fill, error: EdgeError) -> None:
        fill.fail(error)
        if isinstance(error, UpstreamError):
            self._tally.upstream_error(error.failure)
        if fill.stale is not None:
            self._resting.mark(fill.key, self._clock())

    async def _fetch(self, fill: Fill, fill_key: FillKey) -> None:
        asked = self._clock()
        conditions = fill.stale.conditions() if fill.stale is not None else ()
        fields = fill_fields(fill.request, conditions)
        response = await self._upstream.send(Outgoing(b"GET", fill_key[0][0], fields))
        fill.request.server, fill.request.tries = response.server, response.tries
        try:
            await self._take(fill, fill_key, response, asked)
        finally:
            response.close()

    async def _take(
        self, fill: Fill, fill_key: FillKey, response: Response, asked: float
    ) -> None:
        status, now, wall = response.status, self._clock(), self._wall()
        fields = received_fields(response.fields, now=wall)
        if status == 304:
            if fill.stale is None:
                raise UpstreamError(Failure.UNEXPECTED_STATUS)
            status, fields = fill.stale.status, updated_fields(fill.stale.fields, fields)
        control = CacheControl.parse(values(fields, b"cache-control"))
        aged = (*fields, *(field for field in response.fields if field[0].lower() == b"age"))
        freshness = assess(aged, control, now=wall, delay=now - asked)
        refused = refusal(status, fields, control, freshness, authorized=fill_key[1])
        may_share = shareable(control)
        if response.status == 304 and fill.stale is not None:
            self._refreshed(fill, fields, freshness, refused, may_share)
            return
        refused = refused or self._no_room(response.length)
        if refused is not None:
            await self._turn(fill, fill_key, response, refused)
            return
        draft = make_entry(status, fields, b"", freshness, now=now, shareable=may_share)
        self._share(fill, fill_key, draft, response.length)
        await self._collect(fill, fill_key, response, draft)

    # A 304.

    def _refreshed(
        self,
        fill: Fill,
        fields: Fields,
        freshness: Freshness,
        refused: Refusal | None,
        may_share: bool,
    ) -> None:
        stale = fill.stale
        assert stale is not None
        entry = make_entry(
            stale.status, fields, stale.body, freshness, now=self._clock(), shareable=may_share
        )
        target, _ = fill.key
        names = vary_names(fields) or ()
        if refused is None:
            self._tier.expect(target, names)
            fill.names = names
            key = (target, variant(names, fill.request.fields))
            self._tier.put(key, names, entry)
            self._tier.settle(target, names)
            self._count_tier()
        else:
            self._tier.discard(fill.key)
        fill.settle(Refreshed(entry))

    # A response that may not be shared.

    def _no_room(self, length: int | None) -> Refusal | None:
        if length is None:
            return None
        if length > self._config.object_limit:
            return Refusal.TOO_LARGE
        fits = self._arriving + length <= self._config.fill_memory
        return None if fits else Refusal.NO_ROOM

    async def _turn(
        self, fill: Fill, fill_key: FillKey, response: Response, refused: Refusal
    ) -> None:
        """Let everyone go; the leader takes the response with it."""
        self._forget(fill)
        if response.status < 400:  # an error may be the fault of this one request
            self._refused.mark(fill_key, self._clock())
        if response.status >= 500 and fill.stale is not None:
            self._resting.mark(fill.key, self._clock())
        elif fill.stale is not None and refused not in _OF_THE_REQUEST:
            self._tier.discard(fill.key)
            self._count_tier()
        fill.settle(Turned(refused, response))
        if fill.leader_here:
            await asyncio.wait([response.finished])  # keeps the turn upstream while it lasts

    # A response that is shared and stored.

    def _share(self, fill: Fill, fill_key: FillKey, draft: Entry, size: int | None) -> None:
        """From now on it is found under the key that its Vary gives it."""
        names = vary_names(draft.fields) or ()
        target, _ = fill.key
        self._forget(fill)
        fill.names = names
        fill.key = (target, variant(names, fill.request.fields))
        self._tier.expect(target, names)
        self._fills.setdefault((fill.key, fill_key[1]), fill)
        fill.settle(Flowing(draft, size))

    async def _collect(
        self, fill: Fill, fill_key: FillKey, response: Response, draft: Entry
    ) -> None:
        reserved = response.length or 0
        self._arriving += reserved
        try:
            while piece := await response.read(self._config.read_timeout):
                fill.append(piece)
                if response.length is None:
                    reserved += len(piece)
                    self._arriving += len(piece)
                    if self._is_too_much(fill.body.size):
                        for key in (fill_key, (fill.key, fill_key[1])):
                            self._refused.mark(key, self._clock())
                        await self._spill(fill, response)
                        return
            self._store(fill, draft)
        finally:
            self._arriving -= reserved
            self._tier.settle(fill.key[0], fill.names)

    def _is_too_much(self, size: int) -> bool:
        too_large = size > self._config.object_limit
        return too_large or self._arriving > self._config.fill_memory

    def _store(self, fill: Fill, draft: Entry) -> None:
        body = fill.body.whole()
        head = draft.head.removesuffix(b"Content-Length: 0\r\n")
        if draft.status != 204:
            head += b"Content-Length: %d\r\n" % len(body)
        self._tier.put(fill.key, fill.names, replace(draft, body=body, head=head))
        self._count_tier()
        fill.complete()

    async def _spill(self, fill: Fill, response: Response) -> None:
        """Too large after all: those who read go on in a window, nobody else may join."""
        self._forget(fill)
        while await fill.room(self._config.stream_window):
            piece = await response.read(self._config.read_timeout)
            if not piece:
                fill.complete()
                return
            fill.append(piece)
        raise UpstreamError(Failure.CLOSED)  # nobody is left to be told

    def _forget(self, fill: Fill) -> None:
        for key in [(fill.key, False), (fill.key, True)]:
            if self._fills.get(key) is fill:
                del self._fills[key]

    def _count_tier(self) -> None:
        self._tally.tier(len(self._tier), self._tier.size, self._tier.evictions)
