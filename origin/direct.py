"""Body bytes past IOStream, straight to the socket.

IOStream sends 128 KiB a call and keeps what the socket does not take; a body of megabytes
costs it a third more than one large send.  Once Tornado has written the headers and its own
buffer is empty, a media body is sent here, and Tornado is told that its body is complete.
What a call returns for has been copied by the kernel: the caller may use the memory again.
"""

import asyncio
import os
from typing import Any

from tornado.httputil import HTTPConnection
from tornado.iostream import IOStream, SSLIOStream, StreamClosedError


class DirectBody:
    """The body of one response on one connection; its headers have been written."""

    def __init__(self, stream: IOStream) -> None:
        # A descriptor of our own: when the client goes, Tornado closes its own at once, and
        # a number that we still wait for must not be given to another connection.
        self._fd = os.dup(stream.socket.fileno())

    async def write(self, data: memoryview, limit: float) -> None:
        """Send all of *data* within *limit* seconds.

        Raises ``StreamClosedError`` if the client has gone and ``TimeoutError``.
        """
        sent = self._send(data)
        if sent < len(data):
            async with asyncio.timeout(limit):
                while sent < len(data):
                    await self._writable()
                    sent += self._send(data[sent:])

    def _send(self, data: memoryview) -> int:
        try:
            return os.write(self._fd, data)
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
        os.close(self._fd)


def _set(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


def direct_body(connection: HTTPConnection) -> DirectBody | None:
    """A direct way for the body of *connection*'s response, whose headers are flushed.

    None where there is none: TLS, a connection that is gone, bytes still waiting to be sent,
    or a Tornado that counts a body's bytes in another way.
    """
    private: Any = connection
    stream = getattr(connection, "stream", None)
    if (
        not isinstance(stream, IOStream)
        or isinstance(stream, SSLIOStream)
        or stream.closed()
        or stream.writing()
        or not hasattr(private, "_expected_content_remaining")
    ):
        return None
    # finish() complains of a body shorter than Content-Length unless it does not count.
    private._expected_content_remaining = None
    return DirectBody(stream)
