"""What the disk has yet to be told, in order, off the loop.

One thread writes, so that of two changes to a target the later one holds.  What waits is
bounded in bytes: past that an entry is not stored, and what the disk has of it is taken away.
A removal is never given up: what was removed is not found again, however the disk fares.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from edge_cache.disk.errors import DiskError
from edge_cache.entry import CacheKey, Entry
from edge_cache.http.fields import Field
from edge_cache.tiers.disk import DiskTier, Found
from edge_cache.vary import Names, Variant, variant

PATIENCE = 1.0
"""Seconds that a request waits for a removal to be on the disk."""

REMOVALS = 4096
"""That may wait for a disk that fails; past it nothing is found on the disk any more."""

_BATCH = 32
"""Targets whose changes go to the thread together."""

_log = logging.getLogger("edge")

Written = Callable[[CacheKey, Names, Entry, Entry], None]
"""Called on the loop with an entry, and what it is now that its body lies on the disk."""


@dataclass(slots=True)
class _Change:
    """Of one target: first all of it is removed, perhaps, then variants are put or removed."""

    is_removal: bool = False
    variants: dict[Variant, tuple[Names, Entry | None]] = field(default_factory=dict)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def follow(self, failed: "_Change | None") -> None:
        """Come after *failed*, which must be tried once more."""
        if failed is not None and not self.is_removal:
            self.is_removal = failed.is_removal
            self.variants = failed.variants | self.variants


@dataclass(frozen=True, slots=True)
class _Outcome:
    written: tuple[tuple[CacheKey, Names, Entry, Entry], ...]
    left: _Change | None
    """What must be tried again."""


class WriteBehind:
    """Used on the loop, but for its thread."""

    def __init__(self, disk: DiskTier, limit: int, written: Written) -> None:
        """*limit*: bytes of entries that may wait."""
        self._disk = disk
        self._limit = limit
        self._written = written
        self._waiting: dict[bytes, _Change] = {}
        self._busy: dict[bytes, _Change] = {}
        self._size = 0
        self.skipped = 0
        """Entries that were not stored because too much waited."""
        self._thread = ThreadPoolExecutor(1, "disk")
        self._task: asyncio.Task[None] | None = None
        self._failed: dict[bytes, _Change] = {}

    @property
    def lowest_begun(self) -> int | None:
        """Of the entries that wait."""
        begun = [
            entry.begun
            for changes in (self._waiting, self._busy)
            for change in changes.values()
            for _, entry in change.variants.values()
            if entry is not None
        ]
        return min(begun, default=None)

    def find(
        self, target: bytes, fields: Iterable[Field], *, waits: bool = True
    ) -> Found | None:
        """What is there for *target*, with the changes that the disk has yet to be told.

        BlockingIOError as of the disk tier.
        """
        if len(self._failed) > REMOVALS:
            return None
        for changes in self._waiting, self._busy, self._failed:
            change = changes.get(target)
            if change is None:
                continue
            for names, _ in change.variants.values():
                selected = variant(names, fields)
                if selected in change.variants and change.variants[selected][0] == names:
                    entry = change.variants[selected][1]
                    return None if entry is None else Found(names, selected, entry)
            if change.is_removal:
                return None
        return self._disk.find(target, fields, waits=waits)

    def put(self, key: CacheKey, names: Names, entry: Entry) -> None:
        if self._size + entry.weight > self._limit:
            self.skipped += 1
            self.remove(key, names)
            return
        self._size += entry.weight
        self._set(key, names, entry)

    def remove(self, key: CacheKey, names: Names) -> None:
        self._set(key, names, None)

    def remove_all(self, target: bytes) -> None:
        before = self._waiting.pop(target, None)
        if before is not None:
            self._size -= _size(before)
            before.done.set()
        self._waiting[target] = _Change(is_removal=True)
        self._run()

    async def told(self, target: bytes) -> None:
        """Wait until the disk has been told what has changed of *target*, or has failed.

        For a second at most: until it knows, this process does.
        """
        found = self._busy.get(target), self._waiting.get(target)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                for change in found:
                    if change is not None:
                        await change.done.wait()

    def retry(self) -> None:
        """Try once more what has failed."""
        for target in self._failed:
            self._waiting.setdefault(target, _Change())
        self._run()

    async def close(self, limit: float) -> bool:
        """Tell the disk what waits, for *limit* seconds; whether it knows all."""
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=limit)
        self._thread.shutdown(wait=False, cancel_futures=True)
        return self._task is None or self._task.done()

    def _set(self, key: CacheKey, names: Names, entry: Entry | None) -> None:
        target, selected = key
        change = self._waiting.setdefault(target, _Change())
        _, before = change.variants.get(selected, (names, None))
        self._size -= 0 if before is None else before.weight
        change.variants[selected] = names, entry
        self._run()

    def _run(self) -> None:
        if self._waiting and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            for target in list(self._waiting)[:_BATCH]:
                change = self._waiting.pop(target)
                change.follow(self._failed.pop(target, None))
                self._busy[target] = change
            try:
                outcomes = await loop.run_in_executor(
                    self._thread, _apply_all, self._disk, self._busy
                )
            finally:
                busy, self._busy = self._busy, {}
                for change in busy.values():
                    self._size -= _size(change)
                    change.done.set()
            self._take(outcomes)

    def _take(self, outcomes: dict[bytes, _Outcome]) -> None:
        for target, outcome in outcomes.items():
            if outcome.left is not None:
                self._failed[target] = outcome.left
            for one in outcome.written:
                self._written(*one)


def _size(change: _Change) -> int:
    return sum(entry.weight for _, entry in change.variants.values() if entry is not None)


def _apply_all(disk: DiskTier, changes: dict[bytes, _Change]) -> dict[bytes, _Outcome]:
    return {target: _apply(disk, target, change) for target, change in changes.items()}


def _apply(disk: DiskTier, target: bytes, change: _Change) -> _Outcome:
    """On the thread."""
    left = _Change()
    written = []
    if change.is_removal:
        try:
            disk.remove(target)
        except DiskError:
            left.is_removal = True
    for selected, (names, entry) in change.variants.items():
        key = target, selected
        try:
            after = None if entry is None else disk.write(target, names, selected, entry)
            if entry is not None and after is not None:
                written.append((key, names, entry, after))
        except DiskError:
            entry = None  # what is there is older: it goes
        except Exception:  # a bug, or a key too long for a record
            _log.exception("an entry was not stored")
            entry = None
        if entry is None:
            try:
                disk.remove_variant(target, names, selected)
            except DiskError:
                left.variants[selected] = names, None
    is_done = not left.is_removal and not left.variants
    return _Outcome(tuple(written), None if is_done else left)
