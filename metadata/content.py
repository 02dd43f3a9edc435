"""Questions of a manifest: an entry with all that decides what of it is shown, and how.

Each function is one query.  A segment asks ``entries.find_shown_entry``, which reads less.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, cast, literal_column, select, types

from metadata.enums import AssetStatus
from metadata.models import (
    AccessControl,
    CaptionAsset,
    Entry,
    FlavorAsset,
    Partner,
)
from metadata.records import AssetRecord, CaptionRecord, ContentRecord
from metadata.sessions import Reader

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
)
_ASSET = (
    FlavorAsset.int_id,
    FlavorAsset.id,
    FlavorAsset.version,
    FlavorAsset.path,
    FlavorAsset.size,
    FlavorAsset.width,
    FlavorAsset.height,
    FlavorAsset.codecs,
    FlavorAsset.duration_ms,
    FlavorAsset.bitrate,
    FlavorAsset.frame_rate,
    FlavorAsset.tags,
    FlavorAsset.language,
    FlavorAsset.label,
    FlavorAsset.is_default,
    FlavorAsset.flavor_params_id,
)
_CURRENT = and_(FlavorAsset.replaced_at.is_(None), FlavorAsset.status == _READY)
# Made once: making a statement costs more than carrying it out.
_FIND_CONTENT = (
    select(*_CONTENT, *_ASSET)
    .join(Partner, Partner.id == Entry.partner_id)
    .outerjoin(AccessControl, AccessControl.id == Entry.access_control_id)
    .outerjoin(Entry.flavors.and_(_CURRENT))
    .where(Entry.id == bindparam("entry_id"))
    .limit(1_000)
)
_CAPTION = (
    CaptionAsset.id,
    CaptionAsset.version,
    CaptionAsset.format,
    CaptionAsset.language,
    CaptionAsset.label,
    CaptionAsset.is_default,
    CaptionAsset.path,
)
_LIST_CAPTIONS = (
    select(*_CAPTION)
    .where(CaptionAsset.entry_id == bindparam("entry_id"), CaptionAsset.status == _READY)
    .order_by(CaptionAsset.id)
    .limit(1_000)
)


def find_content(reader: Reader, entry_id: str) -> ContentRecord | None:
    """The entry with its ready flavors, in no order, and what guards it."""
    rows = reader.execute(_FIND_CONTENT, {"entry_id": entry_id}).all()
    if not rows:
        return None
    names = [column.key for column in _CONTENT[:-1]]
    first: dict[str, Any] = dict(zip(names, rows[0], strict=False))
    rules = rows[0][len(names)]
    assets: Iterable[Any] = (row[len(_CONTENT) :] for row in rows if row.int_id is not None)
    return ContentRecord(
        **first,
        has_rules=first["access_control_id"] is not None and rules != "[]",
        flavors=tuple(AssetRecord(*asset) for asset in assets),
    )


def list_captions(reader: Reader, entry_id: str) -> list[CaptionRecord]:
    """The ready captions of an entry, by id."""
    rows = reader.execute(_LIST_CAPTIONS, {"entry_id": entry_id})
    return [CaptionRecord(*row) for row in rows]
