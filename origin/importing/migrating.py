"""``headrace migrate``: the tables of a database, made or brought to this version."""

import sys

from metadata.engine import open_writer
from metadata.errors import DatabaseUnavailable, MetadataError
from metadata.migrate import upgrade
from metadata.tables import SCHEMA

OK, FAILED, MISUSED = 0, 1, 2


def run(data: str) -> int:
    """Of the database at *data*, a folder or a URL; the exit status."""
    try:
        engine = open_writer(data)
        try:
            upgrade(engine)
        finally:
            engine.dispose()
    except DatabaseUnavailable as error:
        return _say(f"--data: {error.reason}", MISUSED)
    except MetadataError as error:
        return _say(str(error), FAILED)
    print(f"schema {SCHEMA}")  # noqa: T201
    return OK


def _say(message: str, status: int) -> int:
    print(f"headrace migrate: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
    return status
