"""Stores entries and flavors in bulk, by their ids: new ones in, known ones changed.

A batch is one transaction and a few statements, however many rows it has.  What it brings again
changes nothing; a flavor with another path or size is a new version of it, and the one before
stays servable for a day, as with ``changes``.  Nothing is ever removed.

A row that contradicts what is stored (or a row before it) is given back with the reason; the
others of its batch are stored.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Column, Table, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from metadata.bulk_captions import CaptionBatch
from metadata.bulk_inserts import insert_rows
from metadata.enums import TAGS_OF_VIDEO, EntryType
from metadata.journal import many_new
from metadata.models import (
    AccessControl,
    ConversionProfile,
    Entry,
    FlavorAsset,
    FlavorParams,
    ImportCheckpoint,
    Partner,
)

Columns = dict[str, Any]

_ASKED_AT_ONCE = 5_000
"""Ids in a question: SQLite takes 32,766 parameters."""

_NAMED = 100
"""New entries of a batch that the journal names one by one."""

_ENTRY = cast(Table, Entry.__table__)
_FLAVOR = cast(Table, FlavorAsset.__table__)
_STATED = ("created_at", "updated_at", "replaced_at", "int_id", "version", "entry_id")
"""Columns that are ours to say, not the row's."""


@dataclass(slots=True)
class EntryRow:
    """An entry and flavors of it, as a row says them: checked by itself."""

    line: int
    entry: Columns
    """Columns of ``entry`` by name, ``id`` and ``partner_id`` among them."""

    flavors: list[Columns] = field(default_factory=list)
    """Columns of ``flavor_asset``, ``id`` and ``path`` among them."""

    captions: list[Columns] = field(default_factory=list)
    """Columns of ``caption_asset``, ``id, path, format, language`` among them."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that is left out."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far an import came."""

    position: int
    line: int
    stored: int
    refused: int


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the database holds of a flavor: its newest version."""

    columns: Mapping[str, Any]
    version: int


class _Contradiction(Exception):
    pass


def store_rows(session: Session, rows: Sequence[EntryRow], *, now: int) -> list[Refusal]:
    """Store *rows* inside ``writing``; those that were left out, by line."""
    batch = _Batch(session, rows, now)
    refused = []
    for row in rows:
        try:
            batch.take(row)
        except _Contradiction as error:
            refused.append(Refusal(row.line, str(error)))
    batch.write()
    return refused


class _Batch:
    """What is known of the ids of some rows, and what they change."""

    def __init__(self, session: Session, rows: Sequence[EntryRow], now: int) -> None:
        self._session, self._now = session, now
        self._known = {
            column: self._known_ids(rows, column, model)
            for column, model in (
                ("access_control_id", AccessControl),
                ("conversion_profile_id", ConversionProfile),
            )
        }
        self._recipes = self._ids_of(
            FlavorParams, (f.get("flavor_params_id") for row in rows for f in row.flavors)
        )
        self._entries = self._entries_of({row.entry["id"] for row in rows})
        self._flavors = self._flavors_of({f["id"] for row in rows for f in row.flavors})
        self._captions = CaptionBatch(
            session, (one["id"] for row in rows for one in row.captions), now
        )
        self._new_entries: dict[str, Columns] = {}
        self._changed: dict[str, Columns] = {}
        self._new_flavors: dict[str, Columns] = {}
        self._retold: dict[str, Columns] = {}
        self._replaced: dict[str, int] = {}

    # -- what is stored

    def _known_ids(self, rows: Sequence[EntryRow], column: str, model: Any) -> set[int]:
        return self._ids_of(model, (row.entry.get(column) for row in rows))

    def _ids_of(self, model: Any, ids: Iterable[int | None]) -> set[int]:
        wanted = {one for one in ids if one is not None}
        return {
            found
            for some in _pieces(wanted)
            for found in self._session.scalars(select(model.id).where(model.id.in_(some)))
        }

    def _entries_of(self, ids: set[str]) -> dict[str, Mapping[str, Any]]:
        query = select(_ENTRY).order_by(_ENTRY.c.id)  # one order of locking: no deadlock
        return {
            row["id"]: dict(row)
            for some in _pieces(ids)
            for row in self._session.execute(
                query.where(_ENTRY.c.id.in_(some)).with_for_update()
            ).mappings()
        }

    def _flavors_of(self, ids: set[str]) -> dict[str, _Kept]:
        other = _FLAVOR.alias()
        newest = select(func.max(other.c.version)).where(other.c.id == _FLAVOR.c.id)
        query = select(_FLAVOR).where(_FLAVOR.c.version == newest.scalar_subquery())
        return {
            row["id"]: _Kept(dict(row), row["version"])
            for some in _pieces(ids)
            for row in self._session.execute(query.where(_FLAVOR.c.id.in_(some))).mappings()
        }

    # -- one row

    def take(self, row: EntryRow) -> None:
        """Note what *row* changes, all of it or, if it raises, nothing."""
        entry_id = row.entry["id"]
        self._check_entry(row)
        for flavor in row.flavors:
            self._check_flavor(entry_id, flavor)
        for caption in row.captions:
            if reason := self._captions.refusal(entry_id, caption):
                raise _Contradiction(reason)
        for caption in row.captions:
            self._captions.take(entry_id, caption)
        touched = [self._take_flavor(entry_id, flavor) for flavor in row.flavors]
        self._take_entry(row.entry, touched=any(touched))

    def _check_entry(self, row: EntryRow) -> None:
        entry = row.entry
        known = self._state_of(entry["id"])
        if known is not None and known["partner_id"] != entry["partner_id"]:
            partner = known["partner_id"]
            raise _Contradiction(f"entry {entry['id']} belongs to partner {partner}")
        for column, there in self._known.items():
            if (number := entry.get(column)) is not None and number not in there:
                raise _Contradiction(f"there is no {column.removesuffix('_id')} {number}")
        told = {**(known or {}), **entry}
        if told.get("playlist") is not None and told.get("type", 1) != EntryType.PLAYLIST:
            raise _Contradiction("only a playlist has entries")
        start, end = told.get("start_at"), told.get("end_at")
        if start is not None and end is not None and start >= end:
            raise _Contradiction("the schedule ends before it begins")

    def _check_flavor(self, entry_id: str, flavor: Columns) -> None:
        flavor_id = flavor["id"]
        recipe = flavor.get("flavor_params_id")
        if recipe is not None and recipe not in self._recipes:
            raise _Contradiction(f"there is no flavor_params {recipe}")
        kept = self._flavors.get(flavor_id)
        owner = kept.columns["entry_id"] if kept else None
        if flavor_id in self._new_flavors:
            owner = self._new_flavors[flavor_id]["entry_id"]
        if owner not in (None, entry_id):
            raise _Contradiction(f"flavor {flavor_id} belongs to entry {owner}")
        told = {**(kept.columns if kept else {}), **flavor}
        if (told.get("width") is None) != (told.get("height") is None):
            raise _Contradiction(f"flavor {flavor_id}: width and height go together")

    def _state_of(self, entry_id: str) -> Mapping[str, Any] | None:
        """The entry, as it is after the rows before."""
        return (
            self._new_entries.get(entry_id)
            or self._changed.get(entry_id)
            or self._entries.get(entry_id)
        )

    def _take_entry(self, entry: Columns, *, touched: bool) -> None:
        entry_id = entry["id"]
        if entry_id in self._new_entries:
            self._new_entries[entry_id].update(entry)
            return
        stored = self._entries.get(entry_id)
        if stored is None:
            times = {"created_at": self._now, "updated_at": self._now}
            self._new_entries[entry_id] = {**_ENTRY_DEFAULTS, **times, **entry}
            return
        before = self._changed.get(entry_id, stored)
        if touched or any(before[name] != value for name, value in entry.items()):
            later = max(self._now, stored["updated_at"] + 1)
            self._changed[entry_id] = {**before, **entry, "updated_at": later}

    def _take_flavor(self, entry_id: str, flavor: Columns) -> bool:
        """Note what changes; whether anything does."""
        flavor_id = flavor["id"]
        if flavor_id in self._new_flavors:  # named twice in a batch: the later one holds
            self._new_flavors[flavor_id].update(flavor)
            return True
        kept = self._flavors.get(flavor_id)
        if kept is None:
            self._new_flavors[flavor_id] = self._version(entry_id, 1, flavor, {})
            return True
        before = self._retold.get(flavor_id, kept.columns)
        if kept.columns["replaced_at"] is not None or _is_other_file(before, flavor):
            if kept.columns["replaced_at"] is None:
                self._replaced[flavor_id] = kept.columns["int_id"]
            self._retold.pop(flavor_id, None)
            words = {name: before[name] for name in _WORDS}
            version = self._version(entry_id, kept.version + 1, flavor, words)
            self._new_flavors[flavor_id] = version
            return True
        if all(before[name] == value for name, value in flavor.items()):
            return False
        self._retold[flavor_id] = {**before, **flavor}
        return True

    def _version(
        self, entry_id: str, number: int, flavor: Columns, words: Mapping[str, Any]
    ) -> Columns:
        own = {"entry_id": entry_id, "version": number, "created_at": self._now}
        return {**_FLAVOR_DEFAULTS, **words, **flavor, **own}

    # -- all of them

    def write(self) -> None:
        """Send what was noted: a statement for each kind of change."""
        for flavor in self._new_flavors.values():
            if changed := self._changed.get(flavor["entry_id"]):
                flavor["created_at"] = changed["updated_at"]
        if len(self._new_entries) > _NAMED:
            with many_new(self._session, self._now):
                self._write_all()
        else:
            self._write_all()

    def _write_all(self) -> None:
        execute = self._session.execute
        if self._new_entries:
            self._ensure_partners()
            insert_rows(self._session, _ENTRY, list(self._new_entries.values()))
        if self._changed:
            execute(_UPDATE_ENTRY, [_bound(row) for row in self._changed.values()])
        if self._replaced:
            self._replace()
        if self._retold:
            execute(_UPDATE_FLAVOR, [_bound(row) for row in self._retold.values()])
        if self._new_flavors:
            insert_rows(self._session, _FLAVOR, list(self._new_flavors.values()))
        self._captions.write()

    def _ensure_partners(self) -> None:
        dialect = {"sqlite": sqlite, "postgresql": postgresql}[
            self._session.get_bind().dialect.name
        ]
        ids = sorted({entry["partner_id"] for entry in self._new_entries.values()})
        rows = [{"id": one, "created_at": self._now} for one in ids]
        add = dialect.insert(Partner.__table__).on_conflict_do_nothing()
        self._session.execute(add, rows)

    def _replace(self) -> None:
        """End the versions that have successors, at the time of the entry's change."""
        ends = [
            {"_int_id": int_id, "_replaced_at": self._new_flavors[flavor_id]["created_at"]}
            for flavor_id, int_id in self._replaced.items()
        ]
        query = update(_FLAVOR).where(_FLAVOR.c.int_id == bindparam("_int_id"))
        self._session.execute(query.values(replaced_at=bindparam("_replaced_at")), ends)


