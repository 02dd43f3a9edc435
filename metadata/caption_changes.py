"""What ingest changes of captions.  Call these inside ``writing``."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from metadata.enums import AssetStatus, CaptionPurpose
from metadata.ids import new_id
from metadata.models import CaptionAsset


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCaptions:
    """A file of captions to store."""

    path: str
    format: int
    language: str
    label: str | None
    channel: str | None = None
    purpose: int = CaptionPurpose.SUBTITLES
    changed_at: int
    """When the file was last written to, nanoseconds since 1970."""


def set_captions(
    session: Session,
    entry_id: str,
    captions: Sequence[NewCaptions],
    *,
    now: int,
    looked_into: Collection[str] = (),
) -> None:
    """Add *captions* to an entry that is there.

    A file that it has already stays the same captions, in another version if it changed.  What
    was within files that were *looked_into*, by their paths, and is there no more is dropped.
    """
    query = select(CaptionAsset).where(CaptionAsset.entry_id == entry_id)
    known = {(row.path, row.channel): row for row in session.scalars(query)}
    listed = {(one.path, one.channel) for one in captions}
    for key in [key for key in known if key[1] and key[0] in looked_into and key not in listed]:
        session.delete(known.pop(key))
    within = {(row.format, row.channel) for row in known.values()}
    for one in captions:
        said = {"format": one.format, "language": one.language, "label": one.label}
        said |= {"purpose": one.purpose, "status": int(AssetStatus.READY)}
        row = known.get((one.path, one.channel))
        if row is None and one.channel is not None and (one.format, one.channel) in within:
            continue  # another flavor of the same film
        if row is None:
            times = {"created_at": now, "updated_at": now}
            place = {"path": one.path, "channel": one.channel}
            session.add(CaptionAsset(id=new_id(), entry_id=entry_id, **place, **said, **times))
        elif one.changed_at > row.updated_at or any(
            getattr(row, name) != value for name, value in said.items()
        ):
            for name, value in said.items():
                setattr(row, name, value)
            row.version += 1
            row.updated_at = max(now, row.updated_at + 1)
    session.flush()
