"""Who asks, and what of an entry they get.

The one place where access rules, sessions and URL tokens will be decided; ``delivery`` calls
``decide`` once a request, behind ``admission.admitted``, and does as it says.  Until rules are
evaluated an entry that has any is refused to everybody, so whoever comes here gets all, and
the answer is the same for all.  Pure.
"""

from dataclasses import dataclass

from metadata.records import ContentRecord
from origin.contract.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """What a request says of whoever sends it."""

    session: str = ""
    """``ks``, as it came: neither opened nor verified."""

    referrer: str = ""
    hashes: str = ""


NOBODY = Asker()


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    edge_ids: tuple[int, ...] = ()
    """Edges to serve from: of the partner's settings, until a rule may name some
    (SERVE_FROM_REMOTE_SERVER)."""

    seamless: bool = False
    secured: bool = False
    """Its URLs must carry tokens."""

    personal: bool = False
    """The answer is for this asker alone, and not to be kept."""


def decide(content: ContentRecord, asker: Asker, terms: Terms) -> Access:
    """What *asker* gets of *content*, which has no rules."""
    del content, asker
    return Access(edge_ids=terms.edge_ids, seamless=terms.seamless)
