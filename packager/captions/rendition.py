"""Captions as renditions of a presentation, cut where its video is."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from packager.bandwidth import average, bitrate
from packager.captions.cues import Captions
from packager.captions.segments import segment_sizes
from packager.captions.webvtt import earlier, render
from packager.clip import WHOLE, Clip
from packager.hls.media_playlist import target_duration
from packager.presentation import Purpose, TextRendition, Timeline
from packager.recipe import Needs, Recipe, track_cuts
from packager.segmenter import reference
from packager.tracks import Kind

MARK_DIGITS = 8
"""Of what names the bytes of captions, beside the recipe's token."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CaptionTrack:
    """Captions that go with a recipe."""

    number: int
    """From 1: the number after ``-s``."""

    captions: Captions
    mark: str
    """Of the file's content: see ``mark_of``."""

    language: str | None = None
    """BCP 47."""

    label: str | None = None
    default: bool = False
    purpose: Purpose = Purpose.SUBTITLES


def mark_of(data: bytes, form: str) -> str:
    """What tells a file of captions from all others."""
    return hashlib.sha256(form.encode() + b" " + data).hexdigest()[:MARK_DIGITS]


def clip_mark(mark: str, clip: Clip) -> str:
    """*mark* of captions as they are in one file: those of a *clip* have other times."""
    if clip == WHOLE:
        return mark
    return mark_of(mark.encode(), f"{clip.start} {clip.stop}")


def cut_captions(captions: Captions, clip: Clip) -> Captions:
    """What of *captions* is shown in *clip*, with times that count from its begin."""
    if clip == WHOLE:
        return captions
    start = round(clip.start * 1000)
    stop = None if clip.stop is None else round(clip.stop * 1000)
    cues = (
        replace(
            cue,
            start=max(cue.start - start, 0),
            end=cue.end - start,
            text=earlier(cue.text, start),
        )
        for cue in captions.shown(start, stop)
    )
    return replace(captions, cues=tuple(cues))


def text_timeline(recipe: Recipe) -> Needs[Timeline]:
    """The segments of text: those of the video that decides, and of sound that goes on long
    after it; without video, of the first sound."""
    tracks = [(n, track) for n, one in enumerate(recipe.flavors, 1) for track in one.tracks]
    video = [track for _, track in tracks if track.kind is Kind.VIDEO]
    lead = reference(video) if video else tracks[0][1]
    flavor = next(n for n, track in tracks if track is lead)
    cuts = yield from track_cuts(recipe, flavor, lead)
    scale = lead.track.timescale
    behind = int(np.searchsorted(recipe.times.at(scale), cuts.end))
    starts = (*cuts.starts, *(round(time * scale) for time in recipe.times[behind:]))
    end = cuts.end
    if len(starts) > len(cuts):
        last = max(Fraction(one.end - one.origin, one.track.timescale) for _, one in tracks)
        end = max(round(last * scale), starts[-1] + 1)
    return Timeline(scale, starts, end)


def text_renditions(
    recipe: Recipe, tracks: Iterable[CaptionTrack], *, fmp4: bool
) -> Needs[tuple[TextRendition, ...]]:
    """*tracks* as a manifest lists them; the first default is the only one."""
    listed = tuple(tracks)
    if not listed:
        return ()
    whole = yield from text_timeline(recipe)
    timeline, kept = recipe.clip.of(whole), recipe.clip.segments(whole)
    wanted = (one for one in listed if one.default and one.purpose is not Purpose.FORCED)
    default = next(wanted, None)
    return tuple(
        TextRendition(
            track=one.number,
            timeline=timeline,
            bitrate=bitrate(
                segment_sizes(one.captions, whole, fmp4=fmp4)[kept.start : kept.stop],
                timeline,
                target_duration([timeline]),
            ),
            bandwidth=average(
                [len(render(one.captions).encode())],
                [timeline.end - timeline.starts[0]],
                timeline.timescale,
            ),
            language=one.language,
            label=one.label,
            default=one is default,
            purpose=one.purpose,
        )
        for one in listed
    )
