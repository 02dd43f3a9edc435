"""The captions of an entry, as one column of a question about it."""

import json
from typing import Any

from sqlalchemy import Text, bindparam, cast, literal_column, select

from metadata.enums import AssetStatus
from metadata.records import CaptionRecord
from metadata.rows_as_json import RowsAsJson
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
    CaptionAsset.channel,
    CaptionAsset.purpose,
)
READY_CAPTION = CaptionAsset.status == literal_column(str(int(AssetStatus.READY)))


_LISTED = (
    select(*CAPTION)
    .where(CaptionAsset.entry_id == bindparam("entry_id"), READY_CAPTION)
    .order_by(CaptionAsset.id)
    .limit(literal_column(str(MOST_CAPTIONS)))
    .subquery("page")
)
# Of the entry that the question asks for, and not of its row: so it is answered once.
CAPTIONS = cast(select(RowsAsJson(*_LISTED.c)).scalar_subquery(), Text).label("captions")


def captions_of(column: Any) -> tuple[CaptionRecord, ...]:
    """The ready captions in that *column*, the default first, then by language."""
    records = [
        CaptionRecord(*(*rest, bool(is_default), path, channel, purpose))
        for *rest, is_default, path, channel, purpose in json.loads(column or "[]")
    ]
    return tuple(sorted(records, key=_place))


def _place(one: CaptionRecord) -> tuple[bool, str, str, str]:
    return not one.is_default, one.language, one.label or "", one.id
