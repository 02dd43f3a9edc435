"""One clock over what was recorded with several.  Pure.

A transport stream's clock begins anywhere, and again where recordings were joined.  Units leave
here on a clock whose zero is the earliest presentation of the file.  Where the clock jumps,
units are held until every track has jumped, so that sound keeps its offset to the pictures and
nothing overlaps; then the new part follows the old one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

_FORWARD = 10
"""Seconds ahead of all tracks that a jump is a new clock, and not a pause of all of them."""

_BACKWARD = 1
"""Seconds behind a track's own end; less is an overlap of what one clock stamped."""

_LATE = 5
"""Seconds without a unit after which a track is not waited for."""

_MOST_HELD = 32 << 20
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Unit:
    """An access unit; times in ticks of the clock."""

    track: int
    dts: int
    pts: int
    duration: int
    size: int
    content: Any


class Joiner:
    """Give it units as they come, and it returns those whose times are known."""

    def __init__(self, tracks: Sequence[int], clock: int) -> None:
        """*clock* ticks a second."""
        self._tracks = frozenset(tracks)
        self._clock = clock
        self._shift = 0
        self._ends: dict[int, int] = {}
        self._last: dict[int, int] = {}
        self._held: list[Unit] | None = []
        self._held_size = 0
        self._held_ends: dict[int, int] = {}
        self.joints: list[int] = []
        """Where, on the clock that leaves here, another recording begins."""
        self.overlaps = 0
        """Units that one clock stamped earlier than the unit before."""

    def take(self, unit: Unit) -> list[Unit]:
        if self._held is None:
            if self._is_on_clock(unit):
                return [self._emit(unit)]
            self._held = []
            self._hold(unit)
            return []
        if unit.track not in self._held_ends:
            if self._ends and self._is_on_clock(unit):
                return [self._emit(unit)]
        elif self._jumps(unit, self._held_ends):
            return [*self.release(), *self.take(unit)]
        self._hold(unit)
        return self.release() if self._is_enough() else []

    def release(self) -> list[Unit]:
        """All that are held, on the clock."""
        held, self._held = self._held, None
        if not held:
            return []
        self._shift = self._joint(held)
        if self._ends:
            self.joints.append(min(unit.dts for unit in held) + self._shift)
        self._held_size, self._held_ends = 0, {}
        return [self._emit(unit) for unit in held]

    def _hold(self, unit: Unit) -> None:
        assert self._held is not None
        self._held.append(unit)
        self._held_size += unit.size
        self._held_ends[unit.track] = unit.dts + unit.duration

    def _is_enough(self) -> bool:
        if self._held_size > _MOST_HELD:
            return True
        waited = self._tracks
        if self._ends:
            now = max(self._ends.values()) - _LATE * self._clock
            waited = frozenset(track for track, end in self._ends.items() if end >= now)
        return waited <= self._held_ends.keys()

    def _joint(self, held: list[Unit]) -> int:
        """The shift at which nothing overlaps."""
        if not self._ends:
            return -min(unit.pts for unit in held)
        first: dict[int, int] = {}
        for unit in held:
            first.setdefault(unit.track, unit.dts)
        gaps = [self._ends[track] - at for track, at in first.items() if track in self._ends]
        return max(gaps) if gaps else max(self._ends.values()) - min(first.values())

    def _is_on_clock(self, unit: Unit) -> bool:
        return not self._jumps(replace(unit, dts=unit.dts + self._shift), self._ends)

    def _jumps(self, unit: Unit, ends: dict[int, int]) -> bool:
        """Whether the clock was set: a track alone may pause, but not go back."""
        ahead = unit.dts - max(ends.values())
        if abs(ahead) > _FORWARD * self._clock:
            return True
        own = ends.get(unit.track)
        return own is not None and unit.dts - own < -_BACKWARD * self._clock

    def _emit(self, unit: Unit) -> Unit:
        track, dts = unit.track, unit.dts + self._shift
        last = self._last.get(track)
        if last is not None and dts <= last:
            self.overlaps += 1
            dts = last + 1
        self._last[track] = dts
        self._ends[track] = dts + unit.duration
        return replace(unit, dts=dts, pts=max(unit.pts + self._shift, dts))
