"""Filters of manifests that have a name, with triggers that tell the journal of them.

Up, nothing changes but that there is one more table.  Down, the table is dropped with its rows.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OF_ALL = sa.text("partner_id IS NULL")
PARTNER, ALL = 3, 5
"""Kinds of the journal; a set without a partner concerns everybody."""

EVENTS = {"insert": ("NEW",), "update": ("OLD", "NEW"), "delete": ("OLD",)}
TABLES = {"NEW": "added", "OLD": "removed"}


def upgrade() -> None:
    op.create_table(
        "filter_set",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("partner_id", NUMBER, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("updated_at", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_filter_set"),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name="fk_filter_set_partner_id"
        ),
        sa.CheckConstraint("name <> ''", name=op.f("ck_filter_set_name")),
        sa.CheckConstraint("rules <> ''", name=op.f("ck_filter_set_rules")),
    )
    op.create_index(
        "ix_filter_set_partner_id_name", "filter_set", ["partner_id", "name"], unique=True
    )
    op.create_index(
        "ix_filter_set_name", "filter_set", ["name"], unique=True,
        sqlite_where=OF_ALL, postgresql_where=OF_ALL,
    )  # fmt: skip
    if _is_sqlite():
        _sqlite()
    else:
        _postgresql()


def downgrade() -> None:
    op.drop_table("filter_set")  # its triggers go along
    if not _is_sqlite():
        op.execute("DROP FUNCTION headrace_filter_set_changed")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _sqlite() -> None:
    now = f"CAST(strftime('%s', 'now') AS INTEGER) * {10**9}"
    for event, rows in EVENTS.items():
        noted = " UNION ".join(
            f"SELECT CASE WHEN {row}.partner_id IS NULL THEN {ALL} ELSE {PARTNER} END,"
            f" {row}.partner_id, {now}"
            for row in rows
        )
        op.get_bind().exec_driver_sql(
            f"CREATE TRIGGER filter_set_{event}_change AFTER {event} ON filter_set"
            f" BEGIN INSERT INTO change (kind, subject, made_at) {noted}; END"
        )


def _postgresql() -> None:
    """As 0003 does it: a row of the journal for each partner of a statement."""
    run = op.get_bind().exec_driver_sql
    cases = "".join(
        f" WHEN '{event.upper()}' THEN whom := ARRAY(SELECT DISTINCT said.subject FROM ("
        + " UNION ALL ".join(
            f"SELECT partner_id::text AS subject FROM {TABLES[row]}" for row in rows
        )
        + ") AS said);"
        for event, rows in EVENTS.items()
    )
    run(
        "CREATE FUNCTION headrace_filter_set_changed() RETURNS trigger LANGUAGE plpgsql"
        " SET search_path FROM CURRENT AS $$ DECLARE whom text[]; BEGIN"
        f" CASE TG_OP{cases} ELSE whom := ARRAY[NULL]; END CASE;"
        f" PERFORM headrace_note({PARTNER}, whom); RETURN NULL; END $$"
    )
    for event in (*EVENTS, "truncate"):
        named = " ".join(f"{row} TABLE AS {TABLES[row]}" for row in EVENTS.get(event, ()))
        run(
            f"CREATE TRIGGER filter_set_{event}_change AFTER {event} ON filter_set"
            f" {f'REFERENCING {named}' if named else ''} FOR EACH STATEMENT"
            " EXECUTE FUNCTION headrace_filter_set_changed()"
        )
