"""``headrace filters``: filter sets in the database."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from metadata.engine import open_reader, open_writer
from metadata.errors import Conflict, DatabaseUnavailable, MetadataError
from metadata.filter_sets import (
    FilterSetRecord,
    delete_filter_set,
    list_filter_sets,
    put_filter_set,
)
from metadata.migrate import upgrade
from metadata.sessions import reading, writing
from origin.errors import BadUrl
from origin.filters.rules import parse_rules, render_rules
from origin.filters.wanted import set_name

OK, FAILED, MISUSED = 0, 1, 2


def put(name: str, rules: str, data: str | Path, partner: int | None) -> int:
    """Store *rules* by *name*; the exit status."""
    with _said("set") as status:
        text = render_rules(parse_rules(rules))
        record = FilterSetRecord(set_name(name), partner, text)
        engine = open_writer(data)
        upgrade(engine)
        with writing(engine) as session:
            put_filter_set(session, record, now=time.time_ns())
        engine.dispose()
        print(_line(record))  # noqa: T201
    return status[0]


def delete(name: str, data: str | Path, partner: int | None) -> int:
    """Delete the set of that name; the exit status."""
    with _said("delete") as status:
        engine = open_writer(data)
        upgrade(engine)
        with writing(engine) as session:
            found = delete_filter_set(session, set_name(name), partner)
        engine.dispose()
        if not found:
            raise Conflict(f"there is no filter set {name}{_of(partner)}")
    return status[0]


def show(data: str | Path, as_json: bool) -> int:
    """List all; the exit status."""
    with _said("list") as status:
        engine = open_reader(data)
        with reading(engine) as session:
            found = list_filter_sets(session)
        engine.dispose()
        for one in found:
            values = {"name": one.name, "partner": one.partner_id, "rules": one.rules}
            print(json.dumps(values) if as_json else _line(one))  # noqa: T201
    return status[0]


def _line(one: FilterSetRecord) -> str:
    whose = "-" if one.partner_id is None else one.partner_id
    return f"{one.name}  {whose}  {one.rules}"


def _of(partner: int | None) -> str:
    return "" if partner is None else f" of partner {partner}"


@contextmanager
def _said(action: str) -> Iterator[list[int]]:
    """What goes wrong inside is said in one line; the list holds the exit status."""
    status = [OK]
    try:
        yield status
    except BadUrl as error:
        status[0] = _say(action, str(error), MISUSED)
    except DatabaseUnavailable as error:
        status[0] = _say(action, f"--data: {error.reason}", MISUSED)
    except MetadataError as error:
        status[0] = _say(action, str(error), FAILED)


def _say(action: str, message: str, status: int) -> int:
    print(f"headrace filters {action}: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
    return status
