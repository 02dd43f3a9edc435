"""A stored response: what was received, and its header block as it will be sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from edge_cache.freshness import Freshness
from edge_cache.http.dates import parse_date
from edge_cache.http.fields import Field, Fields, combined, serialise, values
from edge_cache.vary import Variant

CacheKey = tuple[bytes, Variant]
"""Path and query as sent, and what Vary selects."""

_BASE_WEIGHT, _FIELD_WEIGHT = 1024, 200
"""Bytes that an entry and each of its fields take beside their text: objects, dict slots,
the eviction queue.  By ``sys.getsizeof`` about 900 and 170."""

_CONTENT = (b"content-", b"last-modified", b"accept-ranges")
"""Fields about a body that a 304 does not have (RFC 9110 §15.4.5)."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """Immutable; a revalidation makes another one.  Times are of a monotonic clock."""

    status: int
    fields: Fields
    """End-to-end fields as received, without Age and Content-Length."""

    body: bytes
    born: float
    """When its age was zero, in seconds."""

    fresh_until: float
    stale_until: float
    """End of stale-while-revalidate; never before ``fresh_until``."""

    etag: str | None
    last_modified: float | None
    """Seconds since 1970."""

    date: float | None
    """Seconds since 1970."""

    shareable: bool
    """May answer requests with Authorization."""

    block: bytes
    """``fields`` on the wire."""

    head: bytes
    """Status line, ``block`` and Content-Length: all of a full answer that never changes."""

    @property
    def weight(self) -> int:
        """Bytes of memory it takes, roughly."""
        text = len(self.body) + 2 * len(self.block) + len(self.head)
        return text + _BASE_WEIGHT + _FIELD_WEIGHT * len(self.fields)

    @property
    def has_validator(self) -> bool:
        return self.etag is not None or self.last_modified is not None

    def age(self, now: float) -> int:
        """Seconds since the origin made or validated it (RFC 9111 §4.2.3)."""
        return max(0, int(now - self.born))

    def ttl(self, now: float) -> int:
        """Seconds of freshness left; negative once it is stale."""
        return int((self.fresh_until - now) // 1)

    def not_modified_block(self) -> bytes:
        """The field lines of a 304."""
        kept = [field for field in self.fields if not field[0].lower().startswith(_CONTENT)]
        return serialise(kept)

    def conditions(self) -> Sequence[Field]:
        """The request fields that ask whether it is still good (RFC 9111 §4.3.1)."""
        asked: list[Field] = []
        if self.etag is not None:
            asked.append((b"If-None-Match", self.etag.encode("latin-1")))
        if self.last_modified is not None:
            changed = combined(self.fields, b"last-modified") or ""
            asked.append((b"If-Modified-Since", changed.encode("latin-1")))
        return asked


def make_entry(
    status: int,
    fields: Fields,
    body: bytes,
    freshness: Freshness,
    *,
    now: float,
    shareable: bool,
) -> Entry:
    """The entry of a response that arrived at *now* (monotonic seconds)."""
    born = now - freshness.initial_age
    fresh_until = born + (freshness.lifetime or 0)
    block = serialise(fields)
    length = b"" if status == 204 else b"Content-Length: %d\r\n" % len(body)
    return Entry(
        status=status,
        fields=fields,
        body=body,
        born=born,
        fresh_until=fresh_until,
        stale_until=fresh_until + freshness.stale_while_revalidate,
        etag=combined(fields, b"etag"),
        last_modified=_date(fields, b"last-modified"),
        date=_date(fields, b"date"),
        shareable=shareable,
        block=block,
        head=status_line(status) + block + length,
    )


def status_line(status: int) -> bytes:
    """The status line; an unknown code has an empty phrase (RFC 9112 §4)."""
    return b"HTTP/1.1 %d %b\r\n" % (status, _PHRASES.get(status, b""))


_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}

_KEPT_BY_304 = (b"content-length", b"content-encoding", b"content-type", b"content-range")
"""Fields that a 304 must not change: they belong to the body that stays (RFC 9111 §3.2)."""


def updated_fields(stored: Fields, validation: Fields) -> Fields:
    """*stored*, with the fields that a 304 brings in place of theirs (RFC 9111 §3.2)."""
    fresh = [field for field in validation if field[0].lower() not in _KEPT_BY_304]
    replaced = {name.lower() for name, _ in fresh}
    return (*(field for field in stored if field[0].lower() not in replaced), *fresh)


def _date(fields: Fields, name: bytes) -> float | None:
    lines = values(fields, name)
    return parse_date(lines[0]) if len(lines) == 1 else None
