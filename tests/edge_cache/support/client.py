"""A client that sends exactly the bytes it is given, and reads answers strictly."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Answer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    """Names in lower case; several lines joined by a comma."""
    body: bytes = b""
    interim: list["Answer"] = field(default_factory=list)
    """The 1xx before it."""

    @property
    def cache(self) -> str:
        return self.headers.get("cache-status", "")


class Client:
    """One connection to an edge."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def ask(
        self, target: str, *lines: str, method: str = "GET", body: bytes = b""
    ) -> None:
        head = "\r\n".join([f"{method} {target} HTTP/1.1", "Host: edge", *lines, "", ""])
        await self.send(head.encode("latin-1") + body)

    async def head(self) -> Answer:
        """The next head, interim ones included."""
        text = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = text.removesuffix("\r\n\r\n").split("\r\n")
        version, status, _ = first.split(" ", 2)
        assert version == "HTTP/1.1"
        answer = Answer(int(status))
        for line in lines:
            name, value = line.split(": ", 1)
            name = name.lower()
            known = answer.headers.get(name)
            answer.headers[name] = value if known is None else f"{known}, {value}"
        return answer

    async def answer(self, *, method: str = "GET") -> Answer:
        """The next answer as a whole; IncompleteReadError or ConnectionError if it is cut."""
        answer, interim = await self.head(), []
        while answer.status < 200:
            interim.append(answer)
            answer = await self.head()
        answer.interim = interim
        if method != "HEAD" and answer.status not in (204, 304):
            answer.body = await self.body(answer.headers)
        return answer

    async def get(self, target: str, *lines: str, method: str = "GET") -> Answer:
        await self.ask(target, *lines, method=method)
        return await self.answer(method=method)

    async def is_closed(self) -> bool:
        """Wait for the end of the connection: whether it came without another byte."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True

    async def body(self, headers: dict[str, str]) -> bytes:
        """The body that follows a head with *headers*."""
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                body += (await self.reader.readexactly(size + 2))[:-2]
            assert await self.reader.readexactly(2) == b"\r\n"
            return body
        if "content-length" in headers:
            return await self.reader.readexactly(int(headers["content-length"]))
        return await self.reader.read()


@asynccontextmanager
async def connect(port: int, *, small: bool = False) -> AsyncIterator[Client]:
    """A connection; *small* asks the kernel to hold little for it."""
    sock = socket.socket()
    sock.setblocking(False)
    if small:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    try:
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=sock, limit=1 << 20)
    except BaseException:  # a refusal, or the end of the test
        sock.close()
        raise
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


async def get(port: int, target: str, *lines: str, method: str = "GET") -> Answer:
    """One request on a connection of its own."""
    async with connect(port) as client:
        return await client.get(target, *lines, method=method)
