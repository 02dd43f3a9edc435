"""Who fills what: requests join a fill, which asks another worker or the upstream.

``fills`` knows those on their way; ``taking`` has the rules for what comes back.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from edge_cache.asking import conditions, held_variants, named_by, offer
from edge_cache.collecting import Collecting
from edge_cache.config import EdgeConfig
from edge_cache.entry import CacheKey, Entry
from edge_cache.errors import EdgeError, Failure, UpstreamError
from edge_cache.fill import Fill, Wanted
from edge_cache.fills import FillKey, Fills
from edge_cache.forwarding import fill_fields
from edge_cache.gate import Gate
from edge_cache.http.fields import Field
from edge_cache.keeping import Keeping
from edge_cache.metrics import Tally
from edge_cache.outcomes import Released
from edge_cache.request import Request
from edge_cache.resting import Resting
from edge_cache.siblings.client import Siblings
from edge_cache.siblings.errors import Declined
from edge_cache.storability import Refusal
from edge_cache.taking import Taking
from edge_cache.tiers.tiered import Tiered
from edge_cache.upstream.client import UpstreamClient
from edge_cache.upstream.outgoing import Outgoing
from edge_cache.upstream.response import Interim, Response

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
        self._clock = clock
        self._fills = Fills(tier, config.hit_for_miss, clock)
        self._resting = Resting(config.refresh_rest, clock)
        keeping = Keeping(config, tier, self._fills, tally)
        self._collecting = Collecting(config, tier, self._fills, keeping)
        self._taking = Taking(
            config,
            tier,
            self._fills,
            self._resting,
            keeping,
            self._collecting,
            clock=clock,
            wall=wall,
        )
        self._tasks: set[asyncio.Task[None]] = set()  # keeps them from being collected

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
        fill = self._fills.find(fill_key)
        if fill is not None:
            return fill, False
        fill = Fill(key, request, stored, wanted, interim)
        self._fills.add(fill_key, fill)
        fill.begun = self._tier.begin(key, stored)
        self._spawn(self._run(fill, fill_key))
        return fill, True

    def refresh(self, key: CacheKey, request: Request, stale: Entry) -> None:
        """Fetch *key* anew in the background, unless that is under way or has just failed."""
        if self._fills.find((key, request.is_authorized, None)) is not None:
            return
        if self._resting.is_resting(key):
            return
        fill, _ = self.join(key, request, stale)
        fill.leader_here = False

    def whole(self, key: CacheKey, request: Request) -> Fill | None:
        """The fill of all of *key* that *request* could join."""
        return self._fills.find((key, request.is_authorized, None))

    def is_refused(self, key: CacheKey, request: Request) -> bool:
        """Whether a response for *key* was refused a moment ago."""
        return self._fills.is_refused(key, authorized=request.is_authorized)

    def is_covered(self, key: CacheKey) -> bool:
        """Whether a stale entry stood in for *key* a moment ago: the upstream rests."""
        return self._resting.is_covered(key)

    def overtake(self, target: bytes) -> None:
        """An unsafe request has changed *target*."""
        self._fills.overtake(target)

    async def close(self) -> None:
        await self._collecting.finish()
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
            self._fills.forget(fill)
            self._tier.end(fill.begun)
            self._tally.fill_ended()

    def _fail(self, fill: Fill, error: EdgeError) -> None:
        if isinstance(error, UpstreamError) and not error.is_counted:
            self._tally.upstream_error(error.failure)
        if fill.stored is not None:
            self._resting.rest(fill.key)
        if not self._resting.stand_in(
            fill, None, answered=not isinstance(error, UpstreamError)
        ):
            fill.fail(error)

    async def _is_filled_by_owner(self, fill: Fill, fill_key: FillKey) -> bool:
        """Take it from the worker that owns the key; False if that is us, or cannot be."""
        if self._siblings is None or not self._siblings.has(fill.request):
            return False
        asked = self._clock()
        try:
            asked_for = conditions(fill, now=asked)
            owned = await self._siblings.ask(self._outgoing(fill, asked_for))
        except Declined as declined:
            return self._is_released(fill, fill_key, declined.refusal)
        if owned is None:
            return False
        response = owned.response
        try:
            fill.told = owned.told
            fill.request.server, fill.request.tries = response.server, response.tries
            if not owned.told.is_fresher_than(fill.stored):
                self._resting.rest(fill.key)  # while it is refreshed there
            await self._taking.take(fill, fill_key, response, asked)
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
            self._fills.refuse(fill_key[0], authorized=fill_key[1])
        if fill.stored is not None or fill.wanted is not None:
            return False
        self._fills.forget(fill)
        fill.settle(Released(refusal))
        return True

    async def _fetch(self, fill: Fill, fill_key: FillKey) -> None:
        asked = self._clock()
        asked_for = conditions(fill, now=asked)
        if not asked_for:
            fill.offered = held_variants(fill, self._tier)
            asked_for = offer(fill.offered)
        response = await self._send(fill, asked_for)
        try:
            if response.status == 304 and (named := named_by(response, fill)) is not None:
                fill.stored = named
            elif response.status == 304 and (fill.stored or fill.offered):
                # It speaks of another version than ours (RFC 9111 §4.3.4): ask for that one.
                response.close()
                if fill.stored is not None:
                    self._tier.remove(fill.key)
                fill.stored = None
                asked = self._clock()
                response = await self._send(fill, conditions(fill, now=asked))
            await self._taking.take(fill, fill_key, response, asked)
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
