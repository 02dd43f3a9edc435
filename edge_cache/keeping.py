"""Where what a fill has brought is kept, and how much may be on its way there."""

from dataclasses import replace

from edge_cache.config import EdgeConfig
from edge_cache.entry import Entry
from edge_cache.fill import Fill
from edge_cache.fills import Fills
from edge_cache.metrics import Tally
from edge_cache.purging.tier import NEVER
from edge_cache.storability import Refusal
from edge_cache.tiers.tiered import Tiered
from edge_cache.vary import Names, variant, vary_names


class Keeping:
    def __init__(self, config: EdgeConfig, tier: Tiered, fills: Fills, tally: Tally) -> None:
        self._config = config
        self._tier = tier
        self._fills = fills
        self._tally = tally
        self.arriving = 0
        """Bytes that bodies on their way hold or have announced."""

    # Storing.

    def place(self, fill: Fill, entry: Entry) -> Names:
        """Give *fill* the key that the Vary of *entry* puts it under; until the tier is told
        that this is settled it keeps the names."""
        self._fills.forget(fill)
        target, _ = fill.key
        names = vary_names(entry.fields) or ()
        fill.names = names
        fill.key = (target, variant(names, fill.request.fields))
        self._tier.expect(target, names)
        return names

    def put(self, fill: Fill, entry: Entry) -> Entry:
        """Store *entry*, which is whole, where its Vary puts it; as it was stored."""
        entry = replace(entry, begun=_begun(fill))
        names = self.place(fill, entry)
        self._keep(fill, entry)
        self._tier.settle(fill.key[0], names)
        return entry

    def put_body(self, fill: Fill, entry: Entry) -> None:
        """Store *entry*, whose place is known."""
        self._keep(fill, replace(entry, begun=_begun(fill)))

    def remove(self, fill: Fill) -> None:
        """What is stored holds no more."""
        self._tier.remove(fill.key)
        self._count()

    def _keep(self, fill: Fill, entry: Entry) -> None:
        """On the disk as well, unless it came from the worker that does so."""
        put = self._tier.put if fill.told is None else self._tier.adopt
        put(fill.key, fill.names, entry)
        self._count()

    def _count(self) -> None:
        self._tally.tier(len(self._tier), self._tier.size, self._tier.evictions)

    # Room.

    def no_room(self, length: int | None) -> Refusal | None:
        """Why a body of *length* is not taken, if it is not."""
        if length is None:
            return None
        if length > self._config.object_limit:
            return Refusal.TOO_LARGE
        fits = self.arriving + self.footprint(length) <= self._config.fill_memory
        return None if fits else Refusal.NO_ROOM

    def footprint(self, length: int) -> int:
        """Bytes of RAM that a body of *length* takes while it comes."""
        if not self._tier.has_disk:
            return length
        return min(length, self._config.stream_window + self._config.spool_limit)

    def is_too_much(self, fill: Fill) -> bool:
        """Whether the body of *fill* has turned out to be larger than what is taken."""
        size, config = fill.body.size, self._config
        if size > config.object_limit or self.arriving > config.fill_memory:
            return True
        if fill.told is not None and self._tier.has_disk:
            return size > config.ram_object  # its owner has it on the disk
        if fill.spool is None or not fill.spool.is_lost:
            return False
        return fill.body.start > 0 or size > config.ram_limit


def _begun(fill: Fill) -> int:
    return NEVER if fill.is_overtaken else fill.begun
