"""Sessions, and what a database error means.

Every access goes through ``asking`` (the origin), ``reading`` or ``writing`` (ingest, the
command line), so that no exception of SQLAlchemy or a driver leaves this package unless it is a
bug here.
An origin asks on bare connections: what ``asking`` needs imports no ORM.
The version of the tables is looked at once per engine, on its first session.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakSet

from sqlalchemy import Connection, Engine, text
from sqlalchemy import exc as sa

from metadata.errors import Conflict, DatabaseUnavailable, MetadataError, WrongSchema
from metadata.tables import SCHEMA

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Reader: TypeAlias = "Session | Connection"
"""What questions are asked of."""

SQLITE_ERROR = 1
"""Bad SQL; SQLite's other codes are about files and locks."""

SQLITE_CANTOPEN = 14

_checked: WeakSet[Engine] = WeakSet()


@contextmanager
def reading(engine: Engine) -> "Iterator[Session]":
    """A session on one snapshot, for questions."""
    from sqlalchemy.orm import Session

    with explained(engine), Session(engine, autoflush=False) as session:
        check_schema(session.connection())
        yield session


@contextmanager
def writing(engine: Engine) -> "Iterator[Session]":
    """One transaction: all of it is stored when the block ends, or nothing if it raises."""
    from sqlalchemy.orm import Session

    with explained(engine), Session(engine, autoflush=False) as session, session.begin():
        check_schema(session.connection())
        yield session


def check_schema(connection: Connection) -> None:
    """That the tables are of this program's version; looked up once per engine."""
    if connection.engine in _checked:
        return
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    if found != [SCHEMA]:
        known = ", ".join(found)
        raise WrongSchema(_wrong_schema(known), where_of(connection.engine), known)
    _checked.add(connection.engine)


def refuse_other_schema(engine: Engine) -> None:
    """Raises ``WrongSchema`` where there are tables of another version, and for nothing else:
    what is not there now may be there later."""
    try:
        with explained(engine), engine.connect() as connection:
            check_schema(connection)
    except WrongSchema as error:
        if error.found:
            raise
    except MetadataError:
        pass


def _wrong_schema(found: str) -> str:
    if found > SCHEMA:
        return f"the database has schema {found}, newer than {SCHEMA}: upgrade this program"
    found = f"schema {found}" if found else "no tables yet"
    return (
        f"the database has {found}, this program needs {SCHEMA}: `headrace migrate` upgrades it"
    )


def forget_schema(engine: Engine) -> None:
    """Before its tables change."""
    _checked.discard(engine)


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Database errors inside leave in our words."""
    try:
        yield
    except sa.TimeoutError as error:
        raise DatabaseUnavailable("all connections are in use", where_of(engine)) from error
    except sa.DBAPIError as error:
        raise meaning(error, where_of(engine)) or error from error


def meaning(error: sa.DBAPIError, where: str) -> MetadataError | None:
    """*error* in our words; None if it is a bug of ours."""
    if isinstance(error, sa.IntegrityError):
        return Conflict("stored already, or changed meanwhile: " + _first_line(error))
    if _no_such_table(error):
        return WrongSchema(_wrong_schema(""), where)
    if getattr(error.orig, "sqlite_errorcode", None) == SQLITE_CANTOPEN:
        reason = "there is no database, or it cannot be opened: `headrace ingest` makes it"
        return DatabaseUnavailable(reason, where)
    if error.connection_invalidated or _is_outage(error):
        return DatabaseUnavailable(_first_line(error), where)
    return None


def _no_such_table(error: sa.DBAPIError) -> bool:
    if getattr(error.orig, "sqlstate", None) in ("42P01", "42703"):  # no such table, column
        return True
    return str(error.orig).startswith(("no such table", "no such column"))


def _is_outage(error: sa.DBAPIError) -> bool:
    if (code := getattr(error.orig, "sqlite_errorcode", None)) is not None:
        return bool(code & 0xFF != SQLITE_ERROR)
    return isinstance(error, sa.OperationalError)


def _first_line(error: sa.DBAPIError) -> str:
    return str(error.orig).partition("\n")[0]


def where_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)
