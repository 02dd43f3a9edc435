"""What becomes of the response to a fill, by its status and its head."""

import asyncio
import time
from collections.abc import Callable

from edge_cache.appraisal import Appraisal, Rules, appraise
from edge_cache.collecting import Collecting
from edge_cache.config import EdgeConfig
from edge_cache.entry import Entry, updated_fields
from edge_cache.errors import Failure, UpstreamError
from edge_cache.fill import Fill
from edge_cache.fills import FillKey, Fills
from edge_cache.forwarding import age_fields, received_fields
from edge_cache.freshness import Defaults
from edge_cache.gathering import as_whole, gather
from edge_cache.keeping import Keeping
from edge_cache.outcomes import Flowing, Gathered, Refreshed, Turned
from edge_cache.ranging import block_size
from edge_cache.resting import Resting
from edge_cache.storability import Refusal
from edge_cache.tiers.tiered import Tiered
from edge_cache.upstream.response import Response

_OF_THE_REQUEST = (Refusal.NO_ROOM, Refusal.AUTHORIZATION, Refusal.NO_VALIDATOR)
"""Refusals that say nothing about what others were served before."""

ERRORS = (500, 502, 503, 504)
"""Statuses that a stale response may cover (RFC 5861 §4)."""


class Taking:
    def __init__(
        self,
        config: EdgeConfig,
        tier: Tiered,
        fills: Fills,
        resting: Resting,
        keeping: Keeping,
        collecting: Collecting,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._tier = tier
        self._fills = fills
        self._resting = resting
        self._keeping = keeping
        self._collecting = collecting
        self._clock, self._wall = clock, wall
        self._rules = rules_of(config)

    async def take(
        self, fill: Fill, fill_key: FillKey, response: Response, asked: float
    ) -> None:
        """Settle *fill* by *response*, which was *asked* for at that time of the clock."""
        status = response.status
        if status == 304 and fill.stored is None:
            raise UpstreamError(Failure.UNEXPECTED_STATUS)
        if status == 304:
            self._refreshed(fill, self._appraise(fill, fill_key, response, asked))
        elif status in ERRORS and self._resting.stand_in(fill, status, answered=True):
            pass
        elif status == 206 and fill.wanted is not None:
            await self._take_part(fill, fill_key, response, asked)
        else:
            appraisal = self._appraise(fill, fill_key, response, asked)
            refused = None if appraisal.is_kept else appraisal.refusal
            refused = refused or self._keeping.no_room(response.length)
            if refused is not None:
                await self._turn(fill, fill_key, response, refused)
                return
            draft = appraisal.entry(b"", now=self._clock())
            flowing = Flowing(draft, response.length, appraisal.refusal, appraisal.withheld)
            self._share(fill, fill_key, flowing)
            await self._collecting.collect(fill, fill_key, response, draft)

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
        if appraisal.is_kept:
            entry = self._keeping.put(fill, entry)
        else:
            self._keeping.remove(fill)
        fill.settle(Refreshed(entry, appraisal.refusal, appraisal.withheld))

    # A part of a body.

    async def _take_part(
        self, fill: Fill, fill_key: FillKey, response: Response, asked: float
    ) -> None:
        appraisal = self._appraise(fill, fill_key, response, asked)
        refused = appraisal.refusal or self._keeping.no_room(response.length)
        if appraisal.withheld:  # blocks of a body have one head, for whoever wants them
            refused = refused or Refusal.PRIVATE
        wanted, limit = fill.wanted, block_size(self._config)
        if refused is not None or wanted is None:
            await self._turn(fill, fill_key, response, refused or Refusal.PARTIAL)
            return
        self._keeping.arriving += limit
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
            self._keeping.arriving -= limit
        if entry is None:
            await self._turn(fill, fill_key, response, Refusal.PARTIAL)
            return
        fill.settle(Gathered(self._keeping.put(fill, entry), response.status))

    # A response that may not be shared.

    async def _turn(
        self, fill: Fill, fill_key: FillKey, response: Response, refused: Refusal
    ) -> None:
        """Let everyone go; the leader takes the response with it."""
        self._fills.forget(fill)
        if response.status < 400:  # an error may be the fault of this one request
            self._fills.refuse(fill_key[0], authorized=fill_key[1])
        if fill.stored is not None and self._is_gone(fill.stored, response, refused):
            self._keeping.remove(fill)
        elif fill.stored is not None:
            self._resting.rest(fill.key)
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

    def _share(self, fill: Fill, fill_key: FillKey, flowing: Flowing) -> None:
        """From now on it is found, by those who may have it, where its Vary puts it."""
        self._keeping.place(fill, flowing.entry)
        fill.tags = flowing.entry.tags
        if flowing.refusal is None:
            self._fills.add_shared(fill, authorized=fill_key[1])
        fill.settle(flowing)


def rules_of(config: EdgeConfig) -> Rules:
    """What *config* says about responses."""
    defaults = Defaults(
        config.heuristic,
        config.negative_ttl,
        config.stale_if_unreachable,
        config.early_refresh,
    )
    return Rules(defaults, config.store_set_cookie)
