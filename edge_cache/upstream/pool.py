"""The connections to one upstream: made, taken, given back, dropped when they have idled."""

import asyncio
import ssl
from collections import deque

from edge_cache.errors import Failure, UpstreamError
from edge_cache.upstream.address import Address
from edge_cache.upstream.connection import UpstreamConnection
from edge_cache.upstream.resolver import Lookup, Resolver, look_up

MAX_IDLE = 64
"""Idle connections kept to one upstream; a burst beyond closes what it opened."""


def tls_context(ca: str | None = None) -> ssl.SSLContext:
    """Verifies certificate and name, by the authorities in the file *ca* or the system's.

    OSError (of which ssl.SSLError is one) if the file cannot be used.
    """
    context = ssl.create_default_context(cafile=ca)
    context.set_alpn_protocols(["http/1.1"])
    return context


class Pool:
    """``http://``, ``https://`` and ``unix://`` upstreams alike."""

    def __init__(
        self,
        url: str,
        *,
        connect_timeout: float,
        idle_timeout: float,
        limit: int = 512,
        tls: ssl.SSLContext | None = None,
        dns_interval: float = 30.0,
        lookup: Lookup = look_up,
    ) -> None:
        self.address = Address.parse(url)
        self.authority = self.address.authority
        self._tls = (tls or tls_context()) if self.address.scheme == "https" else None
        self._connect_timeout = connect_timeout
        self._idle_timeout = idle_timeout
        self._limit = limit
        self._resolver = Resolver(self.address, interval=dns_interval, lookup=lookup)
        self._best = ""  # the address that took the last connection
        self._connecting = 0
        self._idle: deque[UpstreamConnection] = deque()  # the freshest last
        self._open: set[UpstreamConnection] = set()
        self._sweeper: asyncio.TimerHandle | None = None

    @property
    def open(self) -> int:
        """Connections, idle ones included."""
        return len(self._open)

    def take_idle(self) -> UpstreamConnection | None:
        """A connection that has served before, if one is left."""
        oldest = asyncio.get_running_loop().time() - self._idle_timeout
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable and connection.idle_since >= oldest:
                return connection
            connection.abort()
        return None

    async def connect(self, limit: float | None = None) -> UpstreamConnection:
        """A new connection, within *limit* seconds or the pool's own time-out."""
        if len(self._open) + self._connecting >= self._limit and not self._drop_idle():
            raise UpstreamError(Failure.BUSY, sent=False)
        timeout = self._connect_timeout if limit is None else min(limit, self._connect_timeout)
        self._connecting += 1
        try:
            async with asyncio.timeout(timeout):
                connection = await self._dial(asyncio.get_running_loop().time() + timeout)
        except TimeoutError as error:
            raise UpstreamError(Failure.CONNECT_TIMEOUT, sent=False) from error
        except ssl.SSLError as error:
            raise UpstreamError(Failure.TLS, sent=False) from error
        except OSError as error:  # refused, unreachable, no such name
            raise UpstreamError(Failure.CONNECT, sent=False) from error
        finally:
            self._connecting -= 1
        self._open.add(connection)
        return connection

    def close(self) -> None:
        self._resolver.close()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in tuple(self._open):
            connection.abort()

    async def _dial(self, deadline: float) -> UpstreamConnection:
        """Try the addresses, the one that worked last first; each gets its part of the time.

        The OSError of the last is the one that is told.
        """
        addresses = await self._resolver.addresses()
        failure: OSError | None = None
        for left, host in zip(
            range(len(addresses), 0, -1),
            sorted(addresses, key=self._best.__ne__),
            strict=True,
        ):
            part = (deadline - asyncio.get_running_loop().time()) / left
            try:
                async with asyncio.timeout(part):
                    connection = await self._open_to(host)
            except OSError as error:  # TimeoutError is one
                failure = error
            else:
                self._best = host
                return connection
        assert failure is not None
        raise failure

    async def _open_to(self, host: str) -> UpstreamConnection:
        loop = asyncio.get_running_loop()
        connection = UpstreamConnection(host, self._give_back, self._open.discard)
        try:
            if self.address.scheme == "unix":
                await loop.create_unix_connection(lambda: connection, host)
            else:
                await loop.create_connection(
                    lambda: connection,
                    host,
                    self.address.port,
                    ssl=self._tls,
                    server_hostname=self.address.host if self._tls else None,
                )
        except BaseException:
            connection.discard()  # it may have been made just before the time was over
            raise
        return connection

    def _give_back(self, connection: UpstreamConnection) -> None:
        if len(self._idle) >= MAX_IDLE or not self._resolver.has(connection.host):
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.append(connection)
        if self._sweeper is None:
            self._sweeper = loop.call_later(self._idle_timeout, self._sweep)

    def _drop_idle(self) -> bool:
        """Make room for another by closing one that is not in use."""
        if not self._idle:
            return False
        oldest = self._idle.popleft()
        self._open.discard(oldest)
        oldest.abort()
        return True

    def _sweep(self) -> None:
        """Close what has idled for too long, and look again when the next one may have."""
        loop = asyncio.get_running_loop()
        self._sweeper = None
        while self._idle:
            oldest = self._idle[0]
            left = oldest.idle_since + self._idle_timeout - loop.time()
            if left > 0 and oldest.is_usable:
                self._sweeper = loop.call_later(left, self._sweep)
                return
            self._idle.popleft().abort()
