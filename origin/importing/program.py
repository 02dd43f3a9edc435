"""``headrace import``: a file of entries into the database, in batches.

Each batch is one transaction, and the place in the file where it ends is stored in it: killed
at any point and started again, an import goes on behind the last batch that was stored.  From
standard input there is nothing to go on from; rows that are stored already change nothing.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Engine

from metadata.bulk import (
    Checkpoint,
    EntryRow,
    Refusal,
    drop_checkpoint,
    find_checkpoint,
    keep_checkpoint,
    store_rows,
)
from metadata.engine import open_writer
from metadata.errors import Conflict, DatabaseUnavailable, MetadataError
from metadata.migrate import upgrade
from metadata.sessions import writing
from origin.importing.lines import MAX_LINE, Line, read_lines
from origin.importing.rows import BadLine, Parse, csv_parser, parse_json

OK, FAILED, MISUSED = 0, 1, 2
FORMATS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv"}

BATCH_BYTES = 16 << 20
"""Of lines: a batch is in memory, several times over, however many rows it may have."""

_IDENTITY_BYTES = 64 << 10


class Misused(Exception):
    """The options, or the file as a whole, cannot be."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a call asks for."""

    file: str
    """``-`` is standard input."""

    data: str
    """A data directory or an SQLAlchemy URL."""

    form: str | None
    """``jsonl`` or ``csv``; None goes by the name."""

    batch: int
    """Rows of a transaction, at most."""

    dry_run: bool
    """Look at every row by itself; touch no database."""


def run(order: Order, *, as_json: bool) -> int:
    """Import a file; the exit status: 1 if rows were left out."""
    started = time.monotonic()
    try:
        form = _form(order)
        with _opened(order.file) as file:
            done, resumed = _import(order, form, file)
    except Misused as error:
        return _say(str(error), MISUSED)
    except DatabaseUnavailable as error:
        return _say(f"--data: {error.reason}", MISUSED)
    except MetadataError as error:
        return _say(str(error), FAILED)
    _print_summary(done, resumed, time.monotonic() - started, as_json)
    return FAILED if done.refused else OK


