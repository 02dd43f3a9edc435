"""Where a flavor's files are besides its ``path``: rows of ``file_sync`` (contract §2.8)."""

import json
from typing import Any

from sqlalchemy import Text, and_, cast, literal_column, select

from metadata.enums import FileStatus, FileType, SyncObject
from metadata.errors import BadRow
from metadata.file_records import Copy
from metadata.rows_as_json import RowsAsJson
from metadata.tables import FileSync, FlavorAsset

_ASSET_FILE = 1
"""Greatest ``object_sub_type`` that is a flavor's own file, and not its log or manifest."""

MOST_COPIES = 64
"""Of one flavor version."""

_linked = FileSync.__clause_element__().alias("linked")
LINKED = _linked
LINK = _linked.c.id == FileSync.linked_id
OF_FLAVOR = and_(
    FileSync.object_type == literal_column(str(int(SyncObject.ASSET))),
    FileSync.object_id == FlavorAsset.id,
    FileSync.version == FlavorAsset.version,
    FileSync.object_sub_type <= literal_column(str(_ASSET_FILE)),
)
COPY = (
    FileSync.dc,
    FileSync.status,
    FileSync.file_type,
    FileSync.file_root,
    FileSync.file_path,
    _linked.c.status.label("linked_status"),
    _linked.c.file_root.label("linked_root"),
    _linked.c.file_path.label("linked_path"),
)
COPIES = cast(
    select(RowsAsJson(*COPY))
    .select_from(FileSync.__clause_element__().outerjoin(_linked, LINK))
    .where(OF_FLAVOR)
    .scalar_subquery(),
    Text,
).label("copies")


def copies_of(flavor: str, column: str | None) -> tuple[Copy, ...]:
    """In that *column* of a *flavor*, by data centre.  Raises ``BadRow``."""
    if column is None or column == "[]":
        return ()
    rows = json.loads(column)[:MOST_COPIES]
    return tuple(sorted((copy_of(flavor, *row) for row in rows), key=lambda one: one.dc))


def copy_of(flavor: str, *row: Any) -> Copy:
    """Of the values of ``COPY``.  Links point at a file: it must be ready too."""
    dc, status, kind, root, path, linked_status, linked_root, linked_path = row
    ready = status == FileStatus.READY
    if kind == FileType.LINK:
        ready = ready and linked_status == FileStatus.READY
        root, path = linked_root or "", linked_path or ""
    if type(dc) is not int or not (_is_printable(root) and _is_printable(path)):
        raise BadRow("file_sync", flavor, "dc, file_root or file_path cannot be")
    return Copy(dc, ready, f"{root}{path}")


def _is_printable(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()
