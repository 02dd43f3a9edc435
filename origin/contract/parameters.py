"""Parameters in a path and a query: pairs in any order, long names and short ones.

The path wins over the query, and the first of a name over those behind it.  A name that means
nothing here is left out.
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from origin.errors import BadUrl
from origin.paths import MAX_PATH

_DECORATION = re.compile(r"\w[\w.-]*\.\w+", re.ASCII)
"""``a.m3u8``: the last part, from which players guess the type."""


def gather(parts: Sequence[str], query: str, names: Mapping[str, str]) -> dict[str, str]:
    """Values by long name, of those in *names* (any name to the long one) that have a value.

    Raises ``BadUrl`` for a part that is left over.
    """
    pairs = list(zip(parts[::2], parts[1::2], strict=False))
    if len(parts) % 2 and not _DECORATION.fullmatch(parts[-1]):
        raise BadUrl(f"left over: {parts[-1]}")
    found: dict[str, str] = {}
    for name, value in (*pairs, *_of_query(query)):
        if name in names:
            found.setdefault(names[name], value)
    return {name: value for name, value in found.items() if value}


def _of_query(query: str) -> list[tuple[str, str]]:
    if len(query) > MAX_PATH:
        raise BadUrl(f"the query is longer than {MAX_PATH} bytes")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise BadUrl("the query is not UTF-8") from None
    if not all(value.isprintable() for _, value in pairs):
        raise BadUrl("a value of the query is not printable")
    return pairs
