"""The schema.

    Partner --(0..n)--> Entry --(0..n)--> FlavorAsset --(0..1)--> FlavorIndex
    FlavorIndex --(0..n)--> FlavorIndexBlock

An entry is one piece of content.  A flavor asset is one version of one of its encodings: rows
of the same ``id`` are its versions, of which at most one is current.  The index tells where the
samples of that version are; it is in tables of its own so that no question about an entry
reads a blob, and a segment reads the header and the blocks it needs.  Names are the delivery
contract's (§2.4) where it has one.
"""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from metadata.base import Base, Id, Nanoseconds

SCHEMA = "0001"
"""The newest migration: the version of the tables below."""

_CURRENT = text("replaced_at IS NULL")


class Partner(Base):
    __tablename__ = "partner"
    __table_args__ = (CheckConstraint("id >= 0", name="id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    created_at: Mapped[Nanoseconds]


class Entry(Base):
    __tablename__ = "entry"
    __table_args__ = (
        CheckConstraint("id <> ''", name="id"),
        CheckConstraint("created_at >= 0 AND updated_at >= created_at", name="times"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partner.id"), index=True)
    name: Mapped[str]
    created_at: Mapped[Nanoseconds]
    updated_at: Mapped[Nanoseconds]
    """When its set of flavors last changed."""

    # lazy="raise": every question says what it loads; nothing loads behind its back
    flavors: Mapped[list["FlavorAsset"]] = relationship(
        back_populates="entry", lazy="raise", passive_deletes="all"
    )


class FlavorAsset(Base):
    __tablename__ = "flavor_asset"
    __table_args__ = (
        UniqueConstraint("id", "version"),
        CheckConstraint("id <> ''", name="id"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("substr(path, 1, 1) = '/'", name="path"),
        CheckConstraint("size > 0", name="size"),
        CheckConstraint(
            "(width IS NULL) = (height IS NULL) AND width > 0 AND height > 0", name="frame"
        ),
        CheckConstraint("codecs <> ''", name="codecs"),
        CheckConstraint("duration_ms >= 0", name="duration_ms"),
        CheckConstraint("bitrate >= 0", name="bitrate"),
        CheckConstraint("length(identity) > 0", name="identity"),
        CheckConstraint("created_at >= 0 AND replaced_at > created_at", name="times"),
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

    entry: Mapped[Entry] = relationship(back_populates="flavors", lazy="raise")


class FlavorIndex(Base):
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
