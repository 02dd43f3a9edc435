"""Parameters in a path and a query: pairs in any order, long names and short ones.

The path wins over the query, and the first of a name over those behind it.  A name that means
nothing here is left out.
"""

import json
import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode

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


def with_body(query: str, content_type: str, body: bytes) -> str:
    """*query*, empty or with its ``?``, and behind it the parameters in the body of a POST: a
    form, or a JSON object of plain values.  Raises ``BadUrl``.

    >>> with_body("?f=hls", "application/json", b'{"entryId": "0_a", "mb": 9}')
    '?f=hls&entryId=0_a&mb=9'
    """
    if not body:
        return query
    if len(body) > MAX_PATH:
        raise BadUrl(f"the body is longer than {MAX_PATH} bytes")
    try:
        more = _of_body(content_type.partition(";")[0].strip().lower(), body)
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise BadUrl("the body is not what its type says") from None
    return f"{query}&{more}" if query else f"?{more}"


def _of_body(kind: str, body: bytes) -> str:
    if kind == "application/x-www-form-urlencoded":
        return body.decode("ascii").strip()
    if kind != "application/json":
        raise BadUrl("a body is a form or JSON")
    found = json.loads(body)
    if not isinstance(found, dict):
        raise BadUrl("the body is no JSON object")
    for name, value in found.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float | None):
            raise BadUrl(f"{name[:64]!r} in the body is no text or number")
    return urlencode({name: value for name, value in found.items() if value is not None})
