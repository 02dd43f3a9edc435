"""The only place that knows database rows and packager tracks: a source in a URL to a recipe.

What an entry is comes from ``contents``.  A recipe token that its current flavors would not
make is looked for among those that they replaced within the last day, because players do not
reload a VOD playlist.
"""

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Generic

from cachetools import LRUCache

from metadata.errors import MetadataError
from metadata.flavors import current, generations
from metadata.records import KEEP_REPLACED_NS, AssetRecord, ContentRecord
from origin.captions import CaptionFile, CaptionFiles, beside_pictures, within_pictures
from origin.contents import Contents, Row
from origin.contract.places import placed
from origin.contract.serve_flavor import ALL_CAPTIONS
from origin.contract.sound import said_of
from origin.database import Database
from origin.errors import NotFound, OriginError, SourceUnavailable
from origin.filters.hook import NamedHook
from origin.filters.listings import Listings
from origin.filters.sets import FilterSets
from origin.indexes import Ahead, Flavor, Indexes, Place
from origin.mapping.dressing import said_by, subtitles_file
from origin.mapping.mapped import Mapped, target_of
from origin.mapping.media_set import MediaSet
from origin.parameters import NONE, Parameters
from origin.storage.sources import Sources, Stored
from origin.terms import PartnerTerms
from origin.tracks import Tracks
from origin.urls import (
    EntrySource,
    FlavorsSource,
    LocalSource,
    MappedSource,
    RemoteSource,
    SequenceSource,
    Source,
    left_over,
)
from packager import LAYOUT
from packager.common_zero import common_zero
from packager.errors import PackagerError
from packager.index import Blocks, FlavorIndex
from packager.languages import bcp47
from packager.recipe import Memo, Needs, Recipe, T, Wanted, clipped, make_recipe
from packager.said import NOTHING
from packager.segmenter import DEFAULT_TARGET, Times

OfEntry = EntrySource | FlavorsSource

_RECIPES = 64 << 20
"""Bytes of boundaries and cuts that are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Presented:
    """A recipe and where its flavors' bytes and blocks are."""

    recipe: Recipe
    flavors: tuple[Flavor, ...]
    token: str
    """That its URLs carry."""

    lasting: bool
    """Under the URL that was asked, these bytes never change."""

    row: object = None
    """That it was made from; while ``Catalog.holds`` it, nothing else would be found."""

    captions: tuple[CaptionFile, ...] = ()
    """In the order of their selectors, ``-s1`` first; they do not count for *token*."""

    partner: int | None = None
    """Whose entry it is; None of files."""

    brought: Mapping[Place, bytes] = field(default_factory=dict)
    """Blocks that came with the flavors, whatever room there is to keep them."""

    ids: tuple[str | None, ...] = ()
    """Of the flavors, as ``-s`` of a manifest's name means them."""


@dataclass(frozen=True, slots=True)
class _Sought:
    """What of a source is looked for."""

    token: str | None
    """None: what it is now."""

    ahead: Ahead | None
    tracks: Tracks | None


@dataclass(frozen=True, slots=True)
class _Made:
    """A recipe without its flavors, which only ``Indexes`` keeps: what was cut is found again
    when they come back."""

    target: Fraction
    times: Times
    memo: Memo
    token: str
    tracks: int
    """And one for each flavor."""

    @property
    def size(self) -> int:
        """Bytes, about, of what *memo* may come to hold: a row and a time for each segment
        of each track, and of each flavor's tracks together."""
        return 1024 + (128 + 200 * self.tracks) * (len(self.times) + 1)


