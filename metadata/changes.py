"""What ingest changes.  Call these inside ``writing``: the whole call is stored, or nothing.

One call makes one change of an entry's set of flavors, at one time, however many files it has:
a player never meets a set that was only half replaced.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from metadata.enums import TAGS_OF_AUDIO, TAGS_OF_VIDEO
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
    seen = any(flavor.facts.height for flavor in flavors)
    rows = tuple(
        _store(session, entry_id, 1, flavor, now, _first_words(flavor, seen))
        for flavor in flavors
    )
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

    A next version has the tags, the language and so on of the one before.  What they replace,
    and the flavors *retired* without a successor, stay servable for a day.
    """
    now = _lock_entry(session, entry_id, now)
    ids = [flavor.id for flavor in flavors]
    newest = _newest_versions(session, entry_id, ids)
    seen = any(flavor.facts.height for flavor in flavors) or _has_video(session, entry_id)
    session.execute(
        update(FlavorAsset)
        .where(
            FlavorAsset.entry_id == entry_id,
            FlavorAsset.id.in_([*ids, *retired]),
            FlavorAsset.replaced_at.is_(None),
        )
        .values(replaced_at=now)
    )
    stored = []
    for flavor in flavors:
        version, words = newest.get(flavor.id, (0, _first_words(flavor, seen)))
        stored.append(_store(session, entry_id, version + 1, flavor, now, words))
    return stored


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


_WORDS = (
    FlavorAsset.tags,
    FlavorAsset.language,
    FlavorAsset.label,
    FlavorAsset.is_default,
    FlavorAsset.flavor_params_id,
)
"""What people say of a flavor, whatever version of it is current."""


def _first_words(flavor: NewFlavor, seen: bool) -> dict[str, Any]:
    """Of a flavor that is new; *seen* if the entry has pictures."""
    sound_apart = seen and flavor.facts.height is None
    return {"tags": TAGS_OF_AUDIO if sound_apart else TAGS_OF_VIDEO}


def _has_video(session: Session, entry_id: str) -> bool:
    query = select(FlavorAsset.int_id).where(
        FlavorAsset.entry_id == entry_id,
        FlavorAsset.replaced_at.is_(None),
        FlavorAsset.height.is_not(None),
    )
    return session.execute(query.limit(1)).first() is not None


def _newest_versions(
    session: Session, entry_id: str, ids: Sequence[str]
) -> dict[str, tuple[int, dict[str, Any]]]:
    """Of each flavor of *ids* that is known: the number, and what is said of it."""
    other = aliased(FlavorAsset)
    newest = select(func.max(other.version)).where(other.id == FlavorAsset.id)
    query = select(FlavorAsset.id, FlavorAsset.entry_id, FlavorAsset.version, *_WORDS).where(
        FlavorAsset.id.in_(ids), FlavorAsset.version == newest.scalar_subquery()
    )
    found = {}
    for flavor_id, its_entry, version, *words in session.execute(query):
        if its_entry != entry_id:
            raise Conflict(f"flavor {flavor_id} belongs to entry {its_entry}")
        said = zip((column.key for column in _WORDS), words, strict=True)
        found[flavor_id] = version, dict(said)
    return found


def _store(
    session: Session,
    entry_id: str,
    version: int,
    flavor: NewFlavor,
    now: int,
    words: dict[str, Any],
) -> FlavorRecord:
    columns = asdict(flavor.facts) | {
        "id": flavor.id,
        "entry_id": entry_id,
        "version": version,
        "created_at": now,
        "replaced_at": None,
    }
    query = insert(FlavorAsset).values(columns | words).returning(FlavorAsset.int_id)
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
