"""Path parameters of a source: ``/clipFrom/1000/tracks/v1-a2`` (contract §2.2).

They stand in pairs, in any order, each once, behind the source; below ``serveFlavor`` anywhere.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from origin.errors import BadUrl
from origin.tracks import Tracks, parse_tracks
from packager.captions.fmp4 import TextForm
from packager.languages import bcp47

NAMES = frozenset(
    {"clipFrom", "clipTo", "tracks", "lang", "thumbSheets", "captionsAs", "trickPlay"}
)
"""Those that are built."""

_MILLISECONDS = re.compile(r"0|[1-9][0-9]{0,12}")
_CLIP = re.compile(
    r"/(?:clip(?:From|To)/[0-9]+|(?:thumbSheets|trickPlay)/[01]|captionsAs/[a-z]+)(?=/|,|$)"
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is presented of a source."""

    clip_from: int | None = None
    """Milliseconds of the presentation, as below."""

    clip_to: int | None = None
    tracks: Tracks | None = None
    """Of each flavor; None is all."""

    language: str | None = None
    """BCP 47, in place of that of the files."""

    thumb_sheets: bool | None = None
    """Whether manifests list sheets of thumbnails; None is what the origin is set to."""

    captions_as: TextForm | None = None
    """What segments of captions are listed in an MPD; None is a file of WebVTT."""

    trick_play: bool = False
    """Whether manifests list key frames alone."""

    text: str = ""
    """As they stand behind the source."""

    def __post_init__(self) -> None:
        """Raises ``BadUrl`` for a clip that has no length."""
        if self.clip_to is not None and self.clip_to <= (self.clip_from or 0):
            raise BadUrl("clipTo is not after clipFrom")


NONE = Parameters()


def parse_parameters(pairs: Iterable[tuple[str, str]]) -> Parameters:
    """Of names and values.  Raises ``BadUrl`` for one that is doubled or cannot be."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise BadUrl(f"{name} is doubled")
        found[name] = value
    return Parameters(
        _milliseconds(found, "clipFrom"),
        _milliseconds(found, "clipTo"),
        _tracks(found.get("tracks")),
        _language(found.get("lang")),
        _switch(found, "thumbSheets"),
        _form(found.get("captionsAs")),
        bool(_switch(found, "trickPlay")),
    )


def _form(value: str | None) -> TextForm | None:
    if value not in (None, "vtt", *TextForm):
        raise BadUrl("captionsAs: not one of vtt, wvtt, stpp")
    return None if value in (None, "vtt") else TextForm(value)


def _switch(found: dict[str, str], name: str) -> bool | None:
    value = found.get(name)
    if value not in (None, "0", "1"):
        raise BadUrl(f"{name}: neither 0 nor 1")
    return None if value is None else value == "1"


def _milliseconds(found: dict[str, str], name: str) -> int | None:
    value = found.get(name)
    if value is not None and not _MILLISECONDS.fullmatch(value):
        raise BadUrl(f"{name}: not a whole number of milliseconds")
    return None if value is None else int(value)


def _tracks(value: str | None) -> Tracks | None:
    tracks = None if value is None else parse_tracks(value)
    if tracks is None and value is not None:
        raise BadUrl("tracks: not tracks such as v1-a1")
    return tracks


def _language(value: str | None) -> str | None:
    language = None if value is None else bcp47(value)
    if language is None and value is not None:
        raise BadUrl("lang: not a language of ISO 639")
    return language


def split_parameters(parts: Sequence[str]) -> tuple[list[str], Parameters]:
    """A source, and the parameters that stand behind it."""
    end = len(parts)
    # A source has two parts at least, and a set of URLs has its parameters within them.
    while end >= 4 and parts[end - 2] in NAMES and not parts[end - 1].endswith(".urlset"):
        end -= 2
    behind = parts[end:]
    given = parse_parameters(zip(behind[::2], behind[1::2], strict=True))
    return list(parts[:end]), replace(given, text="/".join(behind))


def without_clip(source: str) -> str:
    """The text of a source without what changes manifests alone: the part that is presented
    of it, whether they list sheets, and how captions."""
    return _CLIP.sub("", source)
