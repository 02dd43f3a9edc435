"""What an answer is before it is sent: headers that describe a body, and the body."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from edge_cache.http.conditionals import not_modified, range_applies
from edge_cache.http.encodings import preferred_encoding
from edge_cache.http.ranges import (
    ByteRange,
    RangeNotSatisfiable,
    parse_range,
    unsatisfied_range,
)
from origin.storage.source import Source
from packager.plan import Plan

IMMUTABLE = "public, max-age=31536000, immutable"
SHORT = "public, max-age=10"
MANIFEST = "public, max-age=10, stale-while-revalidate=60"
NO_STORE = "no-store"

_NOTHING = Plan(())
_GZIP_LEAST = 256
"""Bytes; less than a packet is not worth a variant."""


@dataclass(frozen=True, slots=True)
class Body:
    """One representation."""

    plan: Plan
    source: Source | None
    """That the plan's extents are in."""

    content_type: str
    cache_control: str
    etag: str
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: *plan* is what is sent, *length* what is declared."""

    status: int
    headers: Mapping[str, str]
    plan: Plan = _NOTHING
    source: Source | None = None
    length: int | None = 0
    """None where the status has no body by definition."""


def strong_etag(*parts: str | bytes) -> str:
    digest = blake2b(digest_size=12)
    for part in parts:
        digest.update(part if isinstance(part, bytes) else part.encode())
        digest.update(b"\0")
    return f'"{digest.hexdigest()}"'


@dataclass(frozen=True, slots=True)
class Text:
    """A manifest or page, and its gzip form where that is worth it."""

    plain: Body
    gzipped: Body | None

    @property
    def size(self) -> int:
        return len(self.plain.plan) + (len(self.gzipped.plan) if self.gzipped else 0) + 1024

    def preferred(self, accept_encoding: str | None) -> Body:
        if self.gzipped is None or accept_encoding is None:
            return self.plain
        chosen = preferred_encoding(accept_encoding.encode("latin-1"))
        return self.gzipped if chosen == b"gzip" else self.plain


def text(content: str, content_type: str, cache_control: str) -> Text:
    data = content.encode()
    vary = {"Vary": "Accept-Encoding"}
    plan = Plan((data,))
    plain = Body(plan, None, content_type, cache_control, strong_etag(data), vary)
    if len(data) < _GZIP_LEAST:
        return Text(plain, None)
    packed = gzip.compress(data, 6, mtime=0)  # byte-identical on every node
    return Text(
        plain,
        Body(
            Plan((packed,)), None, content_type, cache_control, strong_etag(data, "gzip"),
            {**vary, "Content-Encoding": "gzip"},
        ),
    )  # fmt: skip


def answer(body: Body, request: Mapping[str, str]) -> Answer:
    """*body* for a GET or HEAD whose headers are *request* (RFC 9110 §13.2.2, §14.2)."""
    size = len(body.plan)
    headers = {
        "Cache-Control": body.cache_control,
        "ETag": body.etag,
        **body.extra,
    }
    if not_modified(
        request.get("If-None-Match"),
        request.get("If-Modified-Since"),
        etag=body.etag,
        last_modified=None,
    ):
        return Answer(304, headers, length=None)
    headers["Content-Type"] = body.content_type
    headers["Accept-Ranges"] = "bytes"
    try:
        wanted = _wanted(body, request, size)
    except RangeNotSatisfiable:
        return Answer(416, {**_failure(), "Content-Range": unsatisfied_range(size)})
    if wanted is None:
        return Answer(200, headers, body.plan, body.source, size)
    headers["Content-Range"] = wanted.content_range(size)
    part = body.plan.slice(wanted.start, wanted.stop)
    return Answer(206, headers, part, body.source, len(part))


def _wanted(body: Body, request: Mapping[str, str], size: int) -> ByteRange | None:
    header = request.get("Range")
    if header is None:
        return None
    applies = range_applies(request.get("If-Range"), etag=body.etag, last_modified=None)
    return parse_range(header, size) if applies else None


def _failure() -> dict[str, str]:
    return {"Cache-Control": NO_STORE}
