"""``xs:language`` (XML Schema part 2 §3.3.3)."""

import re

_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*", re.ASCII)


def xml_language(language: str | None) -> str | None:
    """*language*, if it can be written: one malformed tag of a source would make the whole MPD
    invalid."""
    return language if _LANGUAGE.fullmatch(language or "") else None
