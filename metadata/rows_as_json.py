"""Rows of a subquery as one column of a question: a list of lists, as JSON.

A join would give a row for each of the one with each of the other; another question would be
one more statement for what is seldom there.
"""

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class RowsAsJson(FunctionElement[str]):
    """All rows, each a list of these columns."""

    inherit_cache = True


@compiles(RowsAsJson, "sqlite")
def _on_sqlite(element: RowsAsJson, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **kw)}))"


@compiles(RowsAsJson, "postgresql")
def _on_postgresql(element: RowsAsJson, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_agg(json_build_array({compiler.process(element.clauses, **kw)}))"
