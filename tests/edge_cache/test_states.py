"""The table of states in docs/edge.md, asked of the code row by row."""

from pathlib import Path

import pytest

from edge_cache.decision import decide, stands_in
from edge_cache.entry import Entry
from tests.edge_cache.support.entries import entry

DOCUMENT = Path(__file__).parents[2] / "docs" / "edge.md"
TAG = ((b"ETag", b'"v1"'),)

NOW = 100.0
EXAMPLES: dict[str, Entry | None] = {
    "fresh": entry(now=NOW, lifetime=10),
    "soon stale": entry(now=NOW - 9.5, lifetime=10, early=1, fields=TAG),
    "stale-while-revalidate": entry(now=NOW, age=12, lifetime=10, window=5),
    "stale-if-error": entry(now=NOW, age=12, lifetime=10, on_error=5, unreachable=5),
    "stale, nothing said": entry(now=NOW, age=12, lifetime=10, unreachable=5),
    "stale, with a validator": entry(now=NOW, age=90, lifetime=10, unreachable=5, fields=TAG),
    "stale, without": entry(now=NOW, age=90, lifetime=10, window=5, on_error=5, unreachable=5),
    "asked about each time": entry(now=NOW, lifetime=0, fields=TAG),
    "soft-purged, with stale-while-revalidate": entry(now=NOW, lifetime=10, window=5).softened(
        NOW
    ),
    "soft-purged, with stale-if-error": entry(
        now=NOW, lifetime=10, on_error=5, unreachable=5
    ).softened(NOW),
    "soft-purged, with a validator": entry(now=NOW, lifetime=10, fields=TAG).softened(NOW),
    "gone": None,
}
"""One entry in each state, at ``NOW``."""


def rows() -> dict[str, list[str]]:
    """The cells of the table by state, without the header."""
    text = DOCUMENT.read_text().split("## The state of an object")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {state: rest for state, *rest in cells}


def test_every_state_is_in_the_table() -> None:
    assert list(rows()) == list(EXAMPLES)


@pytest.mark.parametrize("state", EXAMPLES)
def test_the_code_does_what_the_table_says(state: str) -> None:
    _, verdict, unreachable, answered = rows()[state]
    found = EXAMPLES[state]
    assert f"`{type(decide(found, now=NOW)).__name__}`" == verdict
    for said, is_answer in ((unreachable, False), (answered, True)):
        if said != "-":
            covers = found is not None and stands_in(found, now=NOW, answered=is_answer)
            assert covers is (said == "stands in")
