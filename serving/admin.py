"""The administration listener: health, readiness, metrics, and what a program adds.

Any worker answers; the counters are those of all.  ``/healthz``, ``/readyz`` and ``/metrics``
are for everybody who reaches the address; the rest wants ``Authorization: Bearer {token}``, and
is closed while no token is configured.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from serving.admin_http import (
    HEAD_LIMIT,
    Refused,
    Request,
    Response,
    as_error,
    encode_response,
    read_request,
    text,
)
from serving.tokens import bears
from serving.worker import Worker

READ_LIMIT = 10.0
"""Seconds for a request to arrive, and again for its response to leave."""
HANDLER_LIMIT = 60.0
"""Seconds that a handler may work."""
CONNECTION_LIMIT = 64
"""Connections at once in a worker; past it they are closed."""

Handler = Callable[[Request], Awaitable[Response]]
Routes = Mapping[tuple[str, str], Handler]
"""Handlers by (method, path); HEAD is answered where GET is.  A path that ends with a slash is
also all below it, but for those that have handlers of their own."""
Unready = Callable[[], str | None]
"""Why requests should not be sent here now; None if they should."""

_API = "/api/"
"""Below it failures are JSON as well, ``{"error": "..."}``."""

_PUBLIC = ("/healthz", "/readyz", "/metrics")
_log = logging.getLogger("serving.admin")


async def serve(
    worker: Worker,
    *,
    routes: Routes | None = None,
    token: str | None = None,
    unready: Unready = lambda: None,
) -> None:
    """Answer on the administration listener until the process ends, if there is one."""
    if worker.admin is None:
        return
    admin = _Admin(worker, routes or {}, token, unready)
    server = await asyncio.start_server(admin.answer, sock=worker.admin, limit=HEAD_LIMIT)
    worker.on_orphaned(server.close)


class _Admin:
    def __init__(
        self, worker: Worker, routes: Routes, token: str | None, unready: Unready
    ) -> None:
        self._worker = worker
        self._token = token
        self._unready = unready
        self._connections = 0
        self._routes = {
            **routes,
            ("GET", "/healthz"): _healthz,
            ("GET", "/readyz"): self._readyz,
            ("GET", "/metrics"): self._metrics,
        }

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one request and its response."""
        self._connections += 1
        try:
            if self._connections <= CONNECTION_LIMIT:
                await self._exchange(reader, writer)
        except (OSError, TimeoutError):
            pass  # the client left, or does not read
        finally:
            self._connections -= 1
            writer.close()

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head_only, path = False, ""
        try:
            async with asyncio.timeout(READ_LIMIT):
                request = await read_request(reader, writer)
            if request is None:
                return
            head_only, path = request.method == "HEAD", request.path
            response = await self._respond(request)
        except Refused as refused:
            response, path = refused.response, path or refused.path
        except TimeoutError:
            response = text(408, "the request did not arrive in time")
        if path.startswith(_API):
            response = as_error(response)
        async with asyncio.timeout(READ_LIMIT):
            writer.write(encode_response(response, head_only=head_only))
            await writer.drain()
            await _take_the_rest(reader, writer)

    async def _respond(self, request: Request) -> Response:
        handler = self._find(request)
        if request.path not in _PUBLIC:
            self._authorize(request)
        try:
            async with asyncio.timeout(HANDLER_LIMIT):
                return await handler(request)
        except TimeoutError:
            return text(504, "it takes too long")
        except Exception:
            _log.exception("%s %s failed", request.method, request.path)
            return text(500, "internal error")

    def _find(self, request: Request) -> Handler:
        path = self._place(request.path)
        methods = {method for method, known in self._routes if known == path}
        if not methods:
            raise Refused(404)
        method = "GET" if request.method == "HEAD" else request.method
        if method not in methods:
            allowed = methods | ({"HEAD"} if "GET" in methods else set())
            raise Refused(405, Allow=", ".join(sorted(allowed)))
        return self._routes[method, path]

    def _place(self, path: str) -> str:
        """Of the route that is nearest above *path*, or is it."""
        places = {known for _, known in self._routes}
        above = [one for one in places if one.endswith("/") and path.startswith(one)]
        return path if path in places else max(above, key=len, default=path)

    def _authorize(self, request: Request) -> None:
        if not self._token:
            raise Refused(403, "no administration token is configured")
        if not bears(request.headers.get("authorization", ""), self._token):
            raise Refused(401, WWW_Authenticate="Bearer")

    async def _readyz(self, _request: Request) -> Response:
        reason = "draining" if self._worker.is_draining else self._unready()
        return text(200, "ready") if reason is None else text(503, reason)

    async def _metrics(self, _request: Request) -> Response:
        # In a thread: the first time it imports the library, which takes tens of milliseconds.
        exposition = self._worker.counters.exposition
        body, content_type = await asyncio.to_thread(exposition)
        return Response(200, body, content_type)


async def _healthz(_request: Request) -> Response:
    """The answer itself is the proof: the loop turns."""
    return text(200, "ok")


async def _take_the_rest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read what a refused client still sends, or closing would reset the answer away."""
    with suppress(OSError):
        writer.write_eof()
        while await reader.read(HEAD_LIMIT):
            pass
