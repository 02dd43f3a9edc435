"""An edge node: the place where verdicts become answers.

A hit is found without waiting (``find``); everything else is one coroutine per request
(``answer``).
"""

import asyncio
import time
from typing import assert_never

from edge_cache.config import EdgeConfig
from edge_cache.decision import Decision, Fetch, Revalidate, Serve, ServeStale, decide
from edge_cache.entry import CacheKey, Entry
from edge_cache.errors import Overloaded, Refused, UpstreamError
from edge_cache.fill import Fill, Flowing, Outcome, Reader, Refreshed, Turned
from edge_cache.filling import Filling
from edge_cache.forwarding import passed_fields, received_fields
from edge_cache.gate import Gate
from edge_cache.http.cache_status import CacheStatus, Forward
from edge_cache.http.fields import values
from edge_cache.metrics import Role, Tally, Verdict
from edge_cache.reply import Reply
from edge_cache.request import Request
from edge_cache.selection import Part, select
from edge_cache.storability import Refusal
from edge_cache.tiers.memory import MemoryTier
from edge_cache.upstream.client import UpstreamClient
from edge_cache.upstream.outgoing import Outgoing
from edge_cache.upstream.response import Response

_SAFE = (b"GET", b"HEAD", b"OPTIONS")
_MAX_ROUNDS = 3
"""Fills that a request may join in vain, each time because Vary selects another variant."""

_RETRY_AFTER = 1
"""Seconds."""


