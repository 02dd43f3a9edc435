"""Captions as AdaptationSets: a WebVTT file each, beside the segments (D-11).

The file is the whole of its Representation, and its times count from the start of the period.
"""

from packager.dash.element import Attributes, element, text_element
from packager.dash.language import xml_language
from packager.dash.role import Role, role
from packager.presentation import TextRendition


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
        *([role(Role.MAIN)] if text.default else []),
        role(Role.SUBTITLE),
        element("Representation", representation, text_element("BaseURL", address)),
    )
