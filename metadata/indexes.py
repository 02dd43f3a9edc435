"""Questions about the flavor index.  Each function is one query.

A segment reads the header of its flavor and then its own blocks, never a whole index.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Connection,
    Dialect,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from metadata.column_types import Number
from metadata.errors import BadRow
from metadata.records import IndexHeader
from metadata.sessions import Reader
from metadata.tables import FlavorIndex, FlavorIndexBlock

Found = tuple[dict[int, IndexHeader], dict[tuple[int, int, int], bytes]]
"""Headers by flavor version, and blocks by flavor version, track and number."""

PARTS = 1_000_000
"""Of the length of a track, in which a stretch of it is told."""

_TRACKS = 2
"""That a stretch is read of: where there are more, few are asked for together."""

Span = tuple[int, int, int]
"""Blocks ``[start, stop)`` of a track: its position in the flavor, start, stop."""

# Statements are made once: making one costs more than carrying it out.
_HEADERS = select(FlavorIndex.int_id, FlavorIndex.format, FlavorIndex.header).where(
    FlavorIndex.int_id.in_(bindparam("int_ids", expanding=True))
)


def load_index_headers(reader: Reader, int_ids: Iterable[int]) -> dict[int, IndexHeader]:
    """The headers of these flavor versions; one that has no index is not in the answer."""
    found = reader.execute(_HEADERS, {"int_ids": list(int_ids)})
    return {row.int_id: IndexHeader(*row) for row in found}


_OF_HEADERS = select(
    FlavorIndex.int_id,
    literal_column("-1", Number).label("track"),
    FlavorIndex.format.label("number"),
    FlavorIndex.header.label("data"),
)
_HEADER_ROWS = _OF_HEADERS.where(FlavorIndex.int_id.in_(bindparam("int_ids", expanding=True)))
_BLOCK_ROWS = select(
    FlavorIndexBlock.int_id,
    FlavorIndexBlock.track,
    FlavorIndexBlock.number,
    FlavorIndexBlock.data,
)
_WHOLE = _HEADER_ROWS.union_all(
    _BLOCK_ROWS.where(FlavorIndexBlock.int_id.in_(bindparam("int_ids", expanding=True)))
)


def _stretch(track: int) -> Select[Any]:
    """Blocks of which the header will say, or nearly: a track has as many samples as its last
    block begins with, or up to a block more."""
    block = FlavorIndexBlock
    at = block.int_id == bindparam("int_id", type_=Number), block.track == track
    last = select(func.max(block.number)).where(*at).scalar_subquery()
    begin, end = bindparam("begin", type_=Number), bindparam("end", type_=Number)
    return _BLOCK_ROWS.where(
        *at, block.number >= last * begin // PARTS, block.number <= (last + 1) * end // PARTS
    )


_STRETCH = union_all(_HEADER_ROWS, *map(_stretch, range(_TRACKS)))
_STRETCH_OF_ONE = union_all(
    _OF_HEADERS.where(FlavorIndex.int_id == bindparam("int_id", type_=Number)),
    *map(_stretch, range(_TRACKS)),
)
"""Nearly all that is asked; a list of ids is put together anew each time."""


def load_indexes(reader: Reader, int_ids: Sequence[int]) -> Found:
    """The headers of these flavor versions with all their blocks; what has no index is not in
    the answer."""
    return _found(reader.execute(_WHOLE, {"int_ids": int_ids}))


def load_index_stretch(
    reader: Reader, int_ids: Sequence[int], int_id: int, begin: int, end: int
) -> Found:
    """The headers, and of the flavor version *int_id* the blocks from *begin* to *end*, in
    ``PARTS`` of its length: all of them, if its samples are evenly long."""
    asked = {"int_id": int_id, "begin": begin, "end": end}
    if list(int_ids) == [int_id]:
        return _found(_driver_rows(reader, asked))
    return _found(reader.execute(_STRETCH, {**asked, "int_ids": int_ids}))


def _driver_rows(reader: Reader, asked: dict[str, int]) -> Sequence[Any]:
    """Of ``_STRETCH_OF_ONE``, asked of the driver: SQLAlchemy's way through a statement of its
    own is four times what SQLite needs for the answer."""
    connection = reader if isinstance(reader, Connection) else reader.connection()
    statement, order, fixed = _of_driver(connection.dialect)
    values = fixed | asked
    parameters = values if order is None else tuple([values[name] for name in order])
    return connection.exec_driver_sql(statement, parameters).fetchall()


@lru_cache(maxsize=4)
def _of_driver(dialect: Dialect) -> tuple[str, Sequence[str] | None, dict[str, Any]]:
    """The statement, the order of its parameters where they have no names, those that are
    always the same."""
    compiled: Any = _STRETCH_OF_ONE.compile(dialect=dialect)
    return compiled.string, compiled.positiontup, compiled.params


def _found(rows: Iterable[Any]) -> Found:
    headers, blocks = {}, {}
    for int_id, track, number, data in rows:
        if track < 0:
            headers[int_id] = IndexHeader(int_id, number, data)
        elif isinstance(data, bytes):
            blocks[int_id, track, number] = data
    return headers, blocks


def load_index_blocks(reader: Reader, int_id: int, spans: Sequence[Span]) -> list[list[bytes]]:
    """The blocks of each of *spans*, in order; all of them, or ``BadRow``."""
    asked = {"int_id": int_id}
    for number, (track, start, stop) in enumerate(spans):
        asked |= {f"track{number}": track, f"start{number}": start, f"stop{number}": stop}
    rows = reader.execute(_blocks_of(len(spans)), asked)
    found = {(row.track, row.number): row.data for row in rows}
    return [
        [_block(found, int_id, track, number) for number in range(start, stop)]
        for track, start, stop in spans
    ]


@lru_cache(maxsize=32)
def _blocks_of(spans: int) -> Select[int, int, bytes]:
    block = FlavorIndexBlock
    wanted = (
        and_(
            block.track == bindparam(f"track{number}"),
            block.number >= bindparam(f"start{number}"),
            block.number < bindparam(f"stop{number}"),
        )
        for number in range(spans)
    )
    return select(block.track, block.number, block.data).where(
        block.int_id == bindparam("int_id"), or_(*wanted)
    )


def _block(found: dict[tuple[int, int], bytes], int_id: int, track: int, number: int) -> bytes:
    data = found.get((track, number))
    if not isinstance(data, bytes):
        raise BadRow("flavor_index_block", f"{int_id}/{track}/{number}", "missing or no blob")
    return data
