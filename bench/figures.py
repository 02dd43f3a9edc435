"""A figure: what was measured, run by run.  One is never shown without its spread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Figure:
    unit: str
    runs: tuple[float, ...]
    at_most: float | None = None
    """The target, where there is one."""

    @property
    def median(self) -> float:
        return median(self.runs)

    def as_json(self) -> dict[str, object]:
        """For a line of the results; ``runs`` in the order in which they were taken."""
        found: dict[str, object] = {
            "unit": self.unit,
            "min": _short(min(self.runs)),
            "median": _short(self.median),
            "max": _short(max(self.runs)),
            "runs": [_short(run) for run in self.runs],
        }
        return found if self.at_most is None else {**found, "at_most": self.at_most}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        return cls(facts["unit"], tuple(facts["runs"]), facts.get("at_most"))

    def __str__(self) -> str:
        """``2.31 (2.28-2.40)``; one run, or runs that are all alike, have no spread."""
        low, middle, high = show(min(self.runs)), show(self.median), show(max(self.runs))
        return middle if low == high else f"{middle} ({low}-{high})"

    @property
    def verdict(self) -> str:
        """How it stands to its target."""
        if self.at_most is None:
            return ""
        return "met" if self.median <= self.at_most else "missed"


def figure(unit: str, runs: Sequence[float], at_most: float | None = None) -> Figure:
    return Figure(unit, tuple(runs), at_most)


def ratio(
    unit: str, of: Sequence[float], to: Sequence[float], at_most: float | None = None
) -> Figure:
    """Run by run: the runs of a pair were taken right after one another."""
    return figure(unit, [a / b if b else 0.0 for a, b in zip(of, to, strict=True)], at_most)


@dataclass(frozen=True, slots=True)
class Result:
    """One case of one program."""

    program: str
    case: str
    figures: Mapping[str, Figure]
    notes: tuple[str, ...] = field(default=())
    """What a reader must know: that the client was the limit, that a peer is missing."""


def show(value: float) -> str:
    """Three or four digits that count.

    >>> [show(value) for value in (71234.5, 1234.5, 12.345, 0.012345, 3.0)]
    ['71234', '1234', '12.3', '0.0123', '3.00']
    """
    if abs(value) >= 100:
        return f"{value:.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.1 or not value else f"{value:.3g}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that *share* of *values* do not exceed.

    >>> percentile([4, 1, 3, 2], 0.5)
    2
    """
    ranked = sorted(values)
    return ranked[max(0, -int(-share * len(ranked) // 1) - 1)]


def _short(value: float) -> float:
    return float(f"{value:.6g}")
