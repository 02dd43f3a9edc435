"""The RAM tier: entries by key, bounded in bytes.

It stores and finds.  It does not judge freshness (``decision``), choose victims (``eviction``)
or collapse duplicate fetches (``fill``).  Nothing here waits, so a hit costs no task.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from edge_cache.entry import CacheKey, Entry
from edge_cache.eviction.s3fifo import S3Fifo
from edge_cache.http.fields import Field
from edge_cache.vary import Names, Variant, variant

MAX_VARIANTS = 64
"""Variants kept of one URL.  More means that Vary names something as free as User-Agent."""


@dataclass(slots=True)
class Rule:
    """What selects among the variants of one URL, and who needs to know."""

    names: Names
    variants: set[Variant] = field(default_factory=set)
    fills: int = 0
    """Fills on their way that will bring a variant."""


class MemoryTier:
    """Bounded in bytes, with everything an entry takes beside its body counted."""

    def __init__(self, capacity: int) -> None:
        self._policy: S3Fifo[CacheKey] = S3Fifo(capacity)
        self._entries: dict[CacheKey, Entry] = {}
        self._rules: dict[bytes, Rule] = {}
        self.evictions = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size(self) -> int:
        """Bytes."""
        return self._policy.size

    def key(self, target: bytes, fields: Iterable[Field]) -> CacheKey:
        """Where the response to a request for *target* with *fields* is, or would be."""
        rule = self._rules.get(target)
        return (target, ()) if rule is None else (target, variant(rule.names, fields))

    def names(self, target: bytes) -> Names:
        """What selects among the variants of *target*."""
        rule = self._rules.get(target)
        return () if rule is None else rule.names

    def variants(self, target: bytes) -> list[CacheKey]:
        """Where the variants of *target* are, if it has any."""
        rule = self._rules.get(target)
        return [(target, selected) for selected in rule.variants] if rule else []

    def get(self, key: CacheKey) -> Entry | None:
        entry = self._entries.get(key)
        if entry is not None:
            self._policy.touch(key)
        return entry

    def is_hot(self, key: CacheKey) -> bool:
        """Whether *key* was asked for several times since it was stored."""
        return self._policy.is_hot(key)

    def put(self, key: CacheKey, names: Names, entry: Entry) -> bool:
        """Store *entry*, which varies on *names* as ``expect`` was told; whether it is kept."""
        target, selected = key
        rule = self._rules.get(target)
        if (rule.names if rule else ()) != names:  # another response has changed the rule
            return False
        victims = self._policy.admit(key, entry.weight + len(target))
        self._entries[key] = entry
        if rule is not None:
            self._add_variant(rule, target, selected)
        for victim in victims:
            self._drop(victim)
        self.evictions += sum(victim != key for victim in victims)
        return key in self._entries

    def discard(self, key: CacheKey) -> None:
        """Forget *key*, if known."""
        self._policy.remove(key)
        self._drop(key)

    def delete(self, target: bytes) -> None:
        """Forget every variant of *target*."""
        rule = self._rules.get(target)
        for selected in tuple(rule.variants) if rule else ((),):
            self.discard((target, selected))

    def expect(self, target: bytes, names: Names) -> None:
        """A response that varies on *names* is on its way; ``settle`` must follow.

        Variants by other names were chosen by a rule that no longer holds: they go.
        """
        rule = self._rules.get(target)
        if (rule.names if rule else ()) != names:
            self.delete(target)
            self._rules.pop(target, None)
            rule = None
        if rule is not None:
            rule.fills += 1
        elif names:
            self._rules[target] = Rule(names, fills=1)

    def settle(self, target: bytes, names: Names) -> None:
        """What ``expect`` announced has come or failed."""
        rule = self._rules.get(target)
        if rule is not None and rule.names == names:
            rule.fills = max(0, rule.fills - 1)
            self._forget_idle(rule, target)

    def _add_variant(self, rule: Rule, target: bytes, selected: Variant) -> None:
        rule.variants.add(selected)
        if len(rule.variants) > MAX_VARIANTS:
            other = next(one for one in rule.variants if one != selected)
            self.discard((target, other))

    def _drop(self, key: CacheKey) -> None:
        target, selected = key
        self._entries.pop(key, None)
        rule = self._rules.get(target)
        if rule is not None:
            rule.variants.discard(selected)
            self._forget_idle(rule, target)

    def _forget_idle(self, rule: Rule, target: bytes) -> None:
        if not rule.variants and not rule.fills:
            self._rules.pop(target, None)
