"""What any container comes down to: tracks with their samples, from the bytes of one file."""

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from packager.samples import Samples
from packager.tracks import Track

MAX_TRACKS = 64
MAX_SAMPLES = 1 << 23
"""Of all tracks of a file together."""


class Container(StrEnum):
    """What a file is, in the words of its media type."""

    MP4 = "mp4"
    MATROSKA = "x-matroska"
    WEBM = "webm"


@dataclass(frozen=True, slots=True, eq=False)
class Movie:
    tracks: tuple[tuple[Track, Samples], ...]
    container: Container = field(default=Container.MP4, kw_only=True)
    begin: Fraction = field(default=Fraction(0), kw_only=True)
    """Seconds of the stream's clock at the presentation zero, where it was moved there."""

    left_out: tuple[str, ...]
    """Why a track of the file, or samples of one, are not among *tracks*; one reason each."""
