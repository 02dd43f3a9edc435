"""Variants that are held where another is wanted: one of them may answer all the same.

Their entity tags go upstream with the request.  A 304 tells by its ETag which of them it is
(RFC 9111 §4.1, §4.3.4), and nothing has to be fetched.  Pure.
"""

from collections.abc import Iterable, Mapping

from edge_cache.entry import Entry
from edge_cache.http.conditionals import is_strong_tag
from edge_cache.http.fields import values

MAX_OFFERED = 8
MAX_TAG = 128
"""Characters.  Together they must not fill the header lines of a request."""

Offered = Mapping[str, Entry]
"""Entries by their entity tags."""


def offered(held: Iterable[Entry], *, coding: bytes, authorized: bool) -> Offered:
    """Those of *held* that may answer a request which accepts *coding* (gzip or identity).

    Only strong tags tell bytes apart.  Many a server gives one to both codings of a file: so
    what the client cannot decode is not offered, nor a tag that two bodies have.
    """
    found: dict[str, Entry] = {}
    ambiguous = set()
    for entry in held:
        tag = entry.etag
        if tag is None or not _is_eligible(entry, tag, coding, authorized):
            continue
        if found.setdefault(tag, entry).body is not entry.body:
            ambiguous.add(tag)
    return {tag: entry for tag, entry in found.items() if tag not in ambiguous}


def if_none_match(variants: Offered) -> bytes:
    """The list of their tags."""
    return ", ".join(variants).encode("latin-1")


def _is_eligible(entry: Entry, tag: str, coding: bytes, authorized: bool) -> bool:
    if entry.status != 200 or entry.is_part or (authorized and not entry.shareable):
        return False
    if type(entry.body) is not bytes:  # what lies in a file belongs to its own key
        return False
    if len(tag) > MAX_TAG or not is_strong_tag(tag):
        return False
    codings = [value.lower() for value in values(entry.fields, b"content-encoding")]
    return codings in ([], [coding.decode()])
