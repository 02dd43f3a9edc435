"""Partners' terms of delivery, kept until the journal says that they changed.

Heartbeats of edges are not in the journal: where there are edges, they are looked at again
every few seconds, while what is known is answered.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cachetools import LRUCache

from metadata.enums import ChangeKind
from metadata.errors import BadRow, DatabaseUnavailable
from metadata.partner_records import Surroundings
from metadata.surroundings import load_surroundings
from origin.contract.edges import active_nodes
from origin.contract.terms import Terms, terms_of
from origin.database import Database
from origin.flights import Flights

if TYPE_CHECKING:
    from metadata.journal import Change

_HEARTBEATS_NS = 10_000_000_000
_MAX = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    terms: Terms | BadRow
    has_edges: bool
    asked_at: int


class PartnerTerms:
    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        """*clock* tells nanoseconds since 1970."""
        self._database = database
        self._clock = clock
        self._known: LRUCache[int, _Known] = LRUCache(_MAX)
        self._old: LRUCache[int, _Known] = LRUCache(_MAX)
        """What changed since: better than nothing while the database is away."""
        self._flights: Flights[int, _Known] = Flights()
        self._looks: set[asyncio.Future[_Known]] = set()
        database.watch.tell(self._changed)

    def holds(self, partner: int, terms: Terms) -> bool:
        """Whether *terms* are those of *partner* now, as far as is known."""
        known = self._known.get(partner)
        return known is not None and known.terms is terms and not self._is_late(known)

    def _is_late(self, known: _Known) -> bool:
        if not known.has_edges:
            return False
        return not known.asked_at <= self._clock() < known.asked_at + _HEARTBEATS_NS

    async def find(self, partner: int) -> Terms:
        """Raises ``MetadataError``: ``BadRow`` for settings that cannot be."""
        known = self._known.get(partner)
        if known is None:
            known = await self._load(partner)
        elif self._is_late(known):
            look = asyncio.ensure_future(self._load(partner))
            self._looks.add(look)
            look.add_done_callback(self._looked)
        if isinstance(known.terms, BadRow):
            raise known.terms
        return known.terms

    def _looked(self, look: "asyncio.Future[_Known]") -> None:
        self._looks.discard(look)
        if not look.cancelled():
            look.exception()  # what is known stays

    async def _load(self, partner: int) -> _Known:
        return await self._flights.join(partner, lambda: self._ask(partner))

    async def _ask(self, partner: int) -> _Known:
        before = self._known.get(partner) or self._old.get(partner)
        watch = self._database.watch
        if before is not None and watch.away:
            return before
        try:
            await watch.started()
            mark = watch.mark
            rows = await self._database.ask(load_surroundings, partner)
            found = self._made(rows, before)
        except DatabaseUnavailable:
            if before is None:
                raise
            watch.lost()
            return before
        if mark == watch.mark:  # nothing was told while the answer was on its way
            self._known[partner] = found
        return found

    def _made(self, rows: Surroundings, before: _Known | None) -> _Known:
        """The same terms for as long as nothing in them changed: a heartbeat is no change."""
        now = self._clock()
        terms: Terms | BadRow
        try:
            terms = terms_of(rows, active_nodes(rows.nodes, now))
        except BadRow as error:
            terms = error
        if before is not None and before.terms == terms:
            terms = before.terms
        return _Known(terms, bool(rows.nodes), now)

    # -- what changed

    def _changed(self, changes: "tuple[Change, ...]") -> None:
        for change in changes:
            if change.kind is ChangeKind.PARTNER:
                self._forget(int(change.subject))
            elif change.kind is ChangeKind.ALL:
                for partner in list(self._known):
                    self._forget(partner)

    def _forget(self, partner: int) -> None:
        if (known := self._known.pop(partner, None)) is not None:
            self._old[partner] = known
