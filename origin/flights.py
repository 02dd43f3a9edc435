"""Concurrent loads of one key are one load."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Flights(Generic[K, V]):
    def __init__(self) -> None:
        self._tasks: dict[K, asyncio.Task[V]] = {}

    async def join(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        """The result of *load*, run at most once at a time for *key*.

        The load belongs to no caller: shield keeps a client that hangs up from cancelling it
        under the others.
        """
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.ensure_future(self._fly(key, load))
            task.add_done_callback(_retrieve)
            self._tasks[key] = task
        return await asyncio.shield(task)

    async def _fly(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        try:
            return await load()
        finally:
            del self._tasks[key]


def _retrieve(task: "asyncio.Task[V]") -> None:
    """Look at the error even if every waiter has gone, or asyncio complains of it."""
    if not task.cancelled():
        task.exception()
