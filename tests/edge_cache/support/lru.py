"""Least recently used, by bytes: the plain policy, as a reference for the one in use."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Lru(Generic[K]):
    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.size = 0
        self._sizes: OrderedDict[K, int] = OrderedDict()  # oldest first

    def __len__(self) -> int:
        return len(self._sizes)

    def touch(self, key: K) -> None:
        self._sizes.move_to_end(key)

    def admit(self, key: K, size: int) -> list[K]:
        self.remove(key)
        if size > self.capacity:
            return [key]
        self._sizes[key] = size
        self.size += size
        victims = []
        while self.size > self.capacity:
            victim, freed = self._sizes.popitem(last=False)
            self.size -= freed
            victims.append(victim)
        return victims

    def remove(self, key: K) -> None:
        self.size -= self._sizes.pop(key, 0)
