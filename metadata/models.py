"""The schema.

    Partner --(0..n)--> Entry --(0..n)--> FlavorAsset --(0..1)--> FlavorIndex
    FlavorIndex --(0..n)--> FlavorIndexBlock
    Entry --(0..n)--> CaptionAsset, ThumbAsset            metadata/models_assets.py
    Entry --(0..1)--> AccessControl, ConversionProfile    metadata/models_profiles.py
    FlavorAsset --(0..1)--> FlavorParams

An entry is one piece of content.  A flavor asset is one version of one of its encodings: rows
of the same ``id`` are its versions, of which at most one is current.  The index tells where the
samples of that version are; it is in tables of its own so that no question about an entry
reads a blob, and a segment reads the header and the blocks it needs.  Names and numbers are the
delivery contract's (§2.4) where it has one; ``docs/metadata.md`` says where they differ.
"""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from metadata.base import EMPTY, Base, Id, Nanoseconds, Settings, is_object, one_of
from metadata.enums import (
    AssetStatus,
    ChangeKind,
    EntryStatus,
    EntryType,
    MediaType,
    ModerationStatus,
    PartnerStatus,
)
from metadata.models_assets import CaptionAsset, FileSync, ThumbAsset
from metadata.models_profiles import (
    AccessControl,
    ConversionProfile,
    ConversionProfileFlavor,
    DeliveryProfile,
    FilterSet,
    FlavorParams,
    ServerNode,
    StorageProfile,
)

__all__ = [
    "AccessControl",
    "CaptionAsset",
    "Change",
    "ConversionProfile",
    "ConversionProfileFlavor",
    "DeliveryProfile",
    "Entry",
    "FileSync",
    "FilterSet",
    "FlavorAsset",
    "FlavorIndex",
    "FlavorIndexBlock",
    "FlavorParams",
    "ImportCheckpoint",
    "Partner",
    "ServerNode",
    "StorageProfile",
    "ThumbAsset",
]

_CURRENT = text("replaced_at IS NULL")


