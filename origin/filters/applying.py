"""Selectors and rules on a presentation: what is left of it.

A rule is about renditions of one kind, and the others stay.  Nothing is changed of what stays,
but that the first audio becomes the default where the default has gone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from origin.errors import BadUrl
from origin.filters.picks import Pick, Picks
from origin.filters.rules import UNDETERMINED, Rule, Rules, Span
from packager.presentation import (
    AudioRendition,
    Presentation,
    Rendition,
    TextRendition,
    VideoRendition,
)

_R = TypeVar("_R", bound=Rendition)
_SLACK = Fraction(1, 2000)
"""Frames per second by which a rate may differ: three decimals cannot say 30000/1001."""

_CODECS = {
    "h264": ("avc1", "avc3"),
    "h265": ("hvc1", "hev1", "dvh1", "dvhe"),
    "av1": ("av01", "dav1"),
    "aacl": ("mp4a.40.2",),
    "aach": ("mp4a.40.5", "mp4a.40.29"),
    "ac-3": ("ac-3",),
    "ec-3": ("ec-3",),
}


def picked(every: Presentation, picks: Picks, ids: Sequence[str | None] = ()) -> Presentation:
    """What *picks* names of *every*, whose flavors have these *ids*.  Raises ``BadUrl``."""
    parts = picks.parts or (Pick(),)

    def is_picked(one: Rendition, kind: str) -> bool:
        own = ids[one.flavor - 1] if one.flavor <= len(ids) else None
        return any(
            getattr(part, kind) in (None, one.track)
            and part.flavor in (None, one.flavor)
            and part.sequence in (None, own)
            for part in parts
        )

    return _left(
        every,
        video=[one for one in every.video if is_picked(one, "video")],
        audio=[
            one
            for one in every.audio
            if is_picked(one, "audio")
            and (not picks.languages or _speaks(one, picks.languages))
        ],
        text=every.text,
    )


def ruled(every: Presentation, rules: Rules) -> Presentation:
    """What *rules* leave of *every*.  Raises ``BadUrl``."""

    def keep(of: Iterable[_R], tests: dict[str, Callable[[_R, Rule], bool]]) -> list[_R]:
        own = [(tests[rule.name], rule) for rule in rules if rule.name in tests]
        return [one for one in of if all(test(one, rule) for test, rule in own)]

    return _left(
        every,
        video=keep(every.video, _VIDEO),
        audio=keep(every.audio, _AUDIO),
        text=keep(every.text, _TEXT),
    )


def _left(
    every: Presentation,
    video: Sequence[VideoRendition],
    audio: Sequence[AudioRendition],
    text: Sequence[TextRendition],
) -> Presentation:
    if not video and not audio:
        raise BadUrl("the filter leaves neither video nor audio")
    if audio and not any(one.default for one in audio):
        audio = [replace(audio[0], default=True), *audio[1:]]
    return replace(every, video=tuple(video), audio=tuple(audio), text=tuple(text))


def _within(
    value: Fraction | int, rule: Rule, unit: int = 1, slack: Fraction | int = 0
) -> bool:
    """Whether *value* lies in a span of *rule*, whose unit is one in *unit*."""
    return any(
        Fraction(span.low, unit) - slack <= value <= Fraction(span.high, unit) + slack
        for span in rule.values
        if isinstance(span, Span)
    )


def _has_codec(one: Rendition, rule: Rule) -> bool:
    known = [begin for word in rule.values for begin in _CODECS[str(word)]]
    return any(one.codec == begin or one.codec.startswith(f"{begin}.") for begin in known)


def _has_language(one: Rendition, rule: Rule) -> bool:
    return _speaks(one, [str(value) for value in rule.values])


def _speaks(one: Rendition, languages: Iterable[str]) -> bool:
    """Basic filtering (RFC 4647 §3.3.1): ``en`` is found in ``en-US``, not the other way."""
    own = (one.language or UNDETERMINED).lower()
    return any(own == wanted or own.startswith(f"{wanted}-") for wanted in languages)


_VIDEO: dict[str, Callable[[VideoRendition, Rule], bool]] = {
    "video_bitrate": lambda one, rule: _within(one.bitrate.average, rule),
    "video_codec": _has_codec,
    "video_dynamic_range": lambda one, rule: one.dynamic_range in rule.values,
    "video_framerate": lambda one, rule: (
        one.frame_rate is not None and _within(one.frame_rate, rule, 1000, _SLACK)
    ),
    "video_height": lambda one, rule: _within(one.height, rule),
}
_AUDIO: dict[str, Callable[[AudioRendition, Rule], bool]] = {
    "audio_bitrate": lambda one, rule: _within(one.bitrate.average, rule),
    "audio_channels": lambda one, rule: _within(one.channels, rule),
    "audio_codec": _has_codec,
    "audio_language": _has_language,
    "audio_sample_rate": lambda one, rule: _within(one.sample_rate, rule),
}
_TEXT: dict[str, Callable[[TextRendition, Rule], bool]] = {"subtitle_language": _has_language}
