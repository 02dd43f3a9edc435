"""May this response be stored?  (RFC 9111 §3)

Every refusal has a name, which goes to Cache-Status, to the log and to the metrics.  Fields
that must not be stored while the rest may (``private="set-cookie"``) were taken out before.
"""

from enum import StrEnum

from edge_cache.freshness import Freshness, is_understood
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
    """Part of a body where the whole was asked for, or a part that is not what it claims."""

    NO_LIFETIME = "no-lifetime"
    EXPIRED = "expired"
    TOO_LARGE = "too-large"
    NO_ROOM = "no-room"
    """The bodies that are arriving already fill the memory set apart for them."""

    HIT_FOR_MISS = "hit-for-miss"
    """An earlier response for this key was refused a moment ago."""

    SLOW_FILL = "slow-fill"
    """The fill of another request did not get its headers in time."""

    NO_VALIDATOR = "no-validator"
    """Its parts cannot be told from parts of another version."""


_SHAREABLE = ("public", "s-maxage", "must-revalidate")
"""Any of these lets a shared cache reuse what was asked with Authorization (§3.5)."""


ASKS_FIRST = (Refusal.NO_CACHE, Refusal.EXPIRED)
"""May be stored all the same, to be asked about before each use."""


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
    cookies: bool = False,
) -> Refusal | None:
    """Why the response to a GET may not be reused as it is; None if it may.

    *authorized*: the request carried Authorization; *cookies*: Set-Cookie does not matter.
    Any final status may be stored, since only an explicit lifetime makes it so.  Content-Range
    means nothing but in a 206 and a 416 (RFC 9110 §14.4).
    """
    if "must-understand" in control and not is_understood(status):
        return Refusal.STATUS
    if "no-store" in control and "must-understand" not in control:
        return Refusal.NO_STORE
    if "private" in control:
        return Refusal.PRIVATE
    if status == 206:
        return Refusal.PARTIAL
    if status < 200 or status in (304, 416):
        return Refusal.STATUS
    if authorized and not shareable(control):
        return Refusal.AUTHORIZATION
    if values(fields, b"set-cookie") and not cookies:
        return Refusal.SET_COOKIE
    if vary_names(fields) is None:
        return Refusal.VARY_ANY
    if "no-cache" in control:
        return Refusal.NO_CACHE
    if freshness.lifetime is None:
        return Refusal.NO_LIFETIME
    return None if freshness.is_usable else Refusal.EXPIRED
