"""The purges of a node as one worker sees them: the journal, and the rules made of it.

A purge is answered when its record is on the disk and its number stands in the memory that all
workers share.  A worker compares that number with the one it knows at every request, so no
request that comes after the answer is served by older rules.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from edge_cache.disk.errors import DiskError
from edge_cache.purging.names import EVERYTHING, Name
from edge_cache.purging.records import MALFORMED, Purge, Snapshot, decode, encode, parts
from edge_cache.purging.rules import Purged, Rules
from edge_cache.purging.tags import Tags

MAX_RECORDS = 1024
"""Records in the journal, and..."""
MAX_SIZE = 16 << 20
"""...their bytes, past which a snapshot takes their place: what a worker reads when it starts
is bounded.  A snapshot has some 100 records and 4 MiB at most."""

_log = logging.getLogger("edge")


class Journal(Protocol):
    """Durable records, numbered over all processes."""

    def append(self, record: bytes, /) -> int: ...

    def since(self, number: int, /) -> list[tuple[int, bytes]]: ...

    def sequence(self) -> int: ...

    def drop(self, numbers: Iterable[int], /) -> None: ...


class Purges:
    def __init__(self, journal: Journal, *, wall: Callable[[], float] = time.time) -> None:
        self.sequence = journal.sequence
        """The number of the latest purge; to be compared with ``known`` at every request."""
        self.known = 0
        """The number up to which the rules are made: ``begun`` of a fill that begins now."""
        self.rules = Rules()
        self._journal = journal
        self._wall = wall
        self._records: dict[int, int] = {}  # sizes of those in the journal
        self._compaction: asyncio.Task[None] | None = None
        self.catch_up()

    def catch_up(self) -> None:
        """Read what has been purged since.  Without news it costs one comparison.

        What cannot be read could name anything, and is taken for a purge of everything.
        """
        latest = self.sequence()
        if latest == self.known:
            return
        try:
            for number, data in self._journal.since(self.known):
                self._apply(number, data)
        except (DiskError, MALFORMED):
            _log.exception("the purges after %d cannot be read", self.known)
            self.rules.apply(latest, Purge((EVERYTHING,), False, self._wall()))
        self.known = max(latest, self.rules.sequence)

    def verdict(self, target: bytes, tags: Tags, begun: int) -> Purged | None:
        return self.rules.verdict(target, tags, begun)

    def forget(self, floor: int) -> None:
        """No entry that began before *floor* is left that these purges are about."""
        self.rules.forget(floor)

    async def purge(self, names: Sequence[Name], *, soft: bool) -> int:
        """Purge *names*; the number of the purge once every worker is sure to see it.

        DiskError if it could not be made durable: then some of *names* may be purged, or none.
        """
        number = 0
        for part in parts(names):
            record = encode(Purge(tuple(part), soft, self._wall()))
            number = await asyncio.to_thread(self._journal.append, record)
        self.catch_up()
        if len(self._records) > MAX_RECORDS or sum(self._records.values()) > MAX_SIZE:
            self._compact()
        return number

    async def close(self) -> None:
        """Let a snapshot that is being written be finished."""
        if self._compaction is not None:
            await self._compaction

    def _apply(self, number: int, data: bytes) -> None:
        record = decode(data)
        self._records[number] = len(data)
        if isinstance(record, Snapshot):
            covered = record.covered
            self._records = {n: size for n, size in self._records.items() if n > covered}
        self.rules.apply(number, record)

    def _compact(self) -> None:
        if self._compaction is not None and not self._compaction.done():
            return
        marks = [(*name, mark) for name, mark in self.rules]
        covered, floor = self.known, self.rules.floor
        snapshots = [Snapshot(part, covered, floor) for part in parts(marks) or [()]]
        old = [number for number in self._records if number <= covered]
        work = asyncio.to_thread(_replace, self._journal, snapshots, old)
        self._compaction = asyncio.create_task(work)


def _replace(journal: Journal, snapshots: Sequence[Snapshot], old: Sequence[int]) -> None:
    """Keep *snapshots* in place of *old* records; whoever reads meanwhile finds either."""
    try:
        for snapshot in snapshots:
            journal.append(encode(snapshot))
        journal.drop(old)
    except DiskError:  # it stays longer than it should; the next purge tries again
        _log.exception("the journal of purges cannot be compacted")
