"""The public side of the origin: Tornado's HTTP, our routing, no handler objects.

Tornado parses requests and keeps connections; a delegate per request finds the answer and
writes it on the connection, below ``RequestHandler``.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from random import getrandbits
from typing import Any

from msgspec.json import encode
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import StreamClosedError

from origin.buffers import Buffers
from origin.config import OriginConfig
from origin.contract.parameters import with_body
from origin.contract.play_manifest import with_session
from origin.delivery import is_of_contract, takes_post
from origin.errors import BadUrl, Failure, NotFound, OriginError, Overloaded, failure
from origin.filters.asked import counted
from origin.heads import for_origin, tail
from origin.media import Found
from origin.responses import NO_STORE, Answer, Body, Cutting, Text, answer, plain
from origin.room import Room
from origin.sending import Pace, TooSlow, send
from origin.storage.source import Source
from packager.errors import PackagerError

MAX_HEADER = 32 << 10
MAX_BODY = 64 << 10
MAX_BUFFER = 256 << 10
"""Of what a connection sends while it is answered; past it the connection is closed."""
IDLE = 75.0
"""Seconds that a connection may wait for its next request."""

_MARGIN = 256 << 10
"""Bytes: a window of transport stream may read a little more than it makes."""

_KEPT_BUFFERS = 16

_STRAIGHT = 256 << 10
"""Bytes; shorter runs are cheaper to gather than to send one by one."""

_AT_ONCE = 128 << 10
"""Bytes of a body that is handed to Tornado whole; a larger one waits for its client."""

_METHODS = ("GET", "HEAD", "OPTIONS")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_ORIGIN_FORM = re.compile(r"(?:https?://[^/?#]+)?(/[^?]*)(\?.+)?", re.IGNORECASE)
"""The path of a target, also of one in absolute form (RFC 9112 §3.2.2), and its query."""

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}
_NOT_WHOLE = ("Range", "If-None-Match")
"""Request fields that may ask for less than all of a body."""

AtHand = Callable[[str], Found | None]
"""A path, with its query where that counts, to what it names, if nothing is waited for."""

Find = Callable[[str], Awaitable[Found]]
"""The same, for what must be waited for."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A request that has been answered, or given up."""

    status: int
    sent: int
    """Bytes of the body."""

    first_byte: float
    """Seconds from the request to the first byte of its answer."""

    aborted: bool
    line: bytes
    """Its record, one JSON text."""


Report = Callable[[Finished], None]


class Site(HTTPServerConnectionDelegate):
    """Requests to answers."""

    def __init__(
        self,
        config: OriginConfig,
        at_hand: AtHand,
        find: Find,
        report: Report,
        on_bug: Callable[[Exception], None],
    ) -> None:
        self.config = config
        self.at_hand = at_hand
        self.find = find
        self.report = report
        self.on_bug = on_bug
        self.tasks: set[asyncio.Task[None]] = set()
        self.draining = False
        self.pace = Pace(config.send_window, config.minimum_rate, config.patience)
        self.cutting = Cutting(config.send_window, _STRAIGHT if config.sendfile else None)
        self.buffers = Buffers(config.send_window + _MARGIN, _KEPT_BUFFERS)
        self.room = Room(config.ahead_bytes)

    def start_request(
        self,
        server_conn: object,  # noqa: ARG002 - Tornado's signature
        request_conn: HTTPConnection,
    ) -> HTTPMessageDelegate:
        return _Exchange(self, request_conn)

    @property
    def in_flight(self) -> int:
        return len(self.tasks)


