"""The public side of the origin: Tornado's HTTP, our routing, no handler objects.

Tornado parses requests and keeps connections; a delegate per request finds the answer and
writes it on the connection, below ``RequestHandler``.
"""

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache

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

from edge_cache.http.dates import format_date
from origin.buffers import Buffers
from origin.config import OriginConfig
from origin.errors import BadUrl, Failure, NotFound, OriginError, Overloaded, failure
from origin.responses import NO_STORE, Answer, Body, Text, answer
from origin.sending import Pace, TooSlow, send
from packager.errors import PackagerError
from packager.plan import Plan

MAX_HEADER = 32 << 10
MAX_BODY = 64 << 10
MAX_BUFFER = 256 << 10
"""Of what a connection sends while it is answered; past it the connection is closed."""
IDLE = 75.0
"""Seconds that a connection may wait for its next request."""

_MARGIN = 256 << 10
"""Bytes: a window of transport stream may read a little more than it makes."""

_KEPT_BUFFERS = 16

_METHODS = ("GET", "HEAD", "OPTIONS")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_ORIGIN_FORM = re.compile(r"(?:https?://[^/?#]+)?(/[^?]*)", re.IGNORECASE)
"""The path of a target, also of one in absolute form (RFC 9112 §3.2.2)."""

_EXPOSED = (
    "Server, Range, Content-Length, Content-Range, Date, Age, ETag, Cache-Status, "
    "X-Request-Id, X-Headrace-Error"
)
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": _EXPOSED,
    "Timing-Allow-Origin": "*",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}
_PHRASES = {
    200: "OK", 204: "No Content", 206: "Partial Content", 304: "Not Modified",
    400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed",
    416: "Range Not Satisfiable", 500: "Internal Server Error", 502: "Bad Gateway",
    503: "Service Unavailable",
}  # fmt: skip

Find = Callable[[str], Awaitable[Body | Text]]
"""A path, without its query, to what it names."""

Report = Callable[[Mapping[str, object]], None]
"""Takes the record of a finished request."""


class Site(HTTPServerConnectionDelegate):
    """Requests to answers."""

    def __init__(
        self,
        config: OriginConfig,
        find: Find,
        report: Report,
        on_bug: Callable[[Exception], None],
    ) -> None:
        self.config = config
        self.find = find
        self.report = report
        self.on_bug = on_bug
        self.tasks: set[asyncio.Task[None]] = set()
        self.draining = False
        self.pace = Pace(config.send_window, config.minimum_rate, config.patience)
        self.buffers = Buffers(config.send_window + _MARGIN, _KEPT_BUFFERS)

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
        self._line = RequestStartLine("GET", "/", "HTTP/1.1")
        self._headers = HTTPHeaders()
        self._id = ""

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        assert isinstance(start_line, RequestStartLine)
        self._line, self._headers = start_line, headers
        given = headers.get("X-Request-Id", "")
        self._id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)

    def data_received(self, chunk: bytes) -> None:
        """A body means nothing here; Tornado bounds it."""

    def finish(self) -> None:
        task = asyncio.ensure_future(self._respond())
        self._site.tasks.add(task)
        task.add_done_callback(self._site.tasks.discard)
        # The client that leaves takes its response with it, also while a source is read.
        self._connection.set_close_callback(task.cancel)  # type: ignore[attr-defined]

    def on_connection_close(self) -> None:
        """Before the request was complete: nothing has been started."""

    async def _respond(self) -> None:
        try:
            found = await self._answer()
            await self._write(found)
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

    async def _answer(self) -> Answer:
        try:
            return await self._find()
        except Exception as error:
            known = failure(error)
            if known is None:
                self._site.on_bug(error)
                known = Failure(500, NO_STORE, "internal error")
            self._reason = known.reason
            return _failed(known)

    async def _find(self) -> Answer:
        site, method = self._site, self._line.method
        if method not in _METHODS:
            return Answer(405, {"Allow": ", ".join(_METHODS), "Cache-Control": NO_STORE})
        if site.in_flight > site.config.requests:
            raise Overloaded("too many requests are being carried out")
        if method == "OPTIONS":
            return Answer(204, _PREFLIGHT, length=None)
        target = _ORIGIN_FORM.match(self._line.path)
        if target is None:
            raise BadUrl("the request target is not a path")
        found = await site.find(target[1])
        if isinstance(found, Text):
            found = found.preferred(self._headers.get("Accept-Encoding"))
        return answer(found, self._headers)

    async def _write(self, found: Answer) -> None:
        headers = HTTPHeaders({"Server": "Headrace", "Date": _date(int(time.time())), **_CORS})
        headers["X-Request-Id"] = self._id
        for name, value in found.headers.items():
            headers[name] = value
        if found.length is not None:
            headers["Content-Length"] = str(found.length)
        if self._site.draining:
            headers["Connection"] = "close"
        self._status = found.status
        line = ResponseStartLine("", found.status, _PHRASES[found.status])
        is_head = self._line.method == "HEAD"
        plan = Plan(()) if is_head or found.length is None else found.plan
        first = plan.pieces[0] if plan.pieces else b""
        head = first if isinstance(first, bytes) else None
        self._first_byte = time.perf_counter()
        whole = head is not None and len(plan.pieces) <= 1  # one write for a small answer
        pace = self._site.pace
        try:
            async with asyncio.timeout(pace.limit(len(head or b"") if whole else 0)):
                await self._connection.write_headers(line, headers, head if whole else None)
        except TimeoutError:
            raise TooSlow from None
        if whole:
            self._sent[0] = len(head or b"")
        else:
            buffers = self._site.buffers
            await send(plan, found.source, self._connection, buffers, pace, self._sent)
            assert self._sent[0] == found.length, "not what was declared"
        self._connection.finish()

    def _abort(self, reason: str) -> None:
        """Cut the connection: what was sent must not look complete."""
        self._aborted, self._reason = True, reason
        stream = getattr(self._connection, "stream", None)
        if stream is not None:
            stream.close()

    def _report(self) -> None:
        now = time.perf_counter()
        record: dict[str, object] = {
            "time": round(time.time(), 3),
            "id": self._id,
            "method": self._line.method,
            "target": self._line.path,
            "status": self._status,
            "bytes": self._sent[0],
            "first_ms": round(((self._first_byte or now) - self._began) * 1000, 3),
            "ms": round((now - self._began) * 1000, 3),
        }
        if self._reason:
            record["reason"] = self._reason
        if self._aborted:
            record["aborted"] = True
        self._site.report(record)


@lru_cache(maxsize=4)
def _date(second: int) -> str:
    return format_date(second)


def _failed(known: Failure) -> Answer:
    headers = {
        "Cache-Control": known.cache_control,
        "Content-Type": "text/plain; charset=utf-8",
        "X-Headrace-Error": known.reason,
    }
    if known.retry_after is not None:
        headers["Retry-After"] = str(known.retry_after)
    body = f"{known.reason}\n".encode()
    return Answer(known.status, headers, Plan((body,)), None, len(body))


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
