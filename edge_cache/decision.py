"""May this entry be served now?  (RFC 9111 §4, RFC 5861 §3)

Pure: the caller brings the clock and carries out the verdict.  Named tuples, because one is
made for every hit and they cost a third of a frozen dataclass.
"""

from typing import NamedTuple

from edge_cache.entry import Entry


class Serve(NamedTuple):
    """Fresh: answer from cache."""

    entry: Entry
    age: int


class ServeStale(NamedTuple):
    """Just expired: answer from cache, and refresh behind the client's back."""

    entry: Entry
    age: int


class Revalidate(NamedTuple):
    """Too old to serve, but worth a conditional request."""

    entry: Entry


class Fetch(NamedTuple):
    """Nothing usable: ask upstream."""


Decision = Serve | ServeStale | Revalidate | Fetch

_FETCH = Fetch()


def decide(entry: Entry | None, *, now: float, authorized: bool = False) -> Decision:
    """What to do about a GET or HEAD for which *entry* was found at *now* (monotonic)."""
    if entry is None or (authorized and not entry.shareable):
        return _FETCH
    if now < entry.fresh_until:
        return Serve(entry, entry.age(now))
    if now < entry.stale_until:
        return ServeStale(entry, entry.age(now))
    return Revalidate(entry) if entry.has_validator else _FETCH
