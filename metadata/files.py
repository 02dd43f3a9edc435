"""Where the files of flavors are, in one question (contract §2.8)."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import bindparam, literal_column, select

from metadata.copies import COPY, LINK, LINKED, OF_FLAVOR, copy_of
from metadata.enums import AssetStatus
from metadata.file_records import FlavorFiles
from metadata.sessions import Reader
from metadata.tables import FileSync, FlavorAsset

_MOST = 1_000
"""Rows: versions of a few flavors, times data centres."""

_FIND = (
    select(
        FlavorAsset.id,
        FlavorAsset.version,
        FlavorAsset.replaced_at,
        FlavorAsset.path,
        FlavorAsset.language,
        FlavorAsset.label,
        *COPY,
    )
    .select_from(FlavorAsset)
    .outerjoin(FileSync, OF_FLAVOR)
    .outerjoin(LINKED, LINK)
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
        copies=tuple(copy_of(row.id, *row[-len(COPY) :]) for row in rows if row.dc is not None),
    )
