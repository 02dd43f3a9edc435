"""Entries as manifests ask for them, kept for a second; while the database is away, as long
as it stays away."""

from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache

from metadata.content import find_content
from metadata.errors import DatabaseUnavailable
from metadata.records import ContentRecord
from origin.database import Database
from origin.flights import Flights

_LIFE_NS = 1_000_000_000
_MAX = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    record: ContentRecord | None
    asked_at: int


class Contents:
    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        """*clock* tells nanoseconds since 1970."""
        self._database = database
        self._clock = clock
        self._known: LRUCache[str, _Known] = LRUCache(_MAX)
        self._flights: Flights[str, ContentRecord | None] = Flights()

    def at_hand(self, entry: str) -> ContentRecord | None:
        """What is known of *entry*, if that is not too old."""
        known = self._fresh(entry)
        return None if known is None else known.record

    def _fresh(self, entry: str) -> _Known | None:
        known, now = self._known.get(entry), self._clock()
        if known is None or not now - _LIFE_NS <= known.asked_at <= now:
            return None
        return known

    async def find(self, entry: str) -> ContentRecord | None:
        """None where there is no such entry.  Raises ``MetadataError``."""
        if (known := self._fresh(entry)) is not None:
            return known.record
        try:
            record = await self._flights.join(
                entry, lambda: self._database.ask(find_content, entry)
            )
        except DatabaseUnavailable:
            before = self._known.get(entry)
            if before is None or before.record is None:
                raise
            record = before.record
        self._known[entry] = _Known(record, self._clock())
        return record
