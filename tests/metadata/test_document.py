"""``docs/metadata.md`` says what the models say, and its examples can be imported."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Table
from sqlalchemy.orm import Mapper

from metadata.base import Base
from origin.importing.program import Order, run

DOCUMENT = Path(__file__).parents[2] / "docs" / "metadata.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")


def listed(mapper: Mapper[object]) -> str:
    """The row of a table in the document: its name, what it is for, its columns."""
    table = mapper.local_table
    assert isinstance(table, Table)
    purpose = " ".join((mapper.class_.__doc__ or "").partition("\n\n")[0].split())
    columns = ", ".join(
        column.key + ("?" if column.nullable else "") for column in table.columns
    )
    return f"| `{table.name}` | {purpose} | {columns} |"


def test_every_table_is_listed_as_it_is() -> None:
    expected = sorted(listed(mapper) for mapper in Base.registry.mappers)
    assert [
        line for line in TEXT.splitlines() if re.match(r"\| `\w+` \| .* \| .* \|", line)
    ] == (expected)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_the_examples_can_be_imported(form: str, tmp_path: Path) -> None:
    [example] = re.findall(rf"```{form}\n(.*?)```", TEXT, re.DOTALL)
    file = tmp_path / f"example.{form}"
    file.write_text(example, encoding="utf-8")
    for _ in range(2):
        assert run(Order(str(file), str(tmp_path), None, 1000, False), as_json=False) == 0
