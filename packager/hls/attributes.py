"""Tags with attribute lists (RFC 8216 §4.2).

Text that people wrote, such as a label, reaches a playlist only through ``clean``.
"""

import re
import unicodedata
from collections.abc import Mapping

_BREAKS = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Controls, line and paragraph separators: one reader of playlists or another ends a line at
each of them (P-01).  And lone surrogates, for which UTF-8 has no form."""

_QUOTES = str.maketrans({'"': "\u201d", "'": "\u2019"})
"""A quoted-string has no escapes.  An apostrophe is allowed in one, but npm's hls-parser, and
so what is built on it, takes it for the start of a string in the string."""

_VARIABLE = re.compile(r"\{(?=\$)")
"""Would open a reference to a variable that nobody defined, fatal to the playlist (P-14)."""


def tag(name: str, attributes: Mapping[str, str | int | None]) -> str:
    """One line; attributes that are None are left out."""
    pairs = (f"{key}={value}" for key, value in attributes.items() if value is not None)
    return f"#{name}:{','.join(pairs)}"


def quoted(text: str) -> str:
    """*text* as a quoted-string, whatever it holds."""
    return f'"{clean(text)}"'


def clean(text: str) -> str:
    """What of *text* a quoted-string can carry, with typographic quotes for straight ones.

    Unchanged when cleaned again, so that names found different here stay so when written.
    """
    kept = "".join(" " if unicodedata.category(c) in _BREAKS else c for c in text)
    harmless = _VARIABLE.sub("(", kept.translate(_QUOTES))
    return " ".join(unicodedata.normalize("NFC", harmless).split())
