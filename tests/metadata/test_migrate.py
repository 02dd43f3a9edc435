"""Migrations on both databases: there and back, with rows in place, and two at once."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Engine, inspect, text

from metadata.base import Base
from metadata.engine import FILE_NAME, open_writer
from metadata.entries import find_entry
from metadata.errors import BadRow, WrongSchema
from metadata.migrate import downgrade, upgrade
from metadata.sessions import reading
from metadata.tables import SCHEMA
from tests.metadata.samples import ENTRY, store

UPGRADE_ON_A_LINE = """
import sys
from metadata.engine import open_writer
from metadata.migrate import upgrade

sys.stdin.readline()
engine = open_writer(sys.argv[1])
upgrade(engine)
engine.dispose()
print("done")
"""


def test_the_models_know_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", "metadata:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [SCHEMA]


def test_migrations_make_what_the_models_say(writer: Engine) -> None:
    with writer.connect() as connection:
        options = {"compare_type": True, "compare_server_default": other_default}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def other_default(
    _context: Any, _inspected: Any, column: Any, found: str | None, _default: Any, meant: Any
) -> bool | None:
    """Whether a default differs; None lets Alembic find out.

    It asks PostgreSQL, which cannot compare JSON.
    """
    if not isinstance(column.type, JSON):
        return None
    return (found or "").removesuffix("::json") != f"'{meant}'"


def test_migrations_make_the_same_constraints(writer: Engine) -> None:
    # Alembic compares no CHECK and no name of a key: so make the models' tables and look
    migrated = described(writer)
    downgrade(writer, "base")
    Base.metadata.create_all(writer)
    assert described(writer) == migrated
    assert all(check["name"] for table in migrated.values() for check in table["checks"])


OLD_TABLES = ("partner", "entry", "flavor_asset", "flavor_index", "flavor_index_block")


def described(engine: Engine, tables: Iterable[str] | None = None) -> dict[str, Any]:
    found = inspect(engine)
    return {
        table: {
            "columns": [str(sorted(column.items())) for column in found.get_columns(table)],
            "primary key": found.get_pk_constraint(table),
            "foreign keys": sorted(found.get_foreign_keys(table), key=lambda k: str(k["name"])),
            "unique": found.get_unique_constraints(table),
            "checks": sorted(found.get_check_constraints(table), key=lambda c: str(c["name"])),
            "indexes": sorted(map(shown, found.get_indexes(table))),
        }
        for table in tables or Base.metadata.tables
    }


def shown(index: Any) -> str:
    options = {key: str(value) for key, value in index["dialect_options"].items()}
    return f"{index['name']} {index['column_names']} {index['unique']} {options}"


def test_upgrading_again_keeps_the_rows(writer: Engine) -> None:
    store(writer)
    upgrade(writer)
    with reading(writer) as session:
        found = find_entry(session, ENTRY, replaced_after=0)
    assert found is not None
    assert len(found.flavors) == 1


def test_down_and_up_with_rows_in_place(writer: Engine) -> None:
    store(writer)
    downgrade(writer, "base")
    assert inspect(writer).get_table_names() == ["alembic_version"]
    with pytest.raises(WrongSchema, match="no tables yet"), reading(writer):
        pass
    upgrade(writer)
    store(writer)


OLD_PARTNER = "INSERT INTO partner (id, created_at) VALUES (101, 1)"
OLD_ENTRY = (
    "INSERT INTO entry (id, partner_id, name, created_at, updated_at)"
    " VALUES (:id, 101, 'A', 1, 20)"
)
OLD_FLAVOR = (
    "INSERT INTO flavor_asset (id, entry_id, version, path, size, mtime_ns, width, height,"
    " codecs, duration_ms, bitrate, identity, created_at, replaced_at) VALUES (:id, :entry,"
    " :version, '/srv/a.mp4', 1000, 1, :height, :height, 'avc1', 5, 6, :identity, 1, :replaced)"
)
OLD_COLUMNS = (
    "int_id, id, entry_id, version, path, size, mtime_ns, width, height, codecs, duration_ms,"
    " bitrate, identity, created_at, replaced_at"
)


def old_rows(writer: Engine) -> None:
    """Rows of 0001: a film with a replaced version and sound apart, and sound alone."""
    flavors = [("0_aaaaaaaa", ENTRY, 1, 720, 20), ("0_aaaaaaaa", ENTRY, 2, 720, None),
               ("0_bbbbbbbb", ENTRY, 1, None, None),
               ("0_cccccccc", "0_zzzz1234", 1, None, None),
               ("0_dddddddd", ENTRY, 1, 360, None)]  # fmt: skip
    with writer.begin() as connection:
        connection.execute(text(OLD_PARTNER))
        for entry_id in (ENTRY, "0_zzzz1234"):
            connection.execute(text(OLD_ENTRY), {"id": entry_id})
        for flavor_id, entry_id, version, height, replaced in flavors:
            values = {"id": flavor_id, "entry": entry_id, "version": version,
                      "height": height, "replaced": replaced, "identity": b"x"}  # fmt: skip
            connection.execute(text(OLD_FLAVOR), values)
        connection.execute(text("INSERT INTO flavor_index VALUES (1, 1, :h)"), {"h": b"h"})
        block = text("INSERT INTO flavor_index_block VALUES (1, 0, 0, :data)")
        connection.execute(block, {"data": b"d"})
        # the highest number was given, and is gone: it is not given again
        connection.execute(text("DELETE FROM flavor_asset WHERE id = '0_dddddddd'"))


def all_of(writer: Engine, columns: str, table: str) -> list[tuple[Any, ...]]:
    with writer.connect() as connection:
        rows = connection.execute(text(f"SELECT {columns} FROM {table} ORDER BY 1, 2, 3"))
        return [tuple(row) for row in rows]


def all_old(writer: Engine) -> list[list[tuple[Any, ...]]]:
    return [
        all_of(writer, "id, created_at, 0", "partner"),
        all_of(writer, "id, partner_id, name, created_at, updated_at", "entry"),
        all_of(writer, OLD_COLUMNS, "flavor_asset"),
        all_of(writer, "int_id, format, header", "flavor_index"),
        all_of(writer, "int_id, track, number, data", "flavor_index_block"),
    ]


def test_rows_of_0001_go_up_and_down(where: str) -> None:
    writer = open_writer(where)
    upgrade(writer, "0001")
    old_rows(writer)
    tables = described(writer, OLD_TABLES)
    before = all_old(writer)
    assert [len(rows) for rows in before] == [1, 2, 4, 1, 1]
    for _ in range(2):
        upgrade(writer)
        assert all_old(writer) == before
        words = all_of(writer, "int_id, status, tags, language, is_default", "flavor_asset")
        assert [(one[0], one[2].partition(",")[0]) for one in words] == [
            (1, "mobile"), (2, "mobile"), (3, "alt_audio"), (4, "mobile"),
        ]  # fmt: skip
        states = all_of(writer, "id, type, status, moderation_status, version", "entry")
        assert {one[1:] for one in states} == {(1, 2, 6, 1)}
        downgrade(writer, "0001")
        assert all_old(writer) == before
        assert described(writer, OLD_TABLES) == tables
    upgrade(writer)
    store(writer, "0_eeee1234", "0_eeeeeeee")
    assert max(all_of(writer, "int_id, 0, 0", "flavor_asset"))[0] == 6
    writer.dispose()


@pytest.mark.parametrize(
    "guard",
    ["type = 5", "status = 6", "moderation_status = 1", "start_at = 5", "end_at = 5",
     "access_control_id = 1"],
)  # fmt: skip
def test_down_goes_nothing_that_0001_would_serve_to_everybody(where: str, guard: str) -> None:
    writer = open_writer(where)
    upgrade(writer)
    store(writer)
    store(writer, "0_bbbb1234", "0_bbbbbbbb")
    with writer.begin() as connection:
        connection.execute(text("INSERT INTO access_control (id) VALUES (1)"))
        connection.execute(text(f"UPDATE entry SET {guard} WHERE id = '0_bbbb1234'"))
    downgrade(writer, "0001")
    kept = [all_of(writer, "int_id, 0, 0", table) for table in OLD_TABLES[2:]]
    assert [{row[0] for row in rows} for rows in kept] == [{1}] * 3
    assert all_of(writer, "id, 0, 0", "entry") == [(ENTRY, 0, 0)]
    writer.dispose()


@pytest.mark.parametrize(
    "unknown",
    ["size = 0", "codecs = ''", "identity = ''", "status = 1", "path = 's3://media/a.mp4'"],
)
def test_down_goes_no_flavor_that_is_not_known_or_ready(where: str, unknown: str) -> None:
    writer = open_writer(where)
    upgrade(writer)
    store(writer)
    with writer.begin() as connection:
        unknown = unknown.replace("identity = ''", "identity = CAST('' AS BLOB)")
        if writer.dialect.name == "postgresql":
            unknown = unknown.replace("BLOB", "BYTEA")
        connection.execute(text(f"UPDATE flavor_asset SET {unknown}"))
    downgrade(writer, "0001")
    assert all_of(writer, "int_id, 0, 0", "flavor_asset") == []
    assert all_of(writer, "int_id, 0, 0", "flavor_index_block") == []
    assert len(all_of(writer, "id, 0, 0", "entry")) == 1
    writer.dispose()


def test_files_of_flavors_go_down_to_0004_and_up(writer: Engine) -> None:
    store(writer)
    rows = "object_id, dc, file_path"
    with writer.begin() as connection:
        for dc in (0, 7):
            connection.execute(
                text(
                    "INSERT INTO file_sync (object_type, object_id, version, dc, file_path,"
                    f" updated_at) VALUES (4, '0_aaaaaaaa', 1, {dc}, 'a.mp4', 1)"
                )
            )
    before, count = all_of(writer, rows, "file_sync"), "count(*), 0, 0"
    change = text("UPDATE file_sync SET status = 2")
    for revision, notes in (("0004", False), ("0005", True)):
        downgrade(writer, "0004")
        upgrade(writer, revision)
        noted = all_of(writer, count, "change")
        with writer.begin() as connection:
            connection.execute(change)
        assert (all_of(writer, count, "change") > noted) == notes
        assert all_of(writer, rows, "file_sync") == before


def test_an_upgrade_that_fails_leaves_nothing(where: str) -> None:
    writer = open_writer(where)
    with writer.begin() as connection:  # in the way of the last table
        connection.execute(text("CREATE TABLE flavor_index_block (x INTEGER)"))
    with pytest.raises(Exception, match="flavor_index_block"):
        upgrade(writer)
    assert inspect(writer).get_table_names() == ["flavor_index_block"]
    with writer.begin() as connection:
        connection.execute(text("DROP TABLE flavor_index_block"))
    upgrade(writer)
    store(writer)
    writer.dispose()


def test_processes_that_upgrade_at_once(where: str) -> None:
    command = [sys.executable, "-W", "error", "-c", UPGRADE_ON_A_LINE, where]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    running = [subprocess.Popen(command, text=True, **pipes) for _ in range(4)]
    for process in running:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[0] for process in running] == ["done\n"] * 4
    writer = open_writer(where)
    store(writer)
    writer.dispose()


def test_an_upgrade_does_not_pass_over_a_reference_to_nothing(tmp_path: Path) -> None:
    # PostgreSQL always checks them; on SQLite a migration must run with the check off
    writer = open_writer(tmp_path)
    upgrade(writer)
    store(writer)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as careless:
        careless.execute("DELETE FROM flavor_asset")
        careless.commit()
    with pytest.raises(BadRow, match="refers to nothing in flavor_asset"):
        upgrade(writer)
    writer.dispose()


def test_a_newer_database_asks_for_a_newer_program(writer: Engine) -> None:
    with writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    message = "schema 9999, newer than .*: upgrade this program"
    with pytest.raises(WrongSchema, match=message), reading(writer):
        pass


def test_an_older_database_is_told_what_upgrades_it(writer: Engine) -> None:
    with writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    message = "schema 0000, this program needs .*: `headrace migrate` upgrades it"
    with pytest.raises(WrongSchema, match=message), reading(writer):
        pass
