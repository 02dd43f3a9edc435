"""Makes and upgrades the tables by the migrations in ``metadata/migrations``.

Safe when two processes start at once: on SQLite the whole upgrade is one exclusive transaction,
on PostgreSQL one transaction under an advisory lock.  The second process finds the work done.
"""

import time
from collections.abc import Callable
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from metadata.engine import WRITER_WAIT_S
from metadata.errors import BadRow
from metadata.sessions import explained, forget_schema

_ADVISORY_LOCK = 0x68656164  # any number, but the same in every version: "head"


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the tables of a writer's *engine* up to *revision*; from nothing, make them."""
    _migrate(engine, command.upgrade, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Bring the tables back to *revision*; ``base`` takes them all away."""
    _migrate(engine, command.downgrade, revision)


def _migrate(engine: Engine, step: Callable[[Config, str], None], revision: str) -> None:
    forget_schema(engine)
    sqlite = engine.dialect.name == "sqlite"
    with explained(engine), engine.connect() as connection:
        if sqlite:
            _use_wal(connection)
            # a migration that rebuilds a table drops the old one, which would take the rows
            # that refer to it along; and this setting means nothing inside a transaction
            _pragma(connection, "foreign_keys = OFF")
        try:
            with connection.begin():
                if not sqlite:
                    lock = text("SELECT pg_advisory_xact_lock(:key)")
                    connection.execute(lock, {"key": _ADVISORY_LOCK})
                step(_config(connection), revision)
                if sqlite:
                    _check_references(connection)
        finally:
            if sqlite:
                _pragma(connection, "foreign_keys = ON")


def _config(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "metadata:migrations")
    return config


def _use_wal(connection: Connection) -> None:
    """Kept in the file.  SQLite does not wait for the lock when the mode changes, so we do."""
    deadline = time.monotonic() + WRITER_WAIT_S
    while True:
        try:
            _pragma(connection, "journal_mode = WAL")
            return
        except connection.dialect.loaded_dbapi.OperationalError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.02)


def _check_references(connection: Connection) -> None:
    for table, row_id, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        raise BadRow(table, row_id, f"refers to nothing in {parent}")


def _pragma(connection: Connection, pragma: str) -> None:
    """On the driver's connection, where it begins no transaction."""
    cursor: Any = connection.connection.cursor()
    cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
