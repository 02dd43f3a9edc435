"""Many connections in one epoll loop, each asking again as soon as it has its answer."""

import hashlib
import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.client import BUFFER, PATIENCE, Address, parse_head, request
from bench.errors import BadResponse

_HEAD_LIMIT = 4096


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    path: str = ""
    asked: float = 0
    first_byte: float = 0
    head: bytes = b""
    """What has come of a head that is not complete."""
    left: int = -1
    """Bytes of the body that are missing; -1 before the head is there."""
    size: int = 0
    digest: "hashlib._Hash | None" = None


@dataclass(frozen=True, slots=True)
class Answered:
    """One response."""

    first_byte: float
    """Seconds from its request."""
    total: float
    size: int
    digest: str
    """SHA-256 of the body where it was asked for."""


@dataclass(slots=True)
class Outcome:
    answers: list[Answered] = field(default_factory=list)
    seconds: float = 0


class Crowd:
    """*size* connections to one server."""

    def __init__(self, address: Address, size: int, *, hashed: bool = False) -> None:
        self._address = address
        self._hashed = hashed
        self._buffer = bytearray(BUFFER)
        self._view = memoryview(self._buffer)
        self._epoll = select.epoll()
        self._connections: dict[int, _Connection] = {}
        for _ in range(size):
            opened = address.connect()
            opened.setblocking(False)
            self._epoll.register(opened, select.EPOLLIN)
            self._connections[opened.fileno()] = _Connection(opened)

    def close(self) -> None:
        self._epoll.close()
        for connection in self._connections.values():
            connection.socket.close()

    def once(self, path: str) -> Outcome:
        """Each connection asks once, all at the same time."""
        return self._run([path], 0)

    def keep_asking(self, paths: Sequence[str], seconds: float) -> Outcome:
        """Each connection asks for *paths* in turn for so many *seconds*."""
        return self._run(paths, seconds)

    def _run(self, paths: Sequence[str], seconds: float) -> Outcome:
        outcome = Outcome()
        requests = {path: request(self._address, path) for path in paths}
        began = time.perf_counter()
        number = 0
        for connection in self._connections.values():
            self._ask(connection, paths[number % len(paths)], requests)
            number += 1
        waiting = len(self._connections)
        while waiting:
            events = self._epoll.poll(PATIENCE)
            if not events:
                raise BadResponse(f"nothing came for {PATIENCE:.0f} s")
            for descriptor, _ in events:
                connection = self._connections[descriptor]
                if not self._take(connection):
                    continue
                now = time.perf_counter()
                outcome.answers.append(self._answered(connection, now))
                if now - began < seconds:
                    self._ask(connection, paths[number % len(paths)], requests)
                    number += 1
                else:
                    waiting -= 1
        outcome.seconds = time.perf_counter() - began
        return outcome

    def _ask(self, connection: _Connection, path: str, requests: dict[str, bytes]) -> None:
        connection.path, connection.head, connection.left = path, b"", -1
        connection.first_byte = 0
        connection.digest = hashlib.sha256() if self._hashed else None
        connection.asked = time.perf_counter()
        connection.socket.send(requests[path])  # far less than a socket's buffer

    def _take(self, connection: _Connection) -> bool:
        """Receive once; True where the response is complete."""
        room = BUFFER if connection.left < 0 else min(BUFFER, connection.left)
        got = connection.socket.recv_into(self._buffer, room)
        if not got:
            raise BadResponse(f"{connection.path}: the connection was closed")
        connection.first_byte = connection.first_byte or time.perf_counter()
        start = 0
        if connection.left < 0 and (start := self._take_head(connection, got)) < 0:
            return False
        connection.left -= got - start
        if connection.digest is not None:
            connection.digest.update(self._view[start:got])
        if connection.left < 0:
            raise BadResponse(f"{connection.path}: more bytes than announced")
        return connection.left == 0

    def _take_head(self, connection: _Connection, got: int) -> int:
        """Where the body starts in the buffer; -1 where the head goes on."""
        before = len(connection.head)
        data = connection.head + bytes(self._view[: min(got, _HEAD_LIMIT)])
        end = data.find(b"\r\n\r\n")
        if end < 0:
            if got > _HEAD_LIMIT:
                raise BadResponse(f"{connection.path}: a head without an end")
            connection.head = data
            return -1
        head = parse_head(data[:end])
        if head.status != 200 or head.length is None:
            raise BadResponse(f"{connection.path}: status {head.status}, {head.headers}")
        connection.left = connection.size = head.length
        return end + 4 - before

    def _answered(self, connection: _Connection, now: float) -> Answered:
        digest = "" if connection.digest is None else connection.digest.hexdigest()
        return Answered(
            connection.first_byte - connection.asked,
            now - connection.asked,
            connection.size,
            digest,
        )
