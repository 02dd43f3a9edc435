"""Which flavor of an entry stands for a rendition of a sequence (contract §2.2).  Pure."""

from collections.abc import Iterable, Sequence

from metadata.records import AssetRecord


def wanted_params(
    params: Iterable[int], entries: Sequence[Sequence[AssetRecord]]
) -> list[AssetRecord]:
    """For each recipe that some entry has, the first flavor that was made by it."""
    every = [flavor for flavors in entries for flavor in flavors]
    found = (
        next((one for one in every if one.flavor_params_id == wanted), None)
        for wanted in params
    )
    return [one for one in found if one is not None]


def matched(wanted: AssetRecord, flavors: Iterable[AssetRecord]) -> AssetRecord | None:
    """The flavor with a picture that is most like *wanted*: of the same recipe, or else with
    the most tags in common, the fewest others, the nearest bit rate."""
    tags = _tags(wanted)

    def unlikeness(one: AssetRecord) -> tuple[bool, int, int, int, str]:
        own = _tags(one)
        recipe = wanted.flavor_params_id is not None
        other = not (recipe and one.flavor_params_id == wanted.flavor_params_id)
        return (
            other,
            -len(own & tags),
            len(own - tags),
            abs(one.bitrate - wanted.bitrate),
            one.id,
        )

    return min((one for one in flavors if one.height is not None), key=unlikeness, default=None)


def _tags(one: AssetRecord) -> frozenset[str]:
    return frozenset(filter(None, one.tags.split(",")))
