"""Mappings in memory: fetched once for all who ask, kept for a while, and those they replaced.

fetched ──ttl──> asked again ── the same     ──> kept on
                             ── another      ──> the earlier one stays for a day, by token
                             ── not there    ──> 404, for a while
                             ── refused      ──> 503, for a while
                             ── upstream away ─> the last good one, as long as it is away
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from cachetools import LRUCache

from metadata.records import KEEP_REPLACED_NS
from origin.errors import RETRY_AFTER, NotFound
from origin.flights import Flights
from origin.mapping.errors import BadMapping, Fault
from origin.mapping.fetching import Fetcher
from origin.mapping.grammar import joined
from origin.mapping.keeping import Kept
from origin.mapping.media_set import MediaSet

Names = tuple[str, ...]
Parse = Callable[[bytes], MediaSet]

_SECOND = 1_000_000_000
_NEGATIVE = 10 * _SECOND
"""For which a refusal is kept at most."""

_VERSIONS = 8
"""Of one source that are kept beside the current one."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the last answer said."""

    good: MediaSet | None
    """The last one that could be used."""

    error: NotFound | BadMapping | Fault | None
    """Why that is not the last answer's."""

    asked_at: int
    """When it was last tried to fetch it."""

    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class _Earlier:
    media_set: MediaSet
    until: int


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a source presented, newest first behind the current one."""

    now: MediaSet
    before: tuple[_Earlier, ...] = ()

    @property
    def size(self) -> int:
        """Bytes, about."""
        every = (self.now, *(one.media_set for one in self.before))
        return 512 + sum(2048 * len(one.sequences) for one in every)


class Mappings:
    def __init__(
        self,
        fetcher: Fetcher,
        parse: Parse,
        *,
        ttl: float,
        capacity: int,
        clock: Callable[[], int],
        kept: Kept,
    ) -> None:
        """*ttl* in seconds, *capacity* in bytes; *clock* tells nanoseconds since 1970."""
        self._fetcher, self._parse, self._kept = fetcher, parse, kept
        self._ttl = round(ttl * _SECOND)
        self._clock = clock
        self._known: LRUCache[str, _Known] = LRUCache(capacity // 2, lambda one: one.size)
        self._shown: LRUCache[Names, _Shown] = LRUCache(capacity // 2, lambda one: one.size)
        self._flights: Flights[str, _Known] = Flights()
        self.fetched = 0
        """How often the mapping of a name was asked for."""

    async def find(self, names: Names) -> MediaSet:
        """What *names* say together.  Raises ``NotFound``, ``BadMapping`` and ``Fault``."""
        return await self._note(names, await self._together(names, self._clock()))

    async def look(self, names: Names, since: int) -> MediaSet:
        """The same, asked anew where that was before *since*."""
        return await self._note(names, await self._together(names, since, anew=True))

    def earlier(self, names: Names) -> tuple[MediaSet, ...]:
        """What *names* said within the last day and do not say any more, and what they last
        said, newest first."""
        shown, now = self._shown.get(names), self._clock()
        if shown is None:
            return ()
        return (shown.now, *(one.media_set for one in shown.before if now < one.until))

    async def elsewhere(self, names: Names) -> list[MediaSet]:
        """The same, as the other workers and those before them saw it."""
        run = asyncio.get_running_loop().run_in_executor
        return await run(None, self._kept.find, names, self._clock())

    async def close(self) -> None:
        await self._fetcher.close()

    async def _together(self, names: Names, since: int, *, anew: bool = False) -> MediaSet:
        asked = (self._one(name, since, anew) for name in names)
        return joined(list(await asyncio.gather(*asked)))

    async def _one(self, name: str, since: int, anew: bool) -> MediaSet:
        known = self._known.get(name)
        if known is None or not self._may_serve(known, since, anew):
            known = await self._flights.join(name, lambda: self._fetch(name))
        if known.good is not None and (known.error is None or isinstance(known.error, Fault)):
            return known.good
        assert known.error is not None
        raise type(known.error)(*known.error.args)  # one that is raised again only grows

    def _may_serve(self, known: _Known, since: int, anew: bool) -> bool:
        """Whether it need not be asked again.  An upstream that is away is not asked at once:
        it takes seconds to say nothing."""
        if known.asked_at > self._clock():
            return False  # the clock was set back
        life = self._life(known)
        if isinstance(known.error, Fault):
            return self._clock() < known.asked_at + life
        return known.asked_at >= since or (not anew and self._clock() < known.asked_at + life)

    def _life(self, known: _Known) -> int:
        if isinstance(known.error, Fault):
            return RETRY_AFTER * _SECOND
        if known.error is not None:
            return min(self._ttl, _NEGATIVE)
        assert known.good is not None
        return self._ttl if known.good.cache else 0

    async def _fetch(self, name: str) -> _Known:
        self.fetched += 1
        before, now = self._known.get(name), self._clock()
        try:
            data = await self._fetcher.fetch(name)
            found = _Known(self._parse(data), None, now, 1024 + 8 * len(data))
        except Fault as error:
            known = before or _Known(None, None, now, 1024)
            found = replace(known, error=error.with_traceback(None), asked_at=self._clock())
        except (NotFound, BadMapping) as error:
            found = _Known(None, error.with_traceback(None), now, 1024)
        if found.size <= self._known.maxsize:
            self._known[name] = found
        return found

    async def _note(self, names: Names, found: MediaSet) -> MediaSet:
        shown, now = self._shown.get(names), self._clock()
        if shown is not None and shown.now == found:
            return shown.now
        made = _Shown(found) if shown is None else self._replaced(shown, found)
        if made.size <= self._shown.maxsize:
            self._shown[names] = made
        run = asyncio.get_running_loop().run_in_executor
        if shown is not None:
            await run(None, self._kept.keep, names, shown.now, now - 1)
        await run(None, self._kept.keep, names, found, now)
        return found

    def _replaced(self, shown: _Shown, found: MediaSet) -> _Shown:
        now = self._clock()
        gone = _Earlier(shown.now, now + KEEP_REPLACED_NS)
        kept = [one for one in shown.before if now < one.until and one.media_set != found]
        return _Shown(found, (gone, *kept)[:_VERSIONS])
