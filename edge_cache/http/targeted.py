"""CDN-Cache-Control (RFC 9213): what an origin tells caches like this one alone.

A structured field (RFC 9651), unlike Cache-Control.  If it is there, parses and is not empty,
it stands in place of Cache-Control and Expires; otherwise it is as if it were not there (§2.2).
"""

from collections.abc import Mapping
from typing import Any

import http_sf

from edge_cache.http.cache_control import CacheControl
from edge_cache.http.fields import Fields, combined, values


def governing(fields: Fields) -> CacheControl:
    """The directives that a response with *fields* is to be cached by."""
    targeted = combined(fields, b"cdn-cache-control")
    directives = _parse(targeted) if targeted else {}
    if directives:
        return CacheControl(directives, is_targeted=True)
    return CacheControl.parse(values(fields, b"cache-control"))


def _parse(text: str) -> Mapping[str, tuple[str, ...]]:
    """The members of the dictionary *text*; none if it is not one."""
    try:
        parsed: Any = http_sf.parse(text.encode("latin-1"), tltype="dictionary")
    except ValueError:
        return {}
    found = {name: value[0] for name, value in parsed.items() if value[0] is not False}
    return {name: (_argument(value),) for name, value in found.items()}


def _argument(value: object) -> str:
    """*value* as the argument of a directive.  Only an integer can be read as a number."""
    if value is True:
        return ""
    return str(value) if isinstance(value, int) else repr(value)
