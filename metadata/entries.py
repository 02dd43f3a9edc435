"""Questions about entries and their flavors.  Each function is one query, without blobs."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, and_, bindparam, func, literal_column, or_, select

from metadata.enums import AssetStatus
from metadata.records import EntryRecord, EntrySummary, FlavorRecord
from metadata.sessions import Reader
from metadata.tables import Entry, FlavorAsset

MOST_VERSIONS = 1_000
"""Of one entry, newest first: a flavor replaced every second must not fill the memory."""

FLAVOR = (
    FlavorAsset.int_id,
    FlavorAsset.id,
    FlavorAsset.entry_id,
    FlavorAsset.version,
    FlavorAsset.path,
    FlavorAsset.size,
    FlavorAsset.mtime_ns,
    FlavorAsset.width,
    FlavorAsset.height,
    FlavorAsset.codecs,
    FlavorAsset.duration_ms,
    FlavorAsset.bitrate,
    FlavorAsset.identity,
    FlavorAsset.created_at,
    FlavorAsset.replaced_at,
)
_ENTRY = (Entry.id, Entry.partner_id, Entry.name, Entry.created_at, Entry.updated_at)


# a literal: the value never changes
_READY = FlavorAsset.status == literal_column(str(int(AssetStatus.READY)))
THERE = and_(
    _READY,
    or_(
        FlavorAsset.replaced_at.is_(None),
        FlavorAsset.replaced_at > bindparam("replaced_after"),
    ),
)
# Made once: making a statement costs more than carrying it out.
_FIND_ENTRY = (
    select(*_ENTRY, *FLAVOR)
    .select_from(Entry)
    .outerjoin(FlavorAsset, and_(FlavorAsset.entry_id == Entry.id, THERE))
    .where(Entry.id == bindparam("entry_id"))
    .order_by(FlavorAsset.replaced_at.desc().nulls_first())
    .limit(bindparam("most", type_=Integer))
)


def find_entry(reader: Reader, entry_id: str, *, replaced_after: int) -> EntryRecord | None:
    """The entry, its ready flavors' current versions and those replaced after that time."""
    asked = {"entry_id": entry_id, "replaced_after": replaced_after, "most": MOST_VERSIONS}
    return _entry(reader.execute(_FIND_ENTRY, asked).all())


def _entry(rows: Sequence[Any]) -> EntryRecord | None:
    if not rows:
        return None
    flavors = (row[len(_ENTRY) :] for row in rows if row.int_id is not None)
    entry = {column.key: value for column, value in zip(_ENTRY, rows[0], strict=False)}
    return EntryRecord(**entry, flavors=tuple(map(_flavor, flavors)))


def list_entries(reader: Reader, *, limit: int, after: str = "") -> list[EntrySummary]:
    """At most *limit* entries by id, from the first one past *after*."""
    current = and_(FlavorAsset.replaced_at.is_(None), _READY)
    page = (
        select(*_ENTRY).where(Entry.id > after).order_by(Entry.id).limit(limit).subquery("page")
    )
    query = (
        select(
            page,
            func.count(FlavorAsset.int_id).label("flavors"),
            func.coalesce(func.max(FlavorAsset.duration_ms), 0).label("duration_ms"),
        )
        .select_from(page)
        .outerjoin(FlavorAsset, (FlavorAsset.entry_id == page.c.id) & current)
        .group_by(*page.c)
        .order_by(page.c.id)
    )
    return [EntrySummary(**row) for row in reader.execute(query).mappings()]


def find_by_source(reader: Reader, path: str) -> list[FlavorRecord]:
    """The current flavor versions whose source is *path*, oldest first."""
    query = (
        select(*FLAVOR)
        .where(FlavorAsset.path == path, FlavorAsset.replaced_at.is_(None))
        .order_by(FlavorAsset.int_id)
    )
    return [_flavor(row) for row in reader.execute(query)]


def find_flavor(reader: Reader, flavor_id: str) -> FlavorRecord | None:
    """The current version of a flavor."""
    query = select(*FLAVOR).where(
        FlavorAsset.id == flavor_id, FlavorAsset.replaced_at.is_(None)
    )
    row = reader.execute(query).one_or_none()
    return None if row is None else _flavor(row)


def _flavor(row: Sequence[Any]) -> FlavorRecord:
    return FlavorRecord(
        **{column.key: value for column, value in zip(FLAVOR, row, strict=True)}
    )
