"""The journal of changes, which the database writes itself: whoever changes a row is seen.

Up, triggers are put on every table that an answer may be made of.  On PostgreSQL they run once
a statement and keep the transaction's number, because rows of the journal become visible in
the order of commits, not of numbers.  SQLite has one writer, and triggers for rows only.

What adds very much in one transaction says so itself, and silences the triggers for what it
inserts: on SQLite by a row 0 of the journal, which it takes away before it commits, on
PostgreSQL by the setting ``headrace.many``.

Down, nothing but the journal is dropped.  A later migration that makes one of these tables
anew on SQLite takes its triggers along, and must make them again.
"""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

ENTRY, NEW, PARTNER, ACCESS_CONTROL, ALL = 1, 2, 3, 4, 5
SUBJECTS = {
    "entry": (ENTRY, "id"),
    "flavor_asset": (ENTRY, "entry_id"),
    "caption_asset": (ENTRY, "entry_id"),
    "thumb_asset": (ENTRY, "entry_id"),
    "partner": (PARTNER, "id"),
    "access_control": (ACCESS_CONTROL, "id"),
    "delivery_profile": (PARTNER, "partner_id"),  # None: of all
    "storage_profile": (PARTNER, "partner_id"),
}
NODE = (
    "id, partner_id, parent_id, name, status, dc, host_name, playback_host_name, environment,"
    " settings"
)
"""Of an edge; its heartbeat is no change."""

SILENCED = ("entry", "flavor_asset")

MANY = 100
"""Entries that one statement adds on PostgreSQL; more are not named one by one."""

TOO_MANY = 1_000
"""... or changes; more of them are everything."""

