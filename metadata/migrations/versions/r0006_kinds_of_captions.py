"""What captions are for, which of a file's they are, and more formats of them.

Up, captions become subtitles of a file of their own, which they were.  Down, those in a format
that 0005 does not know, and those within a file of something else, are dropped.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLE = "caption_asset"
BEFORE, AFTER = "format IN (1, 2, 3, 4)", "format IN (1, 2, 3, 4, 5, 6, 7, 8)"
PURPOSE = "purpose IN (1, 2, 3)"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("channel", sa.Text(), nullable=True))
    op.add_column(TABLE, sa.Column("purpose", NUMBER, nullable=False, server_default="1"))
    if _is_sqlite():
        rule = f"CONSTRAINT ck_{TABLE}_format CHECK ({{}})"
        more = f"{rule.format(AFTER)}, CONSTRAINT ck_{TABLE}_purpose CHECK ({PURPOSE})"
        _remade(rule.format(BEFORE), more)
        return
    _checked(AFTER)
    op.create_check_constraint(op.f(f"ck_{TABLE}_purpose"), TABLE, PURPOSE)


def downgrade() -> None:
    op.execute(f"DELETE FROM {TABLE} WHERE format > 4")
    if _is_sqlite():
        rule = f"CONSTRAINT ck_{TABLE}_format CHECK ({{}})"
        more = f"{rule.format(AFTER)}, CONSTRAINT ck_{TABLE}_purpose CHECK ({PURPOSE})"
        _remade(more, rule.format(BEFORE))
    else:
        op.drop_constraint(op.f(f"ck_{TABLE}_purpose"), TABLE)
        _checked(BEFORE)
    op.drop_column(TABLE, "purpose")
    op.drop_column(TABLE, "channel")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _checked(rule: str) -> None:
    op.drop_constraint(op.f(f"ck_{TABLE}_format"), TABLE)
    op.create_check_constraint(op.f(f"ck_{TABLE}_format"), TABLE, rule)


def _remade(was: str, becomes: str) -> None:
    """SQLite changes no constraint of a table: another one takes its place, its rows and what
    is on it, the journal's triggers among that."""
    bind = op.get_bind()
    query = f"SELECT type, sql FROM sqlite_master WHERE tbl_name = '{TABLE}' AND sql <> ''"
    found = bind.exec_driver_sql(query).all()
    [table] = [sql for kind, sql in found if kind == "table"]
    if was not in table:
        raise RuntimeError(f"{TABLE} has not the constraints that it was made with")
    _, bracket, items = table.partition("(")
    bind.exec_driver_sql(f"CREATE TABLE new_{TABLE} {bracket}{items.replace(was, becomes)}")
    bind.exec_driver_sql(f"INSERT INTO new_{TABLE} SELECT * FROM {TABLE}")
    bind.exec_driver_sql(f"DROP TABLE {TABLE}")
    bind.exec_driver_sql(f"ALTER TABLE new_{TABLE} RENAME TO {TABLE}")
    for kind, sql in found:
        if kind != "table":
            bind.exec_driver_sql(sql)
