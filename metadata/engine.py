"""Opens the database: SQLite below a data directory, or whatever an SQLAlchemy URL names.

Opening touches nothing; the first question does.  So an origin starts before there is a
database, and finds it when it appears.  A reader never makes the file, and never writes to it.

Durability on SQLite: WAL with ``synchronous=FULL`` for writers, one fsync per commit.  NORMAL
would survive kill -9 too, but may forget the last commits when the power fails, after
``ingest`` has printed an id.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError

from metadata.errors import BadDatabaseUrl, DatabaseUnavailable

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

FILE_NAME = "headrace.db"

READER_WAIT_S = 2.0
"""For a lock or a pooled connection; then the answer is 503."""

WRITER_WAIT_S = 30.0
"""For the lock: another ingest may be storing the index of a long film."""

WRITER_CACHE_KIB = 64 << 10
"""Of SQLite, filled as it is used: ids come in no order, and an import of millions of them
touches every page of an index in each batch."""

CONNECT_WAIT_S = 5
READER_POOL = 4
"""Connections of an origin's process; on SQLite each has a thread."""


def database_url(where: str | Path) -> URL:
    """*where* is an SQLAlchemy URL, or else a data directory."""
    if isinstance(where, Path) or "://" not in where:
        return URL.create("sqlite", database=str(Path(where).absolute() / FILE_NAME))
    try:
        url = make_url(where)
    except ArgumentError:
        raise BadDatabaseUrl("this is not a database URL") from None
    match url.get_backend_name():
        case "sqlite" if url.database in (None, "", ":memory:") or url.query:
            raise BadDatabaseUrl(
                "an SQLite URL names a file and nothing more: sqlite:////srv/h.db"
            )
        case "sqlite":
            return URL.create("sqlite", database=str(Path(url.database or "").absolute()))
        case "postgresql" if url.drivername in ("postgresql", "postgresql+psycopg"):
            return url.set(drivername="postgresql+psycopg")
    raise BadDatabaseUrl(f"{url.drivername}: only sqlite and postgresql+psycopg are known")


def is_there(where: str | Path) -> bool:
    """Whether there is a file, where a file it is."""
    url = database_url(where)
    return url.drivername != "sqlite" or Path(url.database or "").exists()


def open_writer(where: str | Path) -> Engine:
    """For ``writing`` and ``upgrade``.  Makes the directory and the file."""
    url = database_url(where)
    if url.drivername != "sqlite":
        return _open_postgresql(url)
    file = Path(url.database or "")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnavailable(f"no directory: {error.strerror}", str(url)) from error
    engine = create_engine(_uri(url, "rwc"), connect_args={"timeout": WRITER_WAIT_S})
    _begin_with(engine, "BEGIN IMMEDIATE")
    cache = f"cache_size = -{WRITER_CACHE_KIB}"
    _set_up(engine, file, "foreign_keys = ON", "synchronous = FULL", cache)
    return engine


def open_reader(where: str | Path) -> Engine:
    """For ``reading``."""
    url = database_url(where)
    if url.drivername != "sqlite":
        return _open_postgresql(url)
    engine = open_asked(url)
    _begin_with(engine, "BEGIN")
    return engine


def open_asked(url: URL) -> Engine:
    """For ``asking``, on SQLite.

    A question is one statement, its own snapshot: BEGIN and ROLLBACK are a third of its cost.
    """
    engine = create_engine(_uri(url, "rw"), connect_args={"timeout": READER_WAIT_S})
    _set_up(engine, Path(url.database or ""), "query_only = ON")
    return engine


def open_async_reader(where: str | Path) -> "AsyncEngine":
    """For ``asking``, where the driver can wait on the loop: PostgreSQL."""
    from sqlalchemy.ext.asyncio import create_async_engine

    url = database_url(where)
    with _driver_needed():
        return create_async_engine(
            url,
            connect_args=_limits(url),
            # a question is one statement, its own snapshot: BEGIN and ROLLBACK are round trips
            isolation_level="AUTOCOMMIT",
            pool_size=READER_POOL,
            max_overflow=0,
            pool_timeout=READER_WAIT_S,
        )


def import_driver(where: str | Path) -> None:
    """What connections to *where* need, so that processes forked later share it."""
    url = database_url(where)
    with _driver_needed():
        url.get_dialect().import_dbapi()


def _open_postgresql(url: URL) -> Engine:
    with _driver_needed():
        return create_engine(url, connect_args=_limits(url), pool_pre_ping=True)


def _limits(url: URL) -> dict[str, Any]:
    return {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_WAIT_S}


@contextmanager
def _driver_needed() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        advice = "PostgreSQL needs its driver: pip install 'headrace[postgresql]'"
        raise BadDatabaseUrl(advice) from error


def _uri(url: URL, mode: str) -> URL:
    """The URI form, which can say that a missing file is not to be made."""
    file = "file:" + quote(url.database or "")
    return url.set(database=file, query={"mode": mode, "uri": "true"})


def _set_up(engine: Engine, file: Path, *pragmas: str) -> None:
    """Connections that leave transactions to us, and know which file they opened."""

    def connected(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        # text that is not UTF-8 becomes a bad row with a name, not a driver's error
        driver = getattr(connection, "driver_connection", connection)
        driver.text_factory = _decoded
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        record.info["file"] = _which(file)

    def checked_out(_connection: Any, record: Any, _proxy: Any) -> None:
        if record.info["file"] != _which(file):
            raise DisconnectionError("the database file was replaced or removed")

    event.listen(engine, "connect", connected)
    event.listen(engine, "checkout", checked_out)


def _begin_with(engine: Engine, statement: str) -> None:
    """Real transactions.

    The driver by itself begins one before the first change only: that is no snapshot for a
    reader, and a lock that a writer asks for when it can no longer wait for it.
    """

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    event.listen(engine, "begin", begun)


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def _which(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
