"""Filter sets at hand: those of a partner are asked for once, until the journal tells of a
change."""

from typing import TYPE_CHECKING

from cachetools import LRUCache

from metadata.enums import ChangeKind
from metadata.errors import BadRow, DatabaseUnavailable
from metadata.filter_sets import FilterSetRecord, find_filter_sets
from origin.database import Database
from origin.errors import BadUrl
from origin.filters.rules import Rules, parse_rules
from origin.flights import Flights

if TYPE_CHECKING:
    from metadata.journal import Change

Sets = dict[str, FilterSetRecord]

_MAX_PARTNERS = 1_000


class FilterSets:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._of: LRUCache[int | None, Sets] = LRUCache(_MAX_PARTNERS)
        self._old: LRUCache[int | None, Sets] = LRUCache(_MAX_PARTNERS)
        """What changed since: better than nothing while the database is away."""
        self._flights: Flights[tuple[int | None, int], Sets] = Flights()
        database.watch.tell(self._changed)

    async def find(self, name: str, partner: int | None) -> Rules:
        """The rules of that name; *partner* is None for what is nobody's entry.

        Raises ``BadUrl`` where there is no such set, ``BadRow`` where its rules are none.
        """
        sets = self._of.get(partner)
        if sets is None:
            # who asks after a change must not be told what was on its way before
            key = (partner, self._database.watch.mark)
            sets = await self._flights.join(key, lambda: self._load(partner))
        if name not in sets:
            raise BadUrl(f"there is no filter set {name}")
        try:
            return parse_rules(sets[name].rules)
        except BadUrl as error:
            raise BadRow("filter_set", name, str(error)) from None

    async def _load(self, partner: int | None) -> Sets:
        watch = self._database.watch
        try:
            await watch.started()
            mark = watch.mark
            sets = await self._database.ask(find_filter_sets, partner)
        except DatabaseUnavailable:
            if (old := self._old.get(partner)) is None:
                raise
            return old
        if mark == watch.mark:  # nothing was told while the answer was on its way
            self._of[partner] = sets
        return sets

    def _changed(self, changes: "tuple[Change, ...]") -> None:
        for change in changes:
            if change.kind is ChangeKind.PARTNER:
                self._forget(int(change.subject))
            elif change.kind is ChangeKind.ALL:
                for partner in list(self._of):
                    self._forget(partner)

    def _forget(self, partner: int | None) -> None:
        if (sets := self._of.pop(partner, None)) is not None:
            self._old[partner] = sets
