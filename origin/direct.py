"""Answers past IOStream, straight to the socket.

IOStream sends 128 KiB a call and keeps what the socket does not take; a body of megabytes
costs it a third more than one large send.  While its own buffer is empty, an answer's head and
windows are written here, gathered from where they lie; Tornado goes on with the connection
when its ``finish`` is called.  What a call returns for has been copied by the kernel: the
caller may use the memory again.
"""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

from tornado.httputil import HTTPConnection
from tornado.iostream import IOStream, SSLIOStream, StreamClosedError

from origin.errors import SourceChanged

Parts = list[bytes | memoryview]


class DirectBody:
    """The way to the client of one connection."""

    def __init__(self, stream: IOStream) -> None:
        self._stream = stream
        self._fd = stream.socket.fileno()
        self._own = False

    async def write(self, parts: Parts, size: int, limit: float) -> None:
        """Send all of *parts*, *size* bytes, within *limit* seconds.

        Raises ``StreamClosedError`` if the client has gone and ``TimeoutError``.
        """
        if self._stream.closed():
            raise StreamClosedError(real_error=self._stream.error)
        sent = self._send(parts)
        if sent < size:
            async with asyncio.timeout(limit):
                await self._rest(parts, size, sent)

    async def send_file(self, file: int, offset: int, size: int, limit: float) -> None:
        """Send *size* bytes of the descriptor *file* from the page cache, uncopied.

        Raises as ``write`` does.  They are on their way, not sent, when it returns: whoever
        writes to the file may still change them.
        """
        if self._stream.closed():
            raise StreamClosedError(real_error=self._stream.error)
        async with asyncio.timeout(limit):
            while size:
                try:
                    sent = os.sendfile(self._fd, file, offset, size)
                except BlockingIOError:
                    self._keep()
                    await self._writable()
                    continue
                except OSError as error:
                    raise StreamClosedError(real_error=error) from None
                if not sent:
                    raise SourceChanged("the file ends before its end")
                offset, size = offset + sent, size - sent

    def _keep(self) -> None:
        if not self._own:
            # A descriptor of our own: when the client goes, Tornado closes its own at once,
            # and a number that we wait for must not be given to another connection.
            self._fd, self._own = os.dup(self._fd), True

    async def _rest(self, parts: Parts, size: int, sent: int) -> None:
        self._keep()
        while sent < size:
            parts = _behind(parts, sent)
            size -= sent
            await self._writable()
            sent = self._send(parts)

    def _send(self, parts: Parts) -> int:
        try:
            return os.writev(self._fd, parts)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise StreamClosedError(real_error=error) from None

    async def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        loop.add_writer(self._fd, _set, ready)
        try:
            await ready
        finally:
            loop.remove_writer(self._fd)

    def close(self) -> None:
        if self._own:
            os.close(self._fd)
            self._own = False


def _behind(parts: Sequence[bytes | memoryview], sent: int) -> Parts:
    """What is left of *parts* after *sent* bytes."""
    for number, part in enumerate(parts):
        if sent < len(part):
            return [memoryview(part)[sent:], *parts[number + 1 :]]
        sent -= len(part)
    return []


def _set(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


def direct_body(connection: HTTPConnection) -> DirectBody | None:
    """A direct way to the client of *connection*, on which nothing has been written yet.

    None where there is none: TLS, a connection that is gone, bytes still waiting to be sent.
    """
    stream: Any = getattr(connection, "stream", None)
    if not isinstance(stream, IOStream) or isinstance(stream, SSLIOStream):
        return None
    if stream.closed() or stream.writing():
        return None
    return DirectBody(stream)
