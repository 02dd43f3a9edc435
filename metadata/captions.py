"""The captions of an entry, as one column of a question about it.

A join would give a row for each flavor with each of its captions; another question would be
one more statement for what is seldom there.
"""

import json
from typing import Any

from sqlalchemy import Text, bindparam, cast, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from metadata.enums import AssetStatus
from metadata.records import CaptionRecord
from metadata.tables import CaptionAsset

MOST_CAPTIONS = 128
"""Of one entry."""

CAPTION = (
    CaptionAsset.id,
    CaptionAsset.version,
    CaptionAsset.format,
    CaptionAsset.language,
    CaptionAsset.label,
    CaptionAsset.is_default,
    CaptionAsset.path,
)
READY_CAPTION = CaptionAsset.status == literal_column(str(int(AssetStatus.READY)))


class _RowsAsJson(FunctionElement[str]):
    """All rows, each a list of these columns."""

    inherit_cache = True


@compiles(_RowsAsJson, "sqlite")
def _on_sqlite(element: _RowsAsJson, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **kw)}))"


@compiles(_RowsAsJson, "postgresql")
def _on_postgresql(element: _RowsAsJson, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_agg(json_build_array({compiler.process(element.clauses, **kw)}))"


_LISTED = (
    select(*CAPTION)
    .where(CaptionAsset.entry_id == bindparam("entry_id"), READY_CAPTION)
    .order_by(CaptionAsset.id)
    .limit(literal_column(str(MOST_CAPTIONS)))
    .subquery("page")
)
# Of the entry that the question asks for, and not of its row: so it is answered once.
CAPTIONS = cast(select(_RowsAsJson(*_LISTED.c)).scalar_subquery(), Text).label("captions")


def captions_of(column: Any) -> tuple[CaptionRecord, ...]:
    """The ready captions in that *column*, the default first, then by language."""
    records = [
        CaptionRecord(*(*rest, bool(is_default), path))
        for *rest, is_default, path in json.loads(column or "[]")
    ]
    return tuple(sorted(records, key=_place))


def _place(one: CaptionRecord) -> tuple[bool, str, str, str]:
    return not one.is_default, one.language, one.label or "", one.id
