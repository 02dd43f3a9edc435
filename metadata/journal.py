"""What changed in the catalog since a reader last asked.

Triggers write the journal, in the transaction that changes a row: an ingest, an import and an
operator's own SQL are seen alike.  On SQLite rows become visible in the order of their numbers.
On PostgreSQL they do not: what a reader has seen is a snapshot there, and new is what was
written by transactions that had not ended in it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, text

from metadata.enums import ChangeKind
from metadata.sessions import Reader

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MOST = 1_000
"""Changes of one answer; more of them are everything."""


@dataclass(frozen=True, slots=True)
class Change:
    kind: ChangeKind
    subject: str
    """The id of the entry, partner or profile; empty where the kind needs none."""


EVERYTHING = (Change(ChangeKind.ALL, ""),)


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a reader has seen the journal, and what was new to it."""

    position: str
    changes: tuple[Change, ...]


def read_changes(reader: Reader, position: str | None) -> Seen:
    """What changed behind *position*; with None, only where the journal is now."""
    bind = reader if isinstance(reader, Connection) else reader.get_bind()
    if bind.dialect.name == "sqlite":
        return _numbered(reader, position)
    return _by_snapshot(reader, position)


# -- SQLite

_END = text("SELECT number, made_at FROM change WHERE number > 0 ORDER BY number DESC LIMIT 1")
_BEHIND = text(
    "SELECT number, made_at, kind, subject FROM change WHERE number >= :number"
    f" AND number > 0 ORDER BY number LIMIT {MOST + 2}"
)


def _numbered(reader: Reader, position: str | None) -> Seen:
    if position is None:
        last = reader.execute(_END).first()
        return Seen("0 0" if last is None else f"{last[0]} {last[1]}", ())
    number, made_at = map(int, position.split())
    rows = reader.execute(_BEHIND, {"number": number}).all()
    if number:
        # where the last row is not found, it was pruned, or the file is another one
        if not rows or tuple(rows[0][:2]) != (number, made_at):
            return Seen(_numbered(reader, None).position, EVERYTHING)
        rows = rows[1:]
    if len(rows) > MOST:
        return Seen(_numbered(reader, None).position, EVERYTHING)
    if not rows:
        return Seen(position, ())
    return Seen(f"{rows[-1][0]} {rows[-1][1]}", tuple(_change(row[2], row[3]) for row in rows))


# -- PostgreSQL

_NOW = text("SELECT CAST(pg_current_snapshot() AS text)")
# a standby's snapshots do not tell which transactions were open: there some are seen twice
_SINCE = text(
    "SELECT CAST(now.at AS text), kind, subject"
    " FROM (SELECT pg_current_snapshot() AS at) AS now"
    " LEFT JOIN change ON transaction_id >= :oldest AND (pg_is_in_recovery() OR NOT"
    " pg_visible_in_snapshot(CAST(CAST(transaction_id AS text) AS xid8),"
    " CAST(:position AS pg_snapshot)))"
    f" LIMIT {MOST + 1}"
).bindparams(bindparam("oldest"), bindparam("position"))


def _by_snapshot(reader: Reader, position: str | None) -> Seen:
    if position is None:
        return Seen(reader.execute(_NOW).scalar_one(), ())
    oldest, next_one = map(int, position.split(":")[:2])
    rows = reader.execute(_SINCE, {"oldest": oldest, "position": position}).all()
    now: str = rows[0][0]
    if len(rows) > MOST or int(now.split(":")[1]) < next_one:  # a server that is another one
        return Seen(now, EVERYTHING)
    return Seen(now, tuple(_change(kind, subject) for _, kind, subject in rows if kind))


def _change(kind: int, subject: str | None) -> Change:
    """What cannot be understood may concern everything: others write this table, too."""
    if kind == ChangeKind.NEW or (kind == ChangeKind.ENTRY and subject):
        return Change(ChangeKind(kind), subject or "")
    if kind in (ChangeKind.PARTNER, ChangeKind.ACCESS_CONTROL) and (subject or "").isdecimal():
        return Change(ChangeKind(kind), subject or "")
    return EVERYTHING[0]


# -- writing

_SILENCE = f"INSERT INTO change (number, kind, made_at) VALUES (0, {ChangeKind.SILENCE:d}, 0)"
_MANY = f"INSERT INTO change (kind, made_at) VALUES ({ChangeKind.NEW:d}, :now)"


@contextmanager
def many_new(session: "Session", now: int) -> Iterator[None]:
    """What is inserted inside, of entries that are new, is one change of the journal."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text(_SILENCE))
        yield
        session.execute(text("DELETE FROM change WHERE number = 0"))
        session.execute(text(_MANY), {"now": now})
        return
    session.execute(text("SELECT set_config('headrace.many', 'on', true)"))
    yield
    session.execute(text("SELECT set_config('headrace.many', 'off', true)"))
    session.execute(text(f"SELECT headrace_note({ChangeKind.NEW:d}, ARRAY[NULL])"))
