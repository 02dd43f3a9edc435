"""Where the files of flavors are, in one question (contract §2.8)."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, literal_column, select

from metadata.enums import AssetStatus, FileStatus, FileType, SyncObject
from metadata.file_records import Copy, FlavorFiles
from metadata.sessions import Reader
from metadata.tables import FileSync, FlavorAsset

_MOST = 1_000
"""Rows: versions of a few flavors, times data centres."""

_ASSET_FILE = 1
"""Greatest ``object_sub_type`` that is a flavor's own file, and not its log or manifest."""


_linked = FileSync.__clause_element__().alias("linked")
_FIND = (
    select(
        FlavorAsset.id,
        FlavorAsset.version,
        FlavorAsset.replaced_at,
        FlavorAsset.path,
        FlavorAsset.language,
        FlavorAsset.label,
        FileSync.dc,
        FileSync.status,
        FileSync.file_type,
        FileSync.file_root,
        FileSync.file_path,
        _linked.c.status.label("linked_status"),
        _linked.c.file_root.label("linked_root"),
        _linked.c.file_path.label("linked_path"),
    )
    .select_from(FlavorAsset)
    .outerjoin(
        FileSync,
        and_(
            FileSync.object_type == literal_column(str(int(SyncObject.ASSET))),
            FileSync.object_id == FlavorAsset.id,
            FileSync.version == FlavorAsset.version,
            FileSync.object_sub_type <= _ASSET_FILE,
        ),
    )
    .outerjoin(_linked, _linked.c.id == FileSync.linked_id)
    .where(
        FlavorAsset.entry_id == bindparam("entry_id"),
        FlavorAsset.id.in_(bindparam("flavors", expanding=True)),
        FlavorAsset.status == literal_column(str(int(AssetStatus.READY))),
    )
    .order_by(FlavorAsset.version.desc(), FileSync.dc)
    .limit(_MOST)
)


def list_files(reader: Reader, entry_id: str, flavors: Sequence[str]) -> list[FlavorFiles]:
    """Every ready version of these *flavors* of an entry, newest first."""
    rows: Iterable[Any] = reader.execute(_FIND, {"entry_id": entry_id, "flavors": [*flavors]})
    found: dict[tuple[str, int], list[Any]] = {}
    for row in rows:
        found.setdefault((row.id, row.version), []).append(row)
    return [_files(own) for own in found.values()]


def _files(rows: list[Any]) -> FlavorFiles:
    first = rows[0]
    return FlavorFiles(
        id=first.id,
        version=first.version,
        is_current=first.replaced_at is None,
        path=first.path,
        language=first.language,
        label=first.label,
        copies=tuple(_copy(row) for row in rows if row.dc is not None),
    )


def _copy(row: Any) -> Copy:
    """Links point at a file: what they point at must be ready too."""
    if row.file_type == FileType.LINK:
        ready = row.status == FileStatus.READY and row.linked_status == FileStatus.READY
        return Copy(row.dc, ready, f"{row.linked_root or ''}{row.linked_path or ''}")
    return Copy(row.dc, row.status == FileStatus.READY, f"{row.file_root}{row.file_path}")
