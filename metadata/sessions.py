"""Sessions, and what a database error means.

Every access goes through ``ask`` (the origin), ``reading`` or ``writing`` (ingest, the command
line), so that no SQLAlchemy or driver exception leaves this package unless it is a bug here.
The version of the tables is looked at once per engine, on its first session.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar
from weakref import WeakSet

from sqlalchemy import Connection, Engine, text
from sqlalchemy import exc as sa
from sqlalchemy.orm import Session

from metadata.errors import Conflict, DatabaseUnavailable, MetadataError, WrongSchema
from metadata.models import SCHEMA

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

ANSWER_LIMIT_S = 5.0
"""For one question of the origin, waiting for a connection included."""

P = ParamSpec("P")
T = TypeVar("T")

_checked: WeakSet[Engine] = WeakSet()


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session on one snapshot, for questions."""
    with explained(engine), Session(engine, autoflush=False) as session:
        check_schema(session.connection())
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """One transaction: all of it is stored when the block ends, or nothing if it raises."""
    with explained(engine), Session(engine, autoflush=False) as session, session.begin():
        check_schema(session.connection())
        yield session


async def ask(
    engine: "AsyncEngine",
    question: Callable[Concatenate[Session, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """What *question* answers: ``await ask(engine, load_index_headers, [7])``.

    The loop is not blocked.  A connection that the server had dropped is replaced once, since
    questions change nothing.
    """
    from sqlalchemy.ext.asyncio import AsyncSession

    def answer(session: Session) -> T:
        check_schema(session.connection())
        return question(session, *args, **kwargs)

    async def once() -> T:
        async with AsyncSession(engine, autoflush=False) as session:
            return await session.run_sync(answer)

    with explained(engine.sync_engine):
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                try:
                    return await once()
                except sa.DBAPIError as error:
                    if not error.connection_invalidated:
                        raise
                return await once()
        except TimeoutError:
            reason = f"no answer within {ANSWER_LIMIT_S:g} s"
            raise DatabaseUnavailable(reason, _where(engine.sync_engine)) from None


def check_schema(connection: Connection) -> None:
    """That the tables are of this program's version; looked up once per engine."""
    if connection.engine in _checked:
        return
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    if found != [SCHEMA]:
        raise WrongSchema(_wrong_schema(", ".join(found)), _where(connection.engine))
    _checked.add(connection.engine)


def _wrong_schema(found: str) -> str:
    if found > SCHEMA:
        return f"the database has schema {found}, newer than {SCHEMA}: upgrade this program"
    found = f"schema {found}" if found else "no tables yet"
    return (
        f"the database has {found}, this program needs {SCHEMA}: `headrace ingest` upgrades it"
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
        raise DatabaseUnavailable("all connections are in use", _where(engine)) from error
    except sa.DBAPIError as error:
        raise meaning(error, _where(engine)) or error from error


def meaning(error: sa.DBAPIError, where: str) -> MetadataError | None:
    """*error* in our words; None if it is a bug of ours."""
    if isinstance(error, sa.IntegrityError):
        return Conflict("stored already, or changed meanwhile: " + _first_line(error))
    if _no_such_table(error):
        return WrongSchema(_wrong_schema(""), where)
    if error.connection_invalidated or _is_outage(error):
        return DatabaseUnavailable(_first_line(error), where)
    return None


def _no_such_table(error: sa.DBAPIError) -> bool:
    if getattr(error.orig, "sqlstate", None) in ("42P01", "42703"):  # no such table, column
        return True
    return str(error.orig).startswith(("no such table", "no such column"))


def _is_outage(error: sa.DBAPIError) -> bool:
    if (code := getattr(error.orig, "sqlite_errorcode", None)) is not None:
        return bool(code & 0xFF != 1)  # SQLITE_ERROR: bad SQL; the others are files and locks
    return isinstance(error, sa.OperationalError)


def _first_line(error: sa.DBAPIError) -> str:
    return str(error.orig).partition("\n")[0]


def _where(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)
