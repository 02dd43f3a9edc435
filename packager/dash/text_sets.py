"""Captions as AdaptationSets: a WebVTT file each, beside the segments, or segments (D-11).

A file is the whole of its Representation, and its times count from the start of the period.
"""

from dataclasses import dataclass

from packager.dash.element import Attributes, element, text_element
from packager.dash.language import xml_language
from packager.dash.role import Role, role
from packager.dash.segment_template import segment_template
from packager.presentation import Purpose, TextRendition, Timeline

_ROLES = {
    Purpose.SUBTITLES: Role.SUBTITLE,
    Purpose.CAPTIONS: Role.CAPTION,
    Purpose.FORCED: Role.FORCED_SUBTITLE,
}
_HARD_OF_HEARING = {"schemeIdUri": "urn:tva:metadata:cs:AudioPurposeCS:2007", "value": "2"}
_FOR_THE_DEAF = [element("Accessibility", {**_HARD_OF_HEARING})]
"""DVB-DASH §5.1.2, DASH-IF IOP §3.9.2: hard of hearing."""


@dataclass(frozen=True, slots=True)
class TextSegments:
    """Captions in segments of fMP4 rather than in a file."""

    codec: str
    timeline: Timeline
    media: str
    """A template, as is the next."""

    initialization: str
    bandwidth: int
    """Bits per second."""


def segmented_text_set(number: int, text: TextRendition, segments: TextSegments) -> str:
    """AdaptationSet@id *number* of *text* in *segments*."""
    attributes: Attributes = {
        "id": number,
        "contentType": "text",
        "mimeType": "application/mp4",
        "codecs": segments.codec,
        "lang": xml_language(text.language),
        "segmentAlignment": "true",
        "startWithSAP": 1,
    }
    template = segment_template(
        segments.timeline, media=segments.media, initialization=segments.initialization
    )
    representation: Attributes = {"id": text.name, "bandwidth": segments.bandwidth}
    return element(
        "AdaptationSet",
        attributes,
        *_said(text),
        element("Representation", representation, template),
    )


def text_set(number: int, text: TextRendition, address: str) -> str:
    """AdaptationSet@id *number*; *address* is that of the file, relative to the MPD."""
    attributes: Attributes = {
        "id": number,
        "contentType": "text",
        "mimeType": "text/vtt",
        "lang": xml_language(text.language),
    }
    representation: Attributes = {"id": text.name, "bandwidth": text.bandwidth}
    return element(
        "AdaptationSet",
        attributes,
        *_said(text),
        element("Representation", representation, text_element("BaseURL", address)),
    )


def _said(text: TextRendition) -> list[str]:
    return [
        *([text_element("Label", text.label)] if text.label else []),
        *(_FOR_THE_DEAF if text.purpose is Purpose.CAPTIONS else []),
        *([role(Role.MAIN)] if text.default else []),
        role(_ROLES[text.purpose]),
    ]
