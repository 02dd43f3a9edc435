"""Where the files of flavors are, as values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Copy:
    """A file of a flavor version in one data centre or remote storage."""

    dc: int
    ready: bool
    path: str
    """Of what a link points to, where it is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlavorFiles:
    """A ready version of a flavor, and where it is."""

    id: str
    version: int
    is_current: bool
    path: str
    """As it was ingested; it counts where there are no copies."""

    language: str | None
    label: str | None
    copies: tuple[Copy, ...]
