"""Entries for tests, with what does not matter filled in."""

from edge_cache.entry import Entry, make_entry
from edge_cache.freshness import Freshness
from edge_cache.http.fields import Fields
from edge_cache.parts import Parts


def entry(
    *,
    body: bytes = b"body",
    fields: Fields = (),
    status: int = 200,
    now: float = 0,
    age: float = 0,
    lifetime: float = 10,
    window: float = 0,
    on_error: float = 0,
    unreachable: float = 0,
    early: float = 0,
    shareable: bool = False,
    parts: Parts | None = None,
) -> Entry:
    freshness = Freshness(age, lifetime, window, on_error, unreachable, early)
    return make_entry(
        status, fields, body, freshness, now=now, shareable=shareable, parts=parts
    )
