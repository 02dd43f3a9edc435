"""The connections to one upstream: taken, given back, dropped when they have idled too long."""

import asyncio
import ssl
from urllib.parse import urlsplit

from edge_cache.errors import Failure, UpstreamError
from edge_cache.upstream.connection import UpstreamConnection

MAX_IDLE = 64
"""Idle connections kept to one upstream; a burst beyond closes what it opened."""


class Pool:
    def __init__(self, url: str, *, connect_timeout: float, idle_timeout: float) -> None:
        parts = urlsplit(url)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._tls else 80)
        self.authority = parts.netloc.encode("idna" if not parts.netloc.isascii() else "ascii")
        """What Host says."""
        self._connect_timeout = connect_timeout
        self._idle_timeout = idle_timeout
        self._idle: list[UpstreamConnection] = []  # the freshest last
        self._open: set[UpstreamConnection] = set()

    def take_idle(self) -> UpstreamConnection | None:
        """A connection that has served before, if one is left."""
        oldest = asyncio.get_running_loop().time() - self._idle_timeout
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable and connection.idle_since >= oldest:
                return connection
            connection.abort()
        return None

    async def connect(self) -> UpstreamConnection:
        """A new connection."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_timeout):
                _, connection = await loop.create_connection(
                    lambda: UpstreamConnection(self._give_back, self._forget),
                    self._host,
                    self._port,
                    ssl=self._tls,
                )
        except TimeoutError as error:
            raise UpstreamError(Failure.CONNECT_TIMEOUT, sent=False) from error
        except OSError as error:  # refused, unreachable, no such name, TLS
            raise UpstreamError(Failure.CONNECT, sent=False) from error
        self._open.add(connection)
        return connection

    def close(self) -> None:
        for connection in tuple(self._open):
            connection.abort()

    def _give_back(self, connection: UpstreamConnection) -> None:
        if len(self._idle) >= MAX_IDLE:
            connection.abort()
            return
        connection.idle_since = asyncio.get_running_loop().time()
        self._idle.append(connection)

    def _forget(self, connection: UpstreamConnection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
