"""Cache-Control (RFC 9111 §5.2): directives, and the seconds some of them carry.

A number that does not parse counts as zero, since §4.2.1 encourages caches to take invalid
freshness information as stale; of several numbers the most restrictive holds.  A member that
does not parse keeps its name: ``private =x`` is no reason to share, and in ``x="a, no-store``
the string has no end and hides nothing.

``no-cache="a"`` and ``private="a"`` are about the field ``a`` alone (§5.2.2.4, §5.2.2.7).  They
are as good as unqualified where they name what a cache works by, or anything but fields.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from edge_cache.http.fields import members

INFINITE = 2**31
"""Seconds that stand for any larger number (§1.2.2)."""

_DIRECTIVE = re.compile(
    r'([!#$%&\'*+.^_`|~0-9a-z-]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s",]*)))?',
    re.ASCII | re.IGNORECASE,
)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+", re.ASCII | re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]+")

_QUALIFIED = ("no-cache", "private")
_WORKED_BY = frozenset(
    b"age cache-control cdn-cache-control date etag expires last-modified location vary".split()
)
"""Without these a response would be another one, or stored as another one."""

_CONTENT = b"content-"


def delta_seconds(text: str) -> int | None:
    """*text* as delta-seconds (§1.2.2); None if it is none.

    >>> delta_seconds("0060"), delta_seconds("99999999999"), delta_seconds("-1")
    (60, 2147483648, None)
    """
    if _DIGITS.fullmatch(text) is None:
        return None
    digits = text.lstrip("0") or "0"
    return min(int(digits), INFINITE) if len(digits) <= 10 else INFINITE


@dataclass(frozen=True, slots=True)
class CacheControl:
    """What a message's Cache-Control lines say."""

    directives: Mapping[str, tuple[str, ...]]
    """Lower-case name to its arguments, in order; an absent argument is an empty string."""

    is_targeted: bool = False
    """Whether a field for caches like this one said it, in place of Expires too (RFC 9213)."""

    withheld: frozenset[bytes] = frozenset()
    """Lower-case names of fields that only who asked may have: they must not be stored, the
    rest may."""

    @classmethod
    def parse(cls, lines: Iterable[str]) -> Self:
        """Read every line."""
        found: dict[str, list[str]] = {}
        for member in members(lines):
            if match := _DIRECTIVE.fullmatch(member):
                name, quoted, token = match.groups()
                argument = token or "" if quoted is None else _unquote(quoted)
                found.setdefault(name.lower(), []).append(argument)
                continue
            for name, argument in _names(member):
                found.setdefault(name.lower(), []).append(argument)
        withheld: set[bytes] = set()
        for name in _QUALIFIED:
            if listed := _field_names(found.get(name, ())):
                withheld |= listed
                del found[name]
        directives = {name: tuple(arguments) for name, arguments in found.items()}
        return cls(directives, withheld=frozenset(withheld))

    def __contains__(self, name: str) -> bool:
        return name in self.directives

    def seconds(self, name: str) -> int | None:
        """The number that *name* carries; None if it is absent."""
        arguments = self.directives.get(name)
        if arguments is None:
            return None
        return min(delta_seconds(argument) or 0 for argument in arguments)


def _names(member: str) -> Iterator[tuple[str, str]]:
    """The names in a *member* that does not parse, with what stands after them."""
    for piece in member.split(","):
        piece = piece.strip(" \t")
        if match := _NAME.match(piece):
            yield match[0], piece[match.end() :]


def _field_names(arguments: Iterable[str]) -> set[bytes]:
    """The fields that all of *arguments* list; none unless they list only such fields."""
    found: set[bytes] = set()
    for argument in arguments:
        names = [name.strip(" \t").lower() for name in argument.split(",")]
        if not all(map(_NAME.fullmatch, names)):
            return set()
        found.update(name.encode() for name in names)
    is_needed = any(name in _WORKED_BY or name.startswith(_CONTENT) for name in found)
    return set() if is_needed else found


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
