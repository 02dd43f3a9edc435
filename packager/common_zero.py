"""One zero for the flavors of an entry that were cut out of the same live stream.

By itself each such file begins at zero (``isobmff.fragment_times``).  Next to each other their
clocks tell which begins later: the earliest begins at zero, the others as much behind it as
the stream had them, so that sound of one file stays together with pictures of another.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from packager.index import FlavorIndex, TrackIndex

MOST_APART = Fraction(10)
"""Seconds.  Tracks of one cut begin within a segment or two of each other; what begins further
apart has another clock, and nothing is said of how they belong together."""


def common_zero(flavors: Sequence[FlavorIndex]) -> tuple[FlavorIndex, ...]:
    """*flavors*, those with a clock moved to the zero of the earliest.  A second time it
    changes nothing."""
    clocks = [flavor.begin for flavor in flavors if flavor.begin]
    if len(clocks) < 2 or max(clocks) - min(clocks) > MOST_APART:
        return tuple(flavors)
    zero = min(clocks)
    return tuple(_later(one, one.begin - zero) if one.begin else one for one in flavors)


def _later(flavor: FlavorIndex, seconds: Fraction) -> FlavorIndex:
    tracks = tuple(_track_later(track, seconds) for track in flavor.tracks)
    return replace(flavor, tracks=tracks, begin=Fraction(0))


def _track_later(made: TrackIndex, seconds: Fraction) -> TrackIndex:
    track = made.track
    origin = track.edit.origin - round(seconds * track.timescale)
    return replace(made, track=replace(track, edit=replace(track.edit, origin=origin)))
