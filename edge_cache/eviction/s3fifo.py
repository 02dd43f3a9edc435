"""S3-FIFO, by bytes: three queues, no list to reorder on a hit (Yang et al., SOSP 2023).

    new ---> small ---(hit twice)---> main ---(not hit)---> out
               |                       ^ |
               +--(not hit)--> ghost --+ +--(hit)--> again

Most objects are asked for once; they pass through ``small`` without pushing anything out of
``main``.  ``ghost`` remembers who left that way, so that a second request goes to ``main``.
Decides what to drop; never drops it itself.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_SMALL_SHARE = 10
"""One part in this many of the capacity is for newcomers (the paper's choice)."""

_MAX_HITS = 3
"""Hits beyond this count no more: two bits, as in the paper."""

_MAX_GHOSTS = 1 << 16
"""Hashes remembered: a few MB, whatever the objects' sizes."""


class S3Fifo(Generic[K]):
    """An eviction policy: tracks sizes, never bodies."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._small: OrderedDict[K, int] = OrderedDict()  # oldest first, as all three
        self._main: OrderedDict[K, int] = OrderedDict()
        self._ghost: OrderedDict[int, int] = OrderedDict()  # hashes: keys may be long
        self._hits: dict[K, int] = {}
        self._small_size = self._main_size = self._ghost_size = 0

    @property
    def size(self) -> int:
        return self._small_size + self._main_size

    def __len__(self) -> int:
        return len(self._hits)

    def touch(self, key: K) -> None:
        """Note a hit on *key*."""
        hits = self._hits[key]
        if hits < _MAX_HITS:
            self._hits[key] = hits + 1

    def is_hot(self, key: K) -> bool:
        """Whether *key* was hit as often as is counted since it was admitted."""
        return self._hits.get(key, 0) == _MAX_HITS

    def admit(self, key: K, size: int) -> list[K]:
        """Make room for *key*.  The caller must delete the keys returned.

        A list that holds *key* itself means: larger than the whole cache, do not store.
        """
        self.remove(key)
        if size > self.capacity:
            return [key]
        self._hits[key] = 0
        if self._forget_ghost(key):
            self._to_main(key, size)
        else:
            self._small[key] = size
            self._small_size += size
        return self._evict(key)

    def remove(self, key: K) -> None:
        """Forget *key*, if known."""
        if self._hits.pop(key, None) is None:
            return
        self._small_size -= self._small.pop(key, 0)
        self._main_size -= self._main.pop(key, 0)

    def _evict(self, newcomer: K) -> list[K]:
        victims: list[K] = []
        while self.size > self.capacity:
            if self._small_is_next(newcomer):
                self._evict_small(victims)
            else:
                self._evict_main(newcomer, victims)
        return victims

    def _small_is_next(self, newcomer: K) -> bool:
        """Whether ``small`` gives way: not for the sake of the object that needs the room."""
        oldest = next(iter(self._small), newcomer)
        if oldest == newcomer:
            return False
        main_is_free = len(self._main) > (newcomer in self._main)
        return self._small_size * _SMALL_SHARE > self.capacity or not main_is_free

    def _evict_small(self, victims: list[K]) -> None:
        key, size = self._small.popitem(last=False)
        self._small_size -= size
        if self._hits[key] > 1:
            self._hits[key] = 0
            self._to_main(key, size)
        else:
            del self._hits[key]
            self._remember_ghost(key, size)
            victims.append(key)

    def _evict_main(self, newcomer: K, victims: list[K]) -> None:
        key, size = self._main.popitem(last=False)
        self._main_size -= size
        if key == newcomer or self._hits[key] > 0:
            self._hits[key] = max(0, self._hits[key] - 1)
            self._to_main(key, size)
        else:
            del self._hits[key]
            victims.append(key)

    def _to_main(self, key: K, size: int) -> None:
        self._main[key] = size
        self._main_size += size

    def _remember_ghost(self, key: K, size: int) -> None:
        self._ghost[hash(key)] = size
        self._ghost_size += size
        while self._ghost_size > self.capacity or len(self._ghost) > _MAX_GHOSTS:
            self._ghost_size -= self._ghost.popitem(last=False)[1]

    def _forget_ghost(self, key: K) -> bool:
        size = self._ghost.pop(hash(key), None)
        self._ghost_size -= size or 0
        return size is not None
