"""Captions of what is presented: where they are."""

from dataclasses import dataclass

from packager.captions.formats import CaptionFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionFile:
    """A file of captions in one language, beside the flavors."""

    path: str
    """An absolute path or an address, as of a flavor."""

    language: str | None
    """BCP 47; None where it is not known."""

    label: str | None = None
    is_default: bool = False
    format: CaptionFormat | None = None
    """None: what the file begins with tells."""

    id: str | None = None
    """Of the caption asset; None of what a mapping names."""
