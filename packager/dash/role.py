"""The Role descriptor (ISO/IEC 23009-1 §5.8.5.5)."""

from enum import StrEnum

from packager.dash.element import element


class Role(StrEnum):
    MAIN = "main"
    """Meant to be presented when nobody chooses."""

    ALTERNATE = "alternate"
    """Instead of the main one: another language, a commentary."""

    SUBTITLE = "subtitle"
    """What is said, to be read."""

    CAPTION = "caption"
    """What is heard, to be read."""

    FORCED_SUBTITLE = "forced-subtitle"
    """To be read whatever a viewer chose."""


def role(value: Role) -> str:
    return element("Role", {"schemeIdUri": "urn:mpeg:dash:role:2011", "value": value})
