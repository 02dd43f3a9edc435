"""Response heads as bytes.

A head is the lines that a body's answers share, made once, and a tail of lines for this one
request.
"""

import time
from collections.abc import Mapping
from functools import lru_cache

from edge_cache.http.dates import format_date

_PHRASES = {
    200: "OK", 204: "No Content", 206: "Partial Content", 302: "Found", 304: "Not Modified",
    400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed",
    416: "Range Not Satisfiable", 500: "Internal Server Error", 502: "Bad Gateway",
    503: "Service Unavailable",
}  # fmt: skip

_EXPOSED = (
    "Server, Range, Content-Length, Content-Range, Date, Age, ETag, Cache-Status, "
    "X-Request-Id, X-Headrace-Error"
)
_COMMON = {
    "Server": "Headrace",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": _EXPOSED,
    "Timing-Allow-Origin": "*",
}


def head(status: int, fields: Mapping[str, str], length: int | None) -> bytes:
    """All but the tail; *length* is what Content-Length tells, None for nothing.  A field
    that is empty is left out, also one that all answers have.

    Raises ``ValueError`` for a field that would end its line.
    """
    lines = [f"HTTP/1.1 {status} {_PHRASES[status]}"]
    all_fields = _COMMON | dict(fields)
    lines += [f"{name}: {value}" for name, value in all_fields.items() if value]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header field with a line end in it")
    lines.append("")
    return "\r\n".join(lines).encode("latin-1", "replace")


def for_origin(origin: str, allowed: frozenset[str]) -> bytes:
    """Lines that let a page of *origin* read the answer, if it is *allowed* to."""
    if origin not in allowed:
        return b""
    return (
        f"Access-Control-Allow-Origin: {origin}\r\nAccess-Control-Allow-Credentials: true\r\n"
    ).encode()


def tail(request_id: bytes, connection: bytes) -> bytes:
    """The lines for this request, and the end of the head; *connection* is lines or empty."""
    return b"Date: %b\r\nX-Request-Id: %b\r\n%b\r\n" % (
        _date(int(time.time())),
        request_id,
        connection,
    )


@lru_cache(maxsize=4)
def _date(second: int) -> bytes:
    return format_date(second).encode()
