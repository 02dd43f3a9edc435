"""Who fills what: the fills on their way, and what becomes of each response."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, cast

from edge_cache.appraisal import Appraisal, Rules, appraise
from edge_cache.config import EdgeConfig
from edge_cache.decision import stands_in
from edge_cache.entry import Body, CacheKey, Entry, updated_fields
from edge_cache.errors import EdgeError, Failure, UpstreamError
from edge_cache.fill import (
    Fill,
    Flowing,
    Gathered,
    Refreshed,
    Released,
    StoodIn,
    Turned,
    Wanted,
)
from edge_cache.forwarding import (
    age_fields,
    combined_bytes,
    fill_fields,
    received_fields,
)
from edge_cache.freshness import Defaults
from edge_cache.gate import Gate
from edge_cache.gathering import as_whole, gather
from edge_cache.http.conditionals import same_tag
from edge_cache.http.encodings import preferred_encoding
from edge_cache.http.fields import Field, values
from edge_cache.markers import Markers
from edge_cache.metrics import Tally
from edge_cache.purging.tier import NEVER
from edge_cache.ranging import block_size
from edge_cache.request import Request
from edge_cache.siblings.client import Siblings
from edge_cache.siblings.errors import Declined
from edge_cache.storability import Refusal
from edge_cache.tiers.tiered import Tiered
from edge_cache.upstream.client import UpstreamClient
from edge_cache.upstream.outgoing import Outgoing
from edge_cache.upstream.response import Interim, Response
from edge_cache.variants import MAX_OFFERED, if_none_match, offered
from edge_cache.vary import variant, vary_names

FillKey = tuple[CacheKey, bool, Wanted | None]
"""A key, whether the request carries Authorization, and the part that is wanted: a response to
one that does may not be for one that does not, so they never wait for each other (RFC 9111
§3.5)."""

_OF_THE_REQUEST = (Refusal.NO_ROOM, Refusal.AUTHORIZATION, Refusal.NO_VALIDATOR)
"""Refusals that say nothing about what others were served before."""

ERRORS = (500, 502, 503, 504)
"""Statuses that a stale response may cover (RFC 5861 §4)."""

_LAST_CALL = 5.0
"""Seconds that bodies which have come wait for the disk in the end."""

_log = logging.getLogger("edge")


class Filling:
    def __init__(
        self,
        config: EdgeConfig,
        upstream: UpstreamClient,
        tier: Tiered,
        gate: Gate,
        tally: Tally,
        siblings: Siblings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._upstream = upstream
        self._tier = tier
        self._gate = gate
        self._tally = tally
        self._siblings = siblings
        self._clock, self._wall = clock, wall
        self._rules = rules_of(config)
        self._fills: dict[FillKey, Fill] = {}
        self._arriving = 0
        """Bytes that bodies on their way hold or have announced."""
        self._refused: Markers[FillKey] = Markers(config.hit_for_miss)
        self._resting: Markers[CacheKey] = Markers(config.refresh_rest)
        self._covered: Markers[CacheKey] = Markers(config.refresh_rest)
        self._tasks: set[asyncio.Task[None]] = set()  # keeps them from being collected
        self._storing: set[asyncio.Task[None]] = set()

    def join(
        self,
        key: CacheKey,
        request: Request,
        stored: Entry | None,
        wanted: Wanted | None = None,
        interim: Interim | None = None,
    ) -> tuple[Fill, bool]:
        """The fill for *key*, and whether *request* has begun it."""
        fill_key = key, request.is_authorized, wanted
        fill = self._joinable(fill_key)
        if fill is not None:
            return fill, False
        fill = self._fills[fill_key] = Fill(key, request, stored, wanted, interim)
        fill.begun = self._tier.begin(key, stored)
        self._spawn(self._run(fill, fill_key))
        return fill, True

    def refresh(self, key: CacheKey, request: Request, stale: Entry) -> None:
        """Fetch *key* anew in the background, unless that is under way or has just failed."""
        if self._joinable((key, request.is_authorized, None)) is not None:
            return
        if self._resting.holds(key, self._clock()):
            return
        fill, _ = self.join(key, request, stale)
        fill.leader_here = False

    def whole(self, key: CacheKey, request: Request) -> Fill | None:
        """The fill of all of *key* that *request* could join."""
        return self._joinable((key, request.is_authorized, None))

    def is_refused(self, key: CacheKey, request: Request) -> bool:
        """Whether a response for *key* was refused a moment ago."""
        return self._refused.holds((key, request.is_authorized, None), self._clock())

    def is_covered(self, key: CacheKey) -> bool:
        """Whether a stale entry stood in for *key* a moment ago: the upstream rests."""
        return self._covered.holds(key, self._clock())

    def overtake(self, target: bytes) -> None:
        """What is on its way for *target* may be of before a change: it is not stored, and who
        asks from now on does not wait for it."""
        for fill in self._fills.values():
            if fill.key[0] == target:
                fill.is_overtaken = True

    async def close(self) -> None:
        if self._storing:  # their clients have all of it
            await asyncio.wait(self._storing, timeout=_LAST_CALL)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _joinable(self, fill_key: FillKey) -> Fill | None:
        """The fill on its way, unless a purge has overtaken it since: who asks after a purge
        must not get what began before it."""
        fill = self._fills.get(fill_key)
        if fill is None or fill.is_overtaken:
            return None
        if self._tier.is_overtaken(fill.key[0], fill.tags, fill.begun):
            return None
        return fill

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, fill: Fill, fill_key: FillKey) -> None:
        self._tally.fill_started()
        try:
            if not await self._is_filled_by_owner(fill, fill_key):
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
            self._tier.end(fill.begun)
            self._tally.fill_ended()

    def _fail(self, fill: Fill, error: EdgeError) -> None:
        if isinstance(error, UpstreamError) and not error.is_counted:
            self._tally.upstream_error(error.failure)
        if fill.stored is not None:
            self._resting.mark(fill.key, self._clock())
        if not self._stand_in(fill, None, answered=not isinstance(error, UpstreamError)):
            fill.fail(error)

    def _stand_in(self, fill: Fill, status: int | None, *, answered: bool) -> bool:
        """Settle *fill* by what is stored, if it may cover an error."""
        stored, now = fill.stored, self._clock()
        if stored is None or fill.outcome.done():
            return False
        if not stands_in(stored, now=now, answered=answered):
            return False
        self._resting.mark(fill.key, now)
        if now >= stored.fresh_until:
            self._covered.mark(fill.key, now)
        fill.settle(StoodIn(stored, status))
        return True

    async def _is_filled_by_owner(self, fill: Fill, fill_key: FillKey) -> bool:
        """Take it from the worker that owns the key; False if that is us, or cannot be."""
        if self._siblings is None or not self._siblings.has(fill.request):
            return False
        asked = self._clock()
        try:
            owned = await self._siblings.ask(self._outgoing(fill, self._conditions(fill)))
        except Declined as declined:
            return self._is_released(fill, fill_key, declined.refusal)
        if owned is None:
            return False
        response = owned.response
        try:
            fill.told = owned.told
            fill.request.server, fill.request.tries = response.server, response.tries
            if not owned.told.is_fresher_than(fill.stored):
                self._resting.mark(fill.key, self._clock())  # while it is refreshed there
            await self._take(fill, fill_key, response, asked)
        except UpstreamError:
            if fill.outcome.done():
                raise
            fill.told = None  # it died before anybody had a byte
            return False
        finally:
            response.close()
        return True

    def _is_released(self, fill: Fill, fill_key: FillKey, refusal: Refusal | None) -> bool:
        """Let everyone go upstream, unless there is something stored that is at stake."""
        if refusal is Refusal.HIT_FOR_MISS:
            self._refused.mark((*fill_key[:2], None), self._clock())
        if fill.stored is not None or fill.wanted is not None:
            return False
        self._forget(fill)
        fill.settle(Released(refusal))
        return True

    async def _fetch(self, fill: Fill, fill_key: FillKey) -> None:
        asked = self._clock()
        response = await self._send(fill, self._conditions(fill) or self._offer(fill))
        try:
            if response.status == 304 and (named := _named_by(response, fill)) is not None:
                fill.stored = named
            elif response.status == 304 and (fill.stored or fill.offered):
                # It speaks of another version than ours (RFC 9111 §4.3.4): ask for that one.
                response.close()
                if fill.stored is not None:
                    self._tier.remove(fill.key)
                fill.stored = None
                asked = self._clock()
                response = await self._send(fill, self._conditions(fill))
            await self._take(fill, fill_key, response, asked)
        finally:
            response.close()

    async def _send(self, fill: Fill, asked: list[Field]) -> Response:
        response = await self._upstream.send(self._outgoing(fill, asked))
        fill.request.server, fill.request.tries = response.server, response.tries
        return response

    def _outgoing(self, fill: Fill, asked: list[Field]) -> Outgoing:
        fields = fill_fields(fill.request, asked, self._config)
        target, _ = fill.key
        return Outgoing(b"GET", target, fields, interim=fill.interim)

    def _conditions(self, fill: Fill) -> list[Field]:
        stored, wanted = fill.stored, fill.wanted
        if wanted is None:
            return [] if stored is None or stored.is_part else list(stored.conditions())
        asked = [(b"Range", wanted.field)]
        if stored is None:
            return asked
        if self._clock() >= stored.fresh_until:
            return [*asked, *stored.conditions()]
        if stored.strong_validator is not None:  # not ours any more: all of the new one
            asked.append((b"If-Range", stored.strong_validator.encode("latin-1")))
        return asked

    def _offer(self, fill: Fill) -> list[Field]:
        """The condition that tells which variants are held of what is missing."""
        keys = self._tier.variants(fill.key[0])[:MAX_OFFERED]
        held = [entry for key in keys if (entry := self._tier.get(key)) is not None]
        fields = fill.request.fields
        fill.offered = offered(
            held,
            coding=preferred_encoding(combined_bytes(fields, b"accept-encoding")),
            authorized=fill.request.is_authorized,
        )
        return [(b"If-None-Match", if_none_match(fill.offered))] if fill.offered else []

    async def _take(
        self, fill: Fill, fill_key: FillKey, response: Response, asked: float
    ) -> None:
        status = response.status
        if status == 304 and fill.stored is None:
            raise UpstreamError(Failure.UNEXPECTED_STATUS)
        if status == 304:
            self._refreshed(fill, self._appraise(fill, fill_key, response, asked))
        elif status in ERRORS and self._stand_in(fill, status, answered=True):
            pass
        elif status == 206 and fill.wanted is not None:
            await self._take_part(fill, fill_key, response, asked)
        else:
            appraisal = self._appraise(fill, fill_key, response, asked)
            refused = None if appraisal.is_kept else appraisal.refusal
            refused = refused or self._no_room(response.length)
            if refused is not None:
                await self._turn(fill, fill_key, response, refused)
                return
            draft = appraisal.entry(b"", now=self._clock())
            self._share(fill, fill_key, draft, response.length, appraisal.refusal)
            await self._collect(fill, fill_key, response, draft)

    def _appraise(
        self, fill: Fill, fill_key: FillKey, response: Response, asked: float
    ) -> Appraisal:
        status, wall = response.status, self._wall()
        fields = received_fields(response.fields, now=wall)
        if status == 304 and fill.stored is not None:
            status, fields = fill.stored.status, updated_fields(fill.stored.fields, fields)
        elif status == 206 and fill.wanted is not None:
            status, fields = 200, as_whole(fields, fill.stored)
        appraisal = appraise(
            status,
            fields,
            age_fields(response.fields),
            self._rules,
            authorized=fill_key[1],
            now=wall,
            delay=self._clock() - asked,
        )
        return appraisal if fill.told is None else fill.told.adopted(appraisal)

    # A 304.

    def _refreshed(self, fill: Fill, appraisal: Appraisal) -> None:
        stored = fill.stored
        assert stored is not None
        entry = appraisal.entry(stored.body, now=self._clock(), parts=stored.parts)
        entry = replace(entry, begun=_begun(fill))
        if appraisal.is_kept:
            self._put(fill, entry)
        else:
            self._tier.remove(fill.key)
        self._count_tier()
        fill.settle(Refreshed(entry, appraisal.refusal))

    # A part of a body.

    async def _take_part(
        self, fill: Fill, fill_key: FillKey, response: Response, asked: float
    ) -> None:
        appraisal = self._appraise(fill, fill_key, response, asked)
        refused = appraisal.refusal or self._no_room(response.length)
        wanted, limit = fill.wanted, block_size(self._config)
        if refused is not None or wanted is None:
            await self._turn(fill, fill_key, response, refused or Refusal.PARTIAL)
            return
        self._arriving += limit
        try:
            entry = await gather(
                wanted,
                response,
                appraisal,
                lambda: self._tier.find(fill.key[0], fill.request.fields),
                limit=limit,
                keep=self._config.ram_limit,
                timeout=self._config.read_timeout,
                now=self._clock(),
            )
        finally:
            self._arriving -= limit
        if entry is None:
            await self._turn(fill, fill_key, response, Refusal.PARTIAL)
            return
        entry = replace(entry, begun=_begun(fill))
        self._put(fill, entry)
        fill.settle(Gathered(entry, response.status))

    def _put(self, fill: Fill, entry: Entry) -> None:
        """Store *entry* under the key that its Vary gives it."""
        self._forget(fill)
        target, _ = fill.key
        names = vary_names(entry.fields) or ()
        fill.names = names
        fill.key = (target, variant(names, fill.request.fields))
        self._tier.expect(target, names)
        self._keep(fill, entry)
        self._tier.settle(target, names)

    # A response that may not be shared.

    def _no_room(self, length: int | None) -> Refusal | None:
        if length is None:
            return None
        if length > self._config.object_limit:
            return Refusal.TOO_LARGE
        fits = self._arriving + self._footprint(length) <= self._config.fill_memory
        return None if fits else Refusal.NO_ROOM

    async def _turn(
        self, fill: Fill, fill_key: FillKey, response: Response, refused: Refusal
    ) -> None:
        """Let everyone go; the leader takes the response with it."""
        self._forget(fill)
        if response.status < 400:  # an error may be the fault of this one request
            self._refused.mark((*fill_key[:2], None), self._clock())
        if fill.stored is not None and self._is_gone(fill.stored, response, refused):
            self._tier.remove(fill.key)
            self._count_tier()
        elif fill.stored is not None:
            self._resting.mark(fill.key, self._clock())
        fill.settle(Turned(refused, response))
        if fill.leader_here:
            await asyncio.wait([response.finished])  # keeps the turn upstream while it lasts

    def _is_gone(self, stored: Entry, response: Response, refused: Refusal) -> bool:
        """Whether a refused response puts an end to what is *stored*.

        What is renewed early stays good, unless the upstream says that it exists no more: a
        401 or a 429 is about the request that happened to come then.
        """
        if refused in _OF_THE_REQUEST or response.status >= 500:
            return False
        is_fresh = self._clock() < stored.fresh_until
        return not is_fresh or response.status < 400 or response.status in (404, 410)

    # A response that is shared and stored.

    def _share(
        self,
        fill: Fill,
        fill_key: FillKey,
        draft: Entry,
        size: int | None,
        refused: Refusal | None,
    ) -> None:
        """From now on it is found, by those who may have it, where its Vary puts it."""
        names = vary_names(draft.fields) or ()
        target, _ = fill.key
        self._forget(fill)
        fill.names = names
        fill.tags = draft.tags
        fill.key = (target, variant(names, fill.request.fields))
        self._tier.expect(target, names)
        if refused is None:
            self._fills.setdefault((fill.key, fill_key[1], None), fill)
        fill.settle(Flowing(draft, size, refused))

    async def _collect(
        self, fill: Fill, fill_key: FillKey, response: Response, draft: Entry
    ) -> None:
        length = response.length
        reserved = self._footprint(length or 0)
        self._arriving += reserved
        try:
            while piece := await response.read(self._config.read_timeout):
                fill.append(piece)
                if fill.spool is None:
                    self._begin_spool(fill, length)
                else:
                    await fill.spool.room()
                more = max(0, fill.body.kept - reserved)
                reserved += more
                self._arriving += more
                if self._is_too_much(fill):
                    if fill.told is None:  # another worker may still have it for all
                        for key in (fill_key[0], fill.key):
                            self._refused.mark((key, fill_key[1], None), self._clock())
                    await self._spill(fill, response)
                    return
            await self._store(fill, draft)
        finally:
            if fill.spool is not None:
                fill.spool.abort()
            self._arriving -= reserved
            self._tier.settle(fill.key[0], fill.names)

    def _begin_spool(self, fill: Fill, length: int | None) -> None:
        """Write what will not be held in RAM to the disk from now on, if there is one."""
        if fill.told is None and (length or fill.body.size) > self._config.ram_object:
            spool = self._tier.spool(fill.key[0], length)
            if spool is not None:
                fill.spool_to(spool, self._config.stream_window)

    def _footprint(self, length: int) -> int:
        """Bytes of RAM that a body of *length* takes while it comes."""
        if not self._tier.has_disk:
            return length
        return min(length, self._config.stream_window + self._config.spool_limit)

    def _is_too_much(self, fill: Fill) -> bool:
        size, config = fill.body.size, self._config
        if size > config.object_limit or self._arriving > config.fill_memory:
            return True
        if fill.told is not None and self._tier.has_disk:
            return size > config.ram_object  # its owner has it on the disk
        if fill.spool is None or not fill.spool.is_lost:
            return False
        return fill.body.start > 0 or size > config.ram_limit

    async def _store(self, fill: Fill, draft: Entry) -> None:
        spool = fill.spool
        if spool is None:
            self._keep_body(fill, draft, fill.body.whole())
            fill.complete()
            return
        fill.complete()  # who reads it does not wait for the disk
        self._storing.add(task := cast("asyncio.Task[None]", asyncio.current_task()))
        try:
            stored = await spool.finish()
        finally:
            self._storing.discard(task)
        if stored is not None:
            self._keep_body(fill, draft, stored)
        elif not fill.body.start:
            self._keep_body(fill, draft, fill.body.whole())

    def _keep_body(self, fill: Fill, draft: Entry, body: Body) -> None:
        self._keep(fill, replace(draft.with_body(body), begun=_begun(fill)))

    def _keep(self, fill: Fill, entry: Entry) -> None:
        """Store *entry*; on the disk as well, unless it came from the worker that does so."""
        put = self._tier.put if fill.told is None else self._tier.adopt
        put(fill.key, fill.names, entry)
        self._count_tier()

    async def _spill(self, fill: Fill, response: Response) -> None:
        """Too large after all: those who read go on in a window, nobody else may join."""
        self._forget(fill)
        if fill.spool is not None:  # what it has written stays readable
            fill.spool.abort()
        while await fill.room(self._config.stream_window):
            piece = await response.read(self._config.read_timeout)
            if not piece:
                fill.complete()
                return
            fill.append(piece)
        raise UpstreamError(Failure.CLOSED)  # nobody is left to be told

    def _forget(self, fill: Fill) -> None:
        for wanted in {fill.wanted, None}:
            for authorized in (False, True):
                key = fill.key, authorized, wanted
                if self._fills.get(key) is fill:
                    del self._fills[key]

    def _count_tier(self) -> None:
        self._tally.tier(len(self._tier), self._tier.size, self._tier.evictions)


def rules_of(config: EdgeConfig) -> Rules:
    """What *config* says about responses."""
    defaults = Defaults(
        config.heuristic,
        config.negative_ttl,
        config.stale_if_unreachable,
        config.early_refresh,
    )
    return Rules(defaults, config.store_set_cookie)


def _named_by(response: Response, fill: Fill) -> Entry | None:
    """What a 304 says still holds; None if that is another version than we have."""
    tags, stored = values(response.fields, b"etag"), fill.stored
    if stored is None:
        return fill.offered.get(tags[0]) if tags else None
    is_ours = stored.etag is None or not tags or same_tag(tags[0], stored.etag)
    return stored if is_ours else None


def _begun(fill: Fill) -> int:
    return NEVER if fill.is_overtaken else fill.begun
