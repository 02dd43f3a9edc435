"""An edge node: the place where verdicts become answers.

A hit is found without waiting (``find``); everything else is one coroutine per request
(``answer``).
"""

import asyncio
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import assert_never

from edge_cache.config import EdgeConfig
from edge_cache.decision import (
    Decision,
    Fetch,
    Renew,
    Revalidate,
    Serve,
    ServeStale,
    decide,
    stands_in,
)
from edge_cache.disk.errors import DiskError
from edge_cache.disk.stored import Stored
from edge_cache.entry import CacheKey, Entry
from edge_cache.errors import Failure, Overloaded, Refused, UpstreamError
from edge_cache.fill import Fill, Reader, Wanted
from edge_cache.filling import Filling
from edge_cache.forwarding import check_loop, is_last_hop
from edge_cache.gate import Gate
from edge_cache.http.cache_control import CacheControl
from edge_cache.http.cache_status import CacheStatus, Forward
from edge_cache.http.fields import values
from edge_cache.http.ranges import ByteRange
from edge_cache.metrics import Role, Tally, Verdict
from edge_cache.outcomes import Flowing, Gathered, Outcome, Refreshed, Released, StoodIn, Turned
from edge_cache.passing import SAFE, Passing
from edge_cache.purging import method
from edge_cache.ranging import (
    asked_of,
    block_at,
    block_size,
    comes_soon,
    first_wanted,
    may_follow,
    missing,
    pieces,
    sent_in_blocks,
)
from edge_cache.reply import Reply
from edge_cache.request import Request
from edge_cache.selection import Full, Part, Selection, select
from edge_cache.siblings.client import Siblings
from edge_cache.storability import Refusal
from edge_cache.tiers.tiered import Tiered
from edge_cache.upstream.client import UpstreamClient

_MAX_ROUNDS = 3
"""Times that a request may look again in vain: Vary selects another variant, or what it began
to read has changed."""

_RETRY_AFTER = 1
"""Seconds."""

_STALE_IF_ERROR = "stale-if-error"


