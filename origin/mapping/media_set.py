"""What a mapping says, as values: a set of sequences, each of one clip (vod-module §4.6)."""

from dataclasses import dataclass
from enum import StrEnum

from origin.tracks import FIRST, Tracks
from packager.presentation import ClosedCaptions


class SourceType(StrEnum):
    """Where a path is to be read."""

    FILE = "file"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class Rates:
    """Bits per second; 0 where the mapping does not say."""

    video: int = 0
    audio: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """One clip, and what manifests say of it."""

    path: str
    source_type: SourceType | None = None
    tracks: Tracks = FIRST
    id: str | None = None
    """That ``-s`` names."""

    language: str | None = None
    """BCP 47."""

    label: str | None = None
    default: bool | None = None
    bitrate: Rates = Rates()
    avg_bitrate: Rates = Rates()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtitles:
    """A sequence of captions beside the media."""

    path: str
    source_type: SourceType | None = None
    language: str | None = None
    """BCP 47."""

    label: str | None = None
    default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaSet:
    """A mapping."""

    sequences: tuple[Sequence, ...]
    """Of media: ``-f`` counts these."""

    subtitles: tuple[Subtitles, ...] = ()
    segment_duration: int | None = None
    """Milliseconds, as the two below."""

    clip_from: int | None = None
    clip_to: int | None = None
    closed_captions: tuple[ClosedCaptions, ...] = ()

    cache: bool = True
    """Whether the mapping may be kept."""
