"""What a response is worth: its lifetime, whether it may be stored, and for whom.  Pure."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

from edge_cache.entry import Body, Entry, make_entry
from edge_cache.freshness import Defaults, Freshness, assess
from edge_cache.http.fields import Fields, values, without
from edge_cache.http.targeted import governing
from edge_cache.parts import Parts
from edge_cache.storability import ASKS_FIRST, Refusal, refusal, shareable


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator has decided about responses."""

    defaults: Defaults = field(default_factory=Defaults)
    cookies: bool = False
    """Set-Cookie is no reason to refuse."""


class Times(NamedTuple):
    """Of an entry, in monotonic seconds: as ``Entry`` has them."""

    born: float
    fresh_until: float
    stale_until: float
    error_until: float
    unreachable_until: float

    @classmethod
    def of(cls, entry: Entry) -> Self:
        return cls(*(getattr(entry, name) for name in cls._fields))


@dataclass(frozen=True, slots=True)
class Appraisal:
    status: int
    fields: Fields
    """As they are stored: without Age, and without those withheld."""

    freshness: Freshness
    refusal: Refusal | None
    """Why it may not be reused without asking first, if so."""

    shareable: bool
    times: Times | None = None
    """In place of those that follow from the fields: another worker knows better."""

    withheld: Fields = ()
    """For the one who asked alone (RFC 9111 §5.2.2.4, §5.2.2.7)."""

    @property
    def is_kept(self) -> bool:
        """Whether it is worth storing, be it only to ask about it."""
        if self.refusal is None:
            return True
        if self.refusal not in ASKS_FIRST:
            return False
        has_validator = values(self.fields, b"etag") or values(self.fields, b"last-modified")
        return bool(has_validator) or self.freshness.covers_errors

    def entry(self, body: Body, *, now: float, parts: Parts | None = None) -> Entry:
        """The entry it makes at *now* (monotonic seconds)."""
        entry = make_entry(
            self.status,
            self.fields,
            body,
            self.freshness,
            now=now,
            shareable=self.shareable,
            parts=parts,
        )
        if self.times is None:
            return entry
        later = self.times.fresh_until - entry.fresh_until
        renew_from = entry.renew_from + later
        return replace(entry, renew_from=renew_from, **self.times._asdict())


def appraise(
    status: int,
    fields: Fields,
    age: Fields,
    rules: Rules,
    *,
    authorized: bool,
    now: float,
    delay: float,
) -> Appraisal:
    """The worth of a response to a GET that arrived at *now* (seconds since 1970).

    *fields* are those to be stored, *age* the lines of Age beside them; *delay* is the time
    from request to response in seconds; *authorized*: the request carried Authorization.
    """
    control = governing(fields)
    withheld: Fields = ()
    if control.withheld:
        everything, fields = fields, without(fields, control.withheld)
        withheld = tuple(field for field in everything if field not in fields)
    freshness = assess(
        (*fields, *age),
        control,
        now=now,
        delay=delay,
        status=status,
        defaults=rules.defaults,
    )
    refused = refusal(
        status, fields, control, freshness, authorized=authorized, cookies=rules.cookies
    )
    return Appraisal(status, fields, freshness, refused, shareable(control), withheld=withheld)
