"""Questions of a manifest: an entry with all that decides what of it is shown, and how.

Each function is one query.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, cast, literal_column, select, types

from metadata.captions import CAPTION, CAPTIONS, READY_CAPTION, captions_of
from metadata.copies import COPIES, copies_of
from metadata.entries import FLAVOR, MOST_VERSIONS, THERE
from metadata.enums import AssetStatus
from metadata.records import AssetRecord, CaptionRecord, ContentRecord
from metadata.sessions import Reader
from metadata.tables import (
    AccessControl,
    CaptionAsset,
    Entry,
    FlavorAsset,
    Partner,
)

_READY: ColumnElement[int] = literal_column(str(int(AssetStatus.READY)))

_CONTENT = (
    Entry.id,
    Entry.partner_id,
    Entry.name,
    Entry.type,
    Entry.media_type,
    Entry.status,
    Entry.moderation_status,
    Entry.start_at,
    Entry.end_at,
    Entry.version,
    Entry.cache_version,
    Entry.access_control_id,
    Entry.playlist,
    Entry.updated_at,
    Partner.status.label("partner_status"),
    Partner.cache_version.label("partner_cache_version"),
    # as text: not every question wants them parsed
    cast(AccessControl.rules, types.Text).label("rules"),
    CAPTIONS,
)
_ASSET = (
    *FLAVOR,
    FlavorAsset.frame_rate,
    FlavorAsset.tags,
    FlavorAsset.language,
    FlavorAsset.label,
    FlavorAsset.is_default,
    FlavorAsset.flavor_params_id,
    COPIES,
)
# Made once: making a statement costs more than carrying it out.
_FIND_CONTENT = (
    select(*_CONTENT, *_ASSET)
    .select_from(Entry)
    .join(Partner, Partner.id == Entry.partner_id)
    .outerjoin(AccessControl, AccessControl.id == Entry.access_control_id)
    .outerjoin(FlavorAsset, and_(FlavorAsset.entry_id == Entry.id, THERE))
    .where(Entry.id == bindparam("entry_id"))
    .order_by(FlavorAsset.replaced_at.desc().nulls_first())
    .limit(literal_column(str(MOST_VERSIONS)))
)
_CONTENT_NAMES = [column.key for column in _CONTENT[:-2]]
_ASSET_NAMES = [column.key for column in _ASSET]
_FIND_CAPTION = select(CaptionAsset.entry_id, *CAPTION).where(
    CaptionAsset.id == bindparam("caption_id"), READY_CAPTION
)


def find_content(reader: Reader, entry_id: str, *, replaced_after: int) -> ContentRecord | None:
    """The entry with what guards it, its ready flavors, in no order, and those versions that
    were replaced after that time."""
    asked = {"entry_id": entry_id, "replaced_after": replaced_after}
    rows = reader.execute(_FIND_CONTENT, asked).all()
    if not rows:
        return None
    first: dict[str, Any] = dict(zip(_CONTENT_NAMES, rows[0], strict=False))
    rules, captions = rows[0][len(_CONTENT_NAMES) : len(_CONTENT)]
    found: Iterable[Any] = (row[len(_CONTENT) :] for row in rows if row.int_id is not None)
    assets = list(map(_asset, found))
    return ContentRecord(
        **first,
        has_rules=first["access_control_id"] is not None and rules != "[]",
        flavors=tuple(one for one in assets if one.replaced_at is None),
        replaced=tuple(one for one in assets if one.replaced_at is not None),
        captions=captions_of(captions),
    )


def _asset(row: Any) -> AssetRecord:
    values: dict[str, Any] = dict(zip(_ASSET_NAMES, row, strict=True))
    return AssetRecord(**values | {"copies": copies_of(values["id"], values["copies"])})


def find_caption(reader: Reader, caption_id: str) -> tuple[str, CaptionRecord] | None:
    """Captions that are ready, behind the entry that they belong to."""
    rows = reader.execute(_FIND_CAPTION, {"caption_id": caption_id}).all()
    if not rows:
        return None
    values: tuple[Any, ...] = tuple(rows[0])
    return values[0], CaptionRecord(*values[1:])
