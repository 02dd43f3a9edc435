"""Every test that takes ``where`` or ``writer`` runs on SQLite and on a real PostgreSQL."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from metadata.engine import open_writer
from metadata.migrate import upgrade
from tests.support.needs import missing, need
from tests.support.waiting import until

_numbers = count()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Path]:
    """The folder of a server's socket; the server is for tests alone."""
    initdb, postgres, psql = need("initdb"), need("postgres"), need("psql")
    # below /tmp, and short: a socket's path may have 107 bytes, and the server's user must
    # be able to reach it
    folder = Path(tempfile.mkdtemp(prefix="headrace-pg-", dir="/tmp"))
    user = None
    if os.geteuid() == 0:  # the server refuses to run as root
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            missing("PostgreSQL needs a user that is not root: apt-get install postgresql")
        os.chown(folder, user.pw_uid, user.pw_gid)
    uid, gid = (user.pw_uid, user.pw_gid) if user else (None, None)
    rights: dict[str, Any] = {
        "user": uid,
        "group": gid,
        "extra_groups": [] if user else None,
        "cwd": folder,
    }
    make = [initdb, "-D", str(folder / "data"), "-U", "headrace", "-A", "trust", "--no-sync"]
    subprocess.run(
        [*make, "-E", "UTF8", "--locale=C.UTF-8"], **rights, check=True, capture_output=True
    )
    serve = [postgres, "-D", str(folder / "data"), "-k", str(folder)]
    server = subprocess.Popen(
        [*serve, "-c", "listen_addresses=", "-c", "fsync=off"],
        **rights,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: _psql(psql, folder, "SELECT 1"))
        yield folder
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: nobody needs what it holds
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database: a data directory that is not there yet, or the URL of a server's."""
    if request.param == "sqlite":
        return str(tmp_path / "data")
    folder: Path = request.getfixturevalue("postgresql")
    name = f"test{next(_numbers)}"
    # a schema of its own is as empty as a database, and costs no files
    assert _psql(need("psql"), folder, f"CREATE SCHEMA {name}")
    return f"postgresql://headrace@/postgres?host={folder}&options=-csearch_path%3D{name}"


@pytest.fixture
def writer(where: str) -> Iterator[Engine]:
    """A writer of a database with tables."""
    engine = open_writer(where)
    upgrade(engine)
    yield engine
    engine.dispose()


def _psql(psql: str, folder: Path, statement: str) -> bool:
    command = [psql, "-h", str(folder), "-U", "headrace", "-d", "postgres", "-c", statement]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
