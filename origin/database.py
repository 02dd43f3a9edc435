"""The metadata tier as the origin asks it, opened on the first question."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from metadata.asking import Asker
    from metadata.sessions import Reader

P = ParamSpec("P")
T = TypeVar("T")


class Database:
    """Raises ``metadata.errors`` only."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._asker: Asker | None = None
        self.questions = 0
        """Asked so far."""

    async def ask(
        self,
        question: "Callable[Concatenate[Reader, P], T]",
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        if self._asker is None:
            from metadata.asking import open_asker

            self._asker = open_asker(self._data)
        self.questions += 1
        return await self._asker.ask(question, *args, **kwargs)

    async def close(self) -> None:
        if self._asker is not None:
            await self._asker.close()