class _Exchange(HTTPMessageDelegate):
    """One request and its response."""

    def __init__(self, site: Site, connection: HTTPConnection) -> None:
        self._site = site
        self._connection = connection
        self._began = time.perf_counter()
        self._first_byte = 0.0
        self._sent = [0]
        self._status = 0
        self._reason = ""
        self._aborted = False
        self._body: list[bytes] = []

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        assert isinstance(start_line, RequestStartLine)
        self._line, self._headers = start_line, headers
        given = headers.get("X-Request-Id")
        if given is None or _REQUEST_ID.fullmatch(given) is None:
            given = f"{getrandbits(64):016x}"
        self._id = given.encode()

    def data_received(self, chunk: bytes) -> None:
        """A body means nothing but in a POST; Tornado bounds it."""
        if self._line.method == "POST":
            self._body.append(chunk)

    def finish(self) -> None:
        found = self._at_hand()
        if found is not None:
            body = found[0]
            if not isinstance(body, Answer) and self._answer_at_once(body):
                return
        self._start(self._respond(found))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._site.tasks.add(task)
        task.add_done_callback(self._site.tasks.discard)
        # The client that leaves takes its response with it, also while a source is read.
        self._connection.set_close_callback(task.cancel)  # type: ignore[attr-defined]

    def on_connection_close(self) -> None:
        """Before the request was complete: nothing has been started."""

    # -- what is asked

    def _path(self) -> str | None:
        """Without the query, but where that means something."""
        target = _ORIGIN_FORM.match(self._line.path)
        if target is None:
            return None
        path, query = target[1], target[2] or ""
        if not is_of_contract(path):
            return counted(path, query) if query else path
        if (session := self._headers.get("X-Kaltura-Ks")) is not None:
            path = with_session(path, session)
        if self._line.method == "POST":
            kind = self._headers.get("Content-Type", "")
            query = with_body(query, kind, b"".join(self._body))
        return path + query

    def _at_hand(self) -> Found | None:
        path = self._path() if self._line.method == "GET" else None
        return None if path is None else self._site.at_hand(path)

    def _preferred(self, found: Body | Text) -> Body:
        if isinstance(found, Body):
            return found
        return found.preferred(self._headers.get("Accept-Encoding"))

    def _is_whole(self) -> bool:
        headers = self._headers
        return not any(name in headers for name in _NOT_WHOLE)

    # -- the short way

    def _answer_at_once(self, found: Body | Text) -> bool:
        """Answer what is small and at hand, without a task."""
        if not self._is_whole():
            return False
        body = self._preferred(found)
        content = body.small
        if content is None or len(content) > _AT_ONCE:
            return False
        connection = self._connection
        self._status = 200
        self._first_byte = time.perf_counter()
        written = connection.write(body.head + self._tail(body.origins) + content)
        self._sent[0] = len(content)
        if connection.stream.writing():  # type: ignore[attr-defined]
            self._start(self._wait(written))
        else:
            connection.finish()
            self._report()
        return True

    async def _wait(self, written: Awaitable[None]) -> None:
        """The client takes its time."""
        try:
            async with asyncio.timeout(self._site.pace.limit(self._sent[0])):
                await written
            self._connection.finish()
        except (StreamClosedError, asyncio.CancelledError):
            self._aborted, self._reason = True, "client left"
        except TimeoutError:
            self._abort("client too slow")
        finally:
            self._report()

    # -- the long way

    async def _respond(self, found: Found | None) -> None:
        try:
            made, source = await self._answer(found)
            await self._write(made, source)
        except (StreamClosedError, asyncio.CancelledError):
            self._aborted, self._reason = True, self._reason or "client left"
        except TooSlow:
            self._abort("client too slow")
        except (OriginError, PackagerError) as error:
            self._abort(str(error))
        except Exception as error:
            self._site.on_bug(error)
            self._abort("internal error")
        finally:
            self._report()

    async def _answer(self, found: Found | None) -> tuple[Answer, Source | None]:
        try:
            return await self._find(found)
        except Exception as error:
            known = failure(error)
            if known is None:
                self._site.on_bug(error)
                known = Failure(500, NO_STORE, "internal error")
            self._reason = known.reason
            return _failed(known), None

    async def _find(self, found: Found | None) -> tuple[Answer, Source | None]:
        site, method = self._site, self._line.method
        if method not in _METHODS and not (method == "POST" and takes_post(self._line.path)):
            fields = {"Allow": ", ".join(_METHODS), "Cache-Control": NO_STORE}
            return plain(405, fields), None
        if site.in_flight > site.config.requests:
            raise Overloaded("too many requests are being carried out")
        if method == "OPTIONS":
            return plain(204, _PREFLIGHT), None
        if found is None:
            path = self._path()
            if path is None:
                raise BadUrl("the request target is not a path")
            found = await site.find(path)
        if isinstance(found[0], Answer):
            return found[0], None
        body = self._preferred(found[0])
        # conditions and ranges are for what is got
        asked = {} if method == "POST" else self._headers
        return answer(body, asked, site.cutting), found[1]

    async def _write(self, made: Answer, source: Source | None) -> None:
        site = self._site
        self._status = made.status
        self._first_byte = time.perf_counter()
        head = made.head + self._tail(made.origins)
        is_head = self._line.method == "HEAD"
        body = () if is_head else made.body
        await send(
            head, body, source, self._connection, site.buffers, site.room, site.pace, self._sent
        )
        assert is_head or self._sent[0] == made.length, "not what was declared"
        self._connection.finish()

    def _tail(self, origins: frozenset[str]) -> bytes:
        """Tornado keeps the connection, or closes it, by the same rules."""
        line = for_origin(self._headers.get("Origin", ""), origins) if origins else b""
        if self._line.version == "HTTP/1.0":
            if self._headers.get("Connection", "").lower() == "keep-alive":
                line += b"Connection: Keep-Alive\r\n"
        elif self._site.draining or self._headers.get("Connection", "").lower() == "close":
            line += b"Connection: close\r\n"
        return tail(self._id, line)

    def _abort(self, reason: str) -> None:
        """Cut the connection: what was sent must not look complete."""
        self._aborted, self._reason = True, reason
        stream = getattr(self._connection, "stream", None)
        if stream is not None:
            stream.close()

    def _report(self) -> None:
        now = time.perf_counter()
        first = (self._first_byte or now) - self._began
        sent = self._sent[0]
        line = _RECORD % (
            time.time(),
            self._id,
            encode(self._line.method),
            encode(self._line.path),
            self._status,
            sent,
            first * 1000,
            (now - self._began) * 1000,
            b',"reason":%b' % encode(self._reason) if self._reason else b"",
            b',"aborted":true' if self._aborted else b"",
        )
        self._site.report(Finished(self._status, sent, first, self._aborted, line))


