"""Response heads as bytes.  Pure.

A head is: what never changes (serialised when the entry was stored), what this answer selects
of it, and a tail of lines for this one request.
"""

from dataclasses import replace
from typing import assert_never

from edge_cache.entry import Entry, status_line
from edge_cache.http.cache_status import CacheStatus
from edge_cache.http.ranges import unsatisfied_range
from edge_cache.request import Request
from edge_cache.selection import Full, NotModified, Part, Selection, Unsatisfiable

_STATUS = {Part: 206, NotModified: 304, Unsatisfiable: 416}

OPTIONS_HEAD = status_line(204) + b"Allow: GET, HEAD, OPTIONS\r\n"
PURGED_HEAD = status_line(204) + b"Cache-Control: no-store\r\n"


def status_of(selection: Selection, entry: Entry) -> int:
    return _STATUS.get(type(selection), entry.status)


def entry_head(selection: Selection, entry: Entry, size: int | None) -> bytes:
    """All but the tail.  *size* is of the whole body, None if it is sent in chunks."""
    match selection:
        case Full():
            return status_line(entry.status) + entry.block + _length(entry.status, size)
        case Part(part):
            assert size is not None
            length = _length(206, part.stop - part.start)
            found = b"Content-Range: %b\r\n" % part.content_range(size).encode()
            return status_line(206) + entry.block + length + found
        case NotModified():
            return status_line(304) + entry.not_modified_block()
        case Unsatisfiable():
            found = b"Content-Range: %b\r\n" % unsatisfied_range(size or 0).encode()
            return status_line(416) + found + b"Content-Length: 0\r\n"
        case never:
            assert_never(never)


def tail(request: Request, *lines: bytes) -> bytes:
    """The lines for this request, and the end of the head."""
    return b"%bX-Request-Id: %b\r\n%b\r\n" % (b"".join(lines), request.id, connection(request))


def hit_tail(request: Request, age: int, ttl: int) -> bytes:
    """The tail of an answer from cache, made in one go: this is the hit path."""
    return b"Age: %d\r\nCache-Status: headrace; hit; ttl=%d\r\nX-Request-Id: %b\r\n%b\r\n" % (
        age,
        ttl,
        request.id,
        connection(request),
    )


def cache_line(request: Request, status: CacheStatus, *, tells_key: bool) -> bytes:
    """Cache-Status, with the key if that is to be told."""
    if tells_key:
        status = replace(status, key=request.key.decode("latin-1"))
    return b"Cache-Status: %b\r\n" % status.render().encode()


def connection(request: Request) -> bytes:
    """Tells what is not the default of the client's version (RFC 9112 §9.3)."""
    if not request.keep_alive:
        return b"Connection: close\r\n"
    return b"Connection: keep-alive\r\n" if request.http10 else b""


def error_head(status: int, reason: str, *, retry_after: int | None = None) -> bytes:
    """A response of our own, without a body, all but the tail."""
    retry = b"" if retry_after is None else b"Retry-After: %d\r\n" % retry_after
    return (
        status_line(status)
        + b"Content-Length: 0\r\nCache-Control: no-store\r\n"
        + b"X-Headrace-Error: %b\r\n" % reason.encode()
        + retry
    )


def refusal_answer(status: int, reason: str) -> bytes:
    """All of the answer to what could not even be read; the connection ends with it."""
    retry = 1 if status == 503 else None
    return error_head(status, reason, retry_after=retry) + b"Connection: close\r\n\r\n"


def _length(status: int, size: int | None) -> bytes:
    if size is None or status in (204, 304):
        return b""
    return b"Content-Length: %d\r\n" % size
