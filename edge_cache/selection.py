"""Which part of a stored response answers a request (RFC 9110 §13.2, §14; RFC 9111 §4.3.2).

Pure: an entry, the conditions of the request and a size; no bytes are looked at.
"""

from dataclasses import dataclass

from edge_cache.entry import Entry
from edge_cache.http.conditionals import not_modified, range_applies
from edge_cache.http.ranges import ByteRange, RangeNotSatisfiable, parse_range
from edge_cache.request import Request


@dataclass(frozen=True, slots=True)
class Full:
    """All of it, by the status that it has."""


@dataclass(frozen=True, slots=True)
class Part:
    """206."""

    part: ByteRange


@dataclass(frozen=True, slots=True)
class NotModified:
    """304."""


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """416."""


Selection = Full | Part | NotModified | Unsatisfiable
FULL = Full()

_CONDITIONS = frozenset((b"range", b"if-none-match", b"if-modified-since"))


def select(request: Request, entry: Entry, size: int | None) -> Selection:
    """What to send of *entry*, whose body has *size* bytes; None if that is not known yet."""
    if entry.status != 200 or _CONDITIONS.isdisjoint(request.known):
        return FULL
    if not_modified(
        request.text(b"if-none-match"),
        request.text(b"if-modified-since"),
        etag=entry.etag,
        last_modified=entry.date if entry.last_modified is None else entry.last_modified,
    ):
        return NotModified()  # by Date where the last change is not told (RFC 9111 §4.3.2)
    if request.method != b"GET" or size is None or not _range_applies(request, entry):
        return FULL  # Range is defined for GET alone (§14.2)
    return _part(request.text(b"range"), size)


def _range_applies(request: Request, entry: Entry) -> bool:
    return range_applies(
        request.text(b"if-range"),
        etag=entry.etag,
        last_modified=entry.last_modified,
        date=entry.date,
    )


def _part(header: str | None, size: int) -> Selection:
    try:
        part = parse_range(header, size)
    except RangeNotSatisfiable:
        return Unsatisfiable()
    return FULL if part is None else Part(part)
