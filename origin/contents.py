"""Entries as manifests and segments need them, kept until the journal says that they changed.

What time alone changes (a schedule, versions that are no longer kept) costs no question.
While the database is away, what is known stays.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cachetools import LRUCache

from metadata.content import find_content
from metadata.enums import ChangeKind
from metadata.errors import DatabaseUnavailable
from metadata.records import KEEP_REPLACED_NS, ContentRecord
from metadata.standing import Refused, refusal
from origin.database import Database
from origin.flights import Flights

if TYPE_CHECKING:
    from metadata.journal import Change

_MAX_FLAVORS = 100_000
"""Of all entries that are kept."""

_MAX_UNKNOWN = 10_000
_FOR_EVER = 2**63 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """What is known of an entry, as it is from one time to another."""

    stored: ContentRecord | None
    """As the database has it."""

    record: ContentRecord | None
    """The same without versions that are no longer kept; None where there is no such entry."""

    refused: Refused | None
    """Why nobody may see it."""

    loaded_at: int
    begins: int
    ends: int

    @property
    def weight(self) -> int:
        return 1 if self.stored is None else 1 + len(self.stored.versions)


class Contents:
    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        """*clock* tells nanoseconds since 1970."""
        self._database = database
        self._clock = clock
        self._rows: LRUCache[str, Row] = LRUCache(_MAX_FLAVORS, lambda row: row.weight)
        self._old: LRUCache[str, Row] = LRUCache(_MAX_FLAVORS, lambda row: row.weight)
        """Rows that changed since: better than nothing while the database is away."""
        self._unknown: LRUCache[str, Row] = LRUCache(_MAX_UNKNOWN)
        self._flights: Flights[str, Row] = Flights()
        database.watch.tell(self._changed)

    # -- what is at hand

    @property
    def mark(self) -> int:
        """Another one after whatever changes in the catalog."""
        return self._database.watch.mark

    def holds(self, entry: str, row: object) -> bool:
        """Whether *row* is what is known of *entry* now."""
        known = self._rows.get(entry)
        return known is not None and known is row and known.begins <= self._clock() < known.ends

    def at_hand(self, entry: str) -> ContentRecord | None:
        """What is known of *entry*."""
        known = self._rows.get(entry)
        if known is None or not known.begins <= self._clock() < known.ends:
            return None
        return known.record

    async def find(self, entry: str) -> ContentRecord | None:
        """None where there is no such entry.  Raises ``MetadataError``."""
        return (await self.row(entry)).record

    async def row(self, entry: str) -> Row:
        """What is known of *entry* now.  Raises ``MetadataError``."""
        known = self._rows.get(entry) or self._unknown.get(entry)
        if known is None:
            return await self._found(entry)
        now = self._clock()
        if not known.begins <= now < known.ends:
            self._rows[entry] = known = _row(known.stored, now, known.loaded_at)
        return known

    async def _found(self, entry: str) -> Row:
        old = self._old.get(entry)
        if old is None or not self._database.watch.away:
            try:
                return await self.load(entry)
            except DatabaseUnavailable:
                if old is None:
                    raise
                # Not asked again at once: one that hangs takes seconds to say nothing.
                self._database.watch.lost()
        return _row(old.stored, self._clock(), old.loaded_at)

    async def load(self, entry: str) -> Row:
        """What the database says of *entry*.  Raises ``MetadataError``."""

        async def load() -> Row:
            watch = self._database.watch
            await watch.started()
            mark, now = watch.mark, self._clock()
            record = await self._database.ask(
                find_content, entry, replaced_after=now - KEEP_REPLACED_NS
            )
            row = _row(record, now, now)
            self._forget(entry)
            if mark == watch.mark:
                self._keep(entry, row)
            return row

        return await self._flights.join(entry, load)

    def _keep(self, entry: str, row: Row) -> None:
        if row.stored is None:
            self._unknown[entry] = row
        elif row.weight <= self._rows.maxsize:
            self._rows[entry] = row
            self._old.pop(entry, None)

    # -- what changed

    def _changed(self, changes: "tuple[Change, ...]") -> None:
        subjects: dict[ChangeKind, set[str]] = {kind: set() for kind in ChangeKind}
        for change in changes:
            subjects[change.kind].add(change.subject)
        everything, partners = subjects[ChangeKind.ALL], subjects[ChangeKind.PARTNER]
        controls = subjects[ChangeKind.ACCESS_CONTROL]
        for entry in subjects[ChangeKind.ENTRY]:
            self._forget(entry)
        if everything or subjects[ChangeKind.NEW]:
            self._unknown.clear()
        if not (everything or partners or controls):
            return
        # one look at what is known, which may be 100,000 rows, for however many changes
        for entry, row in list(self._rows.items()):
            of = row.stored
            if everything or (
                of is not None
                and (str(of.partner_id) in partners or str(of.access_control_id) in controls)
            ):
                self._forget(entry)

    def _forget(self, entry: str) -> None:
        self._unknown.pop(entry, None)
        if (row := self._rows.pop(entry, None)) is not None:
            self._old[entry] = row


def _row(stored: ContentRecord | None, now: int, loaded_at: int) -> Row:
    """What *stored* is at *now*, and for how long."""
    if stored is None:
        return Row(None, None, None, loaded_at, 0, _FOR_EVER)
    ends = {one.replaced_at + KEEP_REPLACED_NS for one in stored.replaced if one.replaced_at}
    turns = {one for one in (stored.start_at, stored.end_at, *ends) if one is not None}
    record = stored
    if any(end <= now for end in ends):
        after = now - KEEP_REPLACED_NS
        kept = tuple(one for one in stored.replaced if (one.replaced_at or 0) > after)
        record = replace(stored, replaced=kept)
    return Row(
        stored,
        record,
        refusal(stored, now),
        loaded_at,
        max((turn for turn in turns if turn <= now), default=0),
        min((turn for turn in turns if turn > now), default=_FOR_EVER),
    )