class Partner(Base):
    """Who content belongs to."""

    __tablename__ = "partner"
    __table_args__ = (
        CheckConstraint("id >= 0", name="id"),
        one_of("status", PartnerStatus),
        CheckConstraint("cache_version >= 0", name="cache_version"),
        is_object("settings"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    created_at: Mapped[Nanoseconds]
    name: Mapped[str] = mapped_column(server_default=EMPTY)
    status: Mapped[int] = mapped_column(server_default="1")
    cache_version: Mapped[int] = mapped_column(server_default="0")
    """In URLs as ``/pv/``; 0 is left out."""

    admin_secret: Mapped[str | None]
    user_secret: Mapped[str | None]
    url_token_secret: Mapped[str | None]
    settings: Mapped[Settings]


class Entry(Base):
    """One piece of content: a clip, a playlist, or the place of a live channel."""

    __tablename__ = "entry"
    __table_args__ = (
        CheckConstraint("id <> ''", name="id"),
        CheckConstraint("created_at >= 0 AND updated_at >= created_at", name="times"),
        one_of("type", EntryType),
        one_of("media_type", MediaType),
        one_of("status", EntryStatus),
        one_of("moderation_status", ModerationStatus),
        CheckConstraint("start_at >= 0 AND end_at > 0 AND start_at < end_at", name="schedule"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("cache_version >= 0", name="cache_version"),
        CheckConstraint("playlist IS NULL OR type = 5", name="playlist"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"), index=True)
    name: Mapped[str]
    created_at: Mapped[Nanoseconds]
    updated_at: Mapped[Nanoseconds]
    """When it or its set of flavors last changed."""

    type: Mapped[int] = mapped_column(server_default="1")
    media_type: Mapped[int] = mapped_column(server_default="1")
    status: Mapped[int] = mapped_column(server_default="2")
    moderation_status: Mapped[int] = mapped_column(server_default="6")
    start_at: Mapped[Nanoseconds | None]
    end_at: Mapped[Nanoseconds | None]
    """It is to be seen from ``start_at`` until before ``end_at``."""

    version: Mapped[int] = mapped_column(server_default="1")
    """Of its data: a playlist that is edited counts up."""

    cache_version: Mapped[int] = mapped_column(server_default="0")
    """In URLs as ``/ev/``; 0 is left out."""

    access_control_id: Mapped[int | None] = mapped_column(ForeignKey("access_control.id"))
    conversion_profile_id: Mapped[int | None] = mapped_column(
        ForeignKey("conversion_profile.id")
    )
    playlist: Mapped[str | None]
    """Entry ids in order, between commas."""

    # lazy="raise": every question says what it loads; nothing loads behind its back
    flavors: Mapped[list["FlavorAsset"]] = relationship(
        back_populates="entry", lazy="raise", passive_deletes="all"
    )


class FlavorAsset(Base):
    """One version of one encoding of an entry.

    What an import did not say of a source is 0 or empty, and is found when it is first used.
    """

    __tablename__ = "flavor_asset"
    __table_args__ = (
        UniqueConstraint("id", "version"),
        CheckConstraint("id <> ''", name="id"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("path <> ''", name="path"),
        CheckConstraint("size >= 0", name="size"),
        CheckConstraint(
            "(width IS NULL) = (height IS NULL) AND width > 0 AND height > 0", name="frame"
        ),
        CheckConstraint("duration_ms >= 0", name="duration_ms"),
        CheckConstraint("bitrate >= 0", name="bitrate"),
        CheckConstraint("created_at >= 0 AND replaced_at > created_at", name="times"),
        one_of("status", AssetStatus),
        CheckConstraint("language <> ''", name="language"),
        CheckConstraint("frame_rate > 0", name="frame_rate"),
        Index("uq_flavor_asset_current", "id", unique=True, sqlite_where=_CURRENT,
              postgresql_where=_CURRENT),
        # a path may be longer than a B-tree's key on PostgreSQL; only equality is asked
        Index("ix_flavor_asset_path", "path", postgresql_using="hash", sqlite_where=_CURRENT,
              postgresql_where=_CURRENT),
        Index(None, "entry_id", "replaced_at"),
        # a number once given to a row is in caches: never again for another
        {"sqlite_autoincrement": True},
    )  # fmt: skip

    int_id: Mapped[int] = mapped_column(primary_key=True)
    """Of this version."""

    id: Mapped[Id]
    """Of the flavor: the same over all versions."""

    entry_id: Mapped[Id] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"))
    version: Mapped[int]
    path: Mapped[str]
    size: Mapped[int]
    mtime_ns: Mapped[int]
    width: Mapped[int | None]
    height: Mapped[int | None]
    codecs: Mapped[str]
    duration_ms: Mapped[int]
    bitrate: Mapped[int]
    identity: Mapped[bytes]
    created_at: Mapped[Nanoseconds]
    replaced_at: Mapped[Nanoseconds | None]
    status: Mapped[int] = mapped_column(server_default="2")
    tags: Mapped[str] = mapped_column(server_default=EMPTY)
    """Between commas, without spaces."""

    language: Mapped[str | None]
    """ISO 639-2/T, e.g. ``eng``."""

    label: Mapped[str | None]
    is_default: Mapped[bool] = mapped_column(server_default=false())
    flavor_params_id: Mapped[int | None] = mapped_column(ForeignKey("flavor_params.id"))
    frame_rate: Mapped[float | None]

    entry: Mapped[Entry] = relationship(back_populates="flavors", lazy="raise")


class FlavorIndex(Base):
    """The header of a flavor version's index."""

    __tablename__ = "flavor_index"
    __table_args__ = (
        CheckConstraint("format >= 1", name="format"),
        CheckConstraint("length(header) > 0", name="header"),
    )

    int_id: Mapped[int] = mapped_column(
        ForeignKey("flavor_asset.int_id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    format: Mapped[int]
    """The version of the layout of ``header`` and of the blocks."""

    header: Mapped[bytes]


class FlavorIndexBlock(Base):
    """A run of samples of one track."""

    __tablename__ = "flavor_index_block"
    __table_args__ = (
        CheckConstraint("track >= 0", name="track"),
        CheckConstraint("number >= 0", name="number"),
        CheckConstraint("length(data) > 0", name="data"),
    )

    int_id: Mapped[int] = mapped_column(
        ForeignKey("flavor_index.int_id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    track: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes]


class ImportCheckpoint(Base):
    """How far an import of a file came; gone when it is done."""

    __tablename__ = "import_checkpoint"
    __table_args__ = (
        CheckConstraint("source <> ''", name="source"),
        CheckConstraint("position >= 0 AND line >= 0", name="position"),
        CheckConstraint("stored >= 0 AND refused >= 0", name="counts"),
    )

    source: Mapped[Id] = mapped_column(primary_key=True)
    """Identity of the file."""

    position: Mapped[int]
    """Bytes of it that are stored."""

    line: Mapped[int]
    stored: Mapped[int]
    refused: Mapped[int]
    updated_at: Mapped[Nanoseconds]


class Change(Base):
    """That something changed: the journal, which triggers write (``journal``)."""

    __tablename__ = "change"
    __table_args__ = (
        one_of("kind", ChangeKind),
        CheckConstraint("made_at >= 0", name="made_at"),
        Index(None, "transaction_id", sqlite_where=text("transaction_id IS NOT NULL")),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[int]
    subject: Mapped[Id | None]
    """The id of what changed."""

    made_at: Mapped[Nanoseconds]
    transaction_id: Mapped[int | None]
    """That wrote it, on PostgreSQL."""
