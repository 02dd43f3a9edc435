"""How long a response is fresh, how old it already was, and when it may be served past that
(RFC 9111 §4.2, RFC 5861).

Only what the origin says counts.  Where it says nothing there is no lifetime, unless an
operator has named one (``Defaults``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from edge_cache.http.cache_control import CacheControl, delta_seconds
from edge_cache.http.dates import parse_date
from edge_cache.http.fields import Fields, members, values

_NEVER_STALE = ("must-revalidate", "proxy-revalidate", "no-cache", "s-maxage")
"""Any of these forbids a shared cache to serve stale (§4.2.4; s-maxage by §5.2.2.10)."""

_HEURISTIC = frozenset((200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501))
"""Final statuses that may be given a lifetime by heuristics (RFC 9110 §15.1)."""

_MAX_HEURISTIC = 86_400
"""Seconds.  §4.2.2 used to ask for a warning past a day; a guess should not go further."""

_EARLY_SHARE = 0.1
"""Of the freshness that is left on arrival: the last part, in which a renewal is early."""

_SHORTEST_EARLY = 0.05
"""Seconds.  A renewal that takes longer than this gains nothing.  It also ends the renewals of
what an upstream cache hands out over and over, each time with less freshness left."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What an operator says beside the origin, most of it where that is silent."""

    heuristic: float = 0.0
    """Share of the time since Last-Modified; 0 for no guesses."""

    negative_ttl: Mapping[int, float] = field(default_factory=dict)
    """Seconds by status."""

    stale_if_unreachable: float = 0.0
    """Seconds past freshness in which no upstream may be reached."""

    early_refresh: float = 0.0
    """Seconds at most before the end of freshness in which it may be renewed."""


@dataclass(frozen=True, slots=True)
class Freshness:
    initial_age: float
    """Seconds since the origin made or validated the response, when it reached us."""

    lifetime: float | None
    """Seconds of age up to which it is fresh; None if the origin names none."""

    stale_while_revalidate: float
    """Seconds after that in which it may be served while it is refreshed."""

    stale_if_error: float = 0.0
    """Seconds after that in which it may be served in place of an error."""

    stale_if_unreachable: float = 0.0
    """Seconds after that in which it may be served if no upstream can be reached."""

    early: float = 0.0
    """Seconds before the end of its lifetime in which it may be renewed."""

    @property
    def is_usable(self) -> bool:
        """Whether it could answer even one later request without asking the origin."""
        if self.lifetime is None:
            return False
        return self.initial_age < self.lifetime + self.stale_while_revalidate

    @property
    def covers_errors(self) -> bool:
        """Whether it could stand in for an error, had it to be asked about first."""
        return self.initial_age < (self.lifetime or 0) + self.stale_if_error


def assess(
    fields: Fields,
    control: CacheControl,
    *,
    now: float,
    delay: float,
    status: int = 200,
    defaults: Defaults | None = None,
) -> Freshness:
    """The freshness of a response that arrived at *now* (seconds since 1970).

    *delay* is how long it took from request to response, in seconds.
    """
    defaults = defaults or Defaults()
    seconds = lifetime(fields, control, now)
    if seconds is None:
        seconds = _implied_lifetime(status, fields, control, now, defaults)
    age = initial_age(fields, now, delay)
    early = early_part(age, seconds, control, defaults.early_refresh)
    if any(name in control for name in _NEVER_STALE):
        return Freshness(age, seconds, 0, early=early)
    if_error = control.seconds("stale-if-error")
    # An error is no better than the one that not reaching anybody makes.
    silent = defaults.stale_if_unreachable if status < 400 else 0
    unreachable = silent if if_error is None else if_error
    while_revalidating = control.seconds("stale-while-revalidate") or 0
    return Freshness(age, seconds, while_revalidating, if_error or 0, unreachable, early)


def early_part(
    age: float, seconds: float | None, control: CacheControl, longest: float
) -> float:
    """The last seconds of freshness, in which to renew what is often asked for; 0 for never.

    What is *immutable* does not change while it is fresh (RFC 8246 §2).
    """
    if seconds is None or "immutable" in control:
        return 0
    early = min((seconds - age) * _EARLY_SHARE, longest)
    return early if early >= _SHORTEST_EARLY else 0


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
    """The freshness lifetime (§4.2.1): the first of s-maxage, max-age and Expires.

    Under ``no-cache`` there is none to use: each time the origin is asked (§5.2.2.4).
    """
    if "no-cache" in control:
        return 0
    for name in ("s-maxage", "max-age"):
        seconds = control.seconds(name)
        if seconds is not None:
            return seconds
    if control.is_targeted or not values(fields, b"expires"):
        return None
    expires, date = _date(fields, b"expires"), _date(fields, b"date")
    if expires is None:  # "0" and every other invalid date is a time in the past (§5.3)
        return 0
    return max(0.0, expires - (now if date is None else date))


def _implied_lifetime(
    status: int, fields: Fields, control: CacheControl, now: float, defaults: Defaults
) -> float | None:
    """What an operator wants a response without a lifetime to have."""
    if status in defaults.negative_ttl:
        return defaults.negative_ttl[status]
    changed, date = _date(fields, b"last-modified"), _date(fields, b"date")
    if not defaults.heuristic or changed is None:
        return None
    if status not in _HEURISTIC and "public" not in control:
        return None
    since = (now if date is None else date) - changed
    return min(since * defaults.heuristic, _MAX_HEURISTIC) if since > 0 else None


def is_understood(status: int) -> bool:
    """Whether the caching of *status* is known here, as must-understand asks (§5.2.2.3)."""
    return status in _UNDERSTOOD


_UNDERSTOOD = frozenset(status.value for status in HTTPStatus if status >= 200) - {206, 304}


def _date(fields: Fields, name: bytes) -> float | None:
    lines = values(fields, name)
    return parse_date(lines[0]) if len(lines) == 1 else None
