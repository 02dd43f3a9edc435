"""What is not in the file system: looked at and indexed by ranged reads, few and large.

The operator who names an address on the command line allows it, and nothing besides.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from origin.errors import OriginError
from origin.storage.source import Source
from origin.storage.sources import Access, Sources
from packager.errors import PackagerError
from packager.index import FlavorIndex
from packager.indexing import build_index
from packager.plan import Reads

T = TypeVar("T")


class Unreadable(Exception):
    """The message is the reason."""


def look(address: str) -> tuple[int, int]:
    """Size and stamp of what is at *address*.  Raises ``Unreadable``."""

    async def ask() -> tuple[int, int]:
        async with _opened(address, to_index=False) as source:
            return source.size, source.stamp

    return _run(ask)


def index(address: str, known: tuple[int, int], progress: Callable[[int], None]) -> FlavorIndex:
    """Index what is at *address*; *progress* is told the bytes that each step has read.

    Raises ``Unreadable``, also where it is not what ``look`` said.
    """

    async def read() -> FlavorIndex:
        async with _opened(address, to_index=True) as source:
            if (source.size, source.stamp) != known:
                raise Unreadable("it changed while it was read")
            return await source.carry_out(_told(build_index(source.size, facts=True), progress))

    return _run(read)


@asynccontextmanager
async def _opened(address: str, *, to_index: bool) -> AsyncIterator[Source]:
    sources = Sources(1, Access.to(address))
    try:
        yield await sources.open(address, to_index=to_index)
    finally:
        await sources.close()


def _run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    try:
        return asyncio.run(work())
    except (OriginError, PackagerError) as error:
        raise Unreadable(str(error)) from None


def _told(reads: Reads[T], progress: Callable[[int], None]) -> Reads[T]:
    try:
        wanted = next(reads)
        while True:
            data = yield wanted
            progress(len(data))
            wanted = reads.send(data)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
