"""Migrations on both databases: there and back, with rows in place, and two at once."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from metadata.base import Base
from metadata.engine import FILE_NAME, open_writer
from metadata.entries import find_entry
from metadata.errors import BadRow, WrongSchema
from metadata.migrate import downgrade, upgrade
from metadata.models import SCHEMA
from metadata.sessions import reading
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
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_migrations_make_the_same_constraints(writer: Engine) -> None:
    # Alembic compares no CHECK and no name of a key: so make the models' tables and look
    migrated = described(writer)
    downgrade(writer, "base")
    Base.metadata.create_all(writer)
    assert described(writer) == migrated
    assert all(check["name"] for table in migrated.values() for check in table["checks"])


def described(engine: Engine) -> dict[str, Any]:
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
        for table in Base.metadata.tables
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
    message = "schema 0000, this program needs .*: `headrace ingest` upgrades it"
    with pytest.raises(WrongSchema, match=message), reading(writer):
        pass