class Catalog:
    def __init__(
        self,
        database: Database,
        files: Sources,
        indexes: Indexes,
        local_root: Path | None,
        clock: Callable[[], int],
        mapped: Mapped | None = None,
        hook: NamedHook | None = None,
        data_center: int = 0,
    ) -> None:
        """*clock* tells nanoseconds since 1970; *data_center* is the number of ours."""
        self._database = database
        self._files = files
        self._indexes = indexes
        self._root = None if local_root is None else os.path.realpath(local_root)
        self._mapped = mapped or Mapped()
        self.listings = Listings(FilterSets(database), hook)
        self.clock = clock
        self.data_center = data_center
        self.contents = Contents(database, clock)
        self.ask = database.ask
        self.captions = CaptionFiles(files)
        self.terms = PartnerTerms(database, clock)
        self._recipes: LRUCache[tuple[object, ...], _Made] = LRUCache(
            _RECIPES, lambda made: made.size
        )

    async def find(
        self,
        source: Source,
        token: str | None,
        ahead: Ahead | None = None,
        parameters: Parameters = NONE,
    ) -> Presented:
        """What *source* presents, for a URL that carries *token* (None: none); what will be
        needed *ahead* is brought along where it has to be fetched.  Of *parameters* clips are
        left to manifests.

        Raises ``NotFound`` for an unknown source, and for a token that none of its flavors
        of the last day would make.
        """
        found = await self._find(source, _Sought(token, ahead, parameters.tracks))
        if parameters.language is None:
            return found
        recipe = found.recipe
        known = recipe.said or (NOTHING,) * len(recipe.flavors)
        said = tuple(replace(one, language=parameters.language) for one in known)
        return replace(found, recipe=replace(recipe, said=said))

    async def _find(self, source: Source, sought: _Sought) -> Presented:
        match source:
            case LocalSource():
                return await self._find_local(source, sought)
            case MappedSource():
                return await self._find_mapped(source, sought)
            case RemoteSource():
                return await self._find_remote(source, sought)
            case SequenceSource():
                raise NotFound("a sequence has no media of its own")
        return await self._find_entry(source, sought)

    async def renew(self, source: Source) -> None:
        """Look whether *source* is another one by now, where it is not a file."""
        match source:
            case EntrySource() | FlavorsSource():
                await self.contents.load(source.entry)
            case MappedSource():
                await self._mapped.renew(source, self.clock())

    # -- entries

    def holds(self, entry: str, row: object) -> bool:
        """Whether *row* is what is known of *entry* now."""
        return self.contents.holds(entry, row)

    async def _find_entry(self, source: OfEntry, sought: _Sought) -> Presented:
        now = self.clock()
        row = await self.contents.row(source.entry)
        found = await self._match(source, row, sought)
        if found is None and _shown(row) is not None and row.loaded_at < now:
            row = await self.contents.load(source.entry)  # it may have changed just now
            found = await self._match(source, row, sought)
        if found is None:
            raise NotFound("no such entry" if _shown(row) is None else "no such token")
        rows = () if row.record is None else row.record.captions
        recipe = replace(found.recipe, closed_captions=within_pictures(rows))
        return replace(found, recipe=recipe, captions=_captions(source, row))

    async def _match(self, source: OfEntry, row: Row, sought: _Sought) -> Presented | None:
        record = _shown(row)
        if record is None:
            return None
        if sought.token is None:
            picked = _picked(source, record, current(record.flavors))
            flavors = (await self._placed(source, record, picked))[0]
            if not flavors:
                raise NotFound("the entry has no such flavor")
            return await self._present(row, flavors, sought)
        problem: Exception | None = None
        for had in generations(record.versions, self.clock(), KEEP_REPLACED_NS):
            picked = _picked(source, record, had)
            try:
                for flavors in await self._placed(source, record, picked):
                    if flavors and (found := await self._present(row, flavors, sought)):
                        return found
            except (OriginError, MetadataError, PackagerError) as error:
                problem = problem or error  # what is wrong with one set is not with another
        if problem is not None:
            raise problem
        return None

    async def _placed(
        self, source: OfEntry, record: ContentRecord, picked: tuple[AssetRecord, ...]
    ) -> list[tuple[AssetRecord, ...]]:
        """*picked* with the names of the sources to read.  Without those that are nowhere
        now; then, where there are some, all: a URL of before may name their set, and segments
        of the others are to be had still.
        """
        if not any(one.copies for one in picked):
            return [picked]
        storing = (await self.terms.find(record.partner_id)).storing
        preferred = source.storages if isinstance(source, FlavorsSource) else ()
        found = placed(picked, self.data_center, storing, preferred)
        there = tuple(one for one in found if one is not None)
        if len(there) == len(picked):
            return [there]
        every = tuple(one or was for one, was in zip(found, picked, strict=True))
        return [() if isinstance(source, FlavorsSource) else there, every]

    async def _present(
        self, row: Row, records: tuple[AssetRecord, ...], sought: _Sought
    ) -> Presented | None:
        flavors, brought = await self._indexes.of_versions(records, sought.ahead)
        found = self._presented(flavors, sought)
        if found is None or row.record is None:
            return None
        records = tuple({one.int_id: one for one in records}.values())
        ids = tuple(record.id for record in records)
        partner = row.record.partner_id
        recipe = replace(found.recipe, said=said_of(records))
        return replace(found, recipe=recipe, row=row, partner=partner, ids=ids, brought=brought)

    # -- files below the root

    async def _find_local(self, source: LocalSource, sought: _Sought) -> Presented:
        paths = [self._below_root(file) for file in source.files]
        try:
            flavors = await asyncio.gather(*map(self._indexes.of_file, paths))
        except NotFound:
            for file in source.files:
                self._check_end(file)
            raise
        found = self._presented(tuple(flavors), sought)
        if found is None:
            raise NotFound("no such token")
        return found

    def _below_root(self, file: str) -> str:
        """The real path of *file*; a link that leads out of the root is not found."""
        if self._root is None:
            raise NotFound("local files are not served here")
        path = os.path.realpath(os.path.join(self._root, file))  # noqa: PTH118
        if os.path.commonpath((path, self._root)) != self._root:
            raise NotFound("no such file")
        return path

    def _check_end(self, file: str) -> None:
        """Raises ``BadUrl`` where *file* goes on behind one that exists: what follows is a
        parameter, or left over."""
        parts = file.split("/")
        for count, follows in enumerate(parts[1:], 1):
            path = self._below_root("/".join(parts[:count]))
            if os.path.isfile(path):  # noqa: PTH113
                raise left_over(follows)
            if not os.path.isdir(path):  # noqa: PTH112
                return

    # -- mappings, and files of a server

    async def _find_mapped(self, source: MappedSource, sought: _Sought) -> Presented:
        problem: Exception | None = None
        async with aclosing(self._mapped.find(source, sought.token, self.clock())) as sets:
            async for media_set in sets:
                try:
                    if found := await self._of_mapping(media_set, sought):
                        return found
                except (OriginError, PackagerError) as error:
                    if sought.token is None:
                        raise
                    problem = problem or error  # what is wrong with one is not with another
        raise problem or NotFound("no such token")

    async def _of_mapping(self, media_set: MediaSet, sought: _Sought) -> Presented | None:
        names = [self._mapped.places.name(one) for one in media_set.sequences]
        flavors = tuple(await asyncio.gather(*map(self._indexes.of_file, names)))
        indexes = tuple(
            self._mapped.masks.masked(flavor.index, one.tracks)
            for flavor, one in zip(flavors, media_set.sequences, strict=True)
        )
        if not all(index.tracks for index in indexes):
            raise NotFound("a file has none of the tracks that the mapping takes")
        found = self._presented(flavors, sought, indexes, target_of(media_set))
        if found is None:
            return None
        said = tuple(map(said_by, media_set.sequences))
        recipe = clipped(found.recipe, media_set.clip_from, media_set.clip_to)
        ids = tuple(one.id for one in media_set.sequences)
        captions = tuple(
            subtitles_file(one, self._mapped.places.name(one)) for one in media_set.subtitles
        )
        recipe = replace(recipe, said=said, closed_captions=media_set.closed_captions)
        return replace(found, recipe=recipe, ids=ids, captions=captions)

    async def _find_remote(self, source: RemoteSource, sought: _Sought) -> Presented:
        names = map(self._mapped.places.remote, source.files)
        flavors = tuple(await asyncio.gather(*map(self._indexes.of_file, names)))
        found = self._presented(flavors, sought)
        if found is None:
            raise NotFound("no such token")
        return found

    # -- recipes

    def _presented(
        self,
        flavors: tuple[Flavor, ...],
        sought: _Sought,
        indexes: tuple[FlavorIndex, ...] | None = None,
        target: Fraction = DEFAULT_TARGET,
    ) -> Presented | None:
        """None where the token is not of *flavors*; *indexes*, if not theirs, are with some of
        their tracks."""
        token, tracks = sought.token, sought.tracks
        indexes = indexes or tuple(one.index for one in flavors)
        if tracks is not None:
            indexes = tuple(self._mapped.masks.masked(one, tracks) for one in indexes)
            if not any(one.tracks for one in indexes):
                raise NotFound(f"no flavor has any of the tracks {tracks}")
        recipe, own = self._recipe(indexes, target)
        if token not in (None, own) and token != recipe.token(LAYOUT - 1):
            return None
        return Presented(recipe, flavors, own, lasting=token == own)

    def _recipe(self, indexes: tuple[FlavorIndex, ...], target: Fraction) -> tuple[Recipe, str]:
        indexes = common_zero(indexes)
        key = target, *(index.digest for index in indexes)
        if (known := self._recipes.get(key)) is not None:
            return Recipe(indexes, known.target, known.times, known.memo), known.token
        recipe = make_recipe(indexes, target)
        tracks = sum(len(index.tracks) + 1 for index in indexes)
        made = _Made(recipe.target, recipe.times, recipe.memo, recipe.token(), tracks)
        if made.size <= self._recipes.maxsize:
            self._recipes[key] = made
        return recipe, made.token

    # -- what a recipe needs

    async def carry_out(self, presented: Presented, needs: Needs[T]) -> T:
        """Feed *needs* with blocks.  For short work: it runs on the loop."""
        step = _step(needs, None)
        while isinstance(step, tuple):
            step = _step(needs, await self._blocks(presented, step))
        return step.answer

    async def _blocks(
        self, presented: Presented, wanted: tuple[Wanted, ...]
    ) -> tuple[Blocks, ...]:
        return await self._indexes.blocks(presented.flavors, wanted, presented.brought)

    async def carry_out_aside(
        self, presented: Presented, needs: Needs[T], threads: Executor | None = None
    ) -> T:
        """The same for long work, in a thread: one of *threads*, or of those of the loop."""
        loop = asyncio.get_running_loop()
        step: tuple[Wanted, ...] | _Done[T]
        step = await loop.run_in_executor(threads, _step, needs, None)
        while isinstance(step, tuple):
            blocks = await self._blocks(presented, step)
            step = await loop.run_in_executor(threads, _step, needs, blocks)
        return step.answer

    async def write(self, presented: Presented, needs: Needs[T]) -> T:
        """The same for a manifest, in which an operator's hook may have a part."""
        return await self.listings.carry_out(
            lambda threads: self.carry_out_aside(presented, needs, threads)
        )

    def at_hand(self, path: str) -> Stored | None:
        """The source of that *path*, if it is open and unchanged."""
        return self._files.at_hand(path)

    async def open_path(self, path: str) -> Stored:
        """The source of that *path*.  Raises ``NotFound`` and ``SourceUnavailable``."""
        return await self._files.open(path)

    async def open(self, presented: Presented, flavor: int) -> Stored:
        """The source of a flavor (1-based), if it still is the one that was indexed."""
        wanted = presented.flavors[flavor - 1]
        try:
            file = await self._files.open(wanted.path)
        except NotFound:
            raise SourceUnavailable("the source is missing") from None
        await self._indexes.check(wanted, file)
        return file


