"""Run by Alembic for ``metadata.migrate``, on the connection and in the transaction given."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=True,  # on SQLite as well: our engine begins transactions itself
    render_as_batch=True,
)
context.run_migrations()
