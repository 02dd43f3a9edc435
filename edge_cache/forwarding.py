"""What of a message goes on to the other side (RFC 9110 §7.6).  Pure."""

from collections.abc import Iterable

from edge_cache.config import EdgeConfig
from edge_cache.errors import Refused
from edge_cache.http.dates import format_date
from edge_cache.http.encodings import preferred_encoding
from edge_cache.http.fields import Field, Fields, combined, end_to_end, values, without
from edge_cache.http.loops import passed_through
from edge_cache.request import Request

_VIA: Field = (b"Via", b"1.1 headrace")
_VIA_1_0: Field = (b"Via", b"1.0 headrace")

_OURS = frozenset((b"host", b"x-request-id", b"content-length"))
"""Said anew for the upstream."""

_SELECTORS = frozenset(
    b"range if-range if-none-match if-modified-since accept-encoding expect".split()
)
"""Ask for a part or a form of the response; a fill asks on behalf of everyone who waits."""

_RECEIVED = frozenset((b"age", b"content-length", b"x-request-id"))
"""Said anew in every answer."""


def check_loop(fields: Iterable[Field], node_id: str) -> None:
    """Refuse a request that has been here before (RFC 8586 §2), or says so unintelligibly."""
    try:
        passed = passed_through(values(fields, b"cdn-loop"))
    except ValueError as error:
        raise Refused(400, "cdn-loop") from error
    if node_id in passed:
        raise Refused(508, "loop")


def passed_fields(request: Request, config: EdgeConfig) -> Fields:
    """The fields of a request that goes through as it is."""
    kept = without(end_to_end(request.fields), _OURS)
    left = _forwards_left(request)
    if left is not None:
        kept = without(kept, frozenset((b"max-forwards",)))
        kept = (*kept, (b"Max-Forwards", b"%d" % max(0, left - 1)))
    return (*kept, *_framing(request), *_hop(request, config))


def fill_fields(request: Request, asked: Iterable[Field], config: EdgeConfig) -> Fields:
    """The fields of a request on behalf of everyone who waits; *asked* has its conditions.

    Accept-Encoding is the folded one, since the response is kept under it (``vary``).
    """
    kept = without(end_to_end(request.fields), _OURS | _SELECTORS)
    coding = preferred_encoding(combined_bytes(request.fields, b"accept-encoding"))
    return (*kept, (b"Accept-Encoding", coding), *asked, *_hop(request, config))


def received_fields(fields: Fields, *, now: float) -> Fields:
    """The fields of a response that are stored and sent; *now* in seconds since 1970.

    A Date is added only where there is none (RFC 9110 §6.6.1): the age is counted by it.
    """
    kept = without(fields, _RECEIVED)
    if not values(kept, b"date"):
        kept = (*kept, (b"Date", format_date(now).encode()))
    return (*kept, _VIA)


def age_fields(fields: Fields) -> Fields:
    """The lines of Age as they came."""
    return tuple(field for field in fields if field[0].lower() == b"age")


def combined_bytes(fields: Iterable[Field], name: bytes) -> bytes | None:
    value = combined(fields, name)
    return None if value is None else value.encode("latin-1")


def is_last_hop(request: Request) -> bool:
    """Whether Max-Forwards ends the way of an OPTIONS here (RFC 9110 §7.6.2)."""
    return request.method == b"OPTIONS" and _forwards_left(request) == 0


def _hop(request: Request, config: EdgeConfig) -> Fields:
    """What every hop adds: where the request has been, and whom it is from."""
    if request.is_internal:  # it is all there: workers of a node are one hop
        return ((b"X-Request-Id", request.id),)
    via = _VIA_1_0 if request.http10 else _VIA
    loop = (b"CDN-Loop", config.node_id.encode())
    return (*_client(request, config), via, loop, (b"X-Request-Id", request.id))


def _client(request: Request, config: EdgeConfig) -> Fields:
    if config.forwarded == "none" or not request.client:
        return ()
    if config.forwarded == "x-forwarded-for":
        return ((b"X-Forwarded-For", request.client),)
    is_v6 = b":" in request.client
    return (
        (b"Forwarded", b'for="[%b]"' % request.client if is_v6 else b"for=" + request.client),
    )


def _forwards_left(request: Request) -> int | None:
    """What Max-Forwards of an OPTIONS says; for other methods it says nothing."""
    lines = values(request.fields, b"max-forwards") if request.method == b"OPTIONS" else []
    is_number = len(lines) == 1 and lines[0].isascii() and lines[0].isdigit()
    return int(lines[0]) if is_number and len(lines[0]) < 10 else None


def _framing(request: Request) -> Fields:
    if request.body is None:
        length = request.known.get(b"content-length")
        return () if length is None else ((b"Content-Length", length),)
    if request.body.chunked:
        return ((b"Transfer-Encoding", b"chunked"),)
    return ((b"Content-Length", request.known[b"content-length"]),)
