"""The MPD of stored media (ISO/IEC 23009-1 §5.3.1; rules D-01 to D-08).

    MPD > Period > AdaptationSet > Representation > SegmentTemplate > SegmentTimeline

One period, as long as the longest rendition.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction

from packager.dash.audio_sets import audio_set, audio_sets, purpose
from packager.dash.duration import duration_down, duration_up
from packager.dash.element import Attributes, element
from packager.dash.segment_template import segment_template
from packager.dash.text_sets import text_set
from packager.dash.video_sets import video_set, video_sets
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


def mpd(
    presentation: Presentation,
    *,
    min_buffer: Fraction,
    media: Callable[[_Rendition], str],
    initialization: Callable[[_Rendition], str],
    presentation_time_offset: Callable[[_Rendition], int] = lambda _: 0,
    captions: Callable[[TextRendition], str] = lambda one: f"{one.name}.vtt",
) -> str:
    """The document, as text to be sent in UTF-8.

    *min_buffer*, in seconds, is the one that every ``Rendition.bandwidth`` was computed for;
    *media* and *initialization* give a rendition's templates, relative to the MPD;
    *presentation_time_offset* is in ticks, and 0 where the init segment's edit list already
    takes media time to presentation time: a player would take it off twice; *captions* gives a
    text rendition's address.
    """

    def template(rendition: _Rendition) -> str:
        return segment_template(
            rendition.timeline,
            media=media(rendition),
            initialization=initialization(rendition),
            presentation_time_offset=presentation_time_offset(rendition),
        )

    pictures, sounds = video_sets(presentation), audio_sets(presentation.audio)
    sets = [
        *(video_set(n, members, template) for n, members in enumerate(pictures, 1)),
        *(
            audio_set(n, members, purpose(members[0], presentation.audio), template)
            for n, members in enumerate(sounds, len(pictures) + 1)
        ),
        *(
            text_set(n, one, captions(one))
            for n, one in enumerate(presentation.text, len(pictures) + len(sounds) + 1)
        ),
    ]
    lasting = duration_down(presentation.duration)
    attributes: Attributes = {
        "xmlns": "urn:mpeg:dash:schema:mpd:2011",
        "profiles": ",".join([_LIVE, _CMAF] if _is_cmaf([*pictures, *sounds]) else [_LIVE]),
        "type": "static",
        "mediaPresentationDuration": lasting,
        "minBufferTime": duration_up(min_buffer),
    }
    period = element("Period", {"id": "1", "start": "PT0S", "duration": lasting}, *sets)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{element("MPD", attributes, period)}\n'


def _is_cmaf(sets: Sequence[Sequence[_Rendition]]) -> bool:
    """Tracks of a switching set share a timescale (ISO/IEC 23000-19 §7.3.4.2, I-10)."""
    return all(len({one.timeline.timescale for one in members}) == 1 for members in sets)
