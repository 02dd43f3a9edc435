"""Partners' terms of delivery, kept for a second; while the database is away, as long as it
stays away.

The same value is handed out for as long as nothing in it changed: a heartbeat alone is no
change.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache

from metadata.errors import BadRow, DatabaseUnavailable
from metadata.partner_records import Surroundings
from metadata.surroundings import load_surroundings
from origin.contract.edges import active_nodes
from origin.contract.terms import Terms, terms_of
from origin.database import Database
from origin.flights import Flights

_LIFE_NS = 1_000_000_000
_MAX = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    terms: Terms | BadRow
    asked_at: int


class PartnerTerms:
    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        """*clock* tells nanoseconds since 1970."""
        self._database = database
        self._clock = clock
        self._known: LRUCache[int, _Known] = LRUCache(_MAX)
        self._flights: Flights[int, Surroundings] = Flights()

    def holds(self, partner: int, terms: Terms) -> bool:
        """Whether *terms* are those of *partner* now, as far as is known."""
        known = self._fresh(partner)
        return known is not None and known.terms is terms

    def _fresh(self, partner: int) -> _Known | None:
        known, now = self._known.get(partner), self._clock()
        if known is None or not now - _LIFE_NS <= known.asked_at <= now:
            return None
        return known

    async def find(self, partner: int) -> Terms:
        """Raises ``MetadataError``: ``BadRow`` for settings that cannot be."""
        known = self._fresh(partner)
        if known is None:
            known = self._known[partner] = await self._load(partner, self._known.get(partner))
        if isinstance(known.terms, BadRow):
            raise known.terms
        return known.terms

    async def _load(self, partner: int, before: _Known | None) -> _Known:
        try:
            rows = await self._flights.join(
                partner, lambda: self._database.ask(load_surroundings, partner)
            )
            now = self._clock()
            terms: Terms | BadRow = terms_of(rows, active_nodes(rows.nodes, now))
        except DatabaseUnavailable:
            if before is None:
                raise
            terms = before.terms
        except BadRow as error:
            terms = error
        if before is not None and before.terms == terms:
            terms = before.terms
        return _Known(terms, self._clock())
