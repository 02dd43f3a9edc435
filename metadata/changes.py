"""What ingest changes.  Call these inside ``writing``: the whole call is stored, or nothing.

One call makes one change of an entry's set of flavors, at one time, however many files it has:
a player never meets a set that was only half replaced.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from metadata.errors import Conflict, UnknownEntry
from metadata.models import Entry, FlavorAsset, FlavorIndex, FlavorIndexBlock, Partner
from metadata.records import EntryRecord, FlavorRecord, NewFlavor, NewIndex


def add_entry(
    session: Session,
    *,
    entry_id: str,
    partner_id: int,
    name: str,
    flavors: Sequence[NewFlavor],
    now: int,
) -> EntryRecord:
    """A new entry with the first versions of its flavors; its partner too, if it is new."""
    entry = EntryRecord(
        id=entry_id,
        partner_id=partner_id,
        name=name,
        created_at=now,
        updated_at=now,
        flavors=(),
    )
    _ensure_partner(session, partner_id, now)
    session.execute(
        insert(Entry).values(
            id=entry_id, partner_id=partner_id, name=name, created_at=now, updated_at=now
        )
    )
    rows = tuple(_store(session, entry_id, 1, flavor, now) for flavor in flavors)
    return replace(entry, flavors=rows)


def add_flavor_versions(
    session: Session,
    entry_id: str,
    flavors: Sequence[NewFlavor],
    *,
    now: int,
    retired: Iterable[str] = (),
) -> list[FlavorRecord]:
    """The next versions of these flavors, the first of those that are new to the entry.

    What they replace, and the flavors *retired* without a successor, stay servable for a day.
    """
    now = _lock_entry(session, entry_id, now)
    ids = [flavor.id for flavor in flavors]
    versions = _newest_versions(session, entry_id, ids)
    session.execute(
        update(FlavorAsset)
        .where(
            FlavorAsset.entry_id == entry_id,
            FlavorAsset.id.in_([*ids, *retired]),
            FlavorAsset.replaced_at.is_(None),
        )
        .values(replaced_at=now)
    )
    return [
        _store(session, entry_id, versions.get(flavor.id, 0) + 1, flavor, now)
        for flavor in flavors
    ]


def _ensure_partner(session: Session, partner_id: int, now: int) -> None:
    # two ingests may bring the same new partner at once
    dialect = {"sqlite": sqlite, "postgresql": postgresql}[session.get_bind().dialect.name]
    partner = dialect.insert(Partner).values(id=partner_id, created_at=now)
    session.execute(partner.on_conflict_do_nothing())


def _lock_entry(session: Session, entry_id: str, now: int) -> int:
    """Lock the entry until the end of the transaction; the time of this change of it.

    That is *now*, but later than the change before, also when the clock was set back.
    """
    query = select(Entry.updated_at).where(Entry.id == entry_id).with_for_update()
    before = session.execute(query).scalar_one_or_none()
    if before is None:
        raise UnknownEntry(f"there is no entry {entry_id}")
    now = max(now, before + 1)
    session.execute(update(Entry).where(Entry.id == entry_id).values(updated_at=now))
    return now


def _newest_versions(session: Session, entry_id: str, ids: Sequence[str]) -> dict[str, int]:
    """Of each flavor of *ids* that is known."""
    query = (
        select(FlavorAsset.id, FlavorAsset.entry_id, func.max(FlavorAsset.version))
        .where(FlavorAsset.id.in_(ids))
        .group_by(FlavorAsset.id, FlavorAsset.entry_id)
    )
    found = {}
    for flavor_id, its_entry, version in session.execute(query):
        if its_entry != entry_id:
            raise Conflict(f"flavor {flavor_id} belongs to entry {its_entry}")
        found[flavor_id] = version
    return found


def _store(
    session: Session, entry_id: str, version: int, flavor: NewFlavor, now: int
) -> FlavorRecord:
    columns = asdict(flavor.facts) | {
        "id": flavor.id,
        "entry_id": entry_id,
        "version": version,
        "created_at": now,
        "replaced_at": None,
    }
    query = insert(FlavorAsset).values(columns).returning(FlavorAsset.int_id)
    int_id = session.execute(query).scalar_one()
    if flavor.index is not None:
        _store_index(session, int_id, flavor.index)
    return FlavorRecord(int_id=int_id, **columns)


def _store_index(session: Session, int_id: int, index: NewIndex) -> None:
    header = {"int_id": int_id, "format": index.format, "header": index.header}
    session.execute(insert(FlavorIndex).values(header))
    if index.blocks:
        rows = [{"int_id": int_id} | asdict(block) for block in index.blocks]
        session.execute(insert(FlavorIndexBlock), rows)