DAY = 24 * 3600 * 10**9
MOST = 100_000
"""Rows that SQLite keeps: there every changed row is one."""


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("kind", NUMBER, nullable=False),
        sa.Column("subject", ID, nullable=True),
        sa.Column("made_at", NUMBER, nullable=False),
        sa.Column("transaction_id", NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_change"),
        sa.CheckConstraint("kind IN (0, 1, 2, 3, 4, 5)", name=op.f("ck_change_kind")),
        sa.CheckConstraint("made_at >= 0", name=op.f("ck_change_made_at")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_change_transaction_id",
        "change",
        ["transaction_id"],
        sqlite_where=sa.text("transaction_id IS NOT NULL"),
    )
    for statement in _sqlite() if _is_sqlite() else _postgresql():
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    if _is_sqlite():
        for table in SUBJECTS:
            for event in ("insert", "update", "delete"):
                op.execute(f"DROP TRIGGER {table}_{event}_change")
        for event in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER server_node_{event}_change")
        op.drop_table("change")
        return
    for table in SUBJECTS:
        for event in ("insert", "update", "delete", "truncate"):
            op.execute(f"DROP TRIGGER {table}_{event}_change ON {table}")
        op.execute(f"DROP FUNCTION headrace_{table}_changed")
    op.execute("DROP TRIGGER server_node_change ON server_node")
    op.execute("DROP FUNCTION headrace_server_node_changed")
    op.execute("DROP FUNCTION headrace_note")
    op.drop_table("change")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


# -- SQLite: a trigger an event, for each row

_NOW = f"CAST(strftime('%s', 'now') AS INTEGER) * {10**9}"


def _sqlite() -> Iterator[str]:
    for table, (kind, column) in SUBJECTS.items():
        for event, rows in (
            ("insert", ("NEW",)),
            ("update", ("OLD", "NEW")),
            ("delete", ("OLD",)),
        ):
            silenced = event == "insert" and table in SILENCED
            when = "WHEN NOT EXISTS (SELECT 1 FROM change WHERE number = 0)" if silenced else ""
            made = " UNION ".join(_noted(kind, f"{row}.{column}") for row in rows)
            yield (
                f"CREATE TRIGGER {table}_{event}_change AFTER {event} ON {table} {when}"
                f" BEGIN INSERT INTO change (kind, subject, made_at) {made}; END"
            )
    for event in ("insert", "update", "delete"):
        of = f"OF {NODE}" if event == "update" else ""
        yield (
            f"CREATE TRIGGER server_node_{event}_change AFTER {event} {of} ON server_node BEGIN"
            f" INSERT INTO change (kind, made_at) VALUES ({ALL}, {_NOW}); END"
        )
    # the newest row is always kept: its number says how far the journal came
    yield (
        "CREATE TRIGGER change_pruned AFTER INSERT ON change WHEN NEW.number % 1000 = 999 BEGIN"
        f" DELETE FROM change WHERE number > 0 AND number <= NEW.number - {MOST};"
        " DELETE FROM change WHERE number > 0 AND number < NEW.number"
        " AND number < (SELECT min(number) FROM change WHERE number > 0) + 2000"
        f" AND made_at < NEW.made_at - {DAY}; END"
    )


def _noted(kind: int, subject: str) -> str:
    return f"SELECT CASE WHEN {subject} IS NULL THEN {ALL} ELSE {kind} END, {subject}, {_NOW}"


# -- PostgreSQL: a function a table, for each statement


def _postgresql() -> Iterator[str]:
    # ... SET search_path: whoever changes a row may have another one
    yield f"""
    CREATE FUNCTION headrace_note(what bigint, whom text[]) RETURNS void
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    DECLARE
        instant bigint := floor(extract(epoch FROM clock_timestamp()) * 1000000) * 1000;
        due boolean;
    BEGIN
        IF cardinality(whom) > {TOO_MANY} THEN
            what := {ALL};
            whom := ARRAY[NULL];
        END IF;
        WITH noted AS (
            INSERT INTO change (kind, subject, made_at, transaction_id)
            SELECT CASE WHEN one IS NULL AND what <> {NEW} THEN {ALL} ELSE what END, one,
                instant, pg_current_xact_id()::text::bigint
            FROM unnest(whom) AS one
            RETURNING number
        )
        SELECT bool_or(mod(number, 1000) = 999) FROM noted INTO due;
        IF due THEN
            DELETE FROM change WHERE number IN (
                SELECT number FROM change WHERE made_at < instant - {DAY}
                ORDER BY number LIMIT 2000 FOR UPDATE SKIP LOCKED
            );
        END IF;
    END $$
    """
    for table, (kind, column) in SUBJECTS.items():
        yield _function(table, kind, column)
        for event, names in (
            ("insert", "REFERENCING NEW TABLE AS added"),
            ("update", "REFERENCING OLD TABLE AS removed NEW TABLE AS added"),
            ("delete", "REFERENCING OLD TABLE AS removed"),
            ("truncate", ""),
        ):
            silenced = event == "insert" and table in SILENCED
            many = "current_setting('headrace.many', true) IS DISTINCT FROM 'on'"
            yield (
                f"CREATE TRIGGER {table}_{event}_change AFTER {event} ON {table} {names}"
                f" FOR EACH STATEMENT {f'WHEN ({many})' if silenced else ''}"
                f" EXECUTE FUNCTION headrace_{table}_changed()"
            )

    yield f"""
    CREATE FUNCTION headrace_server_node_changed() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
        PERFORM headrace_note({ALL}, ARRAY[NULL]);
        RETURN NULL;
    END $$
    """
    yield (
        "CREATE TRIGGER server_node_change AFTER INSERT OR DELETE OR TRUNCATE"
        f" OR UPDATE OF {NODE} ON server_node FOR EACH STATEMENT"
        " EXECUTE FUNCTION headrace_server_node_changed()"
    )


def _function(table: str, kind: int, column: str) -> str:
    def named(rows: str) -> str:
        return (
            "whom := ARRAY(SELECT DISTINCT said.subject FROM"
            f" ({rows}) AS said LIMIT {TOO_MANY + 1});"
        )

    added, removed = (
        f"SELECT {column}::text AS subject FROM {rows}" for rows in ("added", "removed")
    )
    many = f"(SELECT count(*) FROM (SELECT FROM added LIMIT {MANY + 1}) AS few) > {MANY}"
    at_once = f"IF {many} THEN what := {NEW}; whom := ARRAY[NULL]; END IF;"
    return f"""
    CREATE FUNCTION headrace_{table}_changed() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    DECLARE
        what bigint := {kind};
        whom text[];
    BEGIN
        CASE TG_OP
            WHEN 'INSERT' THEN {named(added)} {at_once if table == "entry" else ""}
            WHEN 'UPDATE' THEN {named(f"{added} UNION ALL {removed}")}
            WHEN 'DELETE' THEN {named(removed)}
            ELSE whom := ARRAY[NULL]; what := {ALL};
        END CASE;
        PERFORM headrace_note(what, whom);
        RETURN NULL;
    END $$
    """
