"""Flavor indexes in memory, bounded in bytes: from the database, or parsed on first use."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from cachetools import LRUCache

from metadata.errors import BadRow
from metadata.indexes import (
    PARTS,
    Found,
    Span,
    load_index_blocks,
    load_index_headers,
    load_index_stretch,
    load_indexes,
)
from metadata.records import FlavorRecord, IndexHeader
from metadata.sessions import Reader
from origin.database import Database
from origin.errors import NotFound, SourceUnavailable
from origin.flights import Flights
from origin.storage.source import Source
from origin.storage.sources import Sources
from packager.errors import MalformedMedia, PackagerError
from packager.index import Blocks, FlavorIndex
from packager.index_header import FORMAT, decode_header
from packager.indexing import build_index
from packager.recipe import Wanted

_OTHER = "the source is not the file that was ingested"
_COLUMN_BYTES = 8
_OVERHEAD = 4096
_MAX_DIGESTS = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Flavor:
    """A flavor that can be packaged: its index, its blocks and its file."""

    index: FlavorIndex
    path: str
    size: int
    mtime_ns: int
    """The source's stamp when it was indexed."""

    row: int | None
    """Of the flavor version whose blocks are in the database; None where they came with the
    index."""


Place = tuple[int, int, int]
"""Of a block: its flavor version, the track's position in the flavor, its number."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What will be needed behind the headers, as far as that can be told without them."""

    flavor: int | None = None
    """1-based; None for every block of all."""

    begin: float = 0
    end: float = 0
    """Seconds."""


def _header_size(flavor: Flavor) -> int:
    index = flavor.index
    columns = sum(
        len(track.sync) + 2 * len(track.entry) + len(track.block_dts) for track in index.tracks
    )
    blocks = sum(len(block) for own in index.blocks for block in own.values())
    return _OVERHEAD + _COLUMN_BYTES * columns + blocks