def _is_other_file(before: Mapping[str, Any], flavor: Columns) -> bool:
    if flavor["path"] != before["path"]:
        return True
    size = flavor.get("size", 0)
    return bool(size and before["size"] and size != before["size"])


def _pieces(ids: Iterable[Any]) -> Iterable[list[Any]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), _ASKED_AT_ONCE):
        yield ordered[start : start + _ASKED_AT_ONCE]


def _defaults(table: Table, values: Columns) -> Columns:
    """Every column that a row may leave unsaid: all rows of an INSERT have the same ones."""
    return {column.key: None for column in table.columns if column.nullable} | values


_ENTRY_DEFAULTS = _defaults(
    _ENTRY,
    {"name": "", "type": 1, "media_type": 1, "status": 2, "moderation_status": 6, "version": 1,
     "cache_version": 0},
)  # fmt: skip
_FLAVOR_DEFAULTS = _defaults(
    _FLAVOR,
    {"size": 0, "mtime_ns": 0, "codecs": "", "duration_ms": 0, "bitrate": 0, "identity": b"",
     "status": 2, "tags": TAGS_OF_VIDEO, "is_default": False},
)  # fmt: skip
_WORDS = ("tags", "language", "label", "is_default", "flavor_params_id")


def _bound(row: Mapping[str, Any]) -> Columns:
    return {f"_{name}": value for name, value in row.items()}


