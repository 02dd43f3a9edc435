"""How content is made, stored, delivered and guarded, and the edges that carry it.

A profile without a partner is for all of them.
"""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from metadata.base import (
    EMPTY,
    Base,
    Nanoseconds,
    Rules,
    Settings,
    is_list,
    is_object,
    one_of,
)
from metadata.column_types import Tree
from metadata.enums import (
    DeliveryStatus,
    FlavorOrigin,
    NodeStatus,
    ReadyBehavior,
    StorageProtocol,
    StorageStatus,
)


class FlavorParams(Base):
    """A recipe: its id means the same encoding over all entries."""

    __tablename__ = "flavor_params"
    __table_args__ = (
        CheckConstraint("id >= 0", name="id"),
        CheckConstraint("video_bitrate >= 0 AND audio_bitrate >= 0", name="bitrates"),
        CheckConstraint("width >= 0 AND height >= 0", name="frame"),
        CheckConstraint("frame_rate > 0", name="frame_rate"),
        CheckConstraint("gop_size > 0", name="gop_size"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partner.id"), index=True)
    name: Mapped[str] = mapped_column(server_default=EMPTY)
    tags: Mapped[str] = mapped_column(server_default=EMPTY)
    format: Mapped[str | None]
    """Of the container, e.g. ``mp4``."""

    video_codec: Mapped[str | None]
    audio_codec: Mapped[str | None]
    video_bitrate: Mapped[int | None]
    audio_bitrate: Mapped[int | None]
    """Kilobits per second, both."""

    width: Mapped[int | None]
    height: Mapped[int | None]
    """0 follows the other one."""

    frame_rate: Mapped[float | None]
    gop_size: Mapped[int | None]
    """Frames."""


class ConversionProfile(Base):
    """The recipes that are applied to what comes in."""

    __tablename__ = "conversion_profile"
    __table_args__ = (CheckConstraint("id >= 0", name="id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partner.id"), index=True)
    name: Mapped[str] = mapped_column(server_default=EMPTY)
    is_default: Mapped[bool] = mapped_column(server_default=false())


class ConversionProfileFlavor(Base):
    """One recipe of a conversion profile."""

    __tablename__ = "conversion_profile_flavor"
    __table_args__ = (
        one_of("origin", FlavorOrigin),
        one_of("ready_behavior", ReadyBehavior),
    )

    conversion_profile_id: Mapped[int] = mapped_column(
        ForeignKey("conversion_profile.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    flavor_params_id: Mapped[int] = mapped_column(
        ForeignKey("flavor_params.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    )
    origin: Mapped[int] = mapped_column(server_default="0")
    ready_behavior: Mapped[int] = mapped_column(server_default="0")
    priority: Mapped[int] = mapped_column(server_default="0")


class AccessControl(Base):
    """The rules of who may see an entry, in order (§2.6)."""

    __tablename__ = "access_control"
    __table_args__ = (CheckConstraint("id >= 0", name="id"), is_list("rules"))

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partner.id"), index=True)
    name: Mapped[str] = mapped_column(server_default=EMPTY)
    is_default: Mapped[bool] = mapped_column(server_default=false())
    rules: Mapped[Rules]
    """Empty: everyone may."""


class StorageProfile(Base):
    """A remote storage; its id stands as ``dc`` in ``file_sync``."""

    __tablename__ = "storage_profile"
    __table_args__ = (
        CheckConstraint("id >= 0", name="id"),
        one_of("protocol", StorageProtocol),
        one_of("status", StorageStatus),
        is_object("settings"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partner.id"), index=True)
    name: Mapped[str] = mapped_column(server_default=EMPTY)
    status: Mapped[int] = mapped_column(server_default="2")
    protocol: Mapped[int]
    url: Mapped[str] = mapped_column(server_default=EMPTY)
    base_dir: Mapped[str] = mapped_column(server_default=EMPTY)
    settings: Mapped[Settings]


class DeliveryProfile(Base):
    """How one streamer type leaves for players (§2.3)."""

    __tablename__ = "delivery_profile"
    __table_args__ = (
        CheckConstraint("id >= 0", name="id"),
        CheckConstraint("type >= 0", name="type"),
        CheckConstraint("streamer_type <> ''", name="streamer_type"),
        CheckConstraint("parent_id <> id", name="parent_id"),
        one_of("status", DeliveryStatus),
        is_object("settings"),
        is_object("tokenizer"),
        is_object("recognizer"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partner.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("delivery_profile.id"), index=True)
    name: Mapped[str] = mapped_column(server_default=EMPTY)
    status: Mapped[int] = mapped_column(server_default="0")
    type: Mapped[int]
    """Which builds URLs and renders, e.g. 61 VOD_PACKAGER_HLS."""

    streamer_type: Mapped[str]
    """E.g. ``applehttp``."""

    url: Mapped[str] = mapped_column(server_default=EMPTY)
    host_name: Mapped[str | None]
    media_protocols: Mapped[str | None]
    """Schemes between commas; None is all."""

    is_default: Mapped[bool] = mapped_column(server_default=false())
    priority: Mapped[int] = mapped_column(server_default="0")
    tokenizer: Mapped[dict[str, object] | None] = mapped_column(Tree)
    recognizer: Mapped[dict[str, object] | None] = mapped_column(Tree)
    settings: Mapped[Settings]


_OF_ALL = text("partner_id IS NULL")


class FilterSet(Base):
    """A filter of manifests that has a name, for a kind of device."""

    __tablename__ = "filter_set"
    __table_args__ = (
        Index("ix_filter_set_partner_id_name", "partner_id", "name", unique=True),
        Index(
            "ix_filter_set_name",
            "name",
            unique=True,
            sqlite_where=_OF_ALL,
            postgresql_where=_OF_ALL,
        ),
        CheckConstraint("name <> ''", name="name"),
        CheckConstraint("rules <> ''", name="rules"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partner.id"))
    name: Mapped[str]
    rules: Mapped[str]
    """As in a URL: ``video_height:1-480``."""

    updated_at: Mapped[Nanoseconds]


class ServerNode(Base):
    """An edge, and the one it asks."""

    __tablename__ = "server_node"
    __table_args__ = (
        UniqueConstraint("host_name"),
        CheckConstraint("id >= 0", name="id"),
        CheckConstraint("host_name <> ''", name="host_name"),
        CheckConstraint("dc >= 0", name="dc"),
        CheckConstraint("parent_id <> id", name="parent_id"),
        CheckConstraint("heartbeat_at >= 0", name="heartbeat_at"),
        one_of("status", NodeStatus),
        is_object("settings"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partner.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("server_node.id"), index=True)
    name: Mapped[str] = mapped_column(server_default=EMPTY)
    status: Mapped[int] = mapped_column(server_default="1")
    dc: Mapped[int] = mapped_column(server_default="0")
    host_name: Mapped[str]
    playback_host_name: Mapped[str | None]
    environment: Mapped[str] = mapped_column(server_default=EMPTY)
    heartbeat_at: Mapped[Nanoseconds | None]
    """It counts as active for 120 s after this."""

    settings: Mapped[Settings]
