"""The addresses of a name, looked up in a thread of the loop and kept for a while.

Past the interval the old ones are used on while new ones are looked up, and for as long as
that fails (RFC 8767): a name server that is down takes nobody with it.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable

from edge_cache.upstream.address import Address

MAX_ADDRESSES = 8

Lookup = Callable[[str, int], Awaitable[list[str]]]
"""From a name and a port to IP addresses; OSError."""


async def look_up(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


class Resolver:
    def __init__(self, address: Address, *, interval: float, lookup: Lookup = look_up) -> None:
        self._address = address
        self._interval = interval
        self._lookup = lookup
        self._known: tuple[str, ...] = (address.host,) if address.is_literal else ()
        self._expires = float("inf") if address.is_literal else 0.0
        self._task: asyncio.Task[None] | None = None

    async def addresses(self) -> tuple[str, ...]:
        """At least one, in the order of trial.  OSError if the name was never found."""
        self.refresh_if_due()
        if not self._known and self._task is not None:
            await asyncio.shield(self._task)  # which is everybody's
        if not self._known:
            raise OSError(f"{self._address.host}: no address")
        return self._known

    def has(self, host: str) -> bool:
        """Whether *host* is still one of the addresses."""
        self.refresh_if_due()
        return host in self._known

    def refresh_if_due(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() >= self._expires and self._task is None:
            self._task = loop.create_task(self._refresh())

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _refresh(self) -> None:
        try:
            found = await self._lookup(self._address.host, self._address.port)
            self._known = tuple(dict.fromkeys(found))[:MAX_ADDRESSES] or self._known
        except (OSError, UnicodeError):  # the latter for a label that IDNA cannot encode
            pass
        finally:
            self._task = None
            if self._known:
                self._expires = asyncio.get_running_loop().time() + self._interval
