"""Clients that read an answer as it comes, and tell a whole one from a cut one."""

import asyncio
import random
from dataclasses import dataclass, field
from functools import cache

from tests.edge_cache.support.client import Answer, connect


@cache
def body_of(target: str, size: int) -> bytes:
    """What the origin serves under *target*, like nothing else."""
    return random.Random(target).randbytes(size)


@dataclass(slots=True)
class Got:
    """What a client saw."""

    head: Answer | None = None
    data: bytearray = field(default_factory=bytearray)
    """What came of the body, chunks as they were framed."""
    is_ended: bool = False
    """By an orderly end of the connection."""

    @property
    def status(self) -> int:
        """0 if no head came."""
        return self.head.status if self.head else 0

    @property
    def is_chunked(self) -> bool:
        return self.head is not None and "transfer-encoding" in self.head.headers

    @property
    def body(self) -> bytes:
        return _unchunked(self.data) if self.is_chunked else bytes(self.data)

    @property
    def is_whole(self) -> bool:
        if self.head is None or not self.is_ended:
            return False
        if self.is_chunked:
            return self.data.endswith(b"\r\n0\r\n\r\n")
        return len(self.data) == int(self.head.headers["content-length"])


async def follow(port: int, target: str, got: Got) -> None:
    """Ask on a connection that ends after the answer, and read it as it comes into *got*."""
    async with connect(port) as client:
        try:
            await client.ask(target, "Connection: close")
            got.head = await client.head()
            while piece := await client.reader.read(1 << 18):
                got.data += piece
            got.is_ended = True
        except (ConnectionError, asyncio.IncompleteReadError):
            pass


def _unchunked(data: bytes | bytearray) -> bytes:
    """What there is of a chunked body, a cut chunk included."""
    body, at = b"", 0
    while (end := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:end], 16)
        body += data[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
    return body
