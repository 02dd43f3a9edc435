"""What is counted between workers."""

from enum import StrEnum

from serving.counters import Counter, Row

_P = "headrace_edge_sibling_"


class Outcome(StrEnum):
    ANSWERED = "answered"
    DECLINED = "declined"
    """The owner had nothing that could be shared."""
    FAILED = "failed"
    """The owner had no answer from upstream either."""
    ABSENT = "absent"
    """The owner is gone, starting, overloaded or stuck."""


METRICS = (
    Counter(
        f"{_P}asked_total",
        "Requests to the worker that owns the key.",
        {"outcome": list(Outcome)},
    ),
    Counter(f"{_P}served_total", "Requests of other workers that this one answered."),
)


class SiblingTally:
    """The counters of one worker."""

    def __init__(self, row: Row) -> None:
        self._cells = row.cells
        self._asked = {it: row.index(f"{_P}asked_total", it) for it in Outcome}
        self._served = row.index(f"{_P}served_total")

    def asked(self, outcome: Outcome) -> None:
        self._cells[self._asked[outcome]] += 1

    def served(self) -> None:
        self._cells[self._served] += 1
