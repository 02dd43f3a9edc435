"""Header fields as they travel: raw names and values, in order (RFC 9110 §5, §7.6.1).

Names keep the case they came in; every comparison is by the lower-cased name.
"""

import re
from collections.abc import Iterable, Iterator

Field = tuple[bytes, bytes]
Fields = tuple[Field, ...]

HOP_BY_HOP = frozenset(
    b"connection proxy-connection keep-alive te transfer-encoding upgrade trailer"
    b" proxy-authenticate proxy-authorization proxy-authentication-info".split()
)
"""Meant for one connection only, listed in Connection or not (RFC 9110 §7.6.1, §11.7)."""

_MEMBER = re.compile(r'[^",]*(?:"(?:[^"\\]|\\.)*+(?:"|\\?\Z)[^",]*)*', re.DOTALL)
"""A string that has no end goes to the end of the line.  It never fails to match there: begun
anew at every character, a line of 32 KiB would take a quarter of a minute."""


def values(fields: Iterable[Field], name: bytes) -> list[str]:
    """Every line of *name*, in order; *name* in lower case."""
    return [value.decode("latin-1") for key, value in fields if key.lower() == name]


def combined(fields: Iterable[Field], name: bytes) -> str | None:
    """All lines of *name* as one value (§5.3); None if there is none."""
    lines = values(fields, name)
    return ", ".join(lines) if lines else None


def members(lines: Iterable[str]) -> Iterator[str]:
    """The non-empty members of a comma-separated list over *lines* (§5.6.1).

    >>> list(members(['a, "b,c"', ", d"]))
    ['a', '"b,c"', 'd']
    """
    for line in lines:
        for member in _MEMBER.findall(line):
            if member := member.strip(" \t"):
                yield member


def end_to_end(fields: Iterable[Field]) -> Fields:
    """*fields* without those that concern one connection only."""
    fields = tuple(fields)
    dropped = HOP_BY_HOP.union(
        member.lower().encode("latin-1") for member in members(values(fields, b"connection"))
    )
    return tuple(field for field in fields if field[0].lower() not in dropped)


def without(fields: Iterable[Field], names: frozenset[bytes]) -> Fields:
    """*fields* but those in *names* (lower case)."""
    return tuple(field for field in fields if field[0].lower() not in names)


def serialise(fields: Iterable[Field]) -> bytes:
    """Field lines for the wire, each with its line end."""
    return b"".join(b"%b: %b\r\n" % field for field in fields)
