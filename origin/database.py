"""The metadata tier as the origin asks it, opened on the first question."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from metadata.errors import DatabaseUnavailable
from origin.watch import Watch

if TYPE_CHECKING:
    from metadata.asking import Asker
    from metadata.journal import Seen
    from metadata.sessions import Reader

P = ParamSpec("P")
T = TypeVar("T")


class Database:
    """Raises ``metadata.errors`` only."""

    def __init__(self, data: str | Path) -> None:
        self._data = data
        self._asker: Asker | None = None
        self.questions = 0
        """Asked so far; those of ``watch`` do not count."""
        self.watch = Watch(self._read_changes)

    async def ask(
        self,
        question: "Callable[Concatenate[Reader, P], T]",
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        if self.watch.hung:
            raise DatabaseUnavailable("it has not answered for some time")
        self.questions += 1
        return await self._opened().ask(question, *args, **kwargs)

    def _opened(self) -> "Asker":
        if self._asker is None:
            from metadata.asking import open_asker

            self._asker = open_asker(self._data)
        return self._asker

    def _read_changes(self, position: str | None) -> "Awaitable[Seen]":
        from metadata.journal import read_changes

        return self._opened().ask(read_changes, position)

    async def close(self) -> None:
        await self.watch.close()
        if self._asker is not None:
            await self._asker.close()