class Node:
    def __init__(
        self,
        config: EdgeConfig,
        upstream: UpstreamClient,
        tier: Tiered,
        tally: Tally,
        siblings: Siblings | None = None,
    ) -> None:
        self._config = config
        self._upstream = upstream
        self._siblings = siblings
        self._tier = tier
        gate = Gate(
            config.max_upstream,
            waiting=config.max_waiting,
            patience=config.upstream_patience,
        )
        self._filling = Filling(config, upstream, tier, gate, tally, siblings)
        self._passing = Passing(
            config, upstream, tier, gate, tally, self._filling.overtake, siblings
        )

    def find(self, request: Request, now: float) -> Decision:
        """What to do about *request* at *now* (monotonic seconds)."""
        if not request.wants_stored:
            return _FETCH
        entry = self._tier.get(self._tier.key(request.key, request.fields))
        if entry is None:
            try:
                entry = self._tier.recall(request.key, request.fields, waits=False)
            except BlockingIOError:  # the disk is waited for off this path
                request.from_disk = True
                return _FETCH
            request.from_disk = entry is not None
        elif isinstance(entry.body, Stored):
            request.from_disk = True
        if entry is not None and entry.parts is not None:
            return _FETCH
        return decide(entry, now=now, authorized=request.is_authorized)

    def refresh(self, request: Request, stale: Entry) -> None:
        """Fetch in the background what has just been served stale."""
        self._filling.refresh(self._key(request), request, stale)

    def renew(self, request: Request, ageing: Entry) -> None:
        """Fetch in the background what is soon stale, if it is asked for often."""
        key = self._key(request)
        if self._tier.is_hot(key):
            self._filling.refresh(key, request, ageing)

    async def answer(self, request: Request, reply: Reply) -> None:
        """Answer what is no hit."""
        try:
            await self._answer(request, reply)
        except UpstreamError as error:
            request.tries = request.tries or error.tries
            reply.error(error.status, error.failure)
        except Overloaded:
            reply.error(503, "overloaded", retry_after=_RETRY_AFTER)
        except DiskError as error:  # what is behind a body that grows reads it from the disk
            reply.error(500, error.reason)
        except Refused as refused:  # the rest of its body is not what it should be
            reply.error(refused.status, refused.reason)

    async def close(self) -> None:
        await self._filling.close()
        self._upstream.close()
        if self._siblings is not None:
            self._siblings.close()

    async def _answer(self, request: Request, reply: Reply) -> None:
        if not request.is_internal:
            check_loop(request.fields, self._config.node_id)
        if is_last_hop(request):
            reply.options()
        elif request.method == method.METHOD and self._config.purge_method:
            await method.purge(request, self._tier.purges, self._config.admin_token)
            reply.purged()
        elif request.method not in SAFE or request.body is not None:
            forward = Forward.BYPASS if request.method in SAFE else Forward.METHOD
            await self._passing.send(request, reply, forward, Refusal.METHOD)
        elif not request.wants_stored:
            await self._passing.send(request, reply, Forward.BYPASS, Refusal.METHOD)
        else:
            await self._rounds(request, reply)

    async def _rounds(self, request: Request, reply: Reply) -> None:
        for _ in range(_MAX_ROUNDS):
            if await self._round(request, reply):
                return
        await self._passing.send(request, reply, Forward.VARY_MISS, None)

    async def _round(self, request: Request, reply: Reply) -> bool:
        """Look, and join a fill if need be; False to look again."""
        request.told = None
        found, now = await self._tier.look(request.key, request.fields), time.monotonic()
        key = self._key(request)
        request.from_disk = request.from_disk or (found is not None and found.is_on_disk)
        match decide(found, now=now, authorized=request.is_authorized):
            case Serve(entry) if entry.is_part:
                return await self._from_parts(request, reply, key, entry)
            case ServeStale(entry) if entry.is_part:
                return await self._miss(request, reply, key, entry)
            case Serve(entry) | Renew(entry) | ServeStale(entry):
                # It came while this request waited.
                reply.entry(entry, CacheStatus(ttl=entry.ttl(now)), Verdict.HIT)
                return True
            case Revalidate(entry):
                covers = stands_in(entry, now=now, answered=False) and not entry.is_part
                if covers and self._filling.is_covered(key):
                    status = CacheStatus(ttl=entry.ttl(now), detail=_STALE_IF_ERROR)
                    reply.entry(entry, status, Verdict.STALE)
                    return True
                return await self._miss(request, reply, key, entry)
            case Fetch():
                return await self._miss(request, reply, key, None)
            case never:
                assert_never(never)

    async def _miss(
        self, request: Request, reply: Reply, key: CacheKey, stored: Entry | None
    ) -> bool:
        """Ask upstream, for the whole or for the part that is wanted."""
        forward = Forward.STALE if stored else Forward.VARY_MISS if key[1] else Forward.URI_MISS
        if _only_if_cached(request):
            if await self._passing.ask_owner(request, reply, forward):
                return True
            raise Refused(504, "only-if-cached")  # RFC 9111 §5.2.1.7
        if self._filling.is_refused(key, request):
            await self._passing.send(request, reply, forward, Refusal.HIT_FOR_MISS)
            return True
        if request.method == b"HEAD":  # a fill would fetch all for one that wants none of it
            if not await self._passing.ask_owner(request, reply, forward):
                await self._passing.send(request, reply, forward, None)
            return True
        asked = asked_of(request) if stored is None or stored.is_part else None
        if asked is None:
            return await self._join(request, reply, key, stored, forward)
        whole = self._filling.whole(key, request)
        if whole is not None and comes_soon(whole, asked, self._config):
            return await self._join(request, reply, key, stored, forward)
        wanted = first_wanted(asked, self._config)
        if wanted is None:
            await self._passing.send(request, reply, forward, Refusal.PARTIAL)
            return True
        return await self._join(request, reply, key, stored, forward, wanted)

    async def _join(
        self,
        request: Request,
        reply: Reply,
        key: CacheKey,
        stored: Entry | None,
        forward: Forward,
        wanted: Wanted | None = None,
    ) -> bool:
        fill, is_leader = self._filling.join(key, request, stored, wanted, reply.interim)
        request.role = Role.LEADER if is_leader else Role.FOLLOWER
        with Reader(fill) as reader:
            try:
                outcome = await self._outcome(fill, is_leader)
                if outcome is not None:
                    return await self._follow(request, reply, reader, outcome, forward)
            finally:
                if is_leader:
                    _leave(fill)
        await self._passing.send(request, reply, forward, Refusal.SLOW_FILL)
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
        request.told = reader.told
        if is_leader:
            outcome = _in_full(outcome)
        match outcome:
            case Released(refusal):
                await self._passing.send(request, reply, forward, refusal)
            case Turned(refusal, response) if is_leader and reader.may_relay(response):
                await self._passing.relay(request, reply, response, forward, refusal)
            case Turned(refusal, response):
                if is_leader:
                    response.close()
                await self._passing.send(request, reply, forward, refusal)
            case Flowing(refusal=str(refusal)) | Refreshed(refusal=str(refusal)) if (
                not is_leader
            ):
                await self._passing.send(request, reply, forward, refusal)
            case _ if not reader.suits(request):
                return False
            case Gathered(entry, status):
                return await self._gathered(request, reply, entry, status, forward)
            case Refreshed(entry) if entry.is_part:
                return await self._gathered(request, reply, entry, 304, forward)
            case StoodIn(entry, status):
                request.upstream_status = status
                told = CacheStatus(
                    forward=forward,
                    forward_status=status,
                    ttl=entry.ttl(time.monotonic()),
                    collapsed=not is_leader,
                    detail=_STALE_IF_ERROR,
                )
                if entry.is_part:
                    return await self._from_parts(
                        request, reply, self._key(request), entry, told
                    )
                reply.entry(entry, told, Verdict.STALE)
            case Refreshed(entry, refusal):
                request.upstream_status = 304
                told = _forwarded(request, forward, 304, refusal)
                reply.entry(entry, told, _verdict(request, Verdict.REVALIDATED))
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
        if reader.found_whole and flowing.refusal is None:
            request.role = Role.NONE  # all of it was there, on its way to the disk
            told = CacheStatus(ttl=entry.ttl(time.monotonic()))
            verdict = Verdict.HIT
        else:
            request.upstream_status = entry.status
            told = _forwarded(request, forward, entry.status, flowing.refusal)
            verdict = _verdict(request, Verdict.MISS)
        selection = select(request, entry, size)
        if isinstance(selection, Part):
            reader.select(selection.part.start, selection.part.stop)
        if not reply.start(selection, entry, size, told, verdict):
            return
        while piece := await reader.read():
            await reply.write(piece)
        reply.finish()

    # Bodies that are not held whole.

    async def _gathered(
        self, request: Request, reply: Reply, entry: Entry, status: int, forward: Forward
    ) -> bool:
        request.upstream_status = status
        told = _forwarded(request, forward, status, None)
        if entry.is_part:
            return await self._from_parts(request, reply, self._key(request), entry, told)
        reply.entry(entry, told, _verdict(request, Verdict.MISS))
        return True

    async def _from_parts(
        self,
        request: Request,
        reply: Reply,
        key: CacheKey,
        entry: Entry,
        told: CacheStatus | None = None,
    ) -> bool:
        """Answer from what is held of *entry*, and from what is fetched for it."""
        selection = select(request, entry, entry.size)
        hit = CacheStatus(ttl=entry.ttl(time.monotonic()))
        verdict = Verdict.HIT if told is None else _verdict(request, Verdict.MISS)
        part = sent_in_blocks(selection, entry, self._config)
        if part is not None and request.method == b"GET":
            return await self._send_part(request, reply, key, entry, selection, part, told)
        if isinstance(selection, Full | Part) and request.method == b"GET":
            if _only_if_cached(request):
                raise Refused(504, "only-if-cached")
            if isinstance(selection, Part) and entry.size > self._config.whole_limit:
                await self._passing.send(request, reply, Forward.PARTIAL, Refusal.NO_VALIDATOR)
                return True
            return await self._join(request, reply, key, None, Forward.PARTIAL)
        reply.entry(entry, told or hit, verdict)
        return True

    async def _send_part(
        self,
        request: Request,
        reply: Reply,
        key: CacheKey,
        entry: Entry,
        selection: Selection,
        part: ByteRange,
        told: CacheStatus | None,
    ) -> bool:
        """Send *part* block by block, each under way while the one before is sent; False, with
        nothing sent, if the body has changed."""
        block, at, stop = block_size(self._config), part.start, part.stop
        held = pieces(entry, at, stop)
        if held is not None:
            hit = CacheStatus(ttl=entry.ttl(time.monotonic()))
            verdict = Verdict.HIT if told is None else _verdict(request, Verdict.MISS)
            reply.start(selection, entry, entry.size, told or hit, verdict)
            for piece in held:
                await reply.write(piece)
            reply.finish()
            return True
        if _only_if_cached(request):
            raise Refused(504, "only-if-cached")
        if entry.size <= self._config.whole_limit:
            return await self._completed(request, reply, key, entry, selection, part)
        first = entry
        with ExitStack() as led:
            ahead: Fill | None = None
            while at < stop:
                end = min(block_at(at, block).stop, stop)
                held = pieces(entry, at, end)
                if held is None:
                    fill = ahead or self._begin_block(request, key, entry, at, led)
                    entry = await _with_block(fill) or entry
                    request.upstream_status = 206
                    held = pieces(entry, at, end)
                if held is None or not may_follow(first, entry):
                    if not request.status:
                        return False
                    raise UpstreamError(Failure.CHANGED)
                if not request.status:
                    request.told = None
                    told = told or _forwarded(request, Forward.PARTIAL, 206, None)
                    reply.start(selection, entry, entry.size, told, Verdict.MISS)
                ahead = None
                if end < stop and pieces(entry, end, min(end + block, stop)) is None:
                    ahead = self._begin_block(request, key, entry, end, led)
                for piece in held:
                    await reply.write(piece)
                at = end
        reply.finish()
        return True

    async def _completed(
        self,
        request: Request,
        reply: Reply,
        key: CacheKey,
        entry: Entry,
        selection: Selection,
        part: ByteRange,
    ) -> bool:
        """Send *part* once its one missing block has come: had it begun, and the body changed,
        it could only be cut.  False if that is so."""
        with ExitStack() as led:
            lacking = next(missing(entry, part, self._config))
            found = await _with_block(self._begin_block(request, key, entry, lacking, led))
        if found is None or not may_follow(entry, found):
            return False
        if pieces(found, part.start, part.stop) is None:
            return False
        request.upstream_status, request.told = 206, None
        told = _forwarded(request, Forward.PARTIAL, 206, None)
        return await self._send_part(request, reply, key, found, selection, part, told)

    def _begin_block(
        self, request: Request, key: CacheKey, entry: Entry, at: int, led: ExitStack
    ) -> Fill:
        """The fill of the block of *entry* at *at*; it is left when *led* ends."""
        wanted = block_at(at, block_size(self._config))
        fill, is_leader = self._filling.join(key, request, entry, wanted)
        if is_leader:
            led.callback(_leave, fill)
        return fill

    def _key(self, request: Request) -> CacheKey:
        return self._tier.key(request.key, request.fields)


