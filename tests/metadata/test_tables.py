"""What an origin asks for are the columns of the models, and nothing of the ORM."""

import pytest
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from metadata import models, tables
from metadata.base import Base

ASKED = {name: value for name, value in vars(tables).items() if type(value) is tables.Columns}


def _types(table: object) -> dict[str, object]:
    columns = table.__clause_element__() if isinstance(table, tables.Columns) else table
    return {column.name: _shape(column.type) for column in columns.columns}  # type: ignore[attr-defined]


def _shape(kind: TypeEngine[object]) -> tuple[object, ...]:
    """What a type is in SQL, and how values are read and written."""
    dialects = (sqlite.dialect(), postgresql.dialect())
    return repr(kind), *(kind.compile(dialect) for dialect in dialects)


@pytest.mark.parametrize("name", ASKED)
def test_columns_are_those_of_the_model(name: str) -> None:
    model = getattr(models, name)
    asked = ASKED[name]
    assert asked.__clause_element__().name == model.__tablename__
    assert _types(asked) == _types(Base.metadata.tables[model.__tablename__])


def test_there_are_some() -> None:
    assert {"Entry", "FlavorAsset", "FlavorIndex", "FlavorIndexBlock"} <= set(ASKED)


def test_an_unknown_column_is_an_error() -> None:
    with pytest.raises(AttributeError):
        _ = tables.Entry.nmae
