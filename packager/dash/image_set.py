"""Sheets of thumbnails as an AdaptationSet (DASH-IF IOP 4.3 §6.2.6).

Players that do not know the property leave the set alone, as it is essential.
"""

from packager.dash.element import Attributes, element
from packager.pictures.sheets import COLUMNS, ROWS, Sheets

_SCHEME = "http://dashif.org/guidelines/thumbnail_tile"


def image_set(number: int, sheets: Sheets, media: str) -> str:
    """AdaptationSet@id *number*; *media* is the template of the sheets' addresses."""
    width, height = sheets.size
    template: Attributes = {
        "timescale": 1,
        "duration": sheets.span,
        "startNumber": 1,
        "media": media,
    }
    representation: Attributes = {
        "id": "sheets",
        "bandwidth": sheets.bandwidth,
        "width": width,
        "height": height,
    }
    layout: Attributes = {"schemeIdUri": _SCHEME, "value": f"{COLUMNS}x{ROWS}"}
    return element(
        "AdaptationSet",
        {"id": number, "contentType": "image", "mimeType": "image/jpeg"},
        element("SegmentTemplate", template),
        element("Representation", representation, element("EssentialProperty", layout)),
    )
