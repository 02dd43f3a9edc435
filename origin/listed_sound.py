"""A listing of a master playlist with the sound that a request wants."""

from dataclasses import dataclass

from origin.contract.sound import arranged
from origin.filters.listing import Listing
from packager.presentation import Presentation


@dataclass(frozen=True, slots=True)
class Sound(Listing):
    default: str = ""
    """Language that is played unless a viewer chooses."""

    muxed: str = ""
    """The only language, where there is any sound in it."""

    def keep(self, every: Presentation) -> Presentation:
        return arranged(Listing.keep(self, every), self.default, self.muxed)
