"""The content model: what an entry is besides its flavors, and the profiles around it.

Up, every row stays: entries become clips that are ready and approved, flavors become ready and
get the tags that ingest gives.

Down, what version 0001 could not hold, or would serve to everybody, is dropped:

* all rows of the tables that are new, and all columns that are new;
* entries that are no clip, not ready, not approved, scheduled, or under access control, and
  with them their flavors;
* flavor versions that are not ready, those whose size, codecs or identity is not known, and
  those whose source is no file.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TREE = sa.JSON()
EMPTY = sa.text("''")
CURRENT = sa.text("replaced_at IS NULL")
VIDEO = "'mobile,web,mbr,iphone,iphonenew,ipad,ipadnew,dash'"
ASSET_STATUS = "status IN (-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)"
Items = Sequence[Any]


def upgrade() -> None:
    _make_profiles()
    _widen("partner", PARTNER, PARTNER_COLUMNS(), PARTNER_CHECKS)
    _make_profiles_of_partners()
    _widen("entry", ENTRY, ENTRY_COLUMNS(), ENTRY_CHECKS, ENTRY_KEYS)
    _widen(
        "flavor_asset", FLAVOR, FLAVOR_COLUMNS(), FLAVOR_CHECKS, FLAVOR_KEYS, FLAVOR_LOOSENED
    )
    op.execute(
        f"UPDATE flavor_asset SET tags = {VIDEO} WHERE height IS NOT NULL OR entry_id NOT IN"
        " (SELECT entry_id FROM flavor_asset WHERE height IS NOT NULL)"
    )
    op.execute("UPDATE flavor_asset SET tags = 'alt_audio' WHERE tags = ''")
    _make_assets()


def downgrade() -> None:
    op.execute(
        "DELETE FROM flavor_asset WHERE status <> 2 OR size = 0 OR codecs = ''"
        " OR length(identity) = 0 OR substr(path, 1, 1) <> '/'"
        " OR entry_id IN (SELECT id FROM entry WHERE type <> 1 OR status <> 2"
        " OR moderation_status NOT IN (2, 6) OR start_at IS NOT NULL"
        " OR end_at IS NOT NULL OR access_control_id IS NOT NULL)"
    )
    # on SQLite nothing goes along by itself while a migration runs
    op.execute(
        "DELETE FROM flavor_index_block WHERE int_id NOT IN (SELECT int_id FROM flavor_asset)"
    )
    op.execute("DELETE FROM flavor_index WHERE int_id NOT IN (SELECT int_id FROM flavor_asset)")
    for table in ("import_checkpoint", "file_sync", "thumb_asset", "caption_asset"):
        op.drop_table(table)
    op.execute(
        "DELETE FROM entry WHERE type <> 1 OR status <> 2 OR moderation_status NOT IN (2, 6)"
        " OR start_at IS NOT NULL OR end_at IS NOT NULL OR access_control_id IS NOT NULL"
    )
    _narrow("flavor_asset", FLAVOR, FLAVOR_COLUMNS(), FLAVOR_LOOSENED, FLAVOR_STRICT)
    _narrow("entry", ENTRY, ENTRY_COLUMNS())
    for table in (
        "server_node",
        "delivery_profile",
        "storage_profile",
        "access_control",
        "conversion_profile_flavor",
        "conversion_profile",
        "flavor_params",
    ):
        op.drop_table(table)
    _narrow("partner", PARTNER, PARTNER_COLUMNS())


# -- the tables of 0001, as they were, and what they get


def _number(name: str, default: str | None = None, **more: Any) -> sa.Column[Any]:
    return sa.Column(
        name, NUMBER, nullable=more.pop("nullable", False), server_default=default, **more
    )


def _text(name: str, default: Any = None, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable, server_default=default)


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())


def _tree(name: str, default: str | None) -> sa.Column[Any]:
    return sa.Column(name, TREE, nullable=default is None, server_default=default)


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _key(table: str, column: str, parent: str, ondelete: str | None = None) -> Any:
    own = "int_id" if parent in ("flavor_asset", "flavor_index") else "id"
    return sa.ForeignKeyConstraint(
        [column], [f"{parent}.{own}"], name=f"fk_{table}_{column}", ondelete=ondelete
    )


def _like(column: str, first: str) -> str:
    return f"substr(CAST({column} AS TEXT), 1, 1) = '{first}'"


def PARTNER() -> Items:  # noqa: N802 - read as a constant; columns cannot be used twice
    return (
        _number("id", autoincrement=False),
        _number("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_partner"),
        _check("partner", "id", "id >= 0"),
    )


def PARTNER_COLUMNS() -> Items:  # noqa: N802
    return (
        _text("name", EMPTY),
        _number("status", "1"),
        _number("cache_version", "0"),
        _text("admin_secret", nullable=True),
        _text("user_secret", nullable=True),
        _text("url_token_secret", nullable=True),
        _tree("settings", "{}"),
    )


PARTNER_CHECKS = {
    "status": "status IN (0, 1, 2, 3)",
    "cache_version": "cache_version >= 0",
    "settings": _like("settings", "{"),
}


def ENTRY() -> Items:  # noqa: N802
    return (
        sa.Column("id", ID, nullable=False),
        _number("partner_id"),
        _text("name"),
        _number("created_at"),
        _number("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_entry"),
        _key("entry", "partner_id", "partner"),
        _check("entry", "id", "id <> ''"),
        _check("entry", "times", "created_at >= 0 AND updated_at >= created_at"),
    )


def ENTRY_COLUMNS() -> Items:  # noqa: N802
    return (
        _number("type", "1"),
        _number("media_type", "1"),
        _number("status", "2"),
        _number("moderation_status", "6"),
        _number("start_at", nullable=True),
        _number("end_at", nullable=True),
        _number("version", "1"),
        _number("cache_version", "0"),
        _number("access_control_id", nullable=True),
        _number("conversion_profile_id", nullable=True),
        _text("playlist", nullable=True),
    )


ENTRY_CHECKS = {
    "type": "type IN (1, 5, 7, 8)",
    "media_type": "media_type IN (1, 2, 5, 201, 202, 203, 204)",
    "status": "status IN (-2, -1, 0, 1, 2, 3, 4, 5, 6, 7)",
    "moderation_status": "moderation_status IN (1, 2, 3, 5, 6)",
    "schedule": "start_at >= 0 AND end_at > 0 AND start_at < end_at",
    "version": "version >= 1",
    "cache_version": "cache_version >= 0",
    "playlist": "playlist IS NULL OR type = 5",
}
ENTRY_KEYS = {
    "access_control_id": "access_control",
    "conversion_profile_id": "conversion_profile",
}


def FLAVOR() -> Items:  # noqa: N802
    return (
        _number("int_id"),
        sa.Column("id", ID, nullable=False),
        sa.Column("entry_id", ID, nullable=False),
        _number("version"),
        _text("path"),
        _number("size"),
        _number("mtime_ns"),
        _number("width", nullable=True),
        _number("height", nullable=True),
        _text("codecs"),
        _number("duration_ms"),
        _number("bitrate"),
        sa.Column("identity", sa.LargeBinary(), nullable=False),
        _number("created_at"),
        _number("replaced_at", nullable=True),
        sa.PrimaryKeyConstraint("int_id", name="pk_flavor_asset"),
        sa.UniqueConstraint("id", "version", name="uq_flavor_asset_id_version"),
        _key("flavor_asset", "entry_id", "entry", "CASCADE"),
        *(
            _check("flavor_asset", name, rule)
            for name, rule in (
                ("id", "id <> ''"),
                ("version", "version >= 1"),
                (
                    "frame",
                    "(width IS NULL) = (height IS NULL) AND width > 0 AND height > 0",
                ),
                ("duration_ms", "duration_ms >= 0"),
                ("bitrate", "bitrate >= 0"),
                ("times", "created_at >= 0 AND replaced_at > created_at"),
            )
        ),
    )


FLAVOR_STRICT = {
    "path": "substr(path, 1, 1) = '/'",
    "size": "size > 0",
    "codecs": "codecs <> ''",
    "identity": "length(identity) > 0",
}
FLAVOR_LOOSENED = {"path": "path <> ''", "size": "size >= 0"}


def FLAVOR_COLUMNS() -> Items:  # noqa: N802
    return (
        _number("status", "2"),
        _text("tags", EMPTY),
        _text("language", nullable=True),
        _text("label", nullable=True),
        _flag("is_default"),
        _number("flavor_params_id", nullable=True),
        sa.Column("frame_rate", sa.Float(), nullable=True),
    )


FLAVOR_CHECKS = {
    "status": ASSET_STATUS,
    "language": "language <> ''",
    "frame_rate": "frame_rate > 0",
}
FLAVOR_KEYS = {"flavor_params_id": "flavor_params"}


# -- changing a table: SQLite must make it anew


def _widen(
    table: str,
    before: Any,
    columns: Items,
    checks: Mapping[str, str],
    keys: Mapping[str, str] | None = None,
    loosened: Mapping[str, str] | None = None,
) -> None:
    strict = FLAVOR_STRICT if table == "flavor_asset" else {}
    keys, loosened = keys or {}, loosened or {}
    if op.get_bind().dialect.name == "sqlite":
        constraints = [_check(table, *one) for one in (*checks.items(), *loosened.items())]
        constraints += [_key(table, *one) for one in keys.items()]
        _remake(table, (*before(), *columns, *constraints), before())
        return
    for column in columns:
        op.add_column(table, column)
    for name in strict:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    for name, rule in (*checks.items(), *loosened.items()):
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)
    for column, parent in keys.items():
        op.create_foreign_key(f"fk_{table}_{column}", table, parent, [column], ["id"])


def _narrow(
    table: str,
    before: Any,
    columns: Items,
    loosened: Mapping[str, str] | None = None,
    strict: Mapping[str, str] | None = None,
) -> None:
    loosened, strict = loosened or {}, strict or {}
    if op.get_bind().dialect.name == "sqlite":
        checks = [_check(table, *one) for one in strict.items()]
        _remake(table, (*before(), *checks), before())
        return
    for name in loosened:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    for column in columns:  # its constraints go along
        op.drop_column(table, column.name)
    for name, rule in strict.items():
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)


def _remake(table: str, items: Items, copied: Items) -> None:
    names = ", ".join(item.name for item in copied if isinstance(item, sa.Column))
    last = _last_number(table)
    op.create_table(f"new_{table}", *items, sqlite_autoincrement=table == "flavor_asset")
    op.execute(f"INSERT INTO new_{table} ({names}) SELECT {names} FROM {table}")
    op.drop_table(table)
    op.rename_table(f"new_{table}", table)
    if table == "entry":
        op.create_index("ix_entry_partner_id", "entry", ["partner_id"])
    if table == "flavor_asset":
        _give_numbers_from(last)
        _index_flavors()


def _last_number(table: str) -> int:
    """The highest number ever given to a row, which may be gone."""
    if table != "flavor_asset":
        return 0
    query = sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'flavor_asset'")
    return op.get_bind().execute(query).scalar() or 0


def _give_numbers_from(last: int) -> None:
    here = "FROM sqlite_sequence WHERE name = 'flavor_asset'"
    op.get_bind().execute(sa.text(f"DELETE {here}"))
    op.get_bind().execute(
        sa.text("INSERT INTO sqlite_sequence VALUES ('flavor_asset', :last)"), {"last": last}
    )


def _index_flavors() -> None:
    where: dict[str, Any] = {"sqlite_where": CURRENT}
    op.create_index("uq_flavor_asset_current", "flavor_asset", ["id"], unique=True, **where)
    op.create_index("ix_flavor_asset_path", "flavor_asset", ["path"], **where)
    op.create_index(
        "ix_flavor_asset_entry_id_replaced_at", "flavor_asset", ["entry_id", "replaced_at"]
    )


# -- the new tables


def _make(table: str, *items: Any, checks: Mapping[str, str], **more: Any) -> None:
    op.create_table(
        table, *items, *(_check(table, name, rule) for name, rule in checks.items()), **more
    )


def _numbered(table: str, *columns: Any, checks: Mapping[str, str], parent: str = "") -> None:
    """A profile: numbered from outside, of a partner or of all."""
    keys = [_key(table, "partner_id", "partner")]
    indexed = ["partner_id"]
    mine = [_number("id", autoincrement=False), _number("partner_id", nullable=True)]
    if parent:
        mine.append(_number("parent_id", nullable=True))
        keys.append(_key(table, "parent_id", parent))
        indexed.append("parent_id")
    mine.append(_text("name", EMPTY))
    pk = sa.PrimaryKeyConstraint("id", name=f"pk_{table}")
    _make(table, *mine, *columns, pk, *keys, checks={"id": "id >= 0", **checks})
    for column in indexed:
        op.create_index(f"ix_{table}_{column}", table, [column])


def _make_profiles() -> None:
    _make(
        "import_checkpoint",
        sa.Column("source", ID, nullable=False),
        _number("position"),
        _number("line"),
        _number("stored"),
        _number("refused"),
        _number("updated_at"),
        sa.PrimaryKeyConstraint("source", name="pk_import_checkpoint"),
        checks={
            "source": "source <> ''",
            "position": "position >= 0 AND line >= 0",
            "counts": "stored >= 0 AND refused >= 0",
        },
    )


def _make_profiles_of_partners() -> None:
    _numbered(
        "flavor_params",
        _text("tags", EMPTY),
        _text("format", nullable=True),
        _text("video_codec", nullable=True),
        _text("audio_codec", nullable=True),
        _number("video_bitrate", nullable=True),
        _number("audio_bitrate", nullable=True),
        _number("width", nullable=True),
        _number("height", nullable=True),
        sa.Column("frame_rate", sa.Float(), nullable=True),
        _number("gop_size", nullable=True),
        checks={
            "bitrates": "video_bitrate >= 0 AND audio_bitrate >= 0",
            "frame": "width >= 0 AND height >= 0",
            "frame_rate": "frame_rate > 0",
            "gop_size": "gop_size > 0",
        },
    )
    _numbered("conversion_profile", _flag("is_default"), checks={})
    _make(
        "conversion_profile_flavor",
        _number("conversion_profile_id", autoincrement=False),
        _number("flavor_params_id", autoincrement=False),
        _number("origin", "0"),
        _number("ready_behavior", "0"),
        _number("priority", "0"),
        sa.PrimaryKeyConstraint(
            "conversion_profile_id", "flavor_params_id", name="pk_conversion_profile_flavor"
        ),
        _key(
            "conversion_profile_flavor",
            "conversion_profile_id",
            "conversion_profile",
            "CASCADE",
        ),
        _key("conversion_profile_flavor", "flavor_params_id", "flavor_params", "CASCADE"),
        checks={
            "origin": "origin IN (0, 1, 2)",
            "ready_behavior": "ready_behavior IN (0, 1, 2)",
        },
    )
    op.create_index(
        "ix_conversion_profile_flavor_flavor_params_id",
        "conversion_profile_flavor",
        ["flavor_params_id"],
    )
    _numbered(
        "access_control",
        _flag("is_default"),
        _tree("rules", "[]"),
        checks={"rules": _like("rules", "[")},
    )
    _numbered(
        "storage_profile",
        _number("status", "2"),
        _number("protocol"),
        _text("url", EMPTY),
        _text("base_dir", EMPTY),
        _tree("settings", "{}"),
        checks={
            "status": "status IN (1, 2, 3)",
            "protocol": "protocol IN (0, 1, 2, 3, 6, 7)",
            "settings": _like("settings", "{"),
        },
    )
    _numbered(
        "delivery_profile",
        _number("status", "0"),
        _number("type"),
        _text("streamer_type"),
        _text("url", EMPTY),
        _text("host_name", nullable=True),
        _text("media_protocols", nullable=True),
        _flag("is_default"),
        _number("priority", "0"),
        _tree("tokenizer", None),
        _tree("recognizer", None),
        _tree("settings", "{}"),
        checks={
            "type": "type >= 0",
            "streamer_type": "streamer_type <> ''",
            "parent_id": "parent_id <> id",
            "status": "status IN (0, 1, 2, 3)",
            **{name: _like(name, "{") for name in ("settings", "tokenizer", "recognizer")},
        },
        parent="delivery_profile",
    )
    _numbered(
        "server_node",
        _number("status", "1"),
        _number("dc", "0"),
        _text("host_name"),
        _text("playback_host_name", nullable=True),
        _text("environment", EMPTY),
        _number("heartbeat_at", nullable=True),
        _tree("settings", "{}"),
        sa.UniqueConstraint("host_name", name="uq_server_node_host_name"),
        checks={
            "host_name": "host_name <> ''",
            "dc": "dc >= 0",
            "parent_id": "parent_id <> id",
            "heartbeat_at": "heartbeat_at >= 0",
            "status": "status IN (1, 2)",
            "settings": _like("settings", "{"),
        },
        parent="server_node",
    )


def _make_assets() -> None:
    times = "created_at >= 0 AND updated_at >= created_at"
    _of_entry(
        "caption_asset",
        _number("format"),
        _text("language"),
        _text("label", nullable=True),
        _flag("is_default"),
        checks={
            "format": "format IN (1, 2, 3, 4)",
            "language": "language <> ''",
            "times": times,
        },
    )
    _of_entry(
        "thumb_asset",
        _number("width"),
        _number("height"),
        _text("tags", EMPTY),
        _flag("is_default"),
        checks={"frame": "width > 0 AND height > 0", "times": times},
    )
    _make(
        "file_sync",
        _number("id"),
        _number("object_type"),
        sa.Column("object_id", ID, nullable=False),
        _number("version"),
        _number("object_sub_type", "0"),
        _number("dc"),
        _number("status", "1"),
        _number("file_type", "1"),
        _number("linked_id", nullable=True),
        _text("file_root", EMPTY),
        _text("file_path", EMPTY),
        _number("size", "0"),
        _number("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_file_sync"),
        sa.UniqueConstraint(
            "object_type",
            "object_id",
            "version",
            "object_sub_type",
            "dc",
            name="uq_file_sync_object",
        ),
        _key("file_sync", "linked_id", "file_sync"),
        checks={
            "object_type": "object_type IN (1, 2, 4)",
            "status": "status IN (-1, 1, 2, 3, 4)",
            "file_type": "file_type IN (1, 2, 3, 4)",
            "object_id": "object_id <> ''",
            "version": "version >= 0",
            "object_sub_type": "object_sub_type >= 0",
            "dc": "dc >= 0",
            "size": "size >= 0",
            "link": "(file_type = 2) = (linked_id IS NOT NULL)",
            "linked_id": "linked_id <> id",
        },
        sqlite_autoincrement=True,
    )
    op.create_index("ix_file_sync_linked_id", "file_sync", ["linked_id"])


def _of_entry(table: str, *columns: Any, checks: Mapping[str, str]) -> None:
    _make(
        table,
        sa.Column("id", ID, nullable=False),
        sa.Column("entry_id", ID, nullable=False),
        _number("version", "1"),
        _number("status", "2"),
        *columns,
        _text("path"),
        _number("created_at"),
        _number("updated_at"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        _key(table, "entry_id", "entry", "CASCADE"),
        checks={
            "id": "id <> ''",
            "status": ASSET_STATUS,
            "version": "version >= 1",
            "path": "substr(path, 1, 1) = '/'",
            **checks,
        },
    )
    op.create_index(f"ix_{table}_entry_id", table, ["entry_id"])
