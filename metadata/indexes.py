"""Questions about the flavor index.  Each function is one query.

A segment reads the header of its flavor and then its own blocks, never a whole index.
"""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from metadata.errors import BadRow
from metadata.models import FlavorIndex, FlavorIndexBlock
from metadata.records import IndexHeader


def load_index_headers(session: Session, int_ids: Iterable[int]) -> dict[int, IndexHeader]:
    """The headers of these flavor versions; one that has no index is not in the answer."""
    query = select(FlavorIndex.int_id, FlavorIndex.format, FlavorIndex.header).where(
        FlavorIndex.int_id.in_(list(int_ids))
    )
    return {row.int_id: IndexHeader(*row) for row in session.execute(query)}


def load_index_blocks(
    session: Session, int_id: int, track: int, start: int, stop: int
) -> list[bytes]:
    """The blocks *start* up to *stop* of a track, in order; all of them, or ``BadRow``."""
    query = (
        select(FlavorIndexBlock.number, FlavorIndexBlock.data)
        .where(
            FlavorIndexBlock.int_id == int_id,
            FlavorIndexBlock.track == track,
            FlavorIndexBlock.number >= start,
            FlavorIndexBlock.number < stop,
        )
        .order_by(FlavorIndexBlock.number)
    )
    rows = session.execute(query).all()
    for number, row in zip(range(start, stop), [*rows, None], strict=False):
        if row is None or row.number != number or not isinstance(row.data, bytes):
            raise BadRow(
                "flavor_index_block", f"{int_id}/{track}/{number}", "missing or no blob"
            )
    return [data for _, data in rows]
