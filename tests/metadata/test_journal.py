"""The journal of changes: who writes is seen, in whatever order transactions end."""

import time
from collections.abc import Sequence

import pytest
from sqlalchemy import Engine, text

from metadata.bulk import EntryRow, store_rows
from metadata.changes import add_flavor_versions
from metadata.enums import ChangeKind
from metadata.journal import MOST, read_changes
from metadata.migrate import downgrade, upgrade
from metadata.sessions import reading, writing
from tests.metadata.samples import ENTRY, counted, new, store

SECOND = 1_000_000_000
E, N, P, A = ChangeKind.ENTRY, ChangeKind.NEW, ChangeKind.PARTNER, ChangeKind.ACCESS_CONTROL
ALL = (ChangeKind.ALL, "")


class Follower:
    """A reader that goes on where it was."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._position: str | None = None
        self.read()

    def read(self) -> list[tuple[ChangeKind, str]]:
        with reading(self._engine) as session:
            seen = read_changes(session, self._position)
        self._position = seen.position
        return sorted({(one.kind, one.subject) for one in seen.changes})


def run(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


CAPTION = (
    "INSERT INTO caption_asset (id, entry_id, format, language, path, created_at, updated_at)"
    f" VALUES ('0_capt0001', '{ENTRY}', 3, 'eng', '/a.vtt', 1, 1)"
)
PROFILE = "INSERT INTO delivery_profile (id, partner_id, type, streamer_type)"
LONELY = (
    "INSERT INTO entry (id, partner_id, name, created_at, updated_at)"
    " VALUES ('0_lonely12', 101, '', 1, 1)"
)
CASES: list[tuple[str, list[tuple[ChangeKind, str]]]] = [
    ("UPDATE entry SET name = 'B'", [(E, ENTRY)]),
    ("UPDATE entry SET name = 'B' WHERE id = '0_unknown1'", []),
    ("UPDATE flavor_asset SET status = 3", [(E, ENTRY)]),
    ("DELETE FROM flavor_asset", [(E, ENTRY)]),
    ("DELETE FROM entry", [(E, ENTRY)]),
    (CAPTION, [(E, ENTRY)]),
    ("UPDATE partner SET status = 2", [(P, "101")]),
    ("INSERT INTO access_control (id) VALUES (7)", [(A, "7")]),
    (f"{PROFILE} VALUES (1, 101, 1, 'hds')", [(P, "101")]),
    (f"{PROFILE} VALUES (1, NULL, 1, 'hds')", [ALL]),
    ("INSERT INTO server_node (id, host_name) VALUES (2, 'b')", [ALL]),
    ("UPDATE server_node SET heartbeat_at = 5", []),
    ("UPDATE server_node SET status = 2", [ALL]),
    (LONELY.replace("lonely12", "other123"), [(E, "0_other123")]),
    ("UPDATE entry SET id = '0_other123' WHERE id = '0_lonely12'",
     [(E, "0_lonely12"), (E, "0_other123")]),
]  # fmt: skip


FILE = (
    "INSERT INTO file_sync (id, object_type, object_id, version, dc, linked_id, file_type,"
    " updated_at)"
)
FILES: list[tuple[str, list[tuple[ChangeKind, str]]]] = [
    (f"{FILE} VALUES (8, 4, '0_aaaaaaaa', 1, 2, NULL, 1, 1)", [(E, ENTRY)]),
    (f"{FILE} VALUES (8, 4, '0_unknown1', 1, 2, NULL, 1, 1)", []),
    (f"{FILE} VALUES (8, 1, '0_aaaaaaaa', 1, 2, NULL, 1, 1)", []),
    ("UPDATE file_sync SET status = 3 WHERE id = 2", [(E, ENTRY)]),
    ("UPDATE file_sync SET status = 3 WHERE id = 1", [(E, ENTRY)]),  # that the link points at
    ("DELETE FROM file_sync WHERE id = 2", [(E, ENTRY)]),
    ("UPDATE file_sync SET object_id = '0_unknown2' WHERE id = 2", [(E, ENTRY)]),
]


@pytest.mark.parametrize(("statement", "expected"), FILES)
def test_files_are_changes_of_their_entry(
    writer: Engine, statement: str, expected: list[tuple[ChangeKind, str]]
) -> None:
    store(writer)
    run(writer, f"{FILE} VALUES (1, 4, '0_unknown1', 1, 0, NULL, 1, 1)")
    run(writer, f"{FILE} VALUES (2, 4, '0_aaaaaaaa', 1, 0, 1, 2, 1)")
    follower = Follower(writer)
    run(writer, statement)
    assert follower.read() == expected


@pytest.mark.parametrize(("statement", "expected"), CASES)
def test_an_operators_own_sql_is_seen(
    writer: Engine, statement: str, expected: list[tuple[ChangeKind, str]]
) -> None:
    store(writer)
    run(writer, LONELY, "INSERT INTO server_node (id, host_name) VALUES (1, 'a')")
    expected = expected + [(E, "0_lonely12")] * (statement in UNBOUND)
    follower = Follower(writer)
    run(writer, statement)
    assert follower.read() == sorted(expected)
    assert follower.read() == []


@pytest.mark.parametrize("row", ["kind = 1, subject = NULL", "kind = 3, subject = 'x'"])
def test_what_cannot_be_understood_is_everything(writer: Engine, row: str) -> None:
    store(writer)
    follower = Follower(writer)
    last = "SELECT max(number) FROM change"
    run(
        writer,
        "UPDATE entry SET name = 'B'",
        f"UPDATE change SET {row} WHERE number = ({last})",
    )
    assert follower.read() == [ALL]


UNBOUND = {"UPDATE entry SET name = 'B'", "DELETE FROM entry"}
"""Those that concern the lonely entry as well."""


def test_ingest_and_replacement_are_seen(writer: Engine) -> None:
    follower = Follower(writer)
    store(writer)
    assert follower.read() == [(E, ENTRY), (P, "101")]
    with writing(writer) as session:
        add_flavor_versions(session, ENTRY, [new("0_aaaaaaaa")], now=5)
    assert follower.read() == [(E, ENTRY)]
    with pytest.raises(ZeroDivisionError), writing(writer) as session:
        add_flavor_versions(session, ENTRY, [new("0_aaaaaaaa")], now=6)
        raise ZeroDivisionError
    assert follower.read() == []


def rows(start: int, stop: int, path: str = "/a.mp4") -> Sequence[EntryRow]:
    return [
        EntryRow(n, {"id": f"0_{n:08}", "partner_id": 101}, [{"id": f"1_{n:08}", "path": path}])
        for n in range(start, stop)
    ]


def put(engine: Engine, some: Sequence[EntryRow]) -> None:
    with writing(engine) as session:
        assert store_rows(session, some, now=time.time_ns()) == []


def test_an_import_names_what_changes_and_not_what_is_new(writer: Engine) -> None:
    put(writer, rows(0, 3))
    follower = Follower(writer)
    put(writer, rows(0, 3))
    assert follower.read() == []
    put(writer, rows(2, 500, path="/b.mp4"))
    assert follower.read() == [(E, "0_00000002"), (N, "")]
    put(writer, rows(500, 502))
    assert follower.read() == [(E, "0_00000500"), (E, "0_00000501")]
    with writer.connect() as connection:  # one row says that much is new, and nothing else
        found = connection.execute(text("SELECT kind FROM change ORDER BY number")).scalars()
        assert list(found).count(ChangeKind.NEW) == 1
        count = connection.execute(text("SELECT count(*) FROM change")).scalar_one()
    assert count < 30


def test_too_much_is_everything(writer: Engine) -> None:
    put(writer, rows(0, MOST + 5))
    follower = Follower(writer)
    run(writer, "UPDATE entry SET name = 'B'")
    assert follower.read() == [ALL]
    run(writer, "UPDATE entry SET name = 'C' WHERE id = '0_00000001'")
    assert follower.read() == [(E, "0_00000001")]


def test_a_transaction_that_ends_later_is_not_missed(writer: Engine) -> None:
    """It began first, and its rows have the lower numbers."""
    put(writer, rows(0, 3))
    follower = Follower(writer)
    if writer.dialect.name == "sqlite":
        pytest.skip("has one writer at a time")
    with writer.connect() as early, early.begin():
        early.execute(text("UPDATE entry SET name = 'B' WHERE id = '0_00000000'"))
        run(writer, "UPDATE entry SET name = 'B' WHERE id = '0_00000001'")
        assert follower.read() == [(E, "0_00000001")]
        run(writer, "UPDATE entry SET name = 'B' WHERE id = '0_00000002'")
        assert follower.read() == [(E, "0_00000002")]  # and what was seen is not seen again
        newcomer = Follower(writer)
    assert follower.read() == [(E, "0_00000000")]
    assert newcomer.read() == [(E, "0_00000000")]


def age(engine: Engine) -> None:
    """Make what is in the journal old, and let the next row be one that prunes."""
    run(engine, f"UPDATE change SET made_at = made_at - {25 * 3600 * SECOND}")
    if engine.dialect.name == "sqlite":
        run(engine, "UPDATE sqlite_sequence SET seq = 998 WHERE name = 'change'")
    else:
        run(engine, "SELECT setval(pg_get_serial_sequence('change', 'number'), 998)")


def test_the_journal_is_pruned(writer: Engine) -> None:
    store(writer)
    before = Follower(writer)
    run(writer, "UPDATE entry SET name = 'B'")
    current = Follower(writer)
    age(writer)
    run(writer, "UPDATE entry SET name = 'C'")
    with writer.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM change")).scalar_one() == 1
    if writer.dialect.name == "sqlite":  # which cannot tell what is missing
        assert before.read() == current.read() == [ALL]
    else:
        assert before.read() == current.read() == [(E, ENTRY)]
    assert before.read() == current.read() == []


def test_a_reader_whose_database_is_another_one(writer: Engine) -> None:
    store(writer)
    follower = Follower(writer)
    if writer.dialect.name == "sqlite":
        run(writer, "DELETE FROM change")  # as if a backup had been put back
    else:
        follower._position = "99999999999:99999999999:"
    assert follower.read() == [ALL]
    run(writer, "UPDATE entry SET name = 'B'")
    assert follower.read() == [(E, ENTRY)]


def test_a_reader_asks_one_statement(writer: Engine) -> None:
    store(writer)
    follower = Follower(writer)
    run(writer, "UPDATE entry SET name = 'B'")
    for expected in ([(E, ENTRY)], []):
        with counted(writer) as statements:
            assert follower.read() == expected
        assert len(statements) == 1


def test_rows_of_0002_go_up_and_down(where: str, writer: Engine) -> None:
    store(writer)
    downgrade(writer, "0002")
    run(writer, "UPDATE entry SET name = 'B'")  # no trigger is left behind
    upgrade(writer)
    follower = Follower(writer)
    assert follower.read() == []
    run(writer, "UPDATE entry SET name = 'C'")
    assert follower.read() == [(E, ENTRY)]


def test_another_search_path(writer: Engine) -> None:
    """Whoever changes a row may name its schema."""
    if writer.dialect.name == "sqlite":
        pytest.skip("has no schemas")
    store(writer)
    follower = Follower(writer)
    with writer.begin() as connection:
        schema = connection.execute(text("SELECT current_schema()")).scalar_one()
        connection.execute(text("SET LOCAL search_path = pg_catalog"))
        connection.execute(text(f"UPDATE {schema}.entry SET name = 'B'"))
        connection.execute(text(f"TRUNCATE {schema}.thumb_asset"))
    assert follower.read() == sorted([(E, ENTRY), ALL])


def test_a_cascade_is_seen(writer: Engine) -> None:
    store(writer)
    run(writer, CAPTION)
    follower = Follower(writer)
    run(writer, f"DELETE FROM entry WHERE id = '{ENTRY}'")
    assert follower.read() == [(E, ENTRY)]
