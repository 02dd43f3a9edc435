"""The tags of a response: the names under which it can be purged with others.

Surrogate-Key separates them by spaces, Cache-Tag and Edge-Cache-Tag by commas; each takes both.
"""

import re

from edge_cache.http.fields import Fields
from edge_cache.purging.names import MAX_TAG

MAX_TAGS = 256
MAX_SIZE = 16 * 1024
"""Bytes of the tags of one response together."""

Tags = tuple[bytes, ...]
"""In lower case, in order."""

UNKNOWN: Tags = (b"",)
"""Of a response whose head has not come, or that has more tags than are kept: a purge of any
tag is about it, since one too many costs only a fetch."""

_NAMES = (b"surrogate-key", b"cache-tag", b"edge-cache-tag")
_SEPARATORS = re.compile(rb"[ \t,]+")


def tags_of(fields: Fields) -> Tags:
    """The tags that *fields* list; ``UNKNOWN`` if they are too many or one is too long."""
    lines = [value for name, value in fields if name.lower() in _NAMES]
    if not lines:
        return ()
    if sum(map(len, lines)) > MAX_SIZE:
        return UNKNOWN
    found = {tag.lower() for line in lines for tag in _SEPARATORS.split(line) if tag}
    if len(found) > MAX_TAGS or any(len(tag) > MAX_TAG for tag in found):
        return UNKNOWN
    return tuple(sorted(found))
