"""The declarative base: column types and the names of constraints.

Every constraint has a name made from its table and columns, so that a migration can drop it on
either database.
"""

from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, Integer, LargeBinary, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}

# SQLite numbers rows by itself only in an INTEGER primary key, which has 64 bits as well
Number = BigInteger().with_variant(Integer(), "sqlite")

# ids sort by byte on both databases, whatever the locale of a PostgreSQL cluster
IdText = Text().with_variant(Text(collation="C"), "postgresql")

Id = Annotated[str, mapped_column(IdText)]
"""Like ``0_abcd1234``."""

Nanoseconds = Annotated[int, mapped_column(Number)]
"""Since 1970, UTC."""


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: Number,
        str: Text(),
        bytes: LargeBinary(),
    }
