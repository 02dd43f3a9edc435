"""The answer to one request that is no plain hit, written as it comes about."""

from typing import Protocol

from edge_cache.direct_sending import LARGE, Piece
from edge_cache.disk.stored import Stored
from edge_cache.entry import Entry, status_line
from edge_cache.file_part import FilePart
from edge_cache.http.cache_status import CacheStatus
from edge_cache.http.fields import Fields, serialise
from edge_cache.metrics import Verdict
from edge_cache.replies import (
    OPTIONS_HEAD,
    PURGED_HEAD,
    cache_line,
    entry_head,
    error_head,
    status_of,
    tail,
)
from edge_cache.request import Request
from edge_cache.selection import FULL, Full, Part, Selection, select

_LAST_CHUNK = b"0\r\n\r\n"


class Output(Protocol):
    """A connection, as far as a reply needs it."""

    def now(self) -> float: ...

    def write(self, *pieces: bytes | memoryview) -> None: ...

    async def drained(self) -> None: ...

    async def write_piece(self, piece: Piece) -> None: ...

    def send(
        self, request: Request, head: bytes, body: bytes | memoryview | FilePart
    ) -> None: ...

    def done(self, request: Request) -> None: ...

    def abort(self) -> None: ...


class Reply:
    def __init__(self, output: Output, request: Request, *, tells_key: bool = False) -> None:
        self._output = output
        self._request = request
        self._tells_key = tells_key
        self._is_chunked = False
        self._left: int | None = None
        """Bytes of the body that must still be written, if its length was told."""

    # An answer of one piece.

    def entry(self, entry: Entry, status: CacheStatus, verdict: Verdict) -> None:
        """All of it, or what the request selects, from memory."""
        request, size = self._request, entry.size
        selection = select(request, entry, size)
        self._begin(status_of(selection, entry), status, verdict)
        age = b"Age: %d\r\n" % entry.age(self._output.now())
        head = entry_head(selection, entry, size) + tail(request, age, self._line(status))
        self._output.send(request, head, selected(selection, entry.body))

    def error(self, status: int, reason: str, *, retry_after: int | None = None) -> None:
        """Tell what went wrong; if the answer has begun, by cutting it."""
        request = self._request
        request.failure = reason
        if request.status:
            self._output.abort()
            return
        self._close_if_body_is_left()
        self._begin(status, None, Verdict.ERROR)
        head = error_head(status, reason, retry_after=retry_after) + tail(request)
        self._output.send(request, head, b"")

    def options(self) -> None:
        """The answer to an OPTIONS that goes no further (RFC 9110 §7.6.2)."""
        self._begin(204, None, Verdict.PASS)
        self._output.send(self._request, OPTIONS_HEAD + tail(self._request), b"")

    def purged(self) -> None:
        """The answer to a PURGE that every worker knows of."""
        self._close_if_body_is_left()
        self._begin(204, None, Verdict.PASS)
        self._output.send(self._request, PURGED_HEAD + tail(self._request), b"")

    # An answer that grows.

    def interim(self, status: int, fields: Fields) -> None:
        """A 1xx on its way to the client (RFC 9110 §15.2); HTTP/1.0 has none."""
        if not self._request.http10 and not self._request.status:
            self._output.write(status_line(status) + serialise(fields) + b"\r\n")

    def start(
        self,
        selection: Selection,
        entry: Entry,
        size: int | None,
        status: CacheStatus,
        verdict: Verdict,
    ) -> bool:
        """The head of what is selected of a growing body; whether pieces of it must follow."""
        request = self._request
        self._begin(status_of(selection, entry), status, verdict)
        framing = self._frame(size if isinstance(selection, Full | Part) else 0)
        if isinstance(selection, Part):
            self._left = selection.part.stop - selection.part.start
        age = entry.age(self._output.now())
        lines = (framing, b"Age: %d\r\n" % age if age else b"", self._line(status))
        self._output.write(entry_head(selection, entry, size) + tail(request, *lines))
        if request.method != b"HEAD" and isinstance(selection, Full | Part):
            return True
        self._left = None
        self._output.done(request)
        return False

    def start_passed(
        self, status: int, fields: Fields, length: int | None, cache: CacheStatus
    ) -> None:
        """The head of a response that is passed on as it is."""
        request = self._request
        self._begin(status, cache, Verdict.PASS)
        self._close_if_body_is_left()
        told = b"" if length is None else b"Content-Length: %d\r\n" % length
        if request.method == b"HEAD" or status in (204, 304):
            told = b"" if status == 204 else told
        else:
            told += self._frame(length)
        head = status_line(status) + serialise(fields) + told
        self._output.write(head + tail(request, self._line(cache)))

    async def write(self, piece: bytes | memoryview | FilePart) -> None:
        """A piece of the body; returns when the client has taken enough for another."""
        size = len(piece)
        self._request.sent += size
        if isinstance(piece, FilePart):
            await self._write_piece(piece)
        elif size > LARGE:
            await self._write_piece(memoryview(piece))
        elif self._is_chunked:
            self._output.write(b"%x\r\n" % size, piece, b"\r\n")
        else:
            self._output.write(piece)
        if self._left is not None:
            self._left -= size
        await self._output.drained()

    async def _write_piece(self, piece: Piece) -> None:
        if self._is_chunked:
            self._output.write(b"%x\r\n" % len(piece))
            await self._output.write_piece(piece)
            self._output.write(b"\r\n")
        else:
            await self._output.write_piece(piece)

    def finish(self) -> None:
        """The end of the body."""
        if self._left:  # less than was promised: nothing but a cut says so
            self._request.failure = "short-body"
            self._output.abort()
            return
        if self._is_chunked:
            self._output.write(_LAST_CHUNK)
        self._output.done(self._request)

    def _line(self, status: CacheStatus) -> bytes:
        return cache_line(self._request, status, tells_key=self._tells_key)

    def _begin(self, status: int, cache: CacheStatus | None, verdict: Verdict) -> None:
        request = self._request
        request.status, request.cache, request.verdict = status, cache, verdict
        request.first_byte = self._output.now()

    def _frame(self, length: int | None) -> bytes:
        """How the end of the body will be known (RFC 9112 §6): a line for the head."""
        self._left = length
        if length is not None:
            return b""
        if self._request.http10:
            self._request.keep_alive = False
            return b""
        self._is_chunked = True
        return b"Transfer-Encoding: chunked\r\n"

    def _close_if_body_is_left(self) -> None:
        """What was not read of a request body must not be taken for the next request."""
        body = self._request.body
        if body is not None and not body.is_complete:
            self._request.keep_alive = False


def selected(selection: Selection, body: bytes | Stored) -> bytes | memoryview | FilePart:
    """The bytes that *selection* sends."""
    if isinstance(body, Stored):
        return _selected_file(selection, body)
    if isinstance(selection, Part):
        return memoryview(body)[selection.part.start : selection.part.stop]
    return body if selection is FULL else b""


def _selected_file(selection: Selection, body: Stored) -> bytes | FilePart:
    if isinstance(selection, Part):
        return FilePart(body, selection.part.start, selection.part.stop)
    return FilePart(body, 0, body.length) if selection is FULL and body.length else b""
