"""Every test that takes ``where`` or ``writer`` runs on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine

from metadata.engine import open_writer
from metadata.migrate import upgrade
from tests.support.postgresql import Server, postgresql_server

_numbers = count()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    with postgresql_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database: a data directory that is not there yet, or the URL of a server's."""
    if request.param == "sqlite":
        return str(tmp_path / "data")
    server: Server = request.getfixturevalue("postgresql")
    name = f"test{next(_numbers)}"
    # a schema of its own is as empty as a database, and costs no files
    assert server.run(f"CREATE SCHEMA {name}")
    return server.url(name)


@pytest.fixture
def writer(where: str) -> Iterator[Engine]:
    """A writer of a database with tables."""
    engine = open_writer(where)
    upgrade(engine)
    yield engine
    engine.dispose()
