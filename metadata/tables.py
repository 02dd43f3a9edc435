"""The columns that an origin asks for, without the ORM.

``models`` has the tables with their constraints, and maps them: that takes a process 0.1 s of
CPU, and memory that a server would keep.  Here are names and types of the same columns, under
the same names, for modules that ask.  A test holds the two together.
"""

from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnClause,
    Float,
    LargeBinary,
    Text,
    column,
    table,
)
from sqlalchemy.types import TypeEngine

from metadata.column_types import IdText, Number, Tree

SCHEMA = "0006"
"""The newest migration: the version of the tables."""

_TYPES: dict[str, TypeEngine[Any]] = {
    "ids": IdText,
    "numbers": Number,
    "texts": Text(),
    "flags": Boolean(),
    "floats": Float(),
    "blobs": LargeBinary(),
    "trees": Tree,
}


class Columns:
    """A table to select from and to join, whose columns are attributes: ``Entry.id``."""

    def __init__(self, name: str, **names: str) -> None:
        """The *names* of its columns, by the kind of what they hold."""
        self._table = table(
            name,
            *(
                column(one, _TYPES[kind])
                for kind, all_ in names.items()
                for one in all_.split()
            ),
        )

    def __getattr__(self, name: str) -> ColumnClause[Any]:
        found: ColumnClause[Any] = getattr(self._table.c, name)
        return found

    def __clause_element__(self) -> Any:  # a TableClause, which the stubs do not foresee
        return self._table


Partner = Columns(
    "partner",
    numbers="id created_at status cache_version",
    texts="name admin_secret user_secret url_token_secret",
    trees="settings",
)
Entry = Columns(
    "entry",
    ids="id",
    numbers="partner_id created_at updated_at type media_type status moderation_status start_at"
    " end_at version cache_version access_control_id conversion_profile_id",
    texts="name playlist",
)
FlavorAsset = Columns(
    "flavor_asset",
    ids="id entry_id",
    numbers="int_id version size mtime_ns width height duration_ms bitrate created_at"
    " replaced_at status flavor_params_id",
    texts="path codecs tags language label",
    flags="is_default",
    floats="frame_rate",
    blobs="identity",
)
FlavorIndex = Columns("flavor_index", numbers="int_id format", blobs="header")
FlavorIndexBlock = Columns("flavor_index_block", numbers="int_id track number", blobs="data")
CaptionAsset = Columns(
    "caption_asset",
    ids="id entry_id",
    numbers="version status format purpose created_at updated_at",
    texts="language label path channel",
    flags="is_default",
)
AccessControl = Columns(
    "access_control", numbers="id partner_id", texts="name", flags="is_default", trees="rules"
)
DeliveryProfile = Columns(
    "delivery_profile",
    numbers="id partner_id parent_id status type priority",
    texts="name streamer_type url host_name media_protocols",
    flags="is_default",
    trees="tokenizer recognizer settings",
)
StorageProfile = Columns(
    "storage_profile",
    numbers="id partner_id status protocol",
    texts="name url base_dir",
    trees="settings",
)
ServerNode = Columns(
    "server_node",
    numbers="id partner_id parent_id status dc heartbeat_at",
    texts="name host_name playback_host_name environment",
    trees="settings",
)
FileSync = Columns(
    "file_sync",
    ids="object_id",
    numbers="id object_type version object_sub_type dc status file_type linked_id size"
    " updated_at",
    texts="file_root file_path",
)
FilterSet = Columns("filter_set", numbers="id partner_id updated_at", texts="name rules")
