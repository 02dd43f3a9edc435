"""Send a request to the first upstream that takes it.

The next one is tried only while nothing of a response has come, and only if the request did
not reach the one before or does no harm when repeated (RFC 9110 §9.2.2).
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from edge_cache.errors import Failure, UpstreamError
from edge_cache.http.fields import Fields, serialise
from edge_cache.upstream.connection import UpstreamConnection
from edge_cache.upstream.pool import Pool
from edge_cache.upstream.response import Interim, Response

_IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"))


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it goes upstream, all but its Host."""

    method: bytes
    target: bytes
    fields: Fields
    body: AsyncIterator[bytes] | None = None
    """Already framed: by Content-Length or in chunks."""

    interim: Interim | None = None

    @property
    def is_repeatable(self) -> bool:
        return self.body is None and self.method in _IDEMPOTENT

    def head(self, authority: bytes) -> bytes:
        line = b"%b %b HTTP/1.1\r\nHost: %b\r\n" % (self.method, self.target, authority)
        return line + serialise(self.fields) + b"\r\n"


class UpstreamClient:
    def __init__(self, pools: Sequence[Pool], *, first_byte_timeout: float) -> None:
        self._pools = pools
        self._first_byte_timeout = first_byte_timeout

    async def send(self, outgoing: Outgoing) -> Response:
        """The response, once its head is there.  Close it or read it to the end."""
        failure = UpstreamError(Failure.CONNECT, sent=False)
        for pool in self._pools:
            try:
                return await self._try(pool, outgoing)
            except UpstreamError as error:
                failure = error
                if error.sent and not outgoing.is_repeatable:
                    break
        raise failure

    def close(self) -> None:
        for pool in self._pools:
            pool.close()

    async def _try(self, pool: Pool, outgoing: Outgoing) -> Response:
        # What cannot be repeated does not go where the other side may just be hanging up.
        used = pool.take_idle() if outgoing.is_repeatable else None
        if used is not None:
            try:
                return await self._exchange(used, pool, outgoing)
            except UpstreamError as error:
                if error.failure is not Failure.CLOSED:
                    raise
        return await self._exchange(await pool.connect(), pool, outgoing)

    async def _exchange(
        self, connection: UpstreamConnection, pool: Pool, outgoing: Outgoing
    ) -> Response:
        response = connection.start(
            outgoing.head(pool.authority),
            outgoing.body,
            bodiless=outgoing.method == b"HEAD",
            interim=outgoing.interim,
        )
        try:
            async with asyncio.timeout(self._first_byte_timeout):
                await asyncio.shield(response.head)
        except TimeoutError as error:
            response.close()
            raise UpstreamError(Failure.FIRST_BYTE_TIMEOUT) from error
        except BaseException:
            response.close()
            raise
        return response
