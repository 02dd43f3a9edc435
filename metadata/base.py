"""The declarative base: column types and the names of constraints.

Every constraint has a name made from its table and columns, so that a migration can drop it on
either database.
"""

from enum import IntEnum
from typing import Annotated, Any, ClassVar

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Float,
    LargeBinary,
    MetaData,
    Text,
    text,
)
from sqlalchemy.orm import DeclarativeBase, mapped_column

from metadata.column_types import IdText, Number, Tree

NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}

EMPTY = text("''")
"""The empty string as a default: Alembic takes a bare one for none on SQLite."""

Id = Annotated[str, mapped_column(IdText)]
"""Like ``0_abcd1234``."""

Nanoseconds = Annotated[int, mapped_column(Number)]
"""Since 1970, UTC."""

Settings = Annotated[dict[str, Any], mapped_column(Tree, server_default="{}")]
"""By name.  What reads a setting knows its default; an unknown one is left alone."""

Rules = Annotated[list[Any], mapped_column(Tree, server_default="[]")]


def one_of(column: str, numbers: type[IntEnum]) -> CheckConstraint:
    """*column* holds one of *numbers*."""
    listed = ", ".join(str(int(number)) for number in numbers)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def is_object(column: str) -> CheckConstraint:
    """*column* holds a JSON object: the way to say so that both databases understand."""
    return CheckConstraint(f"substr(CAST({column} AS TEXT), 1, 1) = '{{'", name=column)


def is_list(column: str) -> CheckConstraint:
    """*column* holds a JSON array."""
    return CheckConstraint(f"substr(CAST({column} AS TEXT), 1, 1) = '['", name=column)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: Number,
        str: Text(),
        bytes: LargeBinary(),
        bool: Boolean(),
        float: Float(),
    }
