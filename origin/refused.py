"""Requests that were refused a moment ago, refused again without looking (contract §2.1).

Only as long as nothing at all changed in the catalog: an entry that comes is there at once.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache

from origin.contract.refusals import Refused

_KEPT = 2 << 20
"""Bytes."""

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Known:
    refused: Refused
    mark: int
    until: int


class RefusedBefore:
    def __init__(self, clock: Callable[[], int]) -> None:
        """*clock* tells nanoseconds since 1970."""
        self._clock = clock
        self._known: LRUCache[str, tuple[_Known, int]] = LRUCache(_KEPT, lambda one: one[1])

    def check(self, target: str, mark: int) -> None:
        """Raises ``Refused`` where *target* is to be refused again; *mark* is another one when
        the catalog changed."""
        if (found := self._known.get(target)) is None:
            return
        known = found[0]
        left = (known.until - self._clock()) // _SECOND
        if known.mark == mark and left > 0:
            raise known.refused.again(left)

    def keep(self, target: str, refused: Refused, mark: int) -> None:
        """*mark* is that of before it was looked."""
        if refused.life:
            until = self._clock() + refused.life * _SECOND
            # without a traceback, which would hold all that was in hand
            known = _Known(refused.again(refused.life), mark, until)
            self._known[target] = known, len(target) + 1024
