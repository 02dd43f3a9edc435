"""A shared response on its way from the upstream to its readers, the disk and RAM."""

import asyncio
from typing import cast

from edge_cache.config import EdgeConfig
from edge_cache.entry import Entry
from edge_cache.errors import Failure, UpstreamError
from edge_cache.fill import Fill
from edge_cache.fills import FillKey, Fills
from edge_cache.keeping import Keeping
from edge_cache.tiers.tiered import Tiered
from edge_cache.upstream.response import Response

_LAST_CALL = 5.0
"""Seconds that bodies which have come wait for the disk in the end."""


class Collecting:
    def __init__(
        self, config: EdgeConfig, tier: Tiered, fills: Fills, keeping: Keeping
    ) -> None:
        self._config = config
        self._tier = tier
        self._fills = fills
        self._keeping = keeping
        self._storing: set[asyncio.Task[None]] = set()

    async def finish(self) -> None:
        """Let the disk have what clients have had all of."""
        if self._storing:
            await asyncio.wait(self._storing, timeout=_LAST_CALL)

    async def collect(
        self, fill: Fill, fill_key: FillKey, response: Response, draft: Entry
    ) -> None:
        """Read the body of *response*, which belongs to *draft*, and store both."""
        length, keeping = response.length, self._keeping
        reserved = keeping.footprint(length or 0)
        keeping.arriving += reserved
        try:
            while piece := await response.read(self._config.read_timeout):
                fill.append(piece)
                if fill.spool is None:
                    self._begin_spool(fill, length)
                else:
                    await fill.spool.room()
                more = max(0, fill.body.kept - reserved)
                reserved += more
                keeping.arriving += more
                if keeping.is_too_much(fill):
                    if fill.told is None:  # another worker may still have it for all
                        for key in (fill_key[0], fill.key):
                            self._fills.refuse(key, authorized=fill_key[1])
                    await self._spill(fill, response)
                    return
            await self._store(fill, draft)
        finally:
            if fill.spool is not None:
                fill.spool.abort()
            keeping.arriving -= reserved
            self._tier.settle(fill.key[0], fill.names)

    def _begin_spool(self, fill: Fill, length: int | None) -> None:
        """Write what will not be held in RAM to the disk from now on, if there is one."""
        if fill.told is None and (length or fill.body.size) > self._config.ram_object:
            spool = self._tier.spool(fill.key[0], length)
            if spool is not None:
                fill.spool_to(spool, self._config.stream_window)

    async def _store(self, fill: Fill, draft: Entry) -> None:
        spool = fill.spool
        if spool is None:
            self._keeping.put_body(fill, draft.with_body(fill.body.whole()))
            fill.complete()
            return
        fill.complete()  # who reads it does not wait for the disk
        self._storing.add(task := cast("asyncio.Task[None]", asyncio.current_task()))
        try:
            stored = await spool.finish()
        finally:
            self._storing.discard(task)
        if stored is not None:
            self._keeping.put_body(fill, draft.with_body(stored))
        elif not fill.body.start:
            self._keeping.put_body(fill, draft.with_body(fill.body.whole()))

    async def _spill(self, fill: Fill, response: Response) -> None:
        """Too large after all: those who read go on in a window, nobody else may join."""
        self._fills.forget(fill)
        if fill.spool is not None:  # what it has written stays readable
            fill.spool.abort()
        while await fill.room(self._config.stream_window):
            piece = await response.read(self._config.read_timeout)
            if not piece:
                fill.complete()
                return
            fill.append(piece)
        raise UpstreamError(Failure.CLOSED)  # nobody is left to be told
