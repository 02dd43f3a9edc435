"""One response as it arrives: parsed, bounded, and read at the reader's pace.

httptools knows neither how large a head may be nor that a HEAD has no body nor what the end of
a connection means; all three are decided here (RFC 9112 §6.3).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import httptools

from edge_cache.errors import EdgeError, Failure, UpstreamError
from edge_cache.http.fields import Field, Fields, end_to_end, members, values

MAX_HEAD = 64 * 1024
"""Bytes of a response's header lines: twice what we take from clients."""

MAX_FIELDS = 200
MAX_INTERIM = 16
"""1xx responses before the final one; more is a loop."""

HIGH_WATER, LOW_WATER = 256 * 1024, 64 * 1024
"""Bytes that wait for the reader before the connection is paused, and resumed."""

Interim = Callable[[int, Fields], None]
"""Called with each 1xx response."""

_CUTS = (Failure.TRUNCATED, Failure.READ_TIMEOUT, Failure.MALFORMED, Failure.HEADERS_TOO_LARGE)
"""What ends a body early and is the upstream's doing."""


class Response:
    """A response on its way.  ``head`` must be awaited before anything else is looked at."""

    def __init__(
        self,
        *,
        bodiless: bool,
        interim: Interim | None,
        pause: Callable[[], None],
        resume: Callable[[], None],
        abort: Callable[[], None],
    ) -> None:
        self.status = 0
        self.fields: Fields = ()
        """End-to-end fields only."""
        self.length: int | None = None
        """Of the body, in bytes, if the head tells."""
        loop = asyncio.get_running_loop()
        self.head: asyncio.Future[None] = loop.create_future()
        self.finished: asyncio.Future[None] = loop.create_future()
        """Done when the body is there, or never will be."""
        self.is_clean = True
        """Whether the connection can carry another response after this one."""
        self.started = False
        """Whether a first byte has come."""
        self.server = ""
        """Which upstream it is from."""
        self.tries = 1
        """Upstreams that were asked until it came."""
        self._parser = httptools.HttpResponseParser(self)
        self._bodiless = bodiless
        self._interim, self._interims = interim, 0
        self._pause, self._resume, self._abort = pause, resume, abort
        self._lines: list[Field] = []
        self._head_size = self._unparsed = 0
        self._moved = False  # whether these bytes held some of the body
        self._until_close = False
        self._chunks: deque[bytes] = deque()
        self._buffered = 0
        self._paused = False
        self._error: EdgeError | None = None
        self._on_cut: Callable[[Failure], None] | None = None
        self._waiter: asyncio.Future[None] | None = None

    # For the reader.

    async def read(self, timeout: float) -> bytes:  # noqa: ASYNC109 - one per wait, not in all
        """The next piece of the body; empty at its end.  UpstreamError if it was cut."""
        while not self._chunks:
            if self._error is not None:
                raise self._error
            if self.finished.done():
                return b""
            await self._more(timeout)
        chunk = self._chunks.popleft()
        self._buffered -= len(chunk)
        if self._paused and self._buffered < LOW_WATER:
            self._paused = False
            self._resume()
        return chunk

    def close(self) -> None:
        """Give up what has not come yet."""
        self.cut(UpstreamError(Failure.CLOSED))

    def cut(self, error: UpstreamError) -> None:
        """Give up what has not come yet, for *error*."""
        if not self.finished.done():
            self.fail(error)
            self._abort()

    def watch(self, on_cut: Callable[[Failure], None]) -> None:
        """Call *on_cut* if the upstream cuts the body short, or has done so already."""
        self._on_cut = on_cut
        if self._error is not None:
            self._tell_cut(self._error)

    # For the connection.

    def feed(self, data: bytes) -> None:
        self.started = True
        try:
            self._parser.feed_data(data)
            self._count_unparsed(len(data))
        except UpstreamError as error:
            self.fail(error)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.is_clean = False
            cause = error.__context__  # what one of the callbacks below has raised
            if not isinstance(cause, UpstreamError):
                cause = UpstreamError(Failure.MALFORMED)
            self.fail(cause)

    def feed_eof(self) -> None:
        """The connection has ended."""
        if self._until_close and self._error is None:
            self._finish()
        else:
            self.fail(UpstreamError(Failure.TRUNCATED if self.status else Failure.CLOSED))

    def fail(self, error: EdgeError) -> None:
        if self.finished.done():
            return
        self._error = error
        self.is_clean = False
        self._tell_cut(error)
        if not self.head.done():
            self.head.set_exception(error)
            self.head.exception()  # seen: whoever waited may have left
        self._finish()

    # For the parser.

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.status:
            return  # a trailer field: not merged, not kept (RFC 9110 §6.5.1)
        self._count_head(len(name) + len(value) + 4)
        self._lines.append((name, value))
        if len(self._lines) > MAX_FIELDS:
            raise UpstreamError(Failure.HEADERS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        is_known = self._parser.get_http_version() in ("1.0", "1.1")
        if self.status or not is_known:  # a second response where one was asked for
            raise UpstreamError(Failure.MALFORMED)
        status: int = self._parser.get_status_code()
        if status < 200:
            self._on_interim(status)
            return
        self.status = status
        lines = tuple(self._lines)
        self.fields = end_to_end(lines)
        self._frame(lines)
        self.is_clean = self._parser.should_keep_alive() and not self._until_close
        if not self.head.done():
            self.head.set_result(None)
        if self._bodiless:
            self._finish()

    def on_body(self, data: bytes) -> None:
        if self._bodiless:
            raise UpstreamError(Failure.MALFORMED)
        self._moved = True
        self._chunks.append(data)
        self._buffered += len(data)
        if self._buffered > HIGH_WATER and not self._paused:
            self._paused = True
            self._pause()
        self._wake()

    def on_message_complete(self) -> None:
        if self.status:
            self._finish()

    def _on_interim(self, status: int) -> None:
        fields, self._lines = end_to_end(self._lines), []
        self._interims += 1
        if status == 101 or self._interims > MAX_INTERIM:  # we never asked for an upgrade
            raise UpstreamError(Failure.UNEXPECTED_STATUS)
        if self._interim is not None:
            self._interim(status, fields)

    def _frame(self, lines: Fields) -> None:
        """How the body ends: by nothing, by its last chunk, by its length, by the close."""
        codings = [coding.lower() for coding in members(values(lines, b"transfer-encoding"))]
        if codings and codings != ["chunked"]:
            raise UpstreamError(Failure.MALFORMED)
        lengths = values(lines, b"content-length")
        if lengths and not codings:
            self.length = int(lengths[0])  # the parser has checked it
        self._bodiless = self._bodiless or self.status in (204, 304)
        self._until_close = not (self._bodiless or codings or lengths)

    def _count_head(self, size: int) -> None:
        self._head_size += size
        if self._head_size > MAX_HEAD:
            raise UpstreamError(Failure.HEADERS_TOO_LARGE)

    def _count_unparsed(self, size: int) -> None:
        """Bound what comes without a byte of the body: a header line that never ends is held
        back by the parser, and so is a trailer's."""
        if self._moved:
            self._moved = False
            self._unparsed = 0
            return
        self._unparsed += size
        if self._unparsed > 2 * MAX_HEAD:
            raise UpstreamError(Failure.HEADERS_TOO_LARGE)

    def _tell_cut(self, error: EdgeError) -> None:
        on_cut = self._on_cut
        if on_cut is not None and isinstance(error, UpstreamError) and error.failure in _CUTS:
            on_cut(error.failure)

    def _finish(self) -> None:
        if not self.finished.done():
            self.finished.set_result(None)
        self._wake()

    async def _more(self, timeout: float) -> None:  # noqa: ASYNC109
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout):
                await self._waiter
        except TimeoutError:
            self.cut(UpstreamError(Failure.READ_TIMEOUT))
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None:
            with suppress(asyncio.InvalidStateError):
                self._waiter.set_result(None)
