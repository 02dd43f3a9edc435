"""The RAM tier of a worker, without what is purged.

A request asks whether there is news, which is one comparison.  While there is, what it finds is
judged before it gets it; all the rest is judged in small steps, so that the memory of what is
purged comes back.  What is put is judged too: a purge may have overtaken its fill.  Nothing is
fetched here: what is purged is fetched when somebody asks for it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from edge_cache.entry import CacheKey, Entry
from edge_cache.metrics import Tally
from edge_cache.purging.purges import Purges
from edge_cache.purging.rules import Mode
from edge_cache.purging.tags import Tags
from edge_cache.tiers.memory import MemoryTier
from edge_cache.vary import Names

STEP = 100
"""Entries judged in one turn of the loop: some 0.2 ms."""
PAUSE = 0.001
"""Seconds between two steps."""
NEVER = -1
"""When a fill began whose entry may not be stored."""
LOOK = 1.0
"""Seconds between two looks for purges while no request comes."""


class PurgedTier(MemoryTier):
    def __init__(
        self,
        capacity: int,
        purges: Purges,
        tally: Tally,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(capacity)
        self.purges = purges
        self._sequence = purges.sequence
        self._clean = purges.known
        """No entry here is purged by records up to this number."""
        self._tally = tally
        self._clock, self._wall = clock, wall
        self._fills: Counter[int] = Counter()  # on their way, by when they began
        self._left: list[CacheKey] = []  # of the sweep
        self._swept = 0  # what is clean after it
        self._step_timer: asyncio.Handle | None = None
        self._look_timer: asyncio.Handle | None = None

    @property
    def known(self) -> int:
        """The number of the latest purge, when last looked for."""
        return self.purges.known

    @property
    def is_clean(self) -> bool:
        """Whether all that is here has been judged."""
        return self._sequence() == self._clean

    def start(self) -> None:
        """From now on look for purges also while no request comes."""
        self._look()
        self._look_timer = asyncio.get_running_loop().call_later(LOOK, self.start)

    def close(self) -> None:
        for timer in (self._step_timer, self._look_timer):
            if timer is not None:
                timer.cancel()

    def get(self, key: CacheKey) -> Entry | None:
        entry = super().get(key)
        if self._sequence() == self._clean:
            return entry
        self._look()
        return None if entry is None else self._judge(key, entry)

    def put(self, key: CacheKey, names: Names, entry: Entry) -> bool:
        left = self._admitted(key, entry)
        return left is not None and super().put(key, names, left)

    def _admitted(self, key: CacheKey, entry: Entry) -> Entry | None:
        """What may be stored of *entry*, if anything."""
        held = self._entries.get(key)
        if held is not None and held.begun > entry.begun:
            return None  # a purge has parted the two, and what is held began after it
        return self._left_of(key, entry)

    # For fills.

    def begin(self, key: CacheKey, stored: Entry | None) -> int:
        """The ``begun`` of a fill for *key* that begins now and may keep what was *stored*.

        ``end`` must follow.
        """
        self._look()
        if stored is not None and self._is_lost(key, stored):
            return NEVER
        begun = self.purges.known
        self._fills[begun] += 1
        return begun

    def end(self, begun: int) -> None:
        """A fill that has begun so is over."""
        self._fills[begun] -= 1
        if self._fills[begun] <= 0:
            del self._fills[begun]

    def is_overtaken(self, target: bytes, tags: Tags, begun: int) -> bool:
        """Whether what a fill brings is purged already: a new request must not wait for it."""
        self._look()
        return begun == NEVER or self.purges.verdict(target, tags, begun) is not None

    def _is_lost(self, key: CacheKey, stored: Entry) -> bool:
        """Whether *stored* may be gone: nothing that is made of it must be stored.

        What has left the tier since it was found may have been purged, and that forgotten.
        """
        is_held = self._entries.get(key) is stored
        if not is_held and stored.begun < self.purges.rules.floor:
            return True
        purged = self.purges.verdict(key[0], stored.tags, stored.begun)
        return purged is not None and purged.mode is Mode.HARD

    # Verdicts.

    def _look(self) -> None:
        self.purges.catch_up()
        if self._step_timer is None and self.purges.known != self._clean:
            self._step_timer = asyncio.get_running_loop().call_soon(self._sweep)

    def _judge(self, key: CacheKey, entry: Entry) -> Entry | None:
        left = self._left_of(key, entry)
        if left is None:
            self.discard(key)
        elif left is not entry:
            self._entries[key] = left
        return left

    def _left_of(self, key: CacheKey, entry: Entry) -> Entry | None:
        """*entry*, or what a soft purge makes of it; None if it is gone."""
        self._look()
        if entry.begun == NEVER:
            return None
        purged = self.purges.verdict(key[0], entry.tags, entry.begun)
        if purged is None:
            return entry
        self._tally.purged(purged.mode)
        if purged.mode is Mode.HARD:
            return None
        ago = max(0.0, self._wall() - purged.time)  # the clock may have been set back since
        stale = entry.softened(self._clock() - ago)
        return replace(stale, begun=purged.sequence)

    # The sweep.

    def _sweep(self) -> None:
        self._swept = self.purges.known
        self._left = list(self._entries)
        self._step()

    def _step(self) -> None:
        keys = self._left[-STEP:]
        del self._left[-STEP:]
        for key in keys:
            entry = self._entries.get(key)
            if entry is not None:
                self._judge(key, entry)
        if self._left:
            self._step_timer = asyncio.get_running_loop().call_later(PAUSE, self._step)
            return
        self._step_timer = None
        self._clean = self._swept
        self.purges.forget(self._lowest())
        self._tally.tier(len(self), self.size, self.evictions)
        self._look()

    def _lowest(self) -> int:
        """Purges up to this number are about nothing that is here, or on its way."""
        return min((self._clean, *self._fills))
