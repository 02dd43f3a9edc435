"""Where the presentation of a fragmented file begins.

A recording that was cut out of a live stream keeps the stream's clock: its first tfdt is
hours, or years.  Such a file begins with its earliest sample; all tracks move by the same
time, so that sound and pictures stay together.
"""

from dataclasses import replace
from fractions import Fraction

from packager.samples import Samples
from packager.tracks import Edit, Track

LEAST_CUT = Fraction(1)
"""Seconds.  What is presented earlier than this begins where it says: writers that have no
edit list leave the delay of reordering, and a track may begin a little after another."""


def open_ended(edit: Edit) -> Edit:
    """*edit*, which runs to the end of the media: a writer knows the length of what moov holds
    and no more, and players take no notice of it."""
    pieces = edit.pieces
    if pieces:
        pieces = (*pieces[:-1], replace(pieces[-1], length=None))
    return replace(edit, end=None, pieces=pieces)


Tracks = list[tuple[Track, Samples]]


def from_zero(tracks: Tracks) -> tuple[Tracks, Fraction]:
    """*tracks*, the earliest of which begins at zero where it began a second later, and by how
    many seconds they were moved.

    Pieces of an edit list say where each begins: nothing is moved.
    """
    begin = min(
        Fraction(int(samples.cts.min()) - track.edit.origin, track.timescale)
        for track, samples in tracks
    )
    if begin < LEAST_CUT or any(track.edit.pieces for track, _ in tracks):
        return tracks, Fraction(0)
    return [_earlier(track, samples, begin) for track, samples in tracks], begin


def _earlier(track: Track, samples: Samples, begin: Fraction) -> tuple[Track, Samples]:
    """Decode times stay positive: the rest of the way is the edit's."""
    ticks = round(begin * track.timescale)
    taken = min(ticks, int(samples.dts[0]))
    moved = replace(samples, dts=samples.dts - taken, cts=samples.cts - taken)
    edit = replace(track.edit, origin=track.edit.origin + ticks - taken)
    return replace(track, edit=edit), moved