_FETCH = Fetch()


async def _with_block(fill: Fill) -> Entry | None:
    """What is held once the block of *fill* has come."""
    outcome = await asyncio.shield(fill.outcome)
    return outcome.entry if isinstance(outcome, Gathered) else None


def _only_if_cached(request: Request) -> bool:
    lines = values(request.fields, b"cache-control")
    return bool(lines) and "only-if-cached" in CacheControl.parse(lines)


def _in_full(outcome: Outcome) -> Outcome:
    """*outcome* with the fields that are for the leader alone.  The head of a body that is not
    held whole goes on to what is stored, and has none."""
    match outcome:
        case Flowing(withheld=fields) | Refreshed(withheld=fields) if fields:
            if not outcome.entry.is_part:
                return replace(outcome, entry=outcome.entry.with_fields(fields))
    return outcome


def _leave(fill: Fill) -> None:
    """The leader is done or gone: what only it could read must not wait for it."""
    fill.leader_here = False
    if fill.outcome.done() and fill.outcome.exception() is None:
        outcome = fill.outcome.result()
        if isinstance(outcome, Turned):
            outcome.response.close()


def _forwarded(
    request: Request, forward: Forward, status: int, refusal: Refusal | None
) -> CacheStatus:
    """Of a response that has been stored."""
    told = CacheStatus(
        forward=forward,
        forward_status=status,
        stored=True,
        collapsed=request.role is Role.FOLLOWER,
        detail=refusal,
    )
    if request.told is None:
        return told
    request.upstream_status = request.told.upstream
    return request.told.merged(told)


def _verdict(request: Request, otherwise: Verdict) -> Verdict:
    """What the owner of the key says that its answer is."""
    return otherwise if request.told is None else Verdict(request.told.verdict)
