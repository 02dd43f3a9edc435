"""What of a recipe a protocol carries: the rest is left out of its manifests, for a reason.

Segments under ``/cmaf/`` belong to both protocols, so nothing is left out of them.  The token
stays that of the whole: what is left out of one manifest changes no byte of another.
"""

import logging
from dataclasses import replace

from cachetools import LRUCache

from origin.urls import FileKind, Protocol, Target
from packager.carriage import Carrier, why_not
from packager.errors import Unsupported
from packager.recipe import Recipe

_log = logging.getLogger("origin")


def carrier_of(target: Target) -> Carrier | None:
    """Whose clients ask for *target*; None where those of both do."""
    match target.protocol, target.file.kind:
        case (Protocol.DASH, _) | (_, FileKind.MANIFEST):
            return Carrier.DASH
        case (Protocol.HLS, _) | (_, FileKind.MASTER | FileKind.INDEX | FileKind.I_FRAMES):
            return Carrier.HLS_FMP4
    return None


def carried(recipe: Recipe, target: Target) -> Recipe:
    """*recipe* with the tracks that the protocol of *target* carries in any container; a flavor
    may have none left.

    Raises ``Unsupported`` where nothing is left.
    """
    reasons = left_out(recipe, target)
    if not reasons:
        return recipe
    carrier = carrier_of(target)
    assert carrier is not None  # or there would be no reason
    flavors = tuple(
        replace(
            flavor,
            tracks=tuple(
                one for one in flavor.tracks if not why_not(one.track.format, carrier)
            ),
            blocks=(),
        )
        for flavor in recipe.flavors
    )
    if not any(flavor.tracks for flavor in flavors):
        raise Unsupported(f"{carrier}: {'; '.join(dict.fromkeys(reasons.values()))}")
    return replace(recipe, flavors=flavors)


def left_out(recipe: Recipe, target: Target) -> dict[str, str]:
    """Why a track is not in manifests of the kind of *target*, by its name there."""
    carrier = carrier_of(target)
    if carrier is None:
        return {}
    return {
        f"f{number}-{one.kind[0]}{one.number}": reason
        for number, flavor in enumerate(recipe.flavors, 1)
        for one in flavor.tracks
        if (reason := why_not(one.track.format, carrier)) is not None
    }


class LeftOut:
    """Tells the log what manifests leave out: once, for they are asked for again and again."""

    def __init__(self) -> None:
        self._said: LRUCache[tuple[str, str, str], None] = LRUCache(1_000)

    def say(self, recipe: Recipe, target: Target, token: str) -> None:
        """*token* names the versions of the flavors."""
        for name, reason in left_out(recipe, target).items():
            key = token, name, reason
            if key not in self._said:
                self._said[key] = None
                where = f"{target.source} {name} ({token})"
                _log.warning("left out of %s: %s: %s", carrier_of(target), where, reason)
