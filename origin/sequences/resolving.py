"""Sequences answered: the entries are found, and their manifests joined."""

import posixpath
from dataclasses import dataclass, replace
from fractions import Fraction
from urllib.parse import quote

from cachetools import LRUCache

from metadata.enums import EntryType
from metadata.records import AssetRecord, ContentRecord
from origin.carrying import carried
from origin.catalog import Catalog, Presented
from origin.contract.in_sequence import listed_entries
from origin.contract.serve_flavor import ServeFlavor, ServeSequence, render_serve_flavors
from origin.errors import NotFound
from origin.flights import Flights
from origin.manifests import HLS_TYPE, media_period
from origin.responses import MANIFEST, Text, text
from origin.sequences.manifests import joined_index, joined_master, piece, rungs
from origin.sequences.matching import matched, wanted_params
from origin.urls import FileKind, Protocol, SequenceSource, Target, parse_target, render_target
from packager.dash.mpd import mpd
from packager.hls.media_playlist import Stretch
from packager.recipe import Choice, Needs, T

DASH_TYPE = "application/dash+xml"


@dataclass(frozen=True, slots=True)
class Part:
    """One entry of a sequence."""

    presented: Presented
    target: Target
    """Of the entry alone."""

    numbers: tuple[int, ...]
    """Its flavor (1-based) for each rendition of the sequence."""

    folder: str
    """Of its media, relative to the sequence's manifests."""


class Sequences:
    def __init__(self, catalog: Catalog, kept: int) -> None:
        """*kept*: bytes of manifests."""
        self._catalog = catalog
        self._texts: LRUCache[tuple[object, ...], Text] = LRUCache(kept, lambda made: made.size)
        self._flights: Flights[tuple[object, ...], Text] = Flights()

    async def find(self, target: Target) -> Text:
        """A manifest.  Raises ``NotFound`` and what the catalog raises."""
        assert isinstance(target.source, SequenceSource)
        if target.file.kind not in (FileKind.MASTER, FileKind.INDEX, FileKind.MANIFEST):
            raise NotFound("the segments of a sequence are those of its entries")
        if target.file.text is not None:
            raise NotFound("a sequence has no captions yet")
        target, parts = _contained(target, await self._parts(target, target.source.asked))
        facts = (
            (one.presented.token, one.presented.recipe.said, one.numbers, one.folder)
            for one in parts
        )
        key = (render_target(target), *facts)
        if (known := self._texts.get(key)) is not None:
            return known

        async def make() -> Text:
            made = await self._write(target, parts)
            if made.size <= self._texts.maxsize:
                self._texts[key] = made
            return made

        return await self._flights.join(key, make)

    # -- its entries

    async def _parts(self, target: Target, asked: ServeSequence) -> list[Part]:
        entries = await self._entries(asked)
        wanted = _wanted(asked, entries)
        if not wanted:
            raise NotFound("the sequence has no such flavor")
        return [await self._part(target, content, wanted) for content in entries]

    async def _entries(self, asked: ServeSequence) -> list[ContentRecord]:
        own = await self._shown(asked.entry, asked.partner)
        if own.type != EntryType.PLAYLIST:
            before = [await self._shown(entry, asked.partner) for entry in asked.before]
            return [*before, own]
        if asked.before:
            raise NotFound("a playlist in a sequence is not supported yet")
        return [await self._shown(entry, asked.partner) for entry in listed_entries(own)]

    async def _shown(self, entry: str, partner: int) -> ContentRecord:
        row = await self._catalog.contents.row(entry)
        if row.record is None or row.refused is not None or row.record.partner_id != partner:
            raise NotFound(f"no such entry: {entry}")
        return row.record

    async def _part(
        self, target: Target, content: ContentRecord, wanted: list[AssetRecord]
    ) -> Part:
        found = [matched(one, content.flavors) for one in wanted]
        flavors = [one for one in found if one is not None]
        if len(flavors) < len(wanted):
            raise NotFound(f"an entry of the sequence has no picture: {content.id}")
        ids = list(dict.fromkeys(one.id for one in flavors))
        text = render_serve_flavors(
            [_file(content, next(f for f in flavors if f.id == one)) for one in ids]
        )
        own = parse_target(f"/{Protocol.HLS}/{text}/master.m3u8").source
        presented = await self._catalog.find(own, None)
        folder = posixpath.relpath(text, str(target.source))
        numbers = tuple(ids.index(one.id) + 1 for one in flavors)
        return Part(
            presented,
            replace(target, source=own),
            numbers,
            quote(f"{folder}/", safe="/,:@!$&'()*+;=~"),
        )

    # -- its manifests

    async def _write(self, target: Target, parts: list[Part]) -> Text:
        match target.file.kind:
            case FileKind.MASTER:
                each = [
                    await self._made(one, rungs(one.presented.recipe, one.target, one.numbers))
                    for one in parts
                ]
                return text(joined_master(each, target), HLS_TYPE, MANIFEST)
            case FileKind.MANIFEST:
                return text(await self._mpd(parts), DASH_TYPE, MANIFEST)
            case _:
                choice = target.file.choice or Choice(1)
                pieces = [await self._made(one, _piece(one, choice)) for one in parts]
                return text(joined_index(pieces), HLS_TYPE, MANIFEST)

    async def _mpd(self, parts: list[Part]) -> str:
        periods, buffer = [], Fraction(0)
        for one in parts:
            found = one.presented
            needs = media_period(found.recipe, one.target, found.token, one.folder)
            period, least = await self._made(one, needs)
            periods.append(period)
            buffer = max(buffer, least)
        return mpd(*periods, min_buffer=buffer)

    async def _made(self, one: Part, needs: Needs[T]) -> T:
        return await self._catalog.carry_out_aside(one.presented, needs)


def _contained(target: Target, parts: list[Part]) -> tuple[Target, list[Part]]:
    """In fMP4 where MPEG-TS does not carry the entries; a list cannot mix the two."""
    parts = [_carried(one) for one in parts]
    in_ts = {one.presented.recipe.in_ts for one in parts}
    if target.fmp4 or in_ts == {True}:
        return target, parts
    if True in in_ts:
        raise NotFound("the entries of the sequence go together in container/fmp4 alone")
    own = [replace(one, target=replace(one.target, fmp4=True)) for one in parts]
    return replace(target, fmp4=True), own


def _carried(one: Part) -> Part:
    recipe = carried(one.presented.recipe, one.target)
    return replace(one, presented=replace(one.presented, recipe=recipe))


def _piece(one: Part, choice: Choice) -> Needs[tuple[Stretch, int]]:
    if not 1 <= choice.flavor <= len(one.numbers):
        raise NotFound(f"rendition {choice.flavor} of {len(one.numbers)}")
    number, found = one.numbers[choice.flavor - 1], one.presented
    return piece(found.recipe, one.target, choice, number, found.token, one.folder)


def _wanted(asked: ServeSequence, entries: list[ContentRecord]) -> list[AssetRecord]:
    """What the renditions are like."""
    if asked.params:
        return wanted_params(asked.params, [entries[-1].flavors, *(e.flavors for e in entries)])
    own = {one.id: one for content in entries for one in content.flavors}
    return [own[one] for one in asked.flavors if one in own]


def _file(content: ContentRecord, flavor: AssetRecord) -> ServeFlavor:
    return ServeFlavor(
        partner=content.partner_id,
        entry=content.id,
        flavor=flavor.id,
        version=flavor.version,
        partner_version=content.partner_cache_version,
        entry_version=content.cache_version,
    )
