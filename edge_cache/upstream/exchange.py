"""One request on one upstream: from a connection to the head of the response."""

import asyncio

from edge_cache.errors import Failure, UpstreamError
from edge_cache.upstream.connection import UpstreamConnection
from edge_cache.upstream.outgoing import Outgoing
from edge_cache.upstream.pool import Pool
from edge_cache.upstream.response import Response


async def exchange(
    pool: Pool, outgoing: Outgoing, *, first_byte_timeout: float, deadline: float
) -> Response:
    """The response, once its head is there; UpstreamError.

    *first_byte_timeout* in seconds from the request, *deadline* on the loop's clock for all.
    """
    loop = asyncio.get_running_loop()
    # What cannot be repeated does not go where the other side may just be hanging up.
    used = pool.take_idle() if outgoing.is_repeatable else None
    if used is not None:
        limit = min(loop.time() + first_byte_timeout, deadline)
        try:
            return await _on(used, pool, outgoing, limit)
        except _HungUp:
            pass  # it had done so before it saw the request: that is no failure
    fresh = await pool.connect(deadline - loop.time())
    limit = min(loop.time() + first_byte_timeout, deadline)
    return await _on(fresh, pool, outgoing, limit)


class _HungUp(UpstreamError):
    """A connection that had served before ended without a byte."""


async def _on(
    connection: UpstreamConnection, pool: Pool, outgoing: Outgoing, limit: float
) -> Response:
    response = connection.start(
        outgoing.head(pool.authority),
        outgoing.body,
        bodiless=outgoing.method == b"HEAD",
        interim=outgoing.interim,
    )
    timer = asyncio.get_running_loop().call_at(limit, _too_late, response)
    try:
        await response.head
    except UpstreamError as error:
        response.close()
        if connection.has_served and not response.started and error.failure is Failure.CLOSED:
            raise _HungUp(Failure.CLOSED) from error
        raise
    except BaseException:
        response.close()
        raise
    finally:
        timer.cancel()
    connection.has_served = True
    return response


def _too_late(response: Response) -> None:
    response.cut(UpstreamError(Failure.FIRST_BYTE_TIMEOUT))