class Node:
    def __init__(
        self, config: EdgeConfig, upstream: UpstreamClient, tier: MemoryTier, tally: Tally
    ) -> None:
        self._config = config
        self._upstream = upstream
        self._tier = tier
        self._tally = tally
        self._gate = Gate(
            config.max_upstream,
            waiting=config.max_waiting,
            patience=config.upstream_patience,
        )
        self._filling = Filling(config, upstream, tier, self._gate, tally)

    def find(self, request: Request, now: float) -> Decision:
        """What to do about *request* at *now* (monotonic seconds)."""
        if not request.wants_stored:
            return Fetch()
        entry = self._tier.get(self._tier.key(request.key, request.fields))
        return decide(entry, now=now, authorized=request.is_authorized)

    def refresh(self, request: Request, stale: Entry) -> None:
        """Fetch in the background what has just been served stale."""
        self._filling.refresh(self._key(request), request, stale)

    async def answer(self, request: Request, reply: Reply) -> None:
        """Answer what is no hit."""
        try:
            await self._answer(request, reply)
        except UpstreamError as error:
            request.tries = request.tries or error.tries
            reply.error(error.status, error.failure)
        except Overloaded:
            reply.error(503, "overloaded", retry_after=_RETRY_AFTER)
        except Refused as refused:  # the rest of its body is not what it should be
            reply.error(refused.status, refused.reason)

    async def close(self) -> None:
        await self._filling.close()
        self._upstream.close()

    async def _answer(self, request: Request, reply: Reply) -> None:
        if request.method not in _SAFE or request.body is not None:
            await self._pass(request, reply, Forward.METHOD, Refusal.METHOD)
            return
        if not request.wants_stored:
            await self._pass(request, reply, Forward.BYPASS, Refusal.METHOD)
            return
        for _ in range(_MAX_ROUNDS):
            if await self._round(request, reply):
                return
        await self._pass(request, reply, Forward.VARY_MISS, None)

    async def _round(self, request: Request, reply: Reply) -> bool:
        """Look, and join a fill if need be; False if it was for another variant."""
        key, now = self._key(request), time.monotonic()
        match decide(self._tier.get(key), now=now, authorized=request.is_authorized):
            case Serve(entry) | ServeStale(entry):  # it came while this request waited
                reply.entry(entry, CacheStatus(ttl=entry.ttl(now)), Verdict.HIT)
                return True
            case Revalidate(entry):
                return await self._join(request, reply, key, entry)
            case Fetch():
                return await self._join(request, reply, key, None)
            case never:
                assert_never(never)

    async def _join(
        self, request: Request, reply: Reply, key: CacheKey, stale: Entry | None
    ) -> bool:
        forward = Forward.STALE if stale else Forward.VARY_MISS if key[1] else Forward.URI_MISS
        if self._filling.is_refused(key, request):
            await self._pass(request, reply, forward, Refusal.HIT_FOR_MISS)
            return True
        if request.method == b"HEAD":  # a fill would fetch all for one that wants none of it
            await self._pass(request, reply, forward, None)
            return True
        fill, is_leader = self._filling.join(key, request, stale)
        request.role = Role.LEADER if is_leader else Role.FOLLOWER
        with Reader(fill) as reader:
            try:
                outcome = await self._outcome(fill, is_leader)
                if outcome is not None:
                    return await self._follow(request, reply, reader, outcome, forward)
            finally:
                if is_leader:
                    _leave(fill)
        await self._pass(request, reply, forward, Refusal.SLOW_FILL)
        return True

    async def _outcome(self, fill: Fill, is_leader: bool) -> Outcome | None:
        """What came of *fill*; None if it takes longer than a follower should wait."""
        patience = None if is_leader else self._config.coalesce_timeout
        try:
            async with asyncio.timeout(patience):
                return await asyncio.shield(fill.outcome)
        except TimeoutError:
            return None

    async def _follow(
        self,
        request: Request,
        reply: Reply,
        reader: Reader,
        outcome: Outcome,
        forward: Forward,
    ) -> bool:
        is_leader = request.role is Role.LEADER
        match outcome:
            case Turned(refusal, response) if is_leader:
                await self._relay(request, reply, response, forward, refusal)
            case Turned(refusal):
                await self._pass(request, reply, forward, refusal)
            case _ if not reader.suits(request):
                return False
            case Refreshed(entry):
                request.upstream_status = 304
                status = _forwarded(forward, 304, collapsed=not is_leader, stored=True)
                reply.entry(entry, status, Verdict.REVALIDATED)
            case Flowing():
                await self._stream(request, reply, reader, outcome, forward)
        return True

    async def _stream(
        self,
        request: Request,
        reply: Reply,
        reader: Reader,
        flowing: Flowing,
        forward: Forward,
    ) -> None:
        """Send what *request* selects of a body that is still growing."""
        entry, size = flowing.entry, flowing.size
        request.upstream_status = entry.status
        collapsed = request.role is Role.FOLLOWER
        status = _forwarded(forward, entry.status, collapsed=collapsed, stored=True)
        selection = select(request, entry, size)
        if isinstance(selection, Part):
            reader.select(selection.part.start, selection.part.stop)
        if not reply.start(selection, entry, size, status, Verdict.MISS):
            return
        while piece := await reader.read():
            await reply.write(piece)
        reply.finish()

    async def _pass(
        self, request: Request, reply: Reply, forward: Forward, refusal: Refusal | None
    ) -> None:
        """Send *request* upstream for itself alone."""
        fields = passed_fields(request)
        body = None if request.body is None else aiter(request.body)
        outgoing = Outgoing(request.method, request.key, fields, body, reply.interim)
        async with self._gate.turn():
            response = await self._send(outgoing)
            if request.method not in _SAFE and response.status < 400:
                self._tier.delete(request.key)  # RFC 9111 §4.4
            await self._relay(request, reply, response, forward, refusal)

    async def _send(self, outgoing: Outgoing) -> Response:
        try:
            return await self._upstream.send(outgoing)
        except UpstreamError as error:
            self._tally.upstream_error(error.failure)
            raise

    async def _relay(
        self,
        request: Request,
        reply: Reply,
        response: Response,
        forward: Forward,
        refusal: Refusal | None,
    ) -> None:
        """Send a response that belongs to this request alone."""
        request.upstream_status = response.status
        request.server, request.tries = response.server, response.tries
        status = _forwarded(forward, response.status, refusal=refusal)
        fields = received_fields(response.fields, now=time.time())
        age = [(b"Age", line.encode("latin-1")) for line in values(response.fields, b"age")]
        try:
            reply.start_passed(response.status, (*fields, *age), response.length, status)
            while piece := await response.read(self._config.read_timeout):
                await reply.write(piece)
            reply.finish()
        finally:
            response.close()

    def _key(self, request: Request) -> CacheKey:
        return self._tier.key(request.key, request.fields)


def _leave(fill: Fill) -> None:
    """The leader is done or gone: what only it could read must not wait for it."""
    fill.leader_here = False
    if fill.outcome.done() and fill.outcome.exception() is None:
        outcome = fill.outcome.result()
        if isinstance(outcome, Turned):
            outcome.response.close()


def _forwarded(
    forward: Forward,
    status: int,
    *,
    collapsed: bool = False,
    stored: bool = False,
    refusal: Refusal | None = None,
) -> CacheStatus:
    return CacheStatus(
        forward=forward,
        forward_status=status,
        stored=stored,
        collapsed=collapsed,
        detail=refusal,
    )
