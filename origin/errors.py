"""What can go wrong with a request, and the one table that turns it into HTTP (design §3).

OriginError
 +-- BadUrl              does not parse
 +-- NotFound            no such entry, flavor, file or token
 |    +-- Refused        a numbered error of the delivery contract (origin.contract.refusals)
 +-- SourceUnavailable   a source that is missing, late or not what was ingested
 +-- Overloaded          more than this worker admits
 +-- HookFailed          an operator's manifest hook
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from metadata.errors import BadRow, DatabaseUnavailable, MetadataError
from packager.errors import PackagerError, UnknownSegment

RETRY_AFTER = 2
"""Seconds."""

_MAX_REASON = 300
_NONE: Mapping[str, str] = MappingProxyType({})


class OriginError(Exception):
    """Base of the errors that the origin raises on purpose; the message goes to the client
    and names no path of the machine."""

    fields: Mapping[str, str] = _NONE
    """Of its response, beside or instead of the usual ones."""


class BadUrl(OriginError):
    """The URL does not parse."""


class NotFound(OriginError):
    """The URL parses but names nothing that there is."""


class SourceUnavailable(OriginError):
    """A source cannot be read now."""


class SourceChanged(SourceUnavailable):
    """A source is not the file that it was when the response began."""


class Overloaded(OriginError):
    """There is no room for this request now."""


class HookFailed(OriginError):
    """The operator's manifest hook raised, took too long or gave a wrong answer."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as a response."""

    status: int
    cache_control: str
    reason: str
    retry_after: int | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    """Further ones, which take the place of others of the same name."""


_NO_STORE, _SHORT = "no-store", "public, max-age=10"
_FAILURES: tuple[tuple[type[Exception], int, str, int | None], ...] = (
    (BadUrl, 400, _NO_STORE, None),
    (NotFound, 404, _SHORT, None),
    (UnknownSegment, 404, _SHORT, None),
    (SourceUnavailable, 503, _NO_STORE, RETRY_AFTER),
    (Overloaded, 503, _NO_STORE, RETRY_AFTER),
    (HookFailed, 500, _NO_STORE, None),
    (DatabaseUnavailable, 503, _NO_STORE, RETRY_AFTER),
    (BadRow, 502, _NO_STORE, None),
    (MetadataError, 503, _NO_STORE, RETRY_AFTER),
    (PackagerError, 502, _NO_STORE, None),
)


def failure(error: Exception) -> Failure | None:
    """*error* as a response; None for one that nobody foresaw."""
    for kind, status, cache_control, retry_after in _FAILURES:
        if isinstance(error, kind):
            reason = "the database is unavailable" if isinstance(
                error, DatabaseUnavailable
            ) else _printable(str(error))  # fmt: skip
            fields = error.fields if isinstance(error, OriginError) else _NONE
            return Failure(status, cache_control, reason, retry_after, fields)
    return None


def _printable(text: str) -> str:
    """*text* as a header value."""
    kept = "".join(char if " " <= char <= "~" else "?" for char in text)
    return kept[:_MAX_REASON] or "error"