_RECORD = (
    b'{"time":%.3f,"id":"%b","method":%b,"target":%b,"status":%d,"bytes":%d,'
    b'"first_ms":%.3f,"ms":%.3f%b%b}'
)


def _failed(known: Failure) -> Answer:
    fields = {
        "Cache-Control": known.cache_control,
        "Content-Type": "text/plain; charset=utf-8",
        "X-Headrace-Error": known.reason,
    }
    if known.retry_after is not None:
        fields["Retry-After"] = str(known.retry_after)
    fields |= known.fields
    return plain(known.status, fields, f"{known.reason}\n".encode())


class Server(HTTPServer):
    """Tornado's server with a bound on connections."""

    def initialize(self, site: Site, limit: int) -> None:  # type: ignore[override]
        super().initialize(
            site,
            max_header_size=MAX_HEADER,
            max_body_size=MAX_BODY,
            max_buffer_size=MAX_BUFFER,
            idle_connection_timeout=IDLE,
            body_timeout=IDLE,
        )
        self._limit = limit

    def handle_stream(self, stream, address):  # type: ignore[no-untyped-def]
        if len(self._connections) >= self._limit:
            stream.close()
            return
        super().handle_stream(stream, address)

    @property
    def connections(self) -> int:
        return len(self._connections)


__all__ = ["Find", "NotFound", "Report", "Server", "Site"]
