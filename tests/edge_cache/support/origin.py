"""An origin that does what a test tells it, and remembers what it was asked.

Written by hand rather than with an HTTP library, since half of what it must do is wrong.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Seen:
    """One request as it came in."""

    method: str
    target: str
    headers: dict[str, str]
    """Names in lower case; several lines joined by a comma."""
    body: bytes = b""


class Exchange:
    """What a handler answers with."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def respond(
        self, body: bytes = b"", *lines: str, status: str = "200 OK", length: int | None = None
    ) -> None:
        """A whole response; *length* may lie."""
        await self.head(
            *lines, f"Content-Length: {len(body) if length is None else length}", status=status
        )
        await self.send(body)

    async def head(self, *lines: str, status: str = "200 OK") -> None:
        await self.send("\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1"))

    async def chunk(self, data: bytes) -> None:
        await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def cut(self) -> None:
        """Close, whatever was promised."""
        self.writer.close()


Handler = Callable[[Seen, Exchange], Awaitable[None]]


@dataclass(slots=True)
class Origin:
    handler: Handler
    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not writer.is_closing():
                request = await read_request(reader)
                self.seen.append(request)
                await self.handler(request, Exchange(writer))
        except (asyncio.IncompleteReadError, ConnectionError, RuntimeError):
            pass  # the edge has gone; uvloop says so by a RuntimeError
        finally:
            writer.close()


async def read_request(reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    headers: dict[str, str] = {}
    for line in lines:
        name, value = line.split(":", 1)
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    body = b""
    if "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    elif headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
    return Seen(method, target, headers, body)


@asynccontextmanager
async def origin(handler: Handler) -> AsyncIterator[Origin]:
    running = Origin(handler)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        await running.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20, backlog=512)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def plain(body: bytes = b"hello", *lines: str, status: str = "200 OK") -> Handler:
    """A handler that always answers the same."""

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        await exchange.respond(body, *(lines or ("Cache-Control: max-age=60",)), status=status)

    return handler
