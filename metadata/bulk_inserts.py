"""Many rows of a table in few statements, without what the ORM does for each of them."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import BigInteger, Boolean, Float, Integer, LargeBinary, Table, Text
from sqlalchemy.orm import Session

_AT_ONCE = 10_000
"""Rows of a statement on PostgreSQL, which takes them as an array a column."""

_ARRAYS = {
    Boolean: "boolean[]",
    Float: "float8[]",
    LargeBinary: "bytea[]",
    BigInteger: "bigint[]",
    Integer: "bigint[]",
    Text: "text[]",
}


def insert_rows(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert *rows*, all of which have the same columns."""
    names = sorted(rows[0])
    values = list(map(itemgetter(*names), rows))
    columns = ", ".join(names)
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        insert = f"INSERT INTO {table.name} ({columns}) VALUES ({marks})"
        connection.exec_driver_sql(insert, values)
        return
    types = (_ARRAYS[type(table.c[name].type)] for name in names)
    arrays = ", ".join(f"%s::{kind}" for kind in types)
    insert = f"INSERT INTO {table.name} ({columns}) SELECT * FROM unnest({arrays})"
    for start in range(0, len(values), _AT_ONCE):
        lists = tuple(map(list, zip(*values[start : start + _AT_ONCE], strict=True)))
        connection.exec_driver_sql(insert, lists)
