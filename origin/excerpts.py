"""Parts of stored files as files of their own, planned once for all their ranges."""

import asyncio

from cachetools import LRUCache

from origin.catalog import Catalog, Presented
from origin.flights import Flights
from origin.parameters import Parameters
from packager.excerpt import excerpt
from packager.plan import Extents, Plan

_KEPT = 64 << 20
"""Bytes of moovs and runs, about."""

_AT_ONCE = 2
"""Plans that are made at the same time: that of a film takes 60 MB meanwhile."""

_Key = tuple[str, int | None, int | None]


class Excerpts:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._plans: LRUCache[_Key, Plan] = LRUCache(_KEPT, _weight)
        self._flights: Flights[_Key, Plan] = Flights()
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def find(self, presented: Presented, asked: Parameters) -> Plan:
        """What is asked of the one flavor of *presented*.

        Raises ``UnknownSegment`` where that is nothing, and what sources raise.
        """
        key = (presented.token, asked.clip_from, asked.clip_to)
        if (known := self._plans.get(key)) is not None:
            return known

        async def make() -> Plan:
            tracks = presented.recipe.flavor(1).tracks
            needs = excerpt(1, tracks, asked.clip_from, asked.clip_to)
            async with self._gate:
                made = await self._catalog.carry_out_aside(presented, needs)
            if _weight(made) <= self._plans.maxsize:
                self._plans[key] = made
            return made

        return await self._flights.join(key, make)


def _weight(plan: Plan) -> int:
    return 1024 + sum(
        100 * len(piece.offsets) if isinstance(piece, Extents) else len(piece) for piece in plan
    )
