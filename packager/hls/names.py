"""NAME of a rendition (RFC 8216 §4.3.4.1): unique in its group, and what a person reads."""

from collections.abc import Iterable
from itertools import chain, count

from packager.hls.attributes import clean

Choice = tuple[str | None, str | None]
"""Language and label: what a person chooses by."""

UNDETERMINED = "und"
"""BCP 47 for a language that the source does not tell; LANGUAGE is a must (P-10)."""


def names(choices: Iterable[Choice], otherwise: str) -> list[str]:
    """A NAME for each choice: its label, else its language, else *otherwise*, told apart where
    that is taken."""
    found: dict[str, None] = {}
    for language, label in choices:
        plain = clean(label or "") or clean(language or "") or otherwise
        more = [f"{plain} ({language})"] if language not in (None, plain) else []
        tries = chain([plain], more, (f"{plain} {n}" for n in count(2)))
        found[next(name for name in map(clean, tries) if name not in found)] = None
    return list(found)
