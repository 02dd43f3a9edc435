"""What one entry adds to a manifest of a sequence, and how that is joined.

A sequence has one sound: the default of each entry, muxed in MPEG-TS and apart in fMP4.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain

from origin.errors import NotFound
from origin.manifests import default_choice, stretch, target_of
from origin.urls import Target, selectors
from packager.hls.media_playlist import Stretch, joined_playlist
from packager.hls.multivariant import AudioMedia, MultivariantPlaylist, Variant
from packager.hls.variants import muxed_variants, separate_variants
from packager.presentation import AudioRendition, Bitrate, Presentation, VideoRendition
from packager.recipe import (
    Choice,
    Needs,
    Recipe,
    merged_audio,
    muxed_bitrate,
    presentation,
)
from packager.tracks import Kind


@dataclass(frozen=True, slots=True)
class Rungs:
    """The variants of one entry."""

    variants: tuple[Variant, ...]
    """One for each rendition of the sequence."""

    sound: AudioMedia | None
    duration: Fraction
    """Seconds."""


def rungs(recipe: Recipe, target: Target, numbers: Sequence[int]) -> Needs[Rungs]:
    """*numbers* are the entry's flavors (1-based) in the order of the sequence's renditions."""
    every = yield from presentation(recipe)
    if target.fmp4:
        made = _separate(every)
    else:
        made = yield from _muxed(recipe, target, every)
    pictures = {
        video.flavor: one for video, one in zip(_videos(every), made.variants, strict=True)
    }
    variants = tuple(pictures[number] for number in numbers)
    sound = next((one for one in made.media if isinstance(one, AudioMedia)), None)
    return Rungs(variants, sound, every.duration)


def _videos(every: Presentation) -> tuple[VideoRendition, ...]:
    """The first of each flavor."""
    return tuple({one.flavor: one for one in reversed(every.video)}.values())[::-1]


def _separate(every: Presentation) -> MultivariantPlaylist:
    one_sound = replace(every, video=_videos(every), audio=merged_audio(every).audio[:1])
    return separate_variants(one_sound, lambda one: one.name)


def _muxed(recipe: Recipe, target: Target, every: Presentation) -> Needs[MultivariantPlaylist]:
    seconds, rates, audio = target_of(every), {}, []
    for video in _videos(every):
        choice = default_choice(recipe, target, Choice(video.flavor))
        rates[video.flavor] = yield from muxed_bitrate(recipe, choice, seconds)
        audio += [one for one in every.audio if _is(one, choice)]
    return muxed_variants(
        replace(every, video=_videos(every), audio=tuple(audio)), rates, lambda one, _: one.name
    )


def _is(audio: AudioRendition, choice: Choice) -> bool:
    return (audio.flavor, audio.track) == (choice.flavor, choice.audio)


def joined_master(parts: Sequence[Rungs], target: Target) -> str:
    """The multivariant playlist of the sequence."""
    sound = parts[0].sound
    if target.fmp4 and len({one.sound is None for one in parts}) > 1:
        raise NotFound("an entry of the sequence has no sound, others have")
    columns = zip(*(one.variants for one in parts), strict=True)
    durations = [one.duration for one in parts]
    variants = [
        _joined(number, column, durations, target) for number, column in enumerate(columns, 1)
    ]
    media = (replace(sound, uri=f"index{selectors(Choice(1, audio=1))}.m3u8"),) if sound else ()
    return MultivariantPlaylist(tuple(variants), media).render()


def _joined(
    number: int, column: Sequence[Variant], durations: Sequence[Fraction], target: Target
) -> Variant:
    bits = sum(
        (one.bitrate.average * lasts for one, lasts in zip(column, durations, strict=True)),
        Fraction(0),
    )
    choice = Choice(number, 1, None if target.fmp4 else 1)
    resolutions = [one.resolution for one in column if one.resolution]
    return replace(
        column[0],
        uri=f"index{selectors(choice)}.m3u8",
        bitrate=Bitrate(max(one.bitrate.peak for one in column), -int(-bits // sum(durations))),
        codecs=tuple(dict.fromkeys(chain.from_iterable(one.codecs for one in column))),
        resolution=max(resolutions, key=lambda one: one[0] * one[1], default=None),
        frame_rate=max((one.frame_rate for one in column if one.frame_rate), default=None),
    )


def piece(
    recipe: Recipe, target: Target, choice: Choice, number: int, token: str, folder: str
) -> Needs[tuple[Stretch, int]]:
    """What the entry adds to the media playlist of *choice*, whose flavor is *number* here,
    and its target duration."""
    own = default_choice(recipe, target, Choice(number))
    if target.fmp4 and choice.video is None:
        every = merged_audio((yield from presentation(recipe)))
        if not every.audio:
            raise NotFound("an entry of the sequence has no sound")
        own = Choice(every.audio[0].flavor, audio=every.audio[0].track)
    elif target.fmp4 and not recipe.flavor(number).of_kind(Kind.VIDEO):
        raise NotFound("an entry of the sequence has no picture")
    return (yield from stretch(recipe, target, own, token, folder))


def joined_index(pieces: Sequence[tuple[Stretch, int]]) -> str:
    """The media playlist of the sequence."""
    return joined_playlist(
        [one for one, _ in pieces], target=max(target for _, target in pieces)
    )
