"""What a mapping says of its files, for the recipe made of them.  Pure."""

from collections.abc import Iterable
from dataclasses import replace
from weakref import WeakKeyDictionary

from origin.captions import CaptionFile
from origin.mapping.media_set import Sequence, Subtitles
from origin.tracks import Tracks
from packager.captions.formats import CaptionFormat
from packager.index import FlavorIndex, TrackIndex
from packager.said import Said

_MOST = 64
"""Choices of one flavor that are kept."""


def said_by(sequence: Sequence) -> Said:
    rates, averages = sequence.bitrate, sequence.avg_bitrate
    return Said(
        language=sequence.language,
        label=sequence.label,
        default=sequence.default,
        video=rates.video,
        audio=rates.audio,
        average_video=averages.video,
        average_audio=averages.audio,
    )


def subtitles_file(said: Subtitles, path: str) -> CaptionFile:
    """*path* is the name of the source."""
    return CaptionFile(
        path=path,
        language=said.language,
        label=said.label,
        is_default=said.default,
        format=_format(said.path),
    )


def _format(path: str) -> CaptionFormat | None:
    """WebVTT and SRT tell by what they begin with, whatever they are called."""
    name = path.lower()
    if name.endswith((".ttml", ".dfxp", ".xml")):
        return CaptionFormat.DFXP
    return CaptionFormat.CAP if name.endswith(".cap") else None


class Masks:
    """Flavors with some of their tracks: the same ones again for the same choice, as long as
    the flavor lives, so that what was made of them is found."""

    def __init__(self) -> None:
        self._made: WeakKeyDictionary[FlavorIndex, dict[Tracks, FlavorIndex]] = (
            WeakKeyDictionary()
        )

    def masked(self, index: FlavorIndex, tracks: Tracks) -> FlavorIndex:
        """Of other bytes, by its digest, wherever a track is left out."""
        kept = tuple(one for one in index.tracks if tracks.has(one.kind, one.number))
        if len(kept) == len(index.tracks):
            return index
        known = self._made.setdefault(index, {})
        if tracks not in known:
            if len(known) >= _MOST:
                known.clear()
            digest = f"{index.digest} {_names(kept)}"
            known[tracks] = replace(index, tracks=kept, blocks=(), digest=digest)
        return known[tracks]


def _names(tracks: Iterable[TrackIndex]) -> str:
    return "-".join(f"{one.kind[0]}{one.number}" for one in tracks)
