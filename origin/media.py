"""A parsed URL to the body that it names."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from fractions import Fraction
from weakref import finalize, ref

import numpy as np
from cachetools import LRUCache

from origin.carrying import LeftOut, carried
from origin.catalog import Catalog, Presented
from origin.delivery import Delivery, is_of_contract
from origin.errors import BadUrl
from origin.filters.asked import Asked, parse_asked
from origin.filters.listing import Listing
from origin.filters.wanted import EVERYTHING
from origin.flights import Flights
from origin.indexes import Ahead
from origin.manifests import (
    HLS_TYPE,
    Tracks,
    contained,
    default_choice,
    index_playlist,
    key_frame_playlist,
    master_playlist,
    media_presentation,
)
from origin.pictures import OF_SHEETS, Pictures
from origin.responses import (
    IMMUTABLE,
    MANIFEST,
    SHORT,
    Answer,
    Body,
    Text,
    strong_etag,
    text,
)
from origin.room import Room
from origin.sequences.resolving import Sequences
from origin.storage.source import Source
from origin.texts import Texts, facts_of
from origin.urls import (
    OF_TRACKS,
    FileKind,
    Protocol,
    SequenceSource,
    Target,
    render_target,
)
from origin.windows import reads_of
from packager.errors import UnknownSegment
from packager.isobmff.init_segment import init_segment
from packager.plan import Plan, Transform, Unplanned
from packager.recipe import (
    Choice,
    Needs,
    Recipe,
    cmaf_segment,
    muxed_segment,
    packed_audio_segment,
    packed_suffix,
)
from packager.segmenter import DEFAULT_TARGET
from packager.tracks import Kind
from packager.trick import picture_segment

DASH_TYPE = "application/dash+xml"
TS_TYPE = "video/mp2t"
VIDEO_TYPE, AUDIO_TYPE = "video/mp4", "audio/mp4"


_PlanKey = tuple[tuple[str, ...], Fraction, FileKind, bool, Choice, int, str | None]
"""What fixes the bytes of a segment."""

Found = tuple[Body | Text | Answer, Source | None]
"""What a URL names, and the source that its extents are in."""


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """What a path named a moment ago."""

    found: Body | Text
    entry: str | None
    """Whose row it depends on; None where that cannot be told."""

    row: object
    path: str | None = None
    """Of the source; held weakly, since only ``Sources`` decides what stays open."""

    file: "ref[Source] | None" = None
    key: _PlanKey | None = None

    @property
    def weight(self) -> int:
        found = self.found
        return 1024 + (found.size if isinstance(found, Text) else _weight(found.plan))


class Media:
    """Bodies of everything below the protocols' paths."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        manifest_cache: int,
        plan_cache: int,
        built_bytes: int,
        pictures: Pictures,
    ) -> None:
        self._catalog = catalog
        self._pictures = pictures
        self._texts: LRUCache[tuple[object, ...], Text] = LRUCache(
            manifest_cache, lambda made: made.size
        )
        self._flights: Flights[tuple[object, ...], Text] = Flights()
        self._ready: LRUCache[str, _Ready] = LRUCache(plan_cache, lambda ready: ready.weight)
        self._room = Room(built_bytes)
        self._captions = Texts(catalog)
        self._left_out = LeftOut()
        self._sequences = Sequences(catalog, manifest_cache)
        self._delivery = Delivery(
            catalog, catalog.contents, catalog.terms, self._captions, catalog.clock
        )

    def at_hand(self, path: str) -> Found | None:
        """What *path* names, if nothing has to be waited for."""
        if is_of_contract(path):
            return self._delivery.at_hand(path)
        ready = self._ready.get(path)
        if ready is None or ready.entry is None:
            return None
        if not self._catalog.holds(ready.entry, ready.row):
            return None
        if ready.path is None:
            return ready.found, None
        file = self._catalog.at_hand(ready.path)
        if file is None or ready.file is None or ready.file() is not file:
            return None
        return ready.found, file

    async def find(self, path: str) -> Found:
        """What *path* names.  Raises ``BadUrl``, ``NotFound`` and what sources raise.

        Those of the delivery contract bring their query, manifests what ``counted`` leaves.
        """
        if is_of_contract(path):
            return await self._delivery.find(path)
        asked = parse_asked(path)
        target = asked.target
        if isinstance(target.source, SequenceSource):
            return await self._sequence(asked), None
        if target.file.text is not None:
            return await self._text(path, target), None
        presented = await self._catalog.find(
            target.source, target.file.token, _ahead(target), target.parameters
        )
        if target.protocol is Protocol.THUMB or target.file.kind in OF_SHEETS:
            return await self._pictures.find(target, presented), None
        target = contained(target, presented.recipe)
        entry = getattr(target.source, "entry", None)
        match target.file.kind:
            case FileKind.MASTER | FileKind.INDEX | FileKind.I_FRAMES | FileKind.MANIFEST:
                text = await self._manifest(replace(asked, target=target), presented)
                if target.file.kind in OF_TRACKS or not presented.captions:
                    # Captions are files, and no row tells that one has changed.
                    self._keep(path, _Ready(text, entry, presented.row))
                return text, None
            case FileKind.INIT:
                body = self._init(target, presented)
                self._keep(path, _Ready(body, entry, presented.row))
                return body, None
            case _:
                return await self._segment(path, entry, target, presented)

    def _keep(self, path: str, ready: _Ready) -> None:
        if ready.weight <= self._ready.maxsize:
            self._ready[path] = ready

    async def _sequence(self, asked: Asked) -> Text:
        if asked.wanted != EVERYTHING:
            raise BadUrl("a filter of a sequence is not supported yet")
        return await self._sequences.find(asked.target)

    async def _text(self, path: str, target: Target) -> Body | Text:
        presented, text = await self._captions.find(target)
        if target.file.mark is not None:
            entry = getattr(target.source, "entry", None)
            self._keep(path, _Ready(text, entry, presented.row))
        return text

    # -- manifests

    async def _manifest(self, asked: Asked, presented: Presented) -> Text:
        target, recipe = asked.target, presented.recipe
        listing = await self._catalog.listings.find(asked, presented.partner, presented.ids)
        is_index = target.file.kind in OF_TRACKS
        if not is_index:
            self._left_out.say(recipe, target, presented.token)
        tracks = () if is_index else await self._captions.tracks(presented)
        key = (
            *(render_target(target), presented.token, recipe.said, recipe.clip, listing),
            recipe.closed_captions,
            facts_of(tracks),
        )
        if (known := self._texts.get(key)) is not None:
            return known

        async def make() -> Text:
            content, kind = await self._write(target, presented, listing, tracks)
            made = text(content, kind, MANIFEST)
            if made.size <= self._texts.maxsize:
                self._texts[key] = made
            return made

        return await self._flights.join(key, make)

    def _write(
        self, target: Target, presented: Presented, listing: Listing, tracks: Tracks
    ) -> Awaitable[tuple[str, str]]:
        recipe, token = presented.recipe, presented.token
        sheets = self._pictures.listed(target, recipe)
        match target.file.kind:
            case FileKind.MASTER:
                playlist = master_playlist(recipe, target, listing, tracks, sheets)
                return self._written(presented, playlist, HLS_TYPE)
            case FileKind.MANIFEST:
                manifest = media_presentation(recipe, target, token, listing, tracks, sheets)
                return self._written(presented, manifest, DASH_TYPE)
            case _:
                choice = self._choice(target, presented)
                write = (
                    index_playlist if target.file.kind is FileKind.INDEX else key_frame_playlist
                )
                playlist = write(recipe, target, choice, token)
                return self._written(presented, playlist, HLS_TYPE)

    async def _written(
        self, presented: Presented, needs: Needs[str], kind: str
    ) -> tuple[str, str]:
        return await self._catalog.write(presented, needs), kind

    # -- media

    def _choice(self, target: Target, presented: Presented) -> Choice:
        return default_choice(presented.recipe, target, target.file.choice or Choice(1))

    def _body(self, target: Target, presented: Presented, plan: Plan, kind: str) -> Body:
        file = target.file
        etag = strong_etag(
            presented.token, file.kind, str(target.fmp4), str(file.number),
            str(self._choice(target, presented)), *([file.packed] if file.packed else []),
        )  # fmt: skip
        cache_control = IMMUTABLE if presented.lasting and file.token else SHORT
        return Body(plan, kind, cache_control, etag)

    def _init(self, target: Target, presented: Presented) -> Body:
        choice = self._choice(target, presented)
        if choice.video is not None and choice.audio is not None:
            raise UnknownSegment("fMP4 segments hold one track")
        kind = Kind.AUDIO if choice.video is None else Kind.VIDEO
        number = choice.audio if choice.video is None else choice.video
        track = carried(presented.recipe, target).track(choice.flavor, kind, number or 0)
        plan = Plan((init_segment(track),))
        return self._body(target, presented, plan, _mp4_type(choice))

    async def _segment(
        self, path: str, entry: str | None, target: Target, presented: Presented
    ) -> Found:
        choice = self._choice(target, presented)
        recipe, number = carried(presented.recipe, target), target.file.number
        packed, rendered = target.file.packed, (target.file.kind, target.fmp4)
        if packed and packed != packed_suffix(recipe, choice):
            raise UnknownSegment(f"no segment of this track is .{packed}")
        key = (recipe.digests, recipe.target, *rendered, choice, number, packed)
        known = self._ready.get(path)
        if known is not None and known.key == key and isinstance(known.found, Body):
            # Kept, because edges ask for its ranges one by one, and several edges for it.
            plan: Plan | Unplanned = known.found.plan
        else:
            plan = await self._catalog.carry_out(
                presented, _planned(target, recipe, choice, number)
            )
        file = await self._catalog.open(presented, choice.flavor)
        kind = _segment_type(target, choice)
        if isinstance(plan, Unplanned):
            plan = await self._build(plan, file)
            return self._body(target, presented, plan, kind), file
        body = self._body(target, presented, plan, kind)
        source = presented.flavors[choice.flavor - 1].path
        self._keep(path, _Ready(body, entry, presented.row, source, ref(file), key))
        return body, file

    async def _build(self, body: Unplanned, source: Source) -> Plan:
        """Read a whole segment, so that its length and its faults are known.

        Its memory counts until the plan, which works in it, is let go.
        """
        size = sum(extent.length for extent in body.extents)
        lease = self._room.lend(size)
        data = np.empty(size, np.uint8)
        finalize(data, lease.release)
        buffer = memoryview(data)  # type: ignore[arg-type]
        await source.read(reads_of(body.extents), buffer)
        return await asyncio.get_running_loop().run_in_executor(None, body.make, buffer)


