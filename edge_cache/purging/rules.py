"""Which entries are purged.

An entry is purged by a record that names it and has a later sequence number than the entry's
``begun``, the number that was current when its fill began.  So a fill that a purge overtakes is
purged before it is stored, and what is fetched afterwards is not.

Memory is bounded: past the limit the oldest purges are taken for purges of more (a URL's
folder, the folder above it, everything).  Nothing purged is ever taken for good.
"""

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from edge_cache.purging.names import EVERYTHING, Kind, Name, coarser, normal
from edge_cache.purging.records import Mark, Purge, Record, Snapshot
from edge_cache.purging.tags import UNKNOWN, Tags

LIMIT = 4 << 20
"""Bytes, about: some 14,000 names."""
MAX_LENGTHS = 64
"""Different lengths of prefixes: a verdict costs one look-up for each."""

_NAME_WEIGHT = 250
"""Bytes that a name takes beside its text, by ``tracemalloc``."""
_MAX_PASSES = 8


class Mode(StrEnum):
    SOFT = "soft"
    """It is stale."""
    HARD = "hard"
    """It is gone."""


class Purged(NamedTuple):
    """A verdict."""

    mode: Mode
    sequence: int
    """Of a purge that says so."""
    time: float
    """When a soft one was, in seconds since 1970; 0 for a hard one."""


class Rules:
    def __init__(self, limit: int = LIMIT, max_lengths: int = MAX_LENGTHS) -> None:
        self.floor = 0
        """Up to here purges have been forgotten, because nothing is left that they name."""
        self.weight = 0
        """Bytes, about."""
        self.newest = 0
        """Sequence number of the latest purge."""
        self.sequence = 0
        """Of the last record that has been applied."""
        self._limit = limit
        self._max_lengths = max_lengths
        self._marks: dict[Kind, dict[bytes, Mark]] = {kind: {} for kind in Kind}
        self._lengths: Counter[int] = Counter()  # of prefixes
        self._any_tag = Mark()

    def __len__(self) -> int:
        return sum(map(len, self._marks.values()))

    def __iter__(self) -> Iterator[tuple[Name, Mark]]:
        for kind, marks in self._marks.items():
            for value, mark in marks.items():
                yield (kind, value), mark

    def verdict(self, target: bytes, tags: Tags, begun: int) -> Purged | None:
        """What became of the response to *target* with *tags*; None if it is good.

        A hard purge counts before a soft one, whichever came later.
        """
        if begun >= self.newest:
            return None
        soft = None
        for mark in self._matching(normal(target), tags):
            if mark.hard > begun:
                return Purged(Mode.HARD, mark.hard, 0.0)
            if mark.soft > begun and (soft is None or mark.soft > soft.soft):
                soft = mark
        return None if soft is None else Purged(Mode.SOFT, soft.soft, soft.softened)

    def apply(self, sequence: int, record: Record) -> None:
        """Take *record*, which has the number *sequence*, into account."""
        match record:
            case Purge(names, True, time):
                marks = [(name, Mark(soft=sequence, softened=time)) for name in names]
            case Purge(names, _, _):
                marks = [(name, Mark(hard=sequence)) for name in names]
            case Snapshot(kept, _, floor):
                marks = [((kind, value), mark) for kind, value, mark in kept]
                if floor > self.sequence:  # what was forgotten meanwhile may name our entries
                    marks.append((EVERYTHING, Mark(hard=floor)))
        for name, mark in marks:
            self._add(name, mark)
        self.sequence = max(self.sequence, sequence)
        if self.weight > self._limit:
            self._fold()
        while len(self._lengths) > self._max_lengths:
            self._shorten()

    def forget(self, floor: int) -> None:
        """Drop what names only entries begun before *floor*: none is left, nor a fill."""
        self.floor = max(self.floor, floor)
        for name, mark in tuple(self):
            if mark.newest <= floor:
                self._remove(name)
        if not self._marks[Kind.TAG]:
            self._any_tag = Mark()

    def _matching(self, target: bytes, tags: Tags) -> Iterator[Mark]:
        size, prefixes = len(target), self._marks[Kind.PREFIX]
        for length in self._lengths:
            if length <= size and (mark := prefixes.get(target[:length])):
                yield mark
        if mark := self._marks[Kind.URL].get(target):
            yield mark
        if tags == UNKNOWN:
            yield self._any_tag
            return
        named = self._marks[Kind.TAG]
        for tag in tags:
            if mark := named.get(tag):
                yield mark

    def _add(self, name: Name, mark: Mark) -> None:
        kind, value = name
        marks = self._marks[kind]
        known = marks.get(value)
        if known is None:
            marks[value] = mark
            self.weight += len(value) + _NAME_WEIGHT
            if kind is Kind.PREFIX:
                self._lengths[len(value)] += 1
        else:
            marks[value] = known.merged(mark)
        if kind is Kind.TAG:
            self._any_tag = self._any_tag.merged(mark)
        self.newest = max(self.newest, mark.newest)

    def _remove(self, name: Name) -> Mark:
        kind, value = name
        self.weight -= len(value) + _NAME_WEIGHT
        if kind is Kind.PREFIX:
            self._lengths[len(value)] -= 1
            if not self._lengths[len(value)]:
                del self._lengths[len(value)]
        return self._marks[kind].pop(value)

    def _fold(self) -> None:
        """Halve the weight, and spare the newest quarter while that can be done."""
        for number in range(_MAX_PASSES + 1):
            is_last = number == _MAX_PASSES
            by_age = sorted(self, key=lambda row: row[1].newest)
            names = [name for name, _ in by_age]
            spared = 0 if is_last else len(names) // 4
            for name in sorted(names[: len(names) - spared], key=_harm):
                if self.weight <= self._limit // 2:
                    return
                self._add(EVERYTHING if is_last else coarser(name), self._remove(name))

    def _shorten(self) -> None:
        """Two lengths of prefixes become one, where that takes the least away."""
        pairs = pairwise(sorted(self._lengths, reverse=True))
        longer, shorter = min(pairs, key=lambda pair: pair[0] - pair[1])
        for value in [v for v in self._marks[Kind.PREFIX] if len(v) == longer]:
            self._add((Kind.PREFIX, value[:shorter]), self._remove((Kind.PREFIX, value)))


def _harm(name: Name) -> tuple[int, int]:
    """What to make coarser first: URLs, then the deepest folders, at last tags."""
    kind, value = name
    if kind is Kind.PREFIX:
        return 1, -value.count(b"/")
    return (0, 0) if kind is Kind.URL else (2, 0)
