"""CDN-Loop (RFC 8586): which caches a request has already been through."""

import re
from collections.abc import Iterable

from edge_cache.http.fields import members

_INFO = re.compile(
    r"""([^\s;,"]+)(?:[ \t]*;[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+"""
    r"""(?:=(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[^"\\]|\\.)*"))?)*"""
)


def passed_through(lines: Iterable[str]) -> list[str]:
    """The identifiers on all *lines*, in order.  ValueError if one does not parse.

    >>> passed_through(["a.example; v=1, b", "c"])
    ['a.example', 'b', 'c']
    """
    found = []
    for member in members(lines):
        match = _INFO.fullmatch(member)
        if match is None:
            raise ValueError(f"not a cdn-info: {member[:40]!r}")
        found.append(match[1])
    return found