def _weight(plan: Plan) -> int:
    """Bytes of memory, about: a transform keeps the columns of its packets."""
    return 512 + sum(
        len(piece) if isinstance(piece, bytes)
        else 512 + piece.length // 9 if isinstance(piece, Transform)
        else 300 * len(piece.offsets)
        for piece in plan
    )  # fmt: skip


def _ahead(target: Target) -> Ahead | None:
    """What *target* needs of the flavors' blocks, where they are cut about evenly."""
    file = target.file
    match file.kind:
        case FileKind.MASTER | FileKind.MANIFEST:
            return Ahead()
        case FileKind.SEGMENT if file.choice is not None:
            begin = (file.number - 1) * float(DEFAULT_TARGET)
            return Ahead(file.choice.flavor, begin, begin + 2 * float(DEFAULT_TARGET))
    return None


def _planned(
    target: Target, recipe: Recipe, choice: Choice, number: int
) -> Needs[Plan] | Needs[Plan | Unplanned]:
    if target.file.packed:
        return packed_audio_segment(recipe, choice, number)
    if target.file.kind is FileKind.KEY:
        return picture_segment(recipe, choice, number, fmp4=target.fmp4)
    make = cmaf_segment if target.fmp4 else muxed_segment
    return make(recipe, choice, number)


_PACKED_TYPES = {
    "aac": "audio/aac", "ac3": "audio/ac3", "ec3": "audio/eac3", "mp3": "audio/mpeg",
}  # fmt: skip


def _segment_type(target: Target, choice: Choice) -> str:
    if target.file.packed:
        return _PACKED_TYPES[target.file.packed]
    return _mp4_type(choice) if target.fmp4 else TS_TYPE


def _mp4_type(choice: Choice) -> str:
    return AUDIO_TYPE if choice.video is None else VIDEO_TYPE
