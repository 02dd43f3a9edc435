"""Accept-Language (RFC 9110 §12.5.4), in the one spelling of all that mean the same.

Of languages with the same weight none comes first, and no weight is a weight of 1.
"""

import re
from collections.abc import Iterable

_RANGE = re.compile(
    r"([a-z0-9*-]+)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?", re.ASCII
)


def folded(languages: Iterable[str]) -> str:
    """The members of an Accept-Language in the order of their weights, then of the alphabet.

    A list with a member that is none keeps its order.

    >>> folded(["en", "DE", "fr;q=0.50"])
    'de, en, fr;q=0.5'
    """
    lowered = [language.lower() for language in languages]
    found = [_RANGE.fullmatch(language) for language in lowered]
    weighed = {(-float(one[2] or 1), one[1]) for one in found if one is not None}
    if None in found:
        return ", ".join(lowered)
    return ", ".join(_render(tag, -weight) for weight, tag in sorted(weighed))


def _render(tag: str, weight: float) -> str:
    return tag if weight == 1 else f"{tag};q={weight:g}"
