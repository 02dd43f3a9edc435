"""Conditional requests (RFC 9110 §13): is the client's copy still good?

Entity tags are compared as strings with their quotes, as they stand on the wire.
"""

import re

from edge_cache.http.dates import parse_date

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_TAGS = re.compile(rf"[\s,]*(?:{_TAG.pattern}(?:[ \t]*,[\s,]*|[ \t]*$))+")


def not_modified(
    if_none_match: str | None,
    if_modified_since: str | None,
    *,
    etag: str | None,
    last_modified: float | None,
) -> bool:
    """Whether a GET or HEAD is answered by 304.

    If-None-Match wins; If-Modified-Since is not even looked at beside it (§13.1.3).
    """
    if if_none_match is not None:
        return _any_matches(if_none_match.strip(), etag)
    if if_modified_since is None or last_modified is None:
        return False
    since = parse_date(if_modified_since)
    return since is not None and last_modified // 1 <= since


def range_applies(
    if_range: str | None,
    *,
    etag: str | None,
    last_modified: float | None,
    date: float | None = None,
) -> bool:
    """Whether a Range beside *if_range* may be honoured (§13.1.5); otherwise send everything.

    Tags compare strongly.  A date must be equal to the second, and is no strong validator
    if the response was made (*date*) in the very second of its last change (§8.8.2.2).
    """
    if if_range is None:
        return True
    if '"' in if_range:
        return if_range == etag and not if_range.startswith("W/")
    if last_modified is None or (date is not None and last_modified // 1 > date - 1):
        return False
    return parse_date(if_range) == last_modified // 1


def same_tag(one: str, other: str) -> bool:
    """Weak comparison (§8.8.3.2): the opaque parts are equal."""
    return one.removeprefix("W/") == other.removeprefix("W/")


def is_strong_tag(text: str) -> bool:
    """Whether *text* is one entity tag, and a strong one (§8.8.3)."""
    return text.startswith('"') and _TAG.fullmatch(text) is not None


def _any_matches(listed: str, etag: str | None) -> bool:
    if listed == "*":
        return True
    if etag is None or _TAGS.fullmatch(listed) is None:
        return False
    return any(same_tag(tag, etag) for tag in _TAG.findall(listed))
