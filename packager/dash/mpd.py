"""The MPD of stored media (ISO/IEC 23009-1 §5.3.1; rules D-01 to D-08).

    MPD > Period > AdaptationSet > Representation > SegmentTemplate > SegmentTimeline

A period is as long as its longest rendition.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from packager.dash.audio_sets import audio_set, audio_sets, purpose
from packager.dash.duration import duration_down, duration_up
from packager.dash.element import Attributes, element
from packager.dash.image_set import image_set
from packager.dash.segment_template import segment_template
from packager.dash.text_sets import TextSegments, segmented_text_set, text_set
from packager.dash.trick_set import trick_set
from packager.dash.video_sets import main_pictures, switched_between, video_set, video_sets
from packager.pictures.sheets import Sheets
from packager.presentation import (
    AudioRendition,
    Presentation,
    TextRendition,
    VideoRendition,
)

_Rendition = VideoRendition | AudioRendition

_LIVE = "urn:mpeg:dash:profile:isoff-live:2011"
"""§8.4: numbered segments by template; static presentations are among its cases."""

_CMAF = "urn:mpeg:dash:profile:cmaf:2019"
"""§8.12: a CMAF presentation, each AdaptationSet one switching set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What is presented in one period, and where its media is, relative to the MPD."""

    presentation: Presentation
    media: Callable[[_Rendition], str]
    """Templates, as below."""

    initialization: Callable[[_Rendition], str]
    presentation_time_offset: Callable[[_Rendition], int] = lambda _: 0
    """Ticks; 0 where the init segment's edit list already takes media time to presentation
    time: a player would take it off twice."""

    captions: Callable[[TextRendition], str] = lambda one: f"{one.name}.vtt"
    """A text rendition's address."""

    text_segments: Callable[[TextRendition], TextSegments | None] = lambda _: None
    """Where captions are in segments, in place of that file."""

    tricks: Mapping[str, VideoRendition] = field(default_factory=dict)
    """By name, those of which key frames alone are listed too, with their times and rates."""

    keys: Callable[[_Rendition], str] = lambda _: ""
    """Template of the addresses of these."""

    sheets: Sheets | None = None
    """Of thumbnails; None lists none."""

    sheet: str = ""
    """Template of their addresses."""


def mpd(*periods: Period, min_buffer: Fraction) -> str:
    """The document of *periods*, one after the other, as text to be sent in UTF-8.

    *min_buffer*, in seconds, is the one that every ``Rendition.bandwidth`` was computed for.
    """
    sets = [_with_sheets(period, _with_tricks(period, _sets(period))) for period in periods]
    members = [one for period in periods for one in _switching_sets(period.presentation)]
    whole = sum((period.presentation.duration for period in periods), Fraction(0))
    attributes: Attributes = {
        "xmlns": "urn:mpeg:dash:schema:mpd:2011",
        "profiles": ",".join([_LIVE, _CMAF] if _is_cmaf(members) else [_LIVE]),
        "type": "static",
        "mediaPresentationDuration": duration_down(whole),
        "minBufferTime": duration_up(min_buffer),
    }
    start, written = Fraction(0), []
    for number, (period, inside) in enumerate(zip(periods, sets, strict=True), 1):
        lasting = period.presentation.duration
        when: Attributes = {
            "id": str(number),
            "start": duration_down(start),
            "duration": duration_down(lasting),
        }
        written.append(element("Period", when, *inside))
        start += lasting
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{element("MPD", attributes, *written)}\n'


def _sets(period: Period) -> list[str]:
    """The AdaptationSets."""

    def template(rendition: _Rendition) -> str:
        return segment_template(
            rendition.timeline,
            media=period.media(rendition),
            initialization=period.initialization(rendition),
            presentation_time_offset=period.presentation_time_offset(rendition),
        )

    presentation = period.presentation
    pictures, sounds = video_sets(presentation), audio_sets(presentation.audio)
    switching = switched_between(pictures) if presentation.aligned else [[] for _ in pictures]
    each = zip(pictures, main_pictures(pictures), switching, strict=True)
    captions = presentation.closed_captions
    return [
        *(
            video_set(n, members, template, captions, main=main, switching=numbers)
            for n, (members, main, numbers) in enumerate(each, 1)
        ),
        *(
            audio_set(n, members, purpose(members[0], presentation.audio), template)
            for n, members in enumerate(sounds, len(pictures) + 1)
        ),
        *(
            text_set(n, one, period.captions(one))
            if (segments := period.text_segments(one)) is None
            else segmented_text_set(n, one, segments)
            for n, one in enumerate(presentation.text, len(pictures) + len(sounds) + 1)
        ),
    ]


def _with_tricks(period: Period, sets: list[str]) -> list[str]:
    def template(video: VideoRendition) -> str:
        return segment_template(
            video.timeline,
            media=period.keys(video),
            initialization=period.initialization(video),
        )

    found = list(sets)
    for main, members in enumerate(video_sets(period.presentation), 1):
        tricks = [period.tricks[one.name] for one in members if one.name in period.tricks]
        if tricks:
            found.append(trick_set(len(found) + 1, main, tricks, template))
    return found


def _with_sheets(period: Period, sets: list[str]) -> list[str]:
    if period.sheets is None:
        return sets
    return [*sets, image_set(len(sets) + 1, period.sheets, period.sheet)]


def _switching_sets(presentation: Presentation) -> list[Sequence[_Rendition]]:
    return [*video_sets(presentation), *audio_sets(presentation.audio)]


def _is_cmaf(sets: Sequence[Sequence[_Rendition]]) -> bool:
    """Tracks of a switching set share a timescale (ISO/IEC 23000-19 §7.3.4.2, I-10)."""
    return all(len({one.timeline.timescale for one in members}) == 1 for members in sets)
