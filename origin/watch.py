"""What changes in the catalog, as each process follows it: one statement about once a second.

It begins with the process and tells whoever keeps answers.  While the database is away nothing
is told, so that what is kept stays; what changed meanwhile is told as soon as it is back.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from metadata.errors import MetadataError, WrongSchema

if TYPE_CHECKING:
    from metadata.journal import Change, Seen

_log = logging.getLogger("origin")

INTERVAL = 0.7
"""Seconds between two looks: a change is known within one, the look itself included."""

HUNG = 1.0
"""Seconds after which a look that failed did not fail but hang."""

TOO_LONG = 12 * 3600
"""Seconds without a look.  The journal goes back for a day."""

Told = Callable[["tuple[Change, ...]"], None]


class Watch:
    def __init__(self, read: "Callable[[str | None], Awaitable[Seen]]") -> None:
        """*read* asks for what changed behind a position."""
        self._read = read
        self._told: list[Told] = []
        self._position: str | None = None
        self._read_at = 0.0
        self._looking = asyncio.Lock()
        self._following: asyncio.Task[None] | None = None
        self.mark = 0
        """Grows with whatever is told: an answer that was on its way meanwhile may be older."""

        self.problem: str | None = None
        """Why the last look failed, for whoever may ask."""

        self.away = False
        """The database did not answer when it was last asked."""

        self.hung = False
        """... and let us wait for that."""

    def tell(self, told: Told) -> None:
        """Call *told* with what changed."""
        self._told.append(told)

    def lost(self) -> None:
        """Somebody else got no answer."""
        self.away = True

    async def started(self) -> None:
        """From here on changes are seen.  Raises ``MetadataError``."""
        if self._position is None:
            await self.look()
        self.begin()

    def begin(self) -> None:
        """Look from now on, without waiting for the first time."""
        if self._following is None:
            self._following = asyncio.ensure_future(self._follow())

    async def look(self) -> None:
        """Tell what changed since the last look.  Raises ``MetadataError``, and what is wrong
        with the journal."""
        async with self._looking:
            began = time.monotonic()
            try:
                seen = await self._read(self._position)
            except Exception as error:
                if self.problem is None:
                    bug = None if isinstance(error, MetadataError) else error
                    _log.warning("the database does not answer: %s", error, exc_info=bug)
                is_known = isinstance(error, WrongSchema)
                self.problem = str(error) if is_known else "the database is unavailable"
                self.away, self.hung = True, time.monotonic() - began > HUNG
                raise
            if self.problem is not None:
                _log.warning("the database answers again")
            self.away, self.hung, self.problem = False, False, None
            changes = seen.changes
            if self._position is not None and began - self._read_at > TOO_LONG:
                from metadata.journal import EVERYTHING

                changes = EVERYTHING
            self._position, self._read_at = seen.position, began
            if changes:
                self.mark += 1
                for told in self._told:
                    told(changes)

    async def _follow(self) -> None:
        while True:
            # what is kept stays where it fails, however it does; the next one asks again
            with suppress(Exception):
                await self.look()
            await asyncio.sleep(INTERVAL)

    async def close(self) -> None:
        if self._following is not None:
            self._following.cancel()
