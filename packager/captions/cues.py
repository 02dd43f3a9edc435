"""Captions as one neutral list of cues.

Times are whole milliseconds of the presentation.  What a cue shows is WebVTT cue text (W3C
WebVTT §4.2.2), whatever the source was written in: the richest form that both protocols take.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from packager.errors import MalformedMedia

MAX_BYTES = 16 << 20
"""Of a file; captions of a day of speech have 5 MB."""

MAX_LINES = 1_000_000
MAX_CUES = 200_000


class MalformedCaptions(MalformedMedia):
    """A file of captions that breaks its own rules, in *line* from 1."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(f"captions, line {line}: {reason}")


@dataclass(frozen=True, slots=True)
class Cue:
    start: int
    """Milliseconds."""

    end: int
    """Milliseconds; past the start."""

    text: str
    """WebVTT cue text: lines between line feeds, none of them empty, no ``-->``."""

    id: str = ""
    """One line; of no other cue, or empty."""

    settings: str = ""
    """WebVTT cue settings between single spaces."""


@dataclass(frozen=True)
class Captions:
    cues: tuple[Cue, ...]
    """By start; cues may overlap."""

    blocks: tuple[str, ...] = ()
    """STYLE and REGION blocks of WebVTT, each without its empty line."""

    encoding: str = field(default="utf-8", compare=False)
    """That the file was read in."""

    @cached_property
    def _starts(self) -> list[int]:
        return [cue.start for cue in self.cues]

    @cached_property
    def _reach(self) -> list[int]:
        """How late the cues up to each one end: never decreasing, so that it can be bisected
        for the first cue that may still be shown at a time."""
        return list(accumulate((cue.end for cue in self.cues), max))

    def shown(self, start: int | None, stop: int | None) -> tuple[Cue, ...]:
        """The cues of which anything is shown in ``[start, stop)`` (ms; None has no limit)."""
        first = 0 if start is None else bisect_left(self._reach, start + 1)
        last = len(self.cues) if stop is None else bisect_left(self._starts, stop)
        some = self.cues[first:last]
        return some if start is None else tuple(cue for cue in some if cue.end > start)
