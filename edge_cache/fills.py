"""The fills on their way, by what they fetch, and who must not wait for one."""

from collections.abc import Callable

from edge_cache.entry import CacheKey
from edge_cache.fill import Fill, Wanted
from edge_cache.markers import Markers
from edge_cache.tiers.tiered import Tiered

FillKey = tuple[CacheKey, bool, Wanted | None]
"""A key, whether the request carries Authorization, and the part that is wanted: a response to
one that does may not be for one that does not, so they never wait for each other (RFC 9111
§3.5)."""


class Fills:
    def __init__(self, tier: Tiered, hit_for_miss: float, clock: Callable[[], float]) -> None:
        """*hit_for_miss*: seconds in which nobody waits for what was refused."""
        self._tier = tier
        self._clock = clock
        self._by_key: dict[FillKey, Fill] = {}
        self._refused: Markers[FillKey] = Markers(hit_for_miss)

    def find(self, fill_key: FillKey) -> Fill | None:
        """The fill on its way, unless a purge has overtaken it since: who asks after a purge
        must not get what began before it."""
        fill = self._by_key.get(fill_key)
        if fill is None or fill.is_overtaken:
            return None
        if self._tier.is_overtaken(fill.key[0], fill.tags, fill.begun):
            return None
        return fill

    def add(self, fill_key: FillKey, fill: Fill) -> None:
        self._by_key[fill_key] = fill

    def add_shared(self, fill: Fill, *, authorized: bool) -> None:
        """Let *fill* be found under the key that its Vary gave it, if nobody else is."""
        self._by_key.setdefault((fill.key, authorized, None), fill)

    def forget(self, fill: Fill) -> None:
        """Who asks from now on does not find it."""
        for wanted in {fill.wanted, None}:
            for authorized in (False, True):
                key = fill.key, authorized, wanted
                if self._by_key.get(key) is fill:
                    del self._by_key[key]

    def overtake(self, target: bytes) -> None:
        """What is on its way for *target* may be of before a change: it is not stored, and who
        asks from now on does not wait for it."""
        for fill in self._by_key.values():
            if fill.key[0] == target:
                fill.is_overtaken = True

    def refuse(self, key: CacheKey, *, authorized: bool) -> None:
        """A response for *key* may not be shared."""
        self._refused.mark((key, authorized, None), self._clock())

    def is_refused(self, key: CacheKey, *, authorized: bool) -> bool:
        """Whether that was so a moment ago."""
        return self._refused.holds((key, authorized, None), self._clock())
