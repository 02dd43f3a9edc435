"""Captions, thumbnails, and where files are in each data centre."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from metadata.base import EMPTY, Base, Id, Nanoseconds, one_of
from metadata.enums import (
    AssetStatus,
    CaptionFormat,
    CaptionPurpose,
    FileStatus,
    FileType,
    SyncObject,
)


class CaptionAsset(Base):
    """The captions of an entry in one language."""

    __tablename__ = "caption_asset"
    __table_args__ = (
        CheckConstraint("id <> ''", name="id"),
        one_of("status", AssetStatus),
        one_of("format", CaptionFormat),
        one_of("purpose", CaptionPurpose),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("language <> ''", name="language"),
        CheckConstraint("substr(path, 1, 1) = '/'", name="path"),
        CheckConstraint("created_at >= 0 AND updated_at >= created_at", name="times"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    entry_id: Mapped[Id] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), index=True)
    version: Mapped[int] = mapped_column(server_default="1")
    status: Mapped[int] = mapped_column(server_default="2")
    format: Mapped[int]
    language: Mapped[str]
    """ISO 639-2/T, e.g. ``eng``."""

    label: Mapped[str | None]
    is_default: Mapped[bool] = mapped_column(server_default=false())
    path: Mapped[str]
    created_at: Mapped[Nanoseconds]
    updated_at: Mapped[Nanoseconds]
    channel: Mapped[str | None]
    """Which captions of the file, where it has more than them."""

    purpose: Mapped[int] = mapped_column(server_default="1")


class ThumbAsset(Base):
    """A stored picture of an entry."""

    __tablename__ = "thumb_asset"
    __table_args__ = (
        CheckConstraint("id <> ''", name="id"),
        one_of("status", AssetStatus),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("width > 0 AND height > 0", name="frame"),
        CheckConstraint("substr(path, 1, 1) = '/'", name="path"),
        CheckConstraint("created_at >= 0 AND updated_at >= created_at", name="times"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    entry_id: Mapped[Id] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), index=True)
    version: Mapped[int] = mapped_column(server_default="1")
    status: Mapped[int] = mapped_column(server_default="2")
    width: Mapped[int]
    height: Mapped[int]
    tags: Mapped[str] = mapped_column(server_default=EMPTY)
    is_default: Mapped[bool] = mapped_column(server_default=false())
    path: Mapped[str]
    created_at: Mapped[Nanoseconds]
    updated_at: Mapped[Nanoseconds]


class FileSync(Base):
    """One file of one object, in one version, in one data centre or remote storage (§2.8)."""

    __tablename__ = "file_sync"
    __table_args__ = (
        UniqueConstraint(
            "object_type",
            "object_id",
            "version",
            "object_sub_type",
            "dc",
            name="uq_file_sync_object",
        ),
        one_of("object_type", SyncObject),
        one_of("status", FileStatus),
        one_of("file_type", FileType),
        CheckConstraint("object_id <> ''", name="object_id"),
        CheckConstraint("version >= 0", name="version"),
        CheckConstraint("object_sub_type >= 0", name="object_sub_type"),
        CheckConstraint("dc >= 0", name="dc"),
        CheckConstraint("size >= 0", name="size"),
        CheckConstraint("(file_type = 2) = (linked_id IS NOT NULL)", name="link"),
        CheckConstraint("linked_id <> id", name="linked_id"),
        Index(None, "linked_id"),
        # in the URL of a file, and its hash: never again for another
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    object_type: Mapped[int]
    object_id: Mapped[Id]
    version: Mapped[int]
    object_sub_type: Mapped[int] = mapped_column(server_default="0")
    dc: Mapped[int]
    """A data centre, or the id of a remote storage profile."""

    status: Mapped[int] = mapped_column(server_default="1")
    file_type: Mapped[int] = mapped_column(server_default="1")
    linked_id: Mapped[int | None] = mapped_column(ForeignKey("file_sync.id"))
    """The row to take instead, for a link."""

    file_root: Mapped[str] = mapped_column(server_default=EMPTY)
    file_path: Mapped[str] = mapped_column(server_default=EMPTY)
    """Behind ``file_root``, as it is: no separator is put between them."""

    size: Mapped[int] = mapped_column(server_default="0")
    """Bytes; 0 is not known."""

    updated_at: Mapped[Nanoseconds]
