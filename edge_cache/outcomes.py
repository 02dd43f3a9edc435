"""What may come of a fill; ``fill`` draws how."""

from dataclasses import dataclass

from edge_cache.entry import Entry
from edge_cache.http.fields import Fields
from edge_cache.storability import Refusal
from edge_cache.upstream.response import Response


@dataclass(frozen=True, slots=True)
class Flowing:
    """The head is there and may be shared; the body is on its way."""

    entry: Entry
    """Without its body."""

    size: int | None
    """Of the whole body, if the head tells."""

    refusal: Refusal | None = None
    """Why it is for the leader alone, though it is stored to be asked about."""

    withheld: Fields = ()
    """Fields that are for the leader alone."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The upstream says that what is stored still holds."""

    entry: Entry
    refusal: Refusal | None = None
    """Why that is for the leader alone."""

    withheld: Fields = ()
    """Fields that are for the leader alone."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was asked of a body that is not held whole is there now, or the whole is."""

    entry: Entry
    status: int
    """That the upstream answered with."""


@dataclass(frozen=True, slots=True)
class StoodIn:
    """The upstream failed; a stale entry covers it."""

    entry: Entry
    status: int | None
    """That the upstream answered with, if it did."""


@dataclass(frozen=True, slots=True)
class Turned:
    """The response may not be stored, and so not be shared."""

    refusal: Refusal
    response: Response
    """For the leader alone."""


@dataclass(frozen=True, slots=True)
class Released:
    """The worker that owns the key has nothing that could be shared."""

    refusal: Refusal | None


Outcome = Flowing | Refreshed | Gathered | StoodIn | Turned | Released
