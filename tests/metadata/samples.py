"""Flavors to store, questions asked as the origin does, and a count of the statements."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from metadata.asking import open_asker
from metadata.changes import add_entry
from metadata.records import FlavorFacts, FlavorRecord, IndexBlock, NewFlavor, NewIndex
from metadata.sessions import writing

ENTRY = "0_abcd1234"


def facts(**changes: Any) -> FlavorFacts:
    usual: dict[str, Any] = {
        "path": "/srv/film.mp4",
        "size": 1000,
        "mtime_ns": 1,
        "width": 1280,
        "height": 720,
        "codecs": "avc1.64001f,mp4a.40.2",
        "duration_ms": 60_000,
        "bitrate": 2_000_000,
        "identity": b"\x01" * 32,
    }
    return FlavorFacts(**usual | changes)


def new(flavor_id: str, *, blocks: int = 0, **changes: Any) -> NewFlavor:
    """A flavor to store; with *blocks*, it has an index of so many for track 0."""
    rows = tuple(IndexBlock(0, number, b"block %d" % number) for number in range(blocks))
    index = NewIndex(1, b"header of " + flavor_id.encode(), rows) if blocks else None
    return NewFlavor(flavor_id, facts(**changes), index)


def row(int_id: int, flavor_id: str, **changes: Any) -> FlavorRecord:
    """A row that was never in a database."""
    usual: dict[str, Any] = {
        "path": "/srv/film.mp4",
        "size": 1000,
        "mtime_ns": 1,
        "width": 1280,
        "height": 720,
        "codecs": "avc1.64001f",
        "duration_ms": 60_000,
        "bitrate": 2_000_000,
        "identity": b"\x01",
        "entry_id": ENTRY,
        "version": 1,
        "created_at": 0,
        "replaced_at": None,
    }
    return FlavorRecord(int_id=int_id, id=flavor_id, **usual | changes)


def store(writer: Engine, entry_id: str = ENTRY, flavor_id: str = "0_aaaaaaaa") -> None:
    """An entry with one flavor that has an index."""
    flavors = [new(flavor_id, blocks=3)]
    with writing(writer) as session:
        add_entry(session, entry_id=entry_id, partner_id=101, name="A", flavors=flavors, now=1)


@contextmanager
def asking(where: str | Path) -> Iterator[Callable[..., Any]]:
    """``ask``, with an asker and a loop of its own."""
    asker = open_asker(where)
    with asyncio.Runner() as runner:
        try:
            yield lambda question, *args, **more: runner.run(asker.ask(question, *args, **more))
        finally:
            runner.run(asker.close())


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements that *engine* runs inside, apart from the begin of a transaction."""
    statements: list[str] = []

    def seen(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", seen)
    yield statements
    event.remove(engine, "before_cursor_execute", seen)
