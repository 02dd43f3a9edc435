"""The selectors of a manifest's name: which flavors, tracks and languages it lists.

    master[-f1[-v1][-a1]]…[-s{id}[-v1][-a1]]…[-len]….m3u8      master[-v1][-a1][-len]….m3u8

``-v`` and ``-a`` are tracks of the flavor before them, or of all flavors where none is named:
0 is none, and a number alone leaves out the other kind, as in the names of media.  ``-l`` is a
language of the audio, ISO 639-2 or BCP 47 with its script and region in the usual case.
"""

import re
from dataclasses import dataclass

from origin.errors import BadUrl
from origin.filters.rules import language
from packager.recipe import MAX_FLAVORS

PATTERN = r"((?:-[A-Za-z0-9_]+)*)"
"""What of a name may be selectors."""

_TOKEN = re.compile(
    r"-(?:f(?P<f>[1-9][0-9]{0,2})|s(?P<s>[A-Za-z0-9_]{1,64})|v(?P<v>0|[1-9][0-9]{0,2})"
    r"|a(?P<a>0|[1-9][0-9]{0,2})|l(?P<l>[a-z]{2,8}(?:-[A-Z0-9][A-Za-z0-9]*)*))(?=-|\Z)"
)
_ORDER = re.compile(r"(?:(?:fv?a?)+(?:sv?a?)*|(?:sv?a?)+|v?a?)l*")
_MAX_LANGUAGES = 32


@dataclass(frozen=True, slots=True, order=True)
class Pick:
    """Tracks of one flavor, or of all."""

    flavor: int | None = None
    """From 1; None of all, or of the *sequence*."""

    sequence: str | None = None
    """Id of a flavor, or of a mapping's sequence."""

    video: int | None = None
    """From 1; 0 is none, None is all."""

    audio: int | None = None


@dataclass(frozen=True, slots=True)
class Picks:
    parts: tuple[Pick, ...] = ()
    """Flavors by number, then sequences by id; or one for all; empty where only languages are
    asked for."""

    languages: tuple[str, ...] = ()
    """As ``rules.language`` makes them, in order; empty for all."""


def parse_picks(text: str) -> Picks | None:
    """None where there is no selector.  Raises ``BadUrl``."""
    tokens = _tokens(text)
    if not tokens:
        return None
    if not _ORDER.fullmatch("".join(letter for letter, _ in tokens)):
        raise BadUrl(f"selectors {text[:80]}: doubled or out of order")
    groups: list[dict[str, str]] = []
    languages = []
    for letter, value in tokens:
        if letter == "l":
            languages.append(language(value, "selector -l"))
        elif letter in "fs" or not groups:
            groups.append({letter: value})
        else:
            groups[-1][letter] = value
    if len(set(languages)) < len(languages):
        raise BadUrl("selector -l: a language is doubled")
    if len(groups) > MAX_FLAVORS or len(languages) > _MAX_LANGUAGES:
        raise BadUrl(
            f"selectors: more than {MAX_FLAVORS} flavors or {_MAX_LANGUAGES} languages"
        )
    return Picks(_parts([_pick(group) for group in groups]), tuple(sorted(languages)))


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or token.lastgroup is None:
            raise BadUrl(f"selector {text[at:][:40]} is not known")
        found.append((token.lastgroup, token[token.lastgroup]))
        at = token.end()
    return found


def _pick(group: dict[str, str]) -> Pick:
    numbers = {letter: int(value) for letter, value in group.items() if letter in "fva"}
    video, audio = numbers.get("v"), numbers.get("a")
    if video == 0 and audio == 0:
        raise BadUrl("selectors -v0-a0 leave nothing")
    if video:
        audio = audio or 0
    if audio:
        video = video or 0
    return Pick(numbers.get("f"), group.get("s"), video, audio)


def _parts(picks: list[Pick]) -> tuple[Pick, ...]:
    flavors = [one.flavor for one in picks if one.flavor]
    if flavors != sorted(set(flavors)):
        raise BadUrl("selector -f is doubled or out of order")
    sequences = [one.sequence for one in picks if one.sequence]
    if len(set(sequences)) < len(sequences):
        raise BadUrl("selector -s is doubled")
    return tuple(sorted(picks, key=lambda one: (one.sequence or "", one.flavor or 0)))


def render_picks(picks: Picks | None) -> str:
    """The inverse of ``parse_picks``, in one spelling."""
    if picks is None:
        return ""
    return "".join(map(_render, picks.parts)) + "".join(
        f"-l{_usual_case(one)}" for one in picks.languages
    )


def _render(pick: Pick) -> str:
    flavor = "" if pick.flavor is None else f"-f{pick.flavor}"
    sequence = "" if pick.sequence is None else f"-s{pick.sequence}"
    # the one that is left out need not be named, unless it is the only one that is
    video = "" if pick.video is None or (pick.video == 0 and pick.audio) else f"-v{pick.video}"
    audio = "" if pick.audio is None or (pick.audio == 0 and pick.video) else f"-a{pick.audio}"
    return flavor + sequence + video + audio


def _usual_case(tag: str) -> str:
    """Regions in capitals, scripts capitalised (RFC 5646 §2.1.1): so they are no selectors."""
    first, *rest = tag.split("-")
    return "-".join([first, *(one.upper() if len(one) == 2 else one.title() for one in rest)])
