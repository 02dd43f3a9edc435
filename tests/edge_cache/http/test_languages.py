"""Accept-Language: what means the same is the same."""

import pytest

from edge_cache.http.fields import members
from edge_cache.http.languages import folded

FOLDED = {
    "one": ("en", "en"),
    "letter case": ("en-GB", "en-gb"),
    "order without weights": ("en, de", "de, en"),
    "order of one weight": ("fr;q=0.5, en;q=0.5", "en;q=0.5, fr;q=0.5"),
    "order by weight": ("fr;q=0.5, de;q=1.0, en;q=0.8", "de, en;q=0.8, fr;q=0.5"),
    "a weight of 1": ("en;q=1.000", "en"),
    "zeros at the end": ("en;q=0.500", "en;q=0.5"),
    "the smallest weight": ("en;q=0.001", "en;q=0.001"),
    "none of it": ("en, *;q=0", "en, *;q=0"),
    "said twice": ("en, de, en", "de, en"),
    "spaces": (" en ;  q=0.5,de ", "de, en;q=0.5"),
    "an empty list": ("", ""),
    "a weight above 1": ("fr, en;q=2", "fr, en;q=2"),
    "four digits": ("fr, en;q=0.0001", "fr, en;q=0.0001"),
    "no number": ("fr, en;q=nan", "fr, en;q=nan"),
    "another parameter": ("fr, en;level=1", "fr, en;level=1"),
}


@pytest.mark.parametrize(("sent", "expected"), FOLDED.values(), ids=FOLDED)
def test_folded(sent: str, expected: str) -> None:
    assert folded(members([sent])) == expected
    assert folded(members([expected])) == expected


@pytest.mark.parametrize("other", ["de, en;q=0.9", "en", "de, en, fr", "de-at, en"])
def test_what_means_something_else_is_something_else(other: str) -> None:
    assert folded(members([other])) != folded(members(["en, de"]))
