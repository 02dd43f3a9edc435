"""What of a message goes on to the other side (RFC 9110 §7.6).  Pure."""

from collections.abc import Iterable

from edge_cache.http.dates import format_date
from edge_cache.http.encodings import preferred_encoding
from edge_cache.http.fields import Field, Fields, combined, end_to_end, values, without
from edge_cache.request import Request

_VIA: Field = (b"Via", b"1.1 headrace")

_OURS = frozenset((b"host", b"x-request-id", b"content-length"))
"""Said anew for the upstream."""

_SELECTORS = frozenset(
    b"range if-range if-none-match if-modified-since accept-encoding expect".split()
)
"""Ask for a part or a form of the response; a fill wants all of it, in one of two codings."""

_RECEIVED = frozenset((b"age", b"content-length", b"x-request-id"))
"""Said anew in every answer."""


def passed_fields(request: Request) -> Fields:
    """The fields of a request that goes through as it is."""
    kept = without(end_to_end(request.fields), _OURS)
    return (*kept, *_framing(request), _VIA, (b"X-Request-Id", request.id))


def fill_fields(request: Request, conditions: Iterable[Field]) -> Fields:
    """The fields of a request for all of a response, on behalf of everyone who waits.

    Accept-Encoding is the folded one, since the response is kept under it (``vary``).
    """
    kept = without(end_to_end(request.fields), _OURS | _SELECTORS)
    coding = preferred_encoding(combined_bytes(request.fields, b"accept-encoding"))
    asked = ((b"Accept-Encoding", coding), *conditions)
    return (*kept, *asked, _VIA, (b"X-Request-Id", request.id))


def received_fields(fields: Fields, *, now: float) -> Fields:
    """The fields of a response that are stored and sent; *now* in seconds since 1970.

    A Date is added only where there is none (RFC 9110 §6.6.1): the age is counted by it.
    """
    kept = without(fields, _RECEIVED)
    if not values(kept, b"date"):
        kept = (*kept, (b"Date", format_date(now).encode()))
    return (*kept, _VIA)


def combined_bytes(fields: Iterable[Field], name: bytes) -> bytes | None:
    value = combined(fields, name)
    return None if value is None else value.encode("latin-1")


def _framing(request: Request) -> Fields:
    if request.body is None:
        length = request.known.get(b"content-length")
        return () if length is None else ((b"Content-Length", length),)
    if request.body.chunked:
        return ((b"Transfer-Encoding", b"chunked"),)
    return ((b"Content-Length", request.known[b"content-length"]),)
