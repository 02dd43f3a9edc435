"""What any container comes down to: tracks with their samples, from the bytes of one file."""

from dataclasses import dataclass

from packager.samples import Samples
from packager.tracks import Track

MAX_TRACKS = 64
MAX_SAMPLES = 1 << 23
"""Of all tracks of a file together."""


@dataclass(frozen=True, slots=True, eq=False)
class Movie:
    tracks: tuple[tuple[Track, Samples], ...]
    left_out: tuple[str, ...]
    """Why a track of the file is not among *tracks*, one reason each."""
