"""All connections of one worker: how many, how long, and how they end."""

import asyncio
import socket
import time
from contextlib import suppress

from edge_cache.config import EdgeConfig
from edge_cache.connection import Connection
from edge_cache.journal import Journal
from edge_cache.metrics import Tally
from edge_cache.node import Node
from serving.sockets import BACKLOG

_TICK = 1.0
"""Seconds between two looks at the time-outs: they are tens of seconds, and one timer for all
costs a hit nothing."""


class Server:
    def __init__(self, config: EdgeConfig, node: Node, journal: Journal, tally: Tally) -> None:
        self.config = config
        self.node = node
        self.journal = journal
        self.loop = asyncio.get_running_loop()
        self.draining = False
        self._tally = tally
        self._connections: set[Connection] = set()
        self._all_gone = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._ticker: asyncio.TimerHandle | None = None

    async def start(self, listener: socket.socket) -> None:
        self._server = await self.loop.create_server(
            lambda: Connection(self), sock=listener, backlog=BACKLOG
        )
        self._tick()

    def stop_accepting(self) -> None:
        if self._server is not None:
            self._server.close()

    async def drain(self, limit: float) -> None:
        """Accept no more, finish what is being answered within *limit* seconds, then cut."""
        self.stop_accepting()
        self.draining = True
        for connection in tuple(self._connections):
            connection.drain()
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._gone()
        for connection in tuple(self._connections):
            connection.abort()
        if self._ticker is not None:
            self._ticker.cancel()

    # For connections.

    def admit(self, connection: Connection) -> bool | None:
        """Take note of *connection*; False if there are too many, None if far too many.

        Telling a client that it is one too many takes a connection for a while, too.
        """
        self._connections.add(connection)
        self._count()
        count, limit = len(self._connections), self.config.max_connections
        if count > limit + limit // 10 + 1:
            return None
        return count <= limit

    def forget(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._count()
        if not self._connections:
            self._all_gone.set()

    async def _gone(self) -> None:
        while self._connections:
            self._all_gone.clear()
            await self._all_gone.wait()

    def _count(self) -> None:
        self._tally.cells[self._tally.connections] = len(self._connections)

    def _tick(self) -> None:
        now = time.monotonic()
        for connection in tuple(self._connections):
            connection.check(now)
        self._ticker = self.loop.call_later(_TICK, self._tick)
