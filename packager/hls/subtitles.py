"""Text renditions as the one HLS group that every variant names (RFC 8216 §4.3.4.1; P-10)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from packager.bandwidth import combine
from packager.hls.multivariant import MultivariantPlaylist, SubtitleMedia
from packager.hls.names import UNDETERMINED, names
from packager.presentation import Purpose, TextRendition

GROUP = "subs"
_SDH = (
    "public.accessibility.transcribes-spoken-dialog",
    "public.accessibility.describes-music-and-sound",
)
"""Apple's authoring specification §4.11 wants both of SDH."""


def with_subtitles(
    playlist: MultivariantPlaylist,
    text: tuple[TextRendition, ...],
    uri: Callable[[TextRendition], str],
) -> MultivariantPlaylist:
    """*playlist*, each of whose variants can be played with each of *text*.

    CODECS stays as it is: WebVTT that is not in fMP4 has none.
    """
    if not text:
        return playlist
    variants = (
        replace(
            one,
            subtitles=GROUP,
            bitrate=combine([one.bitrate], (each.bitrate for each in text)),
        )
        for one in playlist.variants
    )
    return MultivariantPlaylist(tuple(variants), (*playlist.media, *_media(text, uri)))


def _media(
    text: Iterable[TextRendition], uri: Callable[[TextRendition], str]
) -> Iterator[SubtitleMedia]:
    listed = tuple(text)
    default = next((one for one in listed if one.default), None)
    # One per language and purpose, for a player selects by nothing else here.
    selected = {(one.language, one.purpose): one for one in reversed(listed)}
    if default is not None:
        selected[default.language, default.purpose] = default
    named = names(((one.language, one.label) for one in listed), "Subtitles")
    for one, name in zip(listed, named, strict=True):
        yield SubtitleMedia(
            group=GROUP,
            name=name,
            language=one.language or UNDETERMINED,
            default=one is default,
            autoselect=one is selected[one.language, one.purpose],
            forced=one.purpose is Purpose.FORCED,
            characteristics=_SDH if one.purpose is Purpose.CAPTIONS else (),
            uri=uri(one),
        )
