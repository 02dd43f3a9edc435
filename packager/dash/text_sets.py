"""Captions as AdaptationSets: a WebVTT file each, beside the segments (D-11).

The file is the whole of its Representation, and its times count from the start of the period.
"""

from packager.dash.element import Attributes, element, text_element
from packager.dash.language import xml_language
from packager.dash.role import Role, role
from packager.presentation import Purpose, TextRendition

_ROLES = {
    Purpose.SUBTITLES: Role.SUBTITLE,
    Purpose.CAPTIONS: Role.CAPTION,
    Purpose.FORCED: Role.FORCED_SUBTITLE,
}
_HARD_OF_HEARING = {"schemeIdUri": "urn:tva:metadata:cs:AudioPurposeCS:2007", "value": "2"}
_FOR_THE_DEAF = [element("Accessibility", {**_HARD_OF_HEARING})]
"""DVB-DASH §5.1.2, DASH-IF IOP §3.9.2: hard of hearing."""


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
        *([text_element("Label", text.label)] if text.label else []),
        *(_FOR_THE_DEAF if text.purpose is Purpose.CAPTIONS else []),
        *([role(Role.MAIN)] if text.default else []),
        role(_ROLES[text.purpose]),
        element("Representation", representation, text_element("BaseURL", address)),
    )
