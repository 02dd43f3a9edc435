"""One connection to an upstream: one exchange at a time, kept while it stays clean."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import cast

from edge_cache.errors import EdgeError, Failure, UpstreamError
from edge_cache.upstream.response import Interim, Response


class UpstreamConnection(asyncio.Protocol):
    """Calls *idle* when it is free for another exchange, and *lost* when it is gone."""

    def __init__(
        self,
        host: str,
        idle: Callable[["UpstreamConnection"], None],
        lost: Callable[["UpstreamConnection"], None],
    ) -> None:
        self.host = host
        """Which of the upstream's addresses it goes to."""
        self._idle, self._lost = idle, lost
        self._response: Response | None = None
        self._sender: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._is_made = False
        self.idle_since = 0.0
        self.has_served = False
        """Whether a response has come on it."""

    # For the client.

    def start(
        self,
        head: bytes,
        body: AsyncIterator[bytes] | None,
        *,
        bodiless: bool,
        interim: Interim | None,
    ) -> Response:
        """Send a request; its response has yet to come."""
        response = self._response = Response(
            bodiless=bodiless,
            interim=interim,
            pause=self._pause,
            resume=self._resume,
            abort=self.abort,
        )
        self._transport.write(head)
        if body is not None:
            self._sender = asyncio.ensure_future(self._send(body, response))
        response.finished.add_done_callback(self._on_finished)
        return response

    def abort(self) -> None:
        self._transport.abort()

    def discard(self) -> None:
        """Nobody will use it, if it is there at all."""
        if self._is_made:
            self.abort()

    @property
    def is_usable(self) -> bool:
        return not self._transport.is_closing()

    # For the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has its own class
        self._is_made = True

    def data_received(self, data: bytes) -> None:
        if self._response is None:  # nobody asked: not a connection to be trusted
            self.abort()
            return
        self._response.feed(data)
        if self._response.finished.done() and not self._response.is_clean:
            self._transport.close()

    def eof_received(self) -> None:
        if self._response is not None:
            self._response.feed_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        self._writable.set()
        if self._sender is not None:
            self._sender.cancel()
        if self._response is not None:
            if exc is None:
                self._response.feed_eof()
            else:  # a reset ends no body, not even one that would end with the connection
                started = self._response.status
                failure = Failure.TRUNCATED if started else Failure.CLOSED
                self._response.fail(UpstreamError(failure))
        self._lost(self)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _pause(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def _resume(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    async def _send(self, body: AsyncIterator[bytes], response: Response) -> None:
        """The body, at the pace of the slower side."""
        try:
            async for piece in body:
                await self._writable.wait()
                self._transport.write(piece)
        except EdgeError as error:  # the client's body has been cut
            response.fail(error)
            self.abort()
        self._sender = None

    def _on_finished(self, _finished: "asyncio.Future[None]") -> None:
        response, self._response = self._response, None
        if self._sender is not None:  # answered before it was asked to the end
            self._sender.cancel()
            self._transport.close()
        elif response is None or not self.is_usable:
            return
        elif response.is_clean:
            self._resume()
            self._idle(self)
        else:
            self._transport.close()
