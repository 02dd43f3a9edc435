"""Admission: so many at once, so many waiting, and not for long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from edge_cache.errors import Overloaded


class Gate:
    def __init__(self, limit: int, *, waiting: int, patience: float) -> None:
        self._free = asyncio.Semaphore(limit)
        self._waiting_limit = waiting
        self._patience = patience
        self.waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold one of the places; Overloaded if there is none within the limits."""
        await self._enter()
        try:
            yield
        finally:
            self._free.release()

    async def _enter(self) -> None:
        if self._free.locked() and self.waiting >= self._waiting_limit:
            raise Overloaded
        self.waiting += 1
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError as error:
            raise Overloaded from error
        finally:
            self.waiting -= 1
