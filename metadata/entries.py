"""Questions about entries and their flavors.  Each function is one query, without blobs."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, Text, and_, bindparam, cast, func, literal_column, or_, select
from sqlalchemy.orm import Session

from metadata.enums import SHOWN, AssetStatus, EntryStatus, PartnerStatus
from metadata.models import AccessControl, Entry, FlavorAsset, Partner
from metadata.records import EntryRecord, EntrySummary, FlavorRecord
from metadata.sessions import Reader

MOST_VERSIONS = 1_000
"""Of one entry, newest first: a flavor replaced every second must not fill the memory."""

_FLAVOR = (
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
_THERE = and_(
    _READY,
    or_(
        FlavorAsset.replaced_at.is_(None),
        FlavorAsset.replaced_at > bindparam("replaced_after"),
    ),
)
# Made once: making a statement costs more than carrying it out.
_FIND_ENTRY = (
    select(*_ENTRY, *_FLAVOR)
    .outerjoin(Entry.flavors.and_(_THERE))
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


_RULES = select(AccessControl.id).where(
    AccessControl.id == Entry.access_control_id, cast(AccessControl.rules, Text) != "[]"
)
_ACTIVE_PARTNER = select(Partner.id).where(
    Partner.id == Entry.partner_id, Partner.status == PartnerStatus.ACTIVE
)
_FIND_SHOWN = _FIND_ENTRY.where(
    Entry.status == EntryStatus.READY,
    Entry.moderation_status.in_(SHOWN),
    func.coalesce(Entry.start_at, 0) <= bindparam("now"),
    or_(Entry.end_at.is_(None), Entry.end_at > bindparam("now")),
    ~_RULES.exists(),
    _ACTIVE_PARTNER.exists(),
)


def find_shown_entry(
    reader: Reader, entry_id: str, *, replaced_after: int, now: int
) -> EntryRecord | None:
    """``find_entry``, but None for one that ``standing.refusal`` would refuse at *now*."""
    asked = {"entry_id": entry_id, "replaced_after": replaced_after, "most": MOST_VERSIONS}
    return _entry(reader.execute(_FIND_SHOWN, {**asked, "now": now}).all())


def list_entries(session: Session, *, limit: int, after: str = "") -> list[EntrySummary]:
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
        .outerjoin(FlavorAsset, (FlavorAsset.entry_id == page.c.id) & current)
        .group_by(*page.c)
        .order_by(page.c.id)
    )
    return [EntrySummary(**row) for row in session.execute(query).mappings()]


def find_by_source(session: Session, path: str) -> list[FlavorRecord]:
    """The current flavor versions whose source is *path*, oldest first."""
    query = (
        select(*_FLAVOR)
        .where(FlavorAsset.path == path, FlavorAsset.replaced_at.is_(None))
        .order_by(FlavorAsset.int_id)
    )
    return [_flavor(row) for row in session.execute(query)]


def find_flavor(session: Session, flavor_id: str) -> FlavorRecord | None:
    """The current version of a flavor."""
    query = select(*_FLAVOR).where(
        FlavorAsset.id == flavor_id, FlavorAsset.replaced_at.is_(None)
    )
    row = session.execute(query).one_or_none()
    return None if row is None else _flavor(row)


def _flavor(row: Sequence[Any]) -> FlavorRecord:
    return FlavorRecord(
        **{column.key: value for column, value in zip(_FLAVOR, row, strict=True)}
    )
