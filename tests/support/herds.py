"""Many clients at once, read by one selector: what it costs is little beside the server."""

import re
import selectors
import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.support.waiting import LIMIT

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


class Herd:
    """*count* connections; answers must have a Content-Length."""

    def __init__(self, port: int, count: int, *, receive: int | None = None) -> None:
        self.read: dict[socket.socket, bytearray] = {}
        try:
            for _ in range(count):
                client = socket.socket()
                self.read[client] = bytearray()
                if receive is not None:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
                client.settimeout(LIMIT)
                client.connect(("127.0.0.1", port))
        except OSError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        for client in self.read:
            client.close()

    def ask(self, target: str) -> None:
        for client, read in self.read.items():
            read.clear()
            client.sendall(f"GET {target} HTTP/1.1\r\nHost: edge\r\n\r\n".encode())

    def await_first_bytes(self) -> float:
        """Seconds between the first byte of the first answer and that of the last."""
        times: list[float] = []

        def is_there(_read: bytearray) -> bool:
            times.append(time.monotonic())
            return True

        self._until(is_there)
        return times[-1] - times[0]

    def bodies(self) -> list[bytes]:
        """Of all answers, each with status 200."""
        self._until(_is_whole)
        answers = [bytes(read).split(b"\r\n\r\n", 1) for read in self.read.values()]
        assert {head.split(b" ", 2)[1] for head, _ in answers} == {b"200"}
        return [body for _, body in answers]

    def _until(self, holds: Callable[[bytearray], bool]) -> None:
        """Read of each client until what it has read *holds*."""
        with selectors.DefaultSelector() as selector:
            for client, read in self.read.items():
                if not (read and holds(read)):
                    selector.register(client, selectors.EVENT_READ)
            while left := len(selector.get_map()):
                ready = selector.select(LIMIT)
                assert ready, f"{left} of {len(self.read)} wait in vain"
                for key, _ in ready:
                    client = key.fileobj
                    assert isinstance(client, socket.socket)
                    piece, read = client.recv(1 << 16), self.read[client]
                    assert piece, f"cut after {len(read)} bytes"
                    read += piece
                    if holds(read):
                        selector.unregister(client)


def _is_whole(read: bytearray) -> bool:
    end = read.find(b"\r\n\r\n")
    found = _LENGTH.search(read, 0, end + 2) if end >= 0 else None
    return found is not None and len(read) >= end + 4 + int(found[1])
