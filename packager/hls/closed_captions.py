"""Captions within the pictures, as an HLS group (RFC 8216 §4.3.4.1, CLOSED-CAPTIONS)."""

from collections.abc import Iterator
from dataclasses import replace

from packager.hls.multivariant import ClosedCaptionsMedia, MultivariantPlaylist
from packager.hls.names import names
from packager.presentation import ClosedCaptions

GROUP = "cc"


def with_closed_captions(
    playlist: MultivariantPlaylist, captions: tuple[ClosedCaptions, ...]
) -> MultivariantPlaylist:
    """*playlist*, whose variants with pictures have *captions* in them."""
    if not captions:
        return playlist
    variants = (
        replace(one, closed_captions=GROUP) if one.resolution else one
        for one in playlist.variants
    )
    media = tuple(_media(captions))
    return replace(playlist, variants=tuple(variants), closed_captions=media)


def _media(captions: tuple[ClosedCaptions, ...]) -> Iterator[ClosedCaptionsMedia]:
    default = next((one for one in captions if one.default), None)
    selected = {one.language: one for one in reversed(captions)}
    if default is not None:
        selected[default.language] = default
    named = names(((one.language, one.label) for one in captions), "Captions")
    for one, name in zip(captions, named, strict=True):
        yield ClosedCaptionsMedia(
            group=GROUP,
            name=name,
            language=one.language,
            default=one is default,
            autoselect=one is selected[one.language],
            instream_id=one.id,
        )