def _say(message: str, status: int) -> int:
    print(f"headrace import: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
    return status


def _form(order: Order) -> str:
    if order.form is not None:
        if order.form not in FORMATS.values():
            raise Misused(f"--format: {order.form!r} is not jsonl or csv")
        return order.form
    form = FORMATS.get(Path(order.file).suffix.lower())
    if form is None:
        raise Misused("--format: say jsonl or csv, the name of the file does not")
    return form


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    if not Path(name).is_file():
        raise Misused(f"FILE: {name}: there is no such file")
    with Path(name).open("rb") as file:
        yield file


def _import(order: Order, form: str, file: BinaryIO) -> tuple[Checkpoint, int]:
    """Where it ended, and how many lines an earlier call had done."""
    parse, start = _begin(file, form)
    with _database(order) as engine:
        source = _identity(file, order.file, form) if engine and file.seekable() else ""
        work = _Work(engine, source, start)
        resumed = work.resume()
        if resumed:
            file.seek(work.at.position)
        with _progress(file, work.at.position) as show:
            for line in read_lines(file, position=work.at.position, number=work.at.line):
                work.take(line, parse)
                if work.lines >= order.batch or work.size >= BATCH_BYTES:
                    work.store()
                    show(work.at.position)
            work.store(last=True)
    return work.at, resumed


@contextmanager
def _database(order: Order) -> Iterator[Engine | None]:
    """With its tables; None for a dry run."""
    if order.dry_run:
        yield None
        return
    engine = open_writer(order.data)
    try:
        upgrade(engine)
        yield engine
    finally:
        engine.dispose()


def _begin(file: BinaryIO, form: str) -> tuple[Parse, Checkpoint]:
    """How lines are read, and where the first one is."""
    if form == "jsonl":
        return parse_json, Checkpoint(0, 0, 0, 0)
    header = next(read_lines(file), None)
    if header is None or header.data is None:
        raise Misused("FILE: line 1: there is no header")
    try:
        return csv_parser(header.data), Checkpoint(header.end, 1, 0, 0)
    except BadLine as error:
        raise Misused(f"FILE: line 1: {error}") from None


def _identity(file: BinaryIO, name: str, form: str) -> str:
    """Of a file that was not written to since: what its checkpoint is kept under."""
    status = os.fstat(file.fileno())
    facts = f"{form} {Path(name).resolve()} {status.st_size} {status.st_mtime_ns} "
    start = os.pread(file.fileno(), _IDENTITY_BYTES, 0)
    return hashlib.sha256(facts.encode(errors="surrogateescape") + start).hexdigest()


class _Work:
    """The batch at hand, and how far all of them came."""

    def __init__(self, engine: Engine | None, source: str, start: Checkpoint) -> None:
        """*source* is the identity of the file; empty if it can be read only once."""
        self._engine, self._source = engine, source
        self.at = start
        """Behind the last batch that was stored."""

        self._rows: list[EntryRow] = []
        self._refused: list[Refusal] = []
        self._end = start.position, start.line

    @property
    def lines(self) -> int:
        return len(self._rows) + len(self._refused)

    @property
    def size(self) -> int:
        """Bytes of the batch in the file."""
        return self._end[0] - self.at.position

    def resume(self) -> int:
        """Go on behind what an earlier call stored; how many lines that is."""
        if self._engine is not None and self._source:
            with writing(self._engine) as session:
                found = find_checkpoint(session, self._source)
            if found is not None:
                self.at, self._end = found, (found.position, found.line)
                return found.line
        return 0

    def take(self, line: Line, parse: Parse) -> None:
        """Add *line* to the batch."""
        self._end = line.end, line.number
        if line.data is None:
            self._refused.append(Refusal(line.number, f"longer than {MAX_LINE} bytes"))
        elif line.data.strip():
            try:
                self._rows.append(parse(line.number, line.data))
            except BadLine as error:
                self._refused.append(Refusal(line.number, str(error)))

    def store(self, *, last: bool = False) -> None:
        """Store the batch, and in the same transaction that it is stored."""
        if self._engine is None:
            self._went_on()
        else:
            try:
                self._write(self._engine, self._rows, last=last)
            except Conflict:
                # an ingest came between, or the database refuses a row: find out which
                self._rows = [row for row in self._rows if self._is_stored(self._engine, row)]
                self._write(self._engine, [], last=last)
        self._rows, self._refused = [], []

    def _is_stored(self, engine: Engine, row: EntryRow) -> bool:
        try:
            with writing(engine) as session:
                refused = store_rows(session, [row], now=time.time_ns())
        except Conflict as error:
            refused = [Refusal(row.line, str(error))]
        self._refused += refused
        return not refused

    def _write(self, engine: Engine, rows: list[EntryRow], *, last: bool) -> None:
        now = time.time_ns()
        with writing(engine) as session:
            self._refused += (refused := store_rows(session, rows, now=now))
            self._went_on(len(refused))
            if last:
                drop_checkpoint(session, self._source)
            elif self._source:
                keep_checkpoint(session, self._source, self.at, now=now)

    def _went_on(self, contradictions: int = 0) -> None:
        """Say what is left out: before it is stored that it was said."""
        for one in sorted(self._refused, key=lambda refusal: refusal.line):
            _say(f"line {one.line}: {one.reason}", FAILED)
        position, line = self._end
        stored = self.at.stored + len(self._rows) - contradictions
        self.at = Checkpoint(position, line, stored, self.at.refused + len(self._refused))


@contextmanager
def _progress(file: BinaryIO, done: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error, if someone looks at it; it is told the place in the file."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    size = os.fstat(file.fileno()).st_size if file.seekable() else None
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("importing", total=size, completed=done)
        yield lambda position: bar.update(task, completed=position)


def _print_summary(done: Checkpoint, resumed: int, seconds: float, as_json: bool) -> None:
    facts = {
        "stored": done.stored,
        "refused": done.refused,
        "resumed_behind_line": resumed,
        "seconds": round(seconds, 3),
    }
    line = f"{done.stored} rows stored, {done.refused} left out, {seconds:.1f} s"
    if resumed:
        line += f"; went on behind line {resumed}"
    print(json.dumps(facts) if as_json else line)  # noqa: T201