class Indexes:
    """Finds flavors; the only user of index rows."""

    def __init__(self, database: Database, files: Sources, capacity: int) -> None:
        self._database = database
        self._files = files
        self._flavors: LRUCache[object, Flavor] = LRUCache(capacity // 2, _header_size)
        self._blocks: LRUCache[Place, bytes] = LRUCache(
            capacity // 2, lambda block: len(block) + 128
        )
        self._flights: Flights[object, Flavor] = Flights()
        self._header_flights: Flights[
            object, tuple[dict[int, Flavor], Mapping[Place, bytes]]
        ] = Flights()
        self._block_flights: Flights[object, list[Blocks]] = Flights()
        self._digests: LRUCache[object, str] = LRUCache(_MAX_DIGESTS)
        self._digest_flights: Flights[object, str] = Flights()
        self.parsed = 0
        """How many files were parsed because no index was at hand."""

    @property
    def size(self) -> int:
        """Bytes."""
        return int(self._flavors.currsize + self._blocks.currsize)

    async def of_versions(
        self, records: Sequence[FlavorRecord], ahead: Ahead | None = None
    ) -> tuple[tuple[Flavor, ...], Mapping[Place, bytes]]:
        """The flavors of database rows: one question for all that are not at hand, which
        brings the blocks *ahead* along."""
        brought: Mapping[Place, bytes] = {}
        known = {record.int_id: self._flavors.get(record.int_id) for record in records}
        lacking = tuple(record for record in records if known[record.int_id] is None)
        if lacking:
            key = ahead, *(record.int_id for record in lacking)
            stored, brought = await self._header_flights.join(
                key, lambda: self._stored(lacking, _question(records, lacking, ahead))
            )
            for record in lacking:
                known[record.int_id] = stored.get(record.int_id) or await self._flavor(
                    record.int_id, partial(self._from_file, record)
                )
        paths = {record.int_id: record.path for record in records}
        found = (_at(flavor, paths[int_id]) for int_id, flavor in known.items() if flavor)
        return tuple(found), brought

    async def _stored(
        self, records: Sequence[FlavorRecord], question: Callable[[Reader], Found]
    ) -> tuple[dict[int, Flavor], Mapping[Place, bytes]]:
        """The flavors of those *records* that have an index that we know, and their blocks
        that came along."""
        headers, blocks = await self._database.ask(question)
        # No wait from here on: whoever asks meanwhile finds all of them at hand, or none.
        found = {}
        for record in records:
            header = headers.get(record.int_id)
            if header is not None and header.format == FORMAT:
                found[record.int_id] = _decoded(record, header)
        for int_id, flavor in found.items():
            self._keep(int_id, flavor)
        brought = {place: block for place, block in blocks.items() if place[0] in found}
        for place, block in brought.items():
            self._keep_block(place, block)
        return found, brought

    def _keep_block(self, place: Place, block: bytes) -> None:
        if len(block) + 128 <= self._blocks.maxsize:
            self._blocks[place] = block

    def _keep(self, key: object, flavor: Flavor) -> None:
        if _header_size(flavor) <= self._flavors.maxsize:
            self._flavors[key] = flavor

    async def of_file(self, path: str) -> Flavor:
        """The flavor of a file without a row.  Raises ``NotFound`` where there is none."""
        file = await self._files.open(path, to_index=True)
        return await self._flavor((path, file.validator), lambda: self._parse(path, file))

    async def _flavor(self, key: object, load: Callable[[], Awaitable[Flavor]]) -> Flavor:
        if (known := self._flavors.get(key)) is not None:
            return known

        async def fetch() -> Flavor:
            flavor = await load()
            self._keep(key, flavor)
            return flavor

        return await self._flights.join(key, fetch)

    async def _from_file(self, record: FlavorRecord) -> Flavor:
        """The flavor of a row without an index that we know: its file is parsed."""
        try:
            file = await self._files.open(record.path, to_index=True)
        except NotFound:
            raise SourceUnavailable("the source is missing") from None
        # 0: an import did not say; what was remuxed has its source's time, and another size
        if record.size not in (0, file.size) and file.stamp != record.mtime_ns:
            raise SourceUnavailable(_OTHER)
        made = await self._parse(record.path, file)
        if not record.identity:
            return made
        if made.mtime_ns != record.mtime_ns and made.index.digest != record.identity.hex():
            raise SourceUnavailable(_OTHER)
        return made

    async def _parse(self, path: str, file: Source) -> Flavor:
        self.parsed += 1
        try:
            index = await file.carry_out(build_index(file.size, facts=False))
        except PackagerError:
            file.check()  # a change is no fault of the file
            raise
        file.check()
        return Flavor(index, path, file.size, file.stamp, None)

    async def check(self, flavor: Flavor, file: Source) -> None:
        """Raises ``SourceUnavailable`` unless *file* is what *flavor* was made of: untouched
        since, or, as a copy has other times, of the same tables."""
        if file.size != flavor.size:
            raise SourceUnavailable(_OTHER)
        if file.stamp == flavor.mtime_ns:
            return
        if await self._digest(flavor.path, file) != flavor.index.digest:
            raise SourceUnavailable(_OTHER)

    async def _digest(self, path: str, file: Source) -> str:
        key = (path, file.validator)
        if (known := self._digests.get(key)) is not None:
            return known

        async def parse() -> str:
            try:
                digest = (await self._parse(path, file)).index.digest
            except PackagerError:
                digest = ""  # none of a file that could be ingested
            self._digests[key] = digest
            return digest

        return await self._digest_flights.join(key, parse)

    async def blocks(
        self,
        flavors: Sequence[Flavor],
        wanted: Sequence[Wanted],
        brought: Mapping[Place, bytes],
    ) -> tuple[Blocks, ...]:
        """The blocks of *flavors* that a computation wants, of those that were *brought*, from
        memory or the database: one question for those of one flavor."""
        found: list[Blocks | None] = [None] * len(wanted)
        lacking: dict[int, list[tuple[int, Span]]] = {}
        for number, one in enumerate(wanted):
            flavor = flavors[one.flavor - 1]
            position = flavor.index.position(one.track)
            if flavor.row is None:
                found[number] = flavor.index.blocks[position]
                continue
            at_hand = self._at_hand(flavor.row, position, one.numbers, brought)
            if len(at_hand) == len(one.numbers):
                found[number] = at_hand
                continue
            span = position, one.numbers.start, one.numbers.stop
            lacking.setdefault(flavor.row, []).append((number, span))
        for row, spans in lacking.items():
            numbers, asked = zip(*spans, strict=True)
            for number, blocks in zip(numbers, await self._load(row, asked), strict=True):
                found[number] = blocks
        return tuple(blocks for blocks in found if blocks is not None)

    async def _load(self, row: int, spans: tuple[Span, ...]) -> list[Blocks]:
        async def load() -> list[Blocks]:
            loaded = await self._database.ask(load_index_blocks, row, spans)
            found: list[Blocks] = []
            for (position, start, stop), blocks in zip(spans, loaded, strict=True):
                found.append(dict(zip(range(start, stop), blocks, strict=True)))
                for number, block in zip(range(start, stop), blocks, strict=True):
                    self._keep_block((row, position, number), block)
            return found

        return await self._block_flights.join((row, spans), load)

    def _at_hand(
        self, row: int, position: int, numbers: range, brought: Mapping[Place, bytes]
    ) -> dict[int, bytes]:
        found = {}
        for number in numbers:
            place = row, position, number
            block = brought.get(place) or self._blocks.get(place)
            if block is not None:
                found[number] = block
        return found


def _question(
    records: Sequence[FlavorRecord], lacking: Sequence[FlavorRecord], ahead: Ahead | None
) -> Callable[[Reader], Found]:
    """For the headers of those that are *lacking*, and what is needed *ahead* of *records*."""
    ids = [record.int_id for record in lacking]
    if ahead is None:
        return lambda reader: (load_index_headers(reader, ids), {})
    if ahead.flavor is None:
        return lambda reader: load_indexes(reader, ids)
    wanted = records[ahead.flavor - 1] if 0 < ahead.flavor <= len(records) else None
    if wanted is None or not wanted.duration_ms:
        return lambda reader: (load_index_headers(reader, ids), {})
    parts = PARTS * 1000 / wanted.duration_ms
    begin, end = (min(int(at * parts), PARTS) for at in (ahead.begin, ahead.end))
    return lambda reader: load_index_stretch(reader, ids, wanted.int_id, begin, end)


def _at(flavor: Flavor, path: str) -> Flavor:
    """The same, read from another of its files."""
    return flavor if flavor.path == path else replace(flavor, path=path)


def _decoded(record: FlavorRecord, header: IndexHeader) -> Flavor:
    try:
        index = decode_header(header.data)
    except MalformedMedia as error:
        raise BadRow("flavor_index", record.int_id, str(error)) from None
    # not the row's size: a source that was remuxed is kept in another file
    return Flavor(index, record.path, index.file_size, record.mtime_ns, record.int_id)
