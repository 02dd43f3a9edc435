"""Where the file of a flavor version is, as ingest says."""

from typing import Any

from sqlalchemy import delete, exists, insert, select
from sqlalchemy.orm import Session

from metadata.enums import FileStatus, SyncObject
from metadata.models import FileSync
from metadata.records import FlavorRecord


def set_own_file(
    session: Session, flavor: FlavorRecord, dc: int, path: str, *, now: int
) -> None:
    """In data centre *dc* the version is read from *path*, and not from its own.  Call it
    inside ``writing``."""
    key = _key(flavor, dc)
    # an import may have said where a version is that was not there yet
    session.execute(delete(FileSync).filter_by(**key))
    facts = {"status": FileStatus.READY, "file_path": path, "updated_at": now}
    session.execute(insert(FileSync).values(key | facts))


def find_own_file(session: Session, flavor: FlavorRecord, dc: int) -> str | None:
    """What ``set_own_file`` stored."""
    return session.scalar(select(FileSync.file_path).filter_by(**_key(flavor, dc)))


def is_own_file(session: Session, name: str) -> bool:
    """Whether a version is read from a file of this *name* in any folder.  Reads all rows."""
    ends = FileSync.file_path.endswith(f"/{name}", autoescape=True)
    return bool(session.scalar(select(exists().where(ends))))


def _key(flavor: FlavorRecord, dc: int) -> dict[str, Any]:
    return {
        "object_type": SyncObject.ASSET,
        "object_id": flavor.id,
        "version": flavor.version,
        "object_sub_type": 0,
        "dc": dc,
    }
