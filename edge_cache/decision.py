"""May this entry be served now?  (RFC 9111 §4, RFC 5861)

Pure: the caller brings the clock and carries out the verdict.  Named tuples, because one is
made for every hit and they cost a third of a frozen dataclass.  The table of states is in
``docs/edge.md``.
"""

from typing import NamedTuple

from edge_cache.entry import Entry


class Serve(NamedTuple):
    """Fresh: answer from cache."""

    entry: Entry
    age: int


class Renew(NamedTuple):
    """Fresh, but not for long: answer from cache, and ask upstream if it is asked for often."""

    entry: Entry
    age: int


class ServeStale(NamedTuple):
    """Just expired: answer from cache, and refresh behind the client's back."""

    entry: Entry
    age: int


class Revalidate(NamedTuple):
    """Too old to serve before the upstream was asked: by a condition if it has a validator, and
    it may still stand in for an error (``stands_in``)."""

    entry: Entry


class Fetch(NamedTuple):
    """Nothing usable: ask upstream."""


Decision = Serve | Renew | ServeStale | Revalidate | Fetch

_FETCH = Fetch()


def decide(entry: Entry | None, *, now: float, authorized: bool = False) -> Decision:
    """What to do about a GET or HEAD for which *entry* was found at *now* (monotonic)."""
    if entry is None or (authorized and not entry.shareable):
        return _FETCH
    if now < entry.fresh_until:
        if now < entry.renew_from:
            return Serve(entry, entry.age(now))
        return Renew(entry, entry.age(now))
    if now < entry.stale_until:
        return ServeStale(entry, entry.age(now))
    if entry.has_validator or now < entry.unreachable_until:
        return Revalidate(entry)
    return _FETCH


def stands_in(entry: Entry, *, now: float, answered: bool) -> bool:
    """Whether *entry* may be served in place of an error (RFC 5861 §4, RFC 9111 §4.2.4).

    *answered*: the upstream itself said 500, 502, 503 or 504.  Then only stale-if-error allows
    it; a cache that cannot reach any upstream may more.
    """
    return now < (entry.error_until if answered else entry.unreachable_until)