def _shown(row: Row) -> ContentRecord | None:
    """The entry, if it may be shown."""
    return row.record if row.refused is None else None


def _picked(
    source: OfEntry, record: ContentRecord, had: tuple[AssetRecord, ...]
) -> tuple[AssetRecord, ...]:
    """What *source* names of the flavors that the entry *had*; nothing where one is lacking.

    A version that is named is taken also when it was replaced, as long as it is kept.
    """
    if isinstance(source, EntrySource):
        return had
    if source.partner != record.partner_id:
        return ()
    flavors = {one.id: one for one in had}
    versions = {(one.id, one.version): one for one in record.versions}
    found = [
        flavors.get(id_) if version is None else versions.get((id_, version))
        for id_, version in source.flavors
    ]
    return tuple(one for one in found if one) if all(found) else ()


def _captions(source: OfEntry, row: Row) -> tuple[CaptionFile, ...]:
    """What *source* lists of the entry's captions."""
    rows = () if row.record is None else row.record.captions
    if isinstance(source, FlavorsSource) and ALL_CAPTIONS not in source.captions:
        wanted = {bcp47(language) for language in source.captions}
        rows = tuple(one for one in rows if bcp47(one.language) in wanted)
    return beside_pictures(rows)


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    answer: T


def _step(needs: Needs[T], blocks: tuple[Blocks, ...] | None) -> tuple[Wanted, ...] | _Done[T]:
    """What *needs* wants next, or its answer: StopIteration cannot pass through a future."""
    try:
        return next(needs) if blocks is None else needs.send(blocks)
    except StopIteration as done:
        return _Done(done.value)
