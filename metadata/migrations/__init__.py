"""Run by Alembic: see ``metadata.migrate``."""
