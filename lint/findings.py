"""What a check says: which rule, where, and what was met there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

REPEATS = 5
"""Findings of one check in one resource; more are only counted."""
TOTAL = 5_000
TEXT = 500
"""Characters of a place or a text, which may be of another's making."""


class Severity(StrEnum):
    ERROR = "error"
    """A MUST is broken."""
    WARNING = "warning"
    """A SHOULD is broken, or a MUST that players are known to forgive."""
    NOTE = "note"


class Malformed(Exception):
    """Bytes that cannot be what they claim to be: the place, and what is wrong there."""

    def __init__(self, place: str, text: str) -> None:
        super().__init__(f"{place}: {text}")
        self.place, self.text = place, text


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    """``S-01.msdh``: the rule and which part of it."""
    address: str
    place: str
    """A line, a box's path, a byte offset or an XPath."""
    text: str

    @property
    def rule(self) -> str:
        return self.check.partition(".")[0]


Say = Callable[[str, str, str], None]
"""``say(check, place, text)`` of one resource."""


@dataclass(slots=True)
class Report:
    """Findings, bounded: a thousand segments with one fault are one fault."""

    findings: list[Finding] = field(default_factory=list)
    suppressed: int = 0
    _seen: dict[tuple[str, str], int] = field(default_factory=dict)
    _known: set[Finding] = field(default_factory=set)

    def of(self, address: str) -> Say:
        """The findings of the resource at *address* are said to the result."""

        def say(check: str, place: str, text: str) -> None:
            self.add(Finding(check, address, place[:TEXT], text[:TEXT]))

        return say

    def add(self, finding: Finding) -> None:
        if finding in self._known:
            return
        key = finding.check, finding.address
        count = self._seen.get(key, 0)
        if count >= REPEATS or len(self.findings) >= TOTAL:
            self.suppressed += 1
            return
        self._seen[key] = count + 1
        self._known.add(finding)
        self.findings.append(finding)
