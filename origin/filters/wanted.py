"""What of a presentation a manifest is to list, and the text of that in a URL.

    /filter/video_height:240-720/          rules
    /filter/@phone/                        rules that have a name in the metadata
    ?aws.manifestfilter=video_height:…     rules

All that are given hold together.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus

from origin.errors import BadUrl
from origin.filters.picks import Picks
from origin.filters.rules import Rules, parse_rules, render_rules

PARAMETER = "aws.manifestfilter"
SEGMENT = "filter"
_SET = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SAFE = "/,:@!$&'()*+;=~"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The empty one is everything."""

    picks: Picks | None = None
    """By the manifest's name."""

    rules: Rules = ()
    """In the path."""

    named: str | None = None
    """A filter set in the path, in place of rules."""

    query: Rules = ()

    @property
    def folder(self) -> str:
        """Where what a manifest names is, relative to it."""
        return "../../" if self.rules or self.named else ""


EVERYTHING = Wanted()


def parse_query(query: str) -> Rules:
    """The rules in a query, which may have other parameters.  Raises ``BadUrl``."""
    pairs = (one.partition("=") for one in query.split("&"))
    given = [value for name, _, value in pairs if name == PARAMETER]
    if len(given) > 1:
        raise BadUrl(f"{PARAMETER} is doubled")
    return parse_rules(unquote_plus(given[0])) if given and given[0] else ()


def looks_like_a_filter(text: str) -> bool:
    """Whether a path segment says by itself that it is one, and no file of that name."""
    return text.startswith("@") or ":" in text


def parse_segment(text: str) -> tuple[str | None, Rules]:
    """The name of a set, or rules.  Raises ``BadUrl``."""
    if text.startswith("@"):
        return set_name(text[1:]), ()
    return None, parse_rules(text)


def set_name(text: str) -> str:
    """*text* as the name of a filter set.  Raises ``BadUrl``."""
    name = text.lower()
    if not _SET.fullmatch(name):
        raise BadUrl(f"filter: {text[:40]!r} is not the name of a filter set")
    return name


def placed(wanted: Wanted, name: str) -> str:
    """*name* of a manifest as it stands behind its presentation, encoded."""
    segment = render_segment(wanted)
    return f"{SEGMENT}/{segment}/{name}" if segment else name


def render_segment(wanted: Wanted) -> str:
    """Percent-encoded; empty where there is none."""
    text = f"@{wanted.named}" if wanted.named else render_rules(wanted.rules)
    return quote(text, safe=_SAFE)


def render_query(wanted: Wanted) -> str:
    """With its question mark; empty where there is none."""
    text = quote(render_rules(wanted.query), safe=_SAFE)
    return f"?{PARAMETER}={text}" if text else ""
