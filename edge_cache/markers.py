"""Short notes by key: "not before".  Bounded; the oldest go first."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

MAX_NOTES = 4096


class Markers(Generic[K]):
    """Pure: the caller brings the clock (monotonic seconds)."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: OrderedDict[K, float] = OrderedDict()

    def mark(self, key: K, now: float) -> None:
        self._until.pop(key, None)
        self._until[key] = now + self._seconds
        if len(self._until) > MAX_NOTES:
            self._until.popitem(last=False)

    def holds(self, key: K, now: float) -> bool:
        until = self._until.get(key)
        if until is None:
            return False
        if now < until:
            return True
        del self._until[key]
        return False
