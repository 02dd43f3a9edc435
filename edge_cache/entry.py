"""A stored response: what was received, and its header block as it will be sent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from math import inf

from edge_cache.disk.stored import Stored
from edge_cache.freshness import Freshness
from edge_cache.http.dates import parse_date
from edge_cache.http.fields import Field, Fields, combined, serialise, values
from edge_cache.parts import Parts, memory
from edge_cache.purging.tags import Tags, tags_of
from edge_cache.vary import Variant

CacheKey = tuple[bytes, Variant]
"""Path and query as sent, and what Vary selects."""

Body = bytes | Stored
"""In RAM, or in a file of the disk store."""

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

    body: Body
    born: float
    """When its age was zero, in seconds."""

    fresh_until: float
    stale_until: float
    """End of stale-while-revalidate; never before ``fresh_until``."""

    error_until: float
    """End of stale-if-error; never before ``fresh_until``."""

    unreachable_until: float
    """End of the time in which it may be served if no upstream can be reached; never before
    ``error_until``."""

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

    parts: Parts | None = None
    """What is held of a body that is not whole; ``body`` is empty then."""

    tags: Tags = ()
    """Under which it can be purged with others."""

    begun: int = 0
    """The number of the latest purge when its fill began."""

    renew_from: float = inf
    """From when on a hit has it renewed before it is stale, if it is often asked for."""

    @property
    def is_part(self) -> bool:
        """Whether bytes of the body are missing."""
        return self.parts is not None

    @property
    def is_on_disk(self) -> bool:
        """Whether some of the body lies in a file."""
        if self.parts is None:
            return isinstance(self.body, Stored)
        return any(isinstance(data, Stored) for _, data in self.parts.runs)

    @property
    def size(self) -> int:
        """Bytes of the whole body, held or not."""
        return len(self.body) if self.parts is None else self.parts.size

    @property
    def weight(self) -> int:
        """Bytes of memory it takes, roughly."""
        held = memory(self.body) if self.parts is None else self.parts.held
        text = held + 2 * len(self.block) + len(self.head) + sum(map(len, self.tags))
        return text + _BASE_WEIGHT + _FIELD_WEIGHT * (len(self.fields) + len(self.tags))

    @property
    def has_validator(self) -> bool:
        return self.etag is not None or self.last_modified is not None

    @property
    def strong_validator(self) -> str | None:
        """What tells its bytes from those of any other version, as it stands in If-Range."""
        return strong_validator(self.fields)

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

    def with_body(self, body: Body) -> "Entry":
        """This head, and now its body."""
        return replace(self, body=body, head=_head(self.status, self.block, len(body)))

    def with_fields(self, fields: Fields) -> "Entry":
        """To be sent with *fields* beside its own, and not to be stored."""
        told = (*self.fields, *fields)
        block = serialise(told)
        head = _head(self.status, block, len(self.body))
        return replace(self, fields=told, block=block, head=head)

    def softened(self, now: float) -> "Entry":
        """Stale from *now* on (a soft purge); how long it may be served stale stays."""
        early = self.fresh_until - now
        if early <= 0:
            return self
        return replace(
            self,
            fresh_until=now,
            stale_until=self.stale_until - early,
            error_until=self.error_until - early,
            unreachable_until=self.unreachable_until - early,
        )


def make_entry(
    status: int,
    fields: Fields,
    body: Body,
    freshness: Freshness,
    *,
    now: float,
    shareable: bool,
    parts: Parts | None = None,
) -> Entry:
    """The entry of a response that arrived at *now* (monotonic seconds)."""
    born = now - freshness.initial_age
    fresh_until = born + (freshness.lifetime or 0)
    error_until = fresh_until + freshness.stale_if_error
    unreachable_until = fresh_until + freshness.stale_if_unreachable
    block = serialise(fields)
    return Entry(
        status=status,
        fields=fields,
        body=body,
        born=born,
        fresh_until=fresh_until,
        stale_until=fresh_until + freshness.stale_while_revalidate,
        error_until=error_until,
        unreachable_until=max(error_until, unreachable_until),
        etag=combined(fields, b"etag"),
        last_modified=_date(fields, b"last-modified"),
        date=_date(fields, b"date"),
        shareable=shareable,
        block=block,
        head=_head(status, block, len(body)),
        parts=parts,
        tags=tags_of(fields),
        renew_from=_renew_from(fields, freshness, fresh_until) if parts is None else inf,
    )


def _renew_from(fields: Fields, freshness: Freshness, fresh_until: float) -> float:
    """Without a validator it would be fetched whole, changed or not."""
    has_validator = values(fields, b"etag") or values(fields, b"last-modified")
    return fresh_until - freshness.early if freshness.early and has_validator else inf


def same_version(one: Entry, other: Entry) -> bool:
    """Whether bytes of both may stand in one response (RFC 9111 §3.4)."""
    validator = one.strong_validator
    return validator is not None and validator == other.strong_validator


def strong_validator(fields: Fields) -> str | None:
    """The strong validator of a response, as it stands in If-Range.

    A date is one if it was a minute old when the response was made (RFC 9110 §8.8.2.2).
    """
    etag = combined(fields, b"etag")
    if etag is not None:
        return None if etag.startswith("W/") else etag
    changed, date = _date(fields, b"last-modified"), _date(fields, b"date")
    if changed is None or date is None or date - changed < _SAFE_AGE:
        return None
    return combined(fields, b"last-modified")


def _head(status: int, block: bytes, size: int) -> bytes:
    length = b"" if status == 204 else b"Content-Length: %d\r\n" % size
    return status_line(status) + block + length


def status_line(status: int) -> bytes:
    """The status line; an unknown code has an empty phrase (RFC 9112 §4)."""
    return b"HTTP/1.1 %d %b\r\n" % (status, _PHRASES.get(status, b""))


_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}

_SAFE_AGE = 60
"""Seconds."""

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
