"""What an answer is before it is sent: headers that describe a body, and the body."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from edge_cache.http.conditionals import not_modified, range_applies
from edge_cache.http.encodings import preferred_encoding
from edge_cache.http.ranges import (
    ByteRange,
    RangeNotSatisfiable,
    parse_range,
    unsatisfied_range,
)
from origin.heads import head
from origin.windows import AnyWindow, Windows, windows
from packager.plan import Plan

IMMUTABLE = "public, max-age=31536000, immutable"
SHORT = "public, max-age=10"
MANIFEST = "public, max-age=10, stale-while-revalidate=60"
NO_STORE = "no-store"

EVERYBODY: frozenset[str] = frozenset()
"""Of the pages whose scripts may read an answer; others are listed."""

_NONE: Mapping[str, str] = {}
_GZIP_LEAST = 256
"""Bytes; less than a packet is not worth a variant."""


@dataclass(frozen=True, slots=True)
class Cutting:
    """How bodies are cut into windows."""

    limit: int
    """Bytes of a window."""

    straight: int | None = None
    """Bytes of a run that goes from the file to the socket; None for never."""

    def windows(self, plan: Plan) -> Windows:
        return windows(plan, self.limit, straight=self.straight)


class Body:
    """One representation: what to send, and what its answers have in common."""

    def __init__(
        self,
        plan: Plan,
        content_type: str,
        cache_control: str,
        etag: str,
        extra: Mapping[str, str] = _NONE,
        origins: frozenset[str] = EVERYBODY,
    ) -> None:
        self.plan = plan
        self.origins = origins
        self.size = len(plan)
        self.content_type = content_type
        self.cache_control = cache_control
        self.etag = etag
        self.extra = extra
        self._windows: tuple[Cutting, tuple[AnyWindow, ...]] | None = None
        self._head: bytes | None = None

    @property
    def validators(self) -> dict[str, str]:
        """The fields of a 304 (RFC 9110 §15.4.5)."""
        return {"Cache-Control": self.cache_control, "ETag": self.etag, **self.extra}

    @property
    def fields(self) -> dict[str, str]:
        """The fields of a 200 or 206."""
        return {
            **self.validators,
            "Content-Type": self.content_type,
            "Accept-Ranges": "bytes",
        }

    @property
    def head(self) -> bytes:
        """Of an answer with all of it."""
        if self._head is None:
            self._head = head(200, self.fields, self.size)
        return self._head

    @property
    def small(self) -> bytes | None:
        """All of it, where that is at hand and is one piece."""
        pieces = self.plan.pieces
        piece = pieces[0] if len(pieces) == 1 else None
        return piece if isinstance(piece, bytes) else None

    def windows(self, cutting: Cutting) -> Windows:
        """All of it."""
        if self._windows is not None and self._windows[0] == cutting:
            return self._windows[1]
        made = cutting.windows(self.plan)
        if isinstance(made, tuple):
            self._windows = cutting, made
        return made


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, all but the lines that differ from request to request."""

    status: int
    head: bytes
    body: Windows = ()
    length: int = 0
    """Bytes of *body*."""

    origins: frozenset[str] = EVERYBODY


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
        return self.plain.size + (self.gzipped.size if self.gzipped else 0) + 1024

    def preferred(self, accept_encoding: str | None) -> Body:
        if self.gzipped is None or accept_encoding is None:
            return self.plain
        chosen = preferred_encoding(accept_encoding.encode("latin-1"))
        return self.gzipped if chosen == b"gzip" else self.plain


def only_for(origins: frozenset[str], vary: str = "") -> dict[str, str]:
    """Fields of an answer that only pages of *origins* may read; *vary* is what else it
    depends on."""
    if not origins:
        return {"Vary": vary} if vary else {}
    parts = filter(None, (vary, "Origin"))
    return {"Access-Control-Allow-Origin": "", "Vary": ", ".join(parts)}


def text(
    content: str,
    content_type: str,
    cache_control: str,
    extra: Mapping[str, str] = _NONE,
    origins: frozenset[str] = EVERYBODY,
) -> Text:
    data = content.encode()
    vary = {**only_for(origins, "Accept-Encoding"), **extra}
    plan = Plan((data,))
    plain = Body(plan, content_type, cache_control, strong_etag(data), vary, origins)
    if len(data) < _GZIP_LEAST:
        return Text(plain, None)
    packed = gzip.compress(data, 6, mtime=0)  # byte-identical on every node
    return Text(
        plain,
        Body(
            Plan((packed,)), content_type, cache_control, strong_etag(data, "gzip"),
            {**vary, "Content-Encoding": "gzip"}, origins,
        ),
    )  # fmt: skip


def answer(body: Body, request: Mapping[str, str], cutting: Cutting) -> Answer:
    """*body* for a GET whose headers are *request* (RFC 9110 §13.2.2, §14.2)."""
    if not_modified(
        request.get("If-None-Match"),
        request.get("If-Modified-Since"),
        etag=body.etag,
        last_modified=None,
    ):
        return Answer(304, head(304, body.validators, None), origins=body.origins)
    try:
        wanted = _wanted(body, request)
    except RangeNotSatisfiable:
        fields = {"Cache-Control": NO_STORE, "Content-Range": unsatisfied_range(body.size)}
        return Answer(416, head(416, fields, 0))
    if wanted is None:
        return Answer(200, body.head, body.windows(cutting), body.size, body.origins)
    fields = {**body.fields, "Content-Range": wanted.content_range(body.size)}
    part = body.plan.slice(wanted.start, wanted.stop)
    length = wanted.stop - wanted.start
    return Answer(206, head(206, fields, length), cutting.windows(part), length, body.origins)


def plain(
    status: int,
    fields: Mapping[str, str],
    content: bytes = b"",
    origins: frozenset[str] = EVERYBODY,
) -> Answer:
    """An answer that is no representation: an error, or none of the body's business."""
    length = None if status == 204 else len(content)
    body = windows(Plan((content,)), len(content)) if content else ()
    fields = {**only_for(origins), **fields}
    return Answer(status, head(status, fields, length), body, len(content), origins)


def _wanted(body: Body, request: Mapping[str, str]) -> ByteRange | None:
    header = request.get("Range")
    if header is None:
        return None
    applies = range_applies(request.get("If-Range"), etag=body.etag, last_modified=None)
    return parse_range(header, body.size) if applies else None
