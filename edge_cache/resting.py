"""What is not asked for again at once, since the upstream has just failed or refused."""

from collections.abc import Callable

from edge_cache.decision import stands_in
from edge_cache.entry import CacheKey
from edge_cache.fill import Fill
from edge_cache.markers import Markers
from edge_cache.outcomes import StoodIn


class Resting:
    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        """*seconds*: of rest."""
        self._clock = clock
        self._resting: Markers[CacheKey] = Markers(seconds)
        self._covered: Markers[CacheKey] = Markers(seconds)

    def rest(self, key: CacheKey) -> None:
        """*key* was to be refreshed, and is not."""
        self._resting.mark(key, self._clock())

    def is_resting(self, key: CacheKey) -> bool:
        return self._resting.holds(key, self._clock())

    def is_covered(self, key: CacheKey) -> bool:
        """Whether a stale entry stood in for *key* a moment ago."""
        return self._covered.holds(key, self._clock())

    def stand_in(self, fill: Fill, status: int | None, *, answered: bool) -> bool:
        """Settle *fill* by what is stored, if it may cover an error."""
        stored, now = fill.stored, self._clock()
        if stored is None or fill.outcome.done():
            return False
        if not stands_in(stored, now=now, answered=answered):
            return False
        self._resting.mark(fill.key, now)
        if now >= stored.fresh_until:
            self._covered.mark(fill.key, now)
        fill.settle(StoodIn(stored, status))
        return True
