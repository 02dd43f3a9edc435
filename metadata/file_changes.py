"""Where the file of a flavor version is, as ingest says.  Call these inside ``writing``."""

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from metadata.enums import FileStatus, SyncObject
from metadata.models import FileSync
from metadata.records import FlavorRecord


def set_own_file(
    session: Session, flavor: FlavorRecord, dc: int, path: str, *, now: int
) -> None:
    """In data centre *dc* the version is read from *path*, and not from its own."""
    key = {
        "object_type": SyncObject.ASSET,
        "object_id": flavor.id,
        "version": flavor.version,
        "object_sub_type": 0,
        "dc": dc,
    }
    # an import may have said where a version is that was not there yet
    session.execute(delete(FileSync).filter_by(**key))
    facts = {"status": FileStatus.READY, "file_path": path, "updated_at": now}
    session.execute(insert(FileSync).values(key | facts))
