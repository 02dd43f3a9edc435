"""How long a response is fresh, and how old it already was (RFC 9111 §4.2, RFC 5861 §3).

Only what the origin says counts: without an explicit lifetime there is none, never a guess.
"""

from dataclasses import dataclass

from edge_cache.http.cache_control import CacheControl, delta_seconds
from edge_cache.http.dates import parse_date
from edge_cache.http.fields import Fields, members, values

_NEVER_STALE = ("must-revalidate", "proxy-revalidate", "no-cache", "s-maxage")
"""Any of these forbids a shared cache to serve stale (§4.2.4; s-maxage by §5.2.2.10)."""


@dataclass(frozen=True, slots=True)
class Freshness:
    initial_age: float
    """Seconds since the origin made or validated the response, when it reached us."""

    lifetime: float | None
    """Seconds of age up to which it is fresh; None if the origin names none."""

    stale_while_revalidate: float
    """Seconds after that in which it may be served while it is refreshed."""

    @property
    def is_usable(self) -> bool:
        """Whether it could answer even one later request without asking the origin."""
        if self.lifetime is None:
            return False
        return self.initial_age < self.lifetime + self.stale_while_revalidate


def assess(fields: Fields, control: CacheControl, *, now: float, delay: float) -> Freshness:
    """The freshness of a response that arrived at *now* (seconds since 1970).

    *delay* is how long it took from request to response, in seconds.
    """
    stale = 0 if any(name in control for name in _NEVER_STALE) else None
    if stale is None:
        stale = control.seconds("stale-while-revalidate") or 0
    return Freshness(initial_age(fields, now, delay), lifetime(fields, control, now), stale)


def initial_age(fields: Fields, now: float, delay: float) -> float:
    """The age on arrival (§4.2.3): by the clocks, or by what caches before us counted."""
    date = _date(fields, b"date")
    apparent = 0.0 if date is None else max(0.0, now - date)
    return max(apparent, age_value(fields) + delay)


def age_value(fields: Fields) -> int:
    """The Age field (§5.1): the first value, ignored if it is no number."""
    listed = members(values(fields, b"age"))
    return delta_seconds(next(listed, "")) or 0


def lifetime(fields: Fields, control: CacheControl, now: float) -> float | None:
    """The freshness lifetime (§4.2.1): the first of s-maxage, max-age and Expires."""
    for name in ("s-maxage", "max-age"):
        seconds = control.seconds(name)
        if seconds is not None:
            return seconds
    if not values(fields, b"expires"):
        return None
    expires, date = _date(fields, b"expires"), _date(fields, b"date")
    if expires is None:  # "0" and every other invalid date is a time in the past (§5.3)
        return 0
    return max(0.0, expires - (now if date is None else date))


def _date(fields: Fields, name: bytes) -> float | None:
    lines = values(fields, name)
    return parse_date(lines[0]) if len(lines) == 1 else None
