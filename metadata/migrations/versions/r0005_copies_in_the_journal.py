"""Triggers that tell the journal of files of flavors: each is a change of its entry.

A link that points at a row changes with it.  Nothing is stored anew, up or down.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ENTRY = 1
"""A kind of the journal."""

ASSET = 4
"""What flavors are among the objects of ``file_sync``."""

MOST = 1_000
"""Entries of one statement that are named; one more is everything."""

EVENTS = {"insert": ("NEW",), "update": ("OLD", "NEW"), "delete": ("OLD",)}
TABLES = {"NEW": "added", "OLD": "removed"}


def upgrade() -> None:
    if _is_sqlite():
        _sqlite()
    else:
        _postgresql()


def downgrade() -> None:
    for event in EVENTS if _is_sqlite() else (*EVENTS, "truncate"):
        on = "" if _is_sqlite() else " ON file_sync"
        op.execute(sa.text(f"DROP TRIGGER file_sync_{event}_change{on}"))
    if not _is_sqlite():
        op.execute(sa.text("DROP FUNCTION headrace_file_sync_changed"))


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _sqlite() -> None:
    now = f"CAST(strftime('%s', 'now') AS INTEGER) * {10**9}"
    for event, rows in EVENTS.items():
        noted = " UNION ".join(
            f"SELECT {ENTRY}, entry_id, {now} FROM flavor_asset WHERE id IN ("
            f" SELECT {row}.object_id WHERE {row}.object_type = {ASSET}"
            f" UNION ALL SELECT link.object_id FROM file_sync AS link"
            f" WHERE link.linked_id = {row}.id AND link.object_type = {ASSET})"
            for row in rows
        )
        op.get_bind().exec_driver_sql(
            f"CREATE TRIGGER file_sync_{event}_change AFTER {event} ON file_sync"
            f" BEGIN INSERT INTO change (kind, subject, made_at) {noted}; END"
        )


def _postgresql() -> None:
    """As 0003 does it: a row of the journal for each entry of a statement."""
    run = op.get_bind().exec_driver_sql
    cases = "".join(
        f" WHEN '{event.upper()}' THEN whom := ARRAY(SELECT DISTINCT entry_id::text"
        f" FROM flavor_asset WHERE id IN ({_objects(rows)}) LIMIT {MOST + 1});"
        for event, rows in EVENTS.items()
    )
    run(
        "CREATE FUNCTION headrace_file_sync_changed() RETURNS trigger LANGUAGE plpgsql"
        " SET search_path FROM CURRENT AS $$ DECLARE whom text[]; BEGIN"
        f" CASE TG_OP{cases} ELSE whom := ARRAY[NULL]; END CASE;"
        f" PERFORM headrace_note({ENTRY}, whom); RETURN NULL; END $$"
    )
    for event in (*EVENTS, "truncate"):
        named = " ".join(f"{row} TABLE AS {TABLES[row]}" for row in EVENTS.get(event, ()))
        run(
            f"CREATE TRIGGER file_sync_{event}_change AFTER {event} ON file_sync"
            f" {f'REFERENCING {named}' if named else ''} FOR EACH STATEMENT"
            " EXECUTE FUNCTION headrace_file_sync_changed()"
        )


def _objects(rows: tuple[str, ...]) -> str:
    """Of files, and of links to them."""
    return " UNION ALL ".join(
        f"SELECT object_id FROM {TABLES[row]} WHERE object_type = {ASSET} UNION ALL"
        f" SELECT link.object_id FROM file_sync AS link JOIN {TABLES[row]} AS file"
        f" ON link.linked_id = file.id WHERE link.object_type = {ASSET}"
        for row in rows
    )
