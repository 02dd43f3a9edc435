"""Questions about the flavor index.  Each function is one query.

A segment reads the header of its flavor and then its own blocks, never a whole index.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from sqlalchemy import Select, and_, bindparam, or_, select

from metadata.errors import BadRow
from metadata.records import IndexHeader
from metadata.sessions import Reader
from metadata.tables import FlavorIndex, FlavorIndexBlock

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
