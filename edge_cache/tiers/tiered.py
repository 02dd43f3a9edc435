"""The tiers of a worker: RAM, and the disk that all workers of the node share.

RAM is asked first and knows best: what is on the disk is of the same version or an older one,
or of a change that waits to be written.  Of a large body RAM holds the head alone, and a handle
to the file.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice

from edge_cache.config import EdgeConfig
from edge_cache.disk.errors import DiskError
from edge_cache.disk.store import Statistics
from edge_cache.disk.stored import Stored
from edge_cache.disk.threads import READERS
from edge_cache.entry import Body, CacheKey, Entry
from edge_cache.http.fields import Field
from edge_cache.metrics import Tally
from edge_cache.parts import Parts
from edge_cache.purging.purges import Purges
from edge_cache.purging.tier import PurgedTier
from edge_cache.spool import Spool
from edge_cache.tiers.behind import WriteBehind
from edge_cache.tiers.disk import DiskTier
from edge_cache.tiers.heads import target_of
from edge_cache.tiers.memory import MemoryTier
from edge_cache.vary import Names

TICK = 1.0
"""Seconds between two looks after the disk."""

_THREADS = 4
"""That write the bodies on their way."""

_STEP = 500
"""Entries looked at in one turn of the loop."""

SETTLED = 30.0
"""Seconds after which what another worker had in hand when a purge came is on the disk."""

_PATIENCE = 1.0
"""Seconds that a request waits for the disk to say what it has."""

_CLOSE_LIMIT = 5.0
"""Seconds that are waited for a slow disk in the end."""


class Tiered(PurgedTier):
    def __init__(
        self,
        config: EdgeConfig,
        purges: Purges,
        tally: Tally,
        disk: DiskTier | None = None,
        *,
        reports: bool = True,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """*reports*: this worker counts for all what they share."""
        super().__init__(config.ram, purges, tally, clock=clock, wall=wall)
        self._config = config
        self._disk = disk
        self._reports = reports
        self._behind: WriteBehind | None = None
        self._pool = ThreadPoolExecutor(_THREADS, "body") if disk is not None else None
        self._spools: set[asyncio.Task[None]] = set()
        self._tending: asyncio.Task[None] | None = None
        self._seen: frozenset[int] = frozenset()  # volumes that were there
        self._known_at: deque[tuple[float, int]] = deque()
        self._turning: deque[tuple[int, int]] = deque()
        self._noted = -1
        self._disk_floor = 0
        if disk is not None:
            self._behind = WriteBehind(disk, config.disk_queue, self._on_written)

    @property
    def has_disk(self) -> bool:
        return self._disk is not None

    def start(self) -> None:
        super().start()
        if self._disk is not None and self._tending is None:
            loop = asyncio.get_running_loop()
            store = self._disk.store
            store.on_damaged = partial(_call_on, loop, self._on_damaged)
            self._tending = loop.create_task(self._tend(self._disk))

    async def finish(self) -> None:
        """Let the disk have what it has yet to be told, and close it."""
        self.close()
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)
        if self._disk is not None and self._behind is not None and self._pool is not None:
            if self._spools:
                await asyncio.wait(self._spools, timeout=_CLOSE_LIMIT)
            is_done = await self._behind.close(_CLOSE_LIMIT) and not self._spools
            self._pool.shutdown(wait=False, cancel_futures=True)
            if is_done:  # else a thread of ours is still inside, and it was no clean stop
                await asyncio.to_thread(self._disk.store.close)

    # Look-ups.

    def find(
        self, target: bytes, fields: Iterable[Field], *, waits: bool = True
    ) -> Entry | None:
        """What is stored for a request for *target* with *fields*, wherever that is.

        From now on ``key`` knows what selects it.
        """
        entry = self.get(self.key(target, fields))
        return self.recall(target, fields, waits=waits) if entry is None else entry

    async def look(self, target: bytes, fields: Iterable[Field]) -> Entry | None:
        """``find``, with the disk waited for on a thread.

        For so long, it is a miss: nobody waits for a disk that hangs.
        """
        try:
            return self.find(target, fields, waits=False)
        except BlockingIOError:
            pass
        assert self._disk is not None
        read = partial(self._disk.find, target, fields)
        is_read = False
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await asyncio.get_running_loop().run_in_executor(READERS, read)
                is_read = True
        try:  # now it is in the page cache, and what has changed meanwhile counts
            return self.find(target, fields, waits=False)
        except BlockingIOError:
            # Read a moment ago: if it is gone again already, the disk is waited for once.
            return self.find(target, fields) if is_read else None

    def recall(
        self, target: bytes, fields: Iterable[Field], *, waits: bool = True
    ) -> Entry | None:
        """What RAM does not have and the disk has; it is in RAM again then.

        Without *waits* BlockingIOError where the disk would have to be waited for.
        """
        if self._behind is None:
            return None
        found = self._behind.find(target, fields, waits=waits)
        if found is None:
            return None
        names, selected, entry = found
        key = target, selected
        left = self._left_of(key, entry)
        rule = self._rules.get(target)
        if left is None or (rule is not None and rule.names != names):
            return None
        self.expect(target, names)
        MemoryTier.put(self, key, names, left)
        self.settle(target, names)
        return left

    # Changes.

    def put(self, key: CacheKey, names: Names, entry: Entry) -> bool:
        left = self._admitted(key, entry)
        if left is None or self.names(key[0]) != names:
            return False
        is_kept = MemoryTier.put(self, key, names, left)
        if self._behind is not None:
            self._behind.put(key, names, left)
            return True
        return is_kept

    def adopt(self, key: CacheKey, names: Names, entry: Entry) -> bool:
        """``put`` in RAM alone: the worker that owns *key* has it on the disk."""
        return super().put(key, names, entry)

    def remove(self, key: CacheKey) -> None:
        """Forget *key*, here and on the disk."""
        if self._behind is not None:
            self._behind.remove(key, self.names(key[0]))
        self.discard(key)

    async def invalidate(self, target: bytes) -> None:
        """Forget every variant of *target*; returns when no kill can bring it back."""
        self.delete(target)
        if self._behind is not None:
            self._behind.remove_all(target)
            await self._behind.told(target)

    def spool(self, target: bytes, length: int | None) -> Spool | None:
        """Begin to write a body of *target* to the disk while it comes."""
        if self._disk is None or self._pool is None:
            return None
        spool = Spool(self._disk.store, self._pool, target, length, self._config.spool_limit)
        self._spools.add(spool.ended)
        spool.ended.add_done_callback(self._spools.discard)
        return spool

    def _on_written(self, key: CacheKey, names: Names, old: Entry, new: Entry) -> None:
        """The body of *old* is on the disk: RAM need not hold it."""
        held = self._entries.get(key)
        if held is None:
            return
        if held is not old:
            if held.parts is None or old.parts is None or new.parts is None:
                return
            moved = {id(was): now for was, now in _pairs(old.parts, new.parts)}
            runs = tuple((at, moved.get(id(data), data)) for at, data in held.parts.runs)
            new = replace(held, parts=replace(held.parts, runs=runs))
        if self.names(key[0]) == names:
            MemoryTier.put(self, key, names, new)

    def _on_damaged(self, key: bytes) -> None:
        self.delete(target_of(key))

    # Looking after the disk.

    async def _tend(self, disk: DiskTier) -> None:
        loop = asyncio.get_running_loop()
        pool = ThreadPoolExecutor(1, "tend")
        try:
            while True:
                try:
                    told = await loop.run_in_executor(pool, _tended, disk)
                except DiskError:  # counted by the store
                    pass
                else:
                    statistics, there, following = told
                    self._count(statistics)
                    self._turn(there, following)
                    if self._seen - there:
                        await self._let_go(there)
                    self._seen = there
                if self._behind is not None:
                    self._behind.retry()
                await asyncio.sleep(TICK)
        finally:
            pool.shutdown(wait=True)

    def _count(self, statistics: Statistics) -> None:
        skipped = self._behind.skipped if self._behind is not None else 0
        self._tally.disk(statistics, skipped, reports=self._reports)

    async def _let_go(self, there: frozenset[int]) -> None:
        """Drop handles to volumes that have been evicted: they take disk until then."""
        keys = iter(list(self._entries))
        while some := list(islice(keys, _STEP)):
            for key in some:
                entry = self._entries.get(key)
                if entry is not None and not _volumes(entry) <= there:
                    self.discard(key)
            await asyncio.sleep(0)

    # Which purges the disk still needs.

    def _turn(self, there: frozenset[int], following: int) -> None:
        """Note what the disk held when a purge came, and whether that is gone by now.

        What began before a purge lies in volumes that are older than the next one was when all
        that was in hand then had been written.
        """
        now, behind = self._clock(), self._behind
        waiting = None if behind is None else behind.lowest_begun
        known = min((self._clean, *self._fills, *(() if waiting is None else (waiting,))))
        if known > self._noted:
            self._noted = known
            self._known_at.append((now, known))
        while self._known_at and self._known_at[0][0] + SETTLED <= now:
            if self._turning and self._turning[-1][1] == following:
                self._turning.pop()
            self._turning.append((self._known_at.popleft()[1], following))
        oldest = min(there, default=following)
        while self._turning and self._turning[0][1] <= oldest:
            self._disk_floor = self._turning.popleft()[0]
            self.purges.forget(self._lowest())

    def _lowest(self) -> int:
        lowest = super()._lowest()
        return lowest if self._disk is None else min(lowest, self._disk_floor)


def _call_on(
    loop: asyncio.AbstractEventLoop, work: Callable[[bytes], None], key: bytes
) -> None:
    """From any thread, and be it that the loop has ended."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(work, key)


def _tended(disk: DiskTier) -> tuple[Statistics, frozenset[int], int]:
    disk.store.tend()
    return disk.store.statistics(), *disk.store.volumes()


def _volumes(entry: Entry) -> set[int]:
    """Where its body is, as far as it is on the disk."""
    bodies = (entry.body,) if entry.parts is None else (data for _, data in entry.parts.runs)
    return {body.volume for body in bodies if isinstance(body, Stored)}


def _pairs(old: Parts, new: Parts) -> Iterator[tuple[Body, Body]]:
    """Runs of *old*, and what they are in *new*, which was made of it."""
    return ((was, now) for (_, was), (_, now) in zip(old.runs, new.runs, strict=True))
