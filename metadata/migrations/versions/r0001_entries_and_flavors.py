"""Partners, entries, flavor versions and their indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
CURRENT = sa.text("replaced_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "partner",
        sa.Column("id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("created_at", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_partner"),
        sa.CheckConstraint("id >= 0", name=op.f("ck_partner_id")),
    )
    op.create_table(
        "entry",
        sa.Column("id", ID, nullable=False),
        sa.Column("partner_id", NUMBER, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", NUMBER, nullable=False),
        sa.Column("updated_at", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_entry"),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="fk_entry_partner_id"),
        sa.CheckConstraint("id <> ''", name=op.f("ck_entry_id")),
        sa.CheckConstraint(
            "created_at >= 0 AND updated_at >= created_at", name=op.f("ck_entry_times")
        ),
    )
    op.create_index("ix_entry_partner_id", "entry", ["partner_id"])
    op.create_table(
        "flavor_asset",
        sa.Column("int_id", NUMBER, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("entry_id", ID, nullable=False),
        sa.Column("version", NUMBER, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", NUMBER, nullable=False),
        sa.Column("mtime_ns", NUMBER, nullable=False),
        sa.Column("width", NUMBER, nullable=True),
        sa.Column("height", NUMBER, nullable=True),
        sa.Column("codecs", sa.Text(), nullable=False),
        sa.Column("duration_ms", NUMBER, nullable=False),
        sa.Column("bitrate", NUMBER, nullable=False),
        sa.Column("identity", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", NUMBER, nullable=False),
        sa.Column("replaced_at", NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("int_id", name="pk_flavor_asset"),
        sa.UniqueConstraint("id", "version", name="uq_flavor_asset_id_version"),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name="fk_flavor_asset_entry_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("id <> ''", name=op.f("ck_flavor_asset_id")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_flavor_asset_version")),
        sa.CheckConstraint("substr(path, 1, 1) = '/'", name=op.f("ck_flavor_asset_path")),
        sa.CheckConstraint("size > 0", name=op.f("ck_flavor_asset_size")),
        sa.CheckConstraint(
            "(width IS NULL) = (height IS NULL) AND width > 0 AND height > 0",
            name=op.f("ck_flavor_asset_frame"),
        ),
        sa.CheckConstraint("codecs <> ''", name=op.f("ck_flavor_asset_codecs")),
        sa.CheckConstraint("duration_ms >= 0", name=op.f("ck_flavor_asset_duration_ms")),
        sa.CheckConstraint("bitrate >= 0", name=op.f("ck_flavor_asset_bitrate")),
        sa.CheckConstraint("length(identity) > 0", name=op.f("ck_flavor_asset_identity")),
        sa.CheckConstraint(
            "created_at >= 0 AND replaced_at > created_at", name=op.f("ck_flavor_asset_times")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_flavor_asset_current",
        "flavor_asset",
        ["id"],
        unique=True,
        sqlite_where=CURRENT,
        postgresql_where=CURRENT,
    )
    op.create_index(
        "ix_flavor_asset_path",
        "flavor_asset",
        ["path"],
        postgresql_using="hash",
        sqlite_where=CURRENT,
        postgresql_where=CURRENT,
    )
    op.create_index(
        "ix_flavor_asset_entry_id_replaced_at", "flavor_asset", ["entry_id", "replaced_at"]
    )
    op.create_table(
        "flavor_index",
        sa.Column("int_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("format", NUMBER, nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("int_id", name="pk_flavor_index"),
        sa.ForeignKeyConstraint(
            ["int_id"],
            ["flavor_asset.int_id"],
            name="fk_flavor_index_int_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("format >= 1", name=op.f("ck_flavor_index_format")),
        sa.CheckConstraint("length(header) > 0", name=op.f("ck_flavor_index_header")),
    )
    op.create_table(
        "flavor_index_block",
        sa.Column("int_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("track", NUMBER, autoincrement=False, nullable=False),
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("int_id", "track", "number", name="pk_flavor_index_block"),
        sa.ForeignKeyConstraint(
            ["int_id"],
            ["flavor_index.int_id"],
            name="fk_flavor_index_block_int_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("track >= 0", name=op.f("ck_flavor_index_block_track")),
        sa.CheckConstraint("number >= 0", name=op.f("ck_flavor_index_block_number")),
        sa.CheckConstraint("length(data) > 0", name=op.f("ck_flavor_index_block_data")),
    )


def downgrade() -> None:
    for table in ("flavor_index_block", "flavor_index", "flavor_asset", "entry", "partner"):
        op.drop_table(table)