def _update_all(table: Any, key: Column[Any], names: Iterable[str]) -> Any:
    values: Columns = {name: bindparam(f"_{name}") for name in names}
    return update(table).where(key == bindparam(f"_{key.key}")).values(values)


_UPDATE_ENTRY = _update_all(
    _ENTRY,
    _ENTRY.c.id,
    [c.key for c in _ENTRY.columns if c.key not in ("id", "partner_id", "created_at")],
)
_UPDATE_FLAVOR = _update_all(
    _FLAVOR,
    _FLAVOR.c.int_id,
    [c.key for c in _FLAVOR.columns if c.key not in ("id", *_STATED)],
)


# -- checkpoints


def find_checkpoint(session: Session, source: str) -> Checkpoint | None:
    """How far an import of *source* came that did not end."""
    row = session.get(ImportCheckpoint, source)
    if row is None:
        return None
    return Checkpoint(row.position, row.line, row.stored, row.refused)


def keep_checkpoint(session: Session, source: str, at: Checkpoint, *, now: int) -> None:
    """Keep *at*, in the transaction that stores what lies before it."""
    dialect = {"sqlite": sqlite, "postgresql": postgresql}[session.get_bind().dialect.name]
    values = {
        "position": at.position,
        "line": at.line,
        "stored": at.stored,
        "refused": at.refused,
        "updated_at": now,
    }
    add = dialect.insert(ImportCheckpoint.__table__).values(source=source, **values)
    session.execute(add.on_conflict_do_update(index_elements=["source"], set_=values))


def drop_checkpoint(session: Session, source: str) -> None:
    """The import of *source* is done."""
    row = session.get(ImportCheckpoint, source)
    if row is not None:
        session.delete(row)
        session.flush()
