"""May this response be stored?  (RFC 9111 §3)

Every refusal has a name, which goes to Cache-Status, to the log and to the metrics.
"""

from enum import StrEnum

from edge_cache.freshness import Freshness
from edge_cache.http.cache_control import CacheControl
from edge_cache.http.fields import Fields, values
from edge_cache.vary import vary_names


class Refusal(StrEnum):
    METHOD = "method"
    STATUS = "status"
    NO_STORE = "no-store"
    PRIVATE = "private"
    NO_CACHE = "no-cache"
    AUTHORIZATION = "authorization"
    SET_COOKIE = "set-cookie"
    VARY_ANY = "vary-any"
    PARTIAL = "partial"
    NO_LIFETIME = "no-lifetime"
    EXPIRED = "expired"
    TOO_LARGE = "too-large"
    NO_ROOM = "no-room"
    """The bodies that are arriving already fill the memory set apart for them."""

    HIT_FOR_MISS = "hit-for-miss"
    """An earlier response for this key was refused a moment ago."""

    SLOW_FILL = "slow-fill"
    """The fill of another request did not get its headers in time."""


_SHAREABLE = ("public", "s-maxage", "must-revalidate")
"""Any of these lets a shared cache reuse what was asked with Authorization (§3.5)."""

_DIRECTIVES = (Refusal.NO_STORE, Refusal.PRIVATE, Refusal.NO_CACHE)
"""The qualified forms, ``private="set-cookie"``, count as the plain ones: never too lax."""


def shareable(control: CacheControl) -> bool:
    """Whether a response may answer requests with Authorization."""
    return any(name in control for name in _SHAREABLE)


def refusal(
    status: int,
    fields: Fields,
    control: CacheControl,
    freshness: Freshness,
    *,
    authorized: bool,
) -> Refusal | None:
    """Why the response to a GET may not be stored; None if it may.

    *authorized*: the request carried Authorization.  Any final status may be stored, since
    only an explicit lifetime makes it so.
    """
    for name in _DIRECTIVES:
        if name in control:
            return name
    if status == 206 or values(fields, b"content-range"):
        return Refusal.PARTIAL
    if status < 200 or status == 304:
        return Refusal.STATUS
    if authorized and not shareable(control):
        return Refusal.AUTHORIZATION
    if values(fields, b"set-cookie"):
        return Refusal.SET_COOKIE
    if vary_names(fields) is None:
        return Refusal.VARY_ANY
    if freshness.lifetime is None:
        return Refusal.NO_LIFETIME
    return None if freshness.is_usable else Refusal.EXPIRED
