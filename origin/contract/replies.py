"""Which flavors a request gets, as rows, as URLs and as JSON.  Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from metadata.records import AssetRecord, ContentRecord
from origin.contract.formats import Output
from origin.contract.places import NO_STORAGES, Storing, places_of
from origin.contract.play_manifest import PlayManifest
from origin.contract.refusals import Number, Refused
from origin.contract.selection import LOCAL, Candidate, Storages, Wishes, select
from origin.contract.serve_flavor import ALL_CAPTIONS, ServeFlavor
from packager.recipe import MAX_FLAVORS

JSON_TYPE = "application/json"
JSONP_TYPE = "text/javascript; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The flavors of an answer."""

    flavors: tuple[AssetRecord, ...]
    """As the request has them in order: its favourite first."""

    files: tuple[ServeFlavor, ...]
    """The same in an order that no wish changes, so that all players share media."""

    @property
    def first(self) -> int:
        """Which of the files, from 1, a player is to begin with."""
        return [one.flavor for one in self.files].index(self.flavors[0].id) + 1

    @property
    def rows(self) -> dict[int, AssetRecord]:
        """By their number among the files, from 1."""
        known = {one.id: one for one in self.flavors}
        return {number: known[one.flavor] for number, one in enumerate(self.files, 1)}


def choose(
    content: ContentRecord, asked: PlayManifest, storing: Storing = NO_STORAGES, dc: int = 0
) -> Chosen:
    """Of what is in data centre *dc*, ours, and in the partner's storages.

    Raises ``Refused`` where no flavor fits, or the storage that is asked for is not there.
    """
    storage = asked.delivery.storage
    if storage is not None and storage not in storing.known:
        raise Refused(Number.INVALID_PARAMETER, "storageId is of no storage in use")
    rows = {one.id: one for one in content.flavors}
    places = {one.id: places_of(one, dc, storing.known) for one in content.flavors}
    candidates = [candidate(one, frozenset(places[one.id])) for one in content.flavors]
    wishes = Wishes(
        ids=asked.flavor_ids,
        params=asked.flavor_params,
        tags=asked.tags,
        groups=asked.format.groups,
        alternative_audio=asked.format.many and not asked.media_only,
        many=asked.format.many,
        preferred_bitrate=asked.preferred_bitrate,
        max_bitrate=asked.max_bitrate,
        min_bitrate=asked.min_bitrate,
    )
    storages = Storages(storing.priority, storage)
    found = select(candidates, wishes, storages)[:MAX_FLAVORS]
    flavors = tuple(rows[one.id] for one in found)
    in_order = sorted(flavors, key=lambda one: (one.height is None, one.bitrate, one.id))
    return Chosen(flavors, tuple(_file(content, one, asked) for one in in_order))


def candidate(row: AssetRecord, storages: frozenset[int] = frozenset({LOCAL})) -> Candidate:
    """A row as the selection sees it."""
    tags = frozenset(filter(None, row.tags.split(",")))
    sound_only = bool(row.codecs) or not tags.isdisjoint(("alt_audio", "audio_only"))
    return Candidate(
        id=row.id,
        tags=tags,
        width=row.width or 0,
        height=row.height or 0,
        bitrate=row.bitrate // 1000,
        codec=row.codecs.partition(",")[0],
        is_audio=row.height is None and sound_only,
        is_default=row.is_default,
        params=row.flavor_params_id,
        storages=storages,
    )


def _file(content: ContentRecord, row: AssetRecord, asked: PlayManifest) -> ServeFlavor:
    lists_them = asked.captions and asked.output in (Output.HLS, Output.DASH)
    with_captions = lists_them and bool(content.captions)
    return ServeFlavor(
        partner=content.partner_id,
        entry=content.id,
        flavor=row.id,
        version=row.version,
        partner_version=content.partner_cache_version,
        entry_version=content.cache_version,
        parameters=asked.clip,
        captions=(ALL_CAPTIONS,) if with_captions else (),
        storages=() if asked.delivery.storage is None else (asked.delivery.storage,),
    )


def as_json(
    asked: PlayManifest, contents: Sequence[ContentRecord], chosen: Chosen, address: str
) -> tuple[str, str]:
    """``{entryId, duration, baseUrl, flavors[]}``, in a call of the callback if there is one,
    and its type.  Of HLS and DASH the one *address* is the manifest's; *contents* are played
    one after the other."""
    url = {"url": address}
    flavors = [url] if asked.format.many else [url | _facts(one) for one in chosen.flavors]
    said = {
        "entryId": asked.entry,
        "duration": sum(max(one.duration_ms for one in content.flavors) for content in contents)
        / 1000,
        "baseUrl": "",
        "flavors": flavors,
    }
    text = json.dumps(said)  # in ASCII: a script's string may not hold every line end
    if asked.callback:
        return f"{asked.callback}({text});", JSONP_TYPE
    return text, JSON_TYPE


def _facts(row: AssetRecord) -> dict[str, object]:
    return {
        "flavorId": row.id,
        "bitrate": row.bitrate // 1000,
        "width": row.width or 0,
        "height": row.height or 0,
    }
