"""``headrace ingest``, ``entries`` and ``show``."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from metadata.caption_changes import NewCaptions, set_captions
from metadata.changes import add_entry, add_flavor_versions
from metadata.engine import open_reader, open_writer
from metadata.entries import find_by_source, find_entry, find_flavor, list_entries
from metadata.errors import BadId, Conflict, DatabaseUnavailable, MetadataError
from metadata.file_changes import find_own_file, is_own_file, set_own_file
from metadata.flavors import current
from metadata.ids import check_id, new_id
from metadata.migrate import upgrade
from metadata.records import EntryRecord, FlavorRecord, NewFlavor
from metadata.sessions import reading, writing
from origin.ingest.captions import (
    BadCaptions,
    CaptionOption,
    UnreadableCaptions,
    examine_captions,
    parse_option,
)
from origin.ingest.embedded import embedded_captions
from origin.ingest.examine import Examined, Found, Refused, examine
from origin.ingest.remuxed import Folder, Rows, folder, is_missing
from origin.ingest.remuxer import NotRemuxed
from packager.recipe import MAX_FLAVORS

OK, FAILED, MISUSED = 0, 1, 2
_PAGE = 500
_SHOW_PROGRESS_FROM = 64 << 20
"""Bytes of a call from which a progress bar is worth its lines."""


class Misused(Exception):
    """The options contradict each other or what is stored."""


@dataclass(frozen=True, slots=True)
class _Order:
    """What a call asks for."""

    files: tuple[Path | str, ...]
    entry: str | None
    partner: int
    name: str | None
    replace: str | None
    captions: tuple[CaptionOption, ...] = ()
    data_center: int = 0
    """Ours, as the number that rows of files have."""


def ingest(
    files: tuple[Path | str, ...],
    data: str | Path,
    entry: str | None,
    partner: int,
    name: str | None,
    replace: str | None,
    as_json: bool,
    captions: tuple[str, ...] = (),
    remuxed: Path | None = None,
    data_center: int = 0,
) -> int:
    """Take *files*, or what is at these addresses, as the flavors of one entry, and files of
    *captions* with them, all or nothing; the exit status."""
    with _said("headrace ingest", data) as status:
        texts = tuple(map(_caption_option, captions))
        order = _Order(files, entry, partner, name, replace, texts, data_center)
        _check(order)
        found = _find(order)
        engine = open_writer(data)
        upgrade(engine)
        place = _folder_of(data) if remuxed is None else remuxed.absolute()
        with nullcontext() if place is None else folder(place, _rows(engine)) as into:
            entry_id = _ingest(engine, order, found, into)
        _print_flavors(_need_entry(engine, entry_id), as_json, bare=True)
    return status[0]


def entries(data: str | Path, as_json: bool) -> int:
    """List the entries; the exit status."""
    with _said("headrace entries", data) as status:
        after = ""
        engine = open_reader(data)
        while True:
            with reading(engine) as session:
                page = list_entries(session, limit=_PAGE, after=after)
            for one in page:
                facts = {
                    "entry": one.id, "partner": one.partner_id, "name": one.name,
                    "flavors": one.flavors, "duration_ms": one.duration_ms,
                }  # fmt: skip
                line = f"{one.id}  {_clock(one.duration_ms)}  {one.flavors} flavors  {one.name}"
                print(json.dumps(facts) if as_json else line)  # noqa: T201
            if len(page) < _PAGE:
                break
            after = page[-1].id
    return status[0]


def show(data: str | Path, entry: str, as_json: bool) -> int:
    """Show one entry and its flavors; the exit status."""
    with _said("headrace show", data) as status:
        _checked_id(entry, "entry")
        _print_flavors(_need_entry(open_reader(data), entry), as_json, bare=False)
    return status[0]


@contextmanager
def _said(command: str, data: str | Path) -> Iterator[list[int]]:
    """What goes wrong inside, in one line; the status is in the list."""
    status = [OK]
    try:
        yield status
    except Misused as error:
        status[0] = _say(command, str(error), MISUSED)
    except DatabaseUnavailable as error:
        status[0] = _say(command, f"--data: {_shown(data)}: {error.reason}", MISUSED)
    except (Refused, NotRemuxed, MetadataError) as error:
        status[0] = _say(command, str(error), FAILED)


def _rows(engine: Engine) -> Rows:
    def has(name: str) -> bool:
        with reading(engine) as session:
            return is_own_file(session, name)

    return Rows(str(engine.url), has)  # which hides a password


def _folder_of(data: str | Path) -> Path | None:
    """Where remuxed files go if nothing else is said; there is no place in a URL."""
    return None if "://" in str(data) else Path(data).absolute() / "remuxed"


def _shown(data: str | Path) -> str:
    """A URL may hold a password."""
    return "the database" if "://" in str(data) else str(data)


def _say(command: str, message: str, status: int) -> int:
    print(f"{command}: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
    return status


# -- ingest


def _check(order: _Order) -> None:
    if order.entry is not None:
        _checked_id(order.entry, "--entry")
    if order.replace is not None:
        _checked_id(order.replace, "--replace")
        if len(order.files) != 1:
            raise Misused(f"--replace: takes one file, not {len(order.files)}")
    if not order.files and (order.entry is None or not order.captions):
        raise Misused("FILE: there is none; --captions alone go to an --entry")
    if len(order.files) > MAX_FLAVORS:
        raise Misused(f"{len(order.files)} files are more than the {MAX_FLAVORS} of an entry")


def _checked_id(text: str, option: str) -> None:
    try:
        check_id(text)
    except BadId as error:
        raise Misused(f"{option}: {error}") from None


def _caption_option(text: str) -> CaptionOption:
    try:
        return parse_option(text)
    except BadCaptions as error:
        raise Misused(f"--captions: {error}") from None


def _captions(order: _Order) -> tuple[NewCaptions, ...]:
    try:
        return examine_captions(order.captions)
    except UnreadableCaptions as error:
        raise Refused(str(error)) from None


def _find(order: _Order) -> list[Found]:
    found = [Found.at(path) for path in order.files]
    if len({one.path for one in found}) < len(found):
        raise Misused("the same file is named twice")
    return found


def _ingest(engine: Engine, order: _Order, found: Sequence[Found], into: Folder | None) -> str:
    with reading(engine) as session:
        plan = _plan(session, order, found)
    captions = _captions(order)
    examined = _examine_all([one for one, _ in plan.work], into)
    work = ((one, examined[one]) for one, _ in plan.work)
    captions += embedded_captions(work, lambda said: print(said, file=sys.stderr))  # noqa: T201
    with writing(engine) as session:
        # Again, behind the writers' lock: another ingest may have stored some meanwhile.
        plan = _plan(session, order, found)
        now = time.time_ns()
        flavors = [_new_flavor(flavor_id, examined.get(one)) for one, flavor_id in plan.work]
        stored: Sequence[FlavorRecord] = ()
        if plan.is_new:
            stored = add_entry(
                session, entry_id=plan.entry, partner_id=order.partner,
                name=order.name or found[0].stem, flavors=flavors, now=now,
            ).flavors  # fmt: skip
        elif flavors:
            stored = add_flavor_versions(session, plan.entry, flavors, now=now)
        looked_into = {one.path for one in examined}
        set_captions(session, plan.entry, captions, now=now, looked_into=looked_into)
        made = [examined[one].remuxed for one, _ in plan.work]
        for flavor, one in zip(stored, made, strict=True):
            if one is not None:
                set_own_file(session, flavor, order.data_center, str(one.path), now=now)
        if into is not None and any(made):
            into.keep(one for one in made if one is not None)
    if into is not None:
        into.stored()
    return plan.entry


def _new_flavor(flavor_id: str, made: Examined | None) -> NewFlavor:
    if made is None:
        raise Conflict("the entry was changed by another ingest meanwhile: try again")
    return NewFlavor(flavor_id, made.facts, made.index)


@dataclass(frozen=True, slots=True)
class _Plan:
    entry: str
    is_new: bool
    work: tuple[tuple[Found, str], ...]
    """Files to read, and the flavors that they are or become."""


def _plan(session: Session, order: _Order, found: Sequence[Found]) -> _Plan:
    """What *found* means for what is stored: unchanged files are no work."""
    if order.replace is not None:
        return _plan_replacement(session, order, order.replace, found[0])
    known = {one.path: find_by_source(session, one.path) for one in found}
    entry = order.entry or _entry_of_all(known)
    if entry is None:
        return _Plan(new_id(), True, tuple((one, new_id()) for one in found))
    record = find_entry(session, entry, replaced_after=time.time_ns())
    if record is None and not found:
        raise Misused(f"--entry: there is no entry {entry}")
    if record is None:
        return _Plan(entry, True, tuple((one, new_id()) for one in found))
    mine = {flavor.path: flavor for flavor in current(record.flavors)}
    added = sum(one.path not in mine for one in found)
    if len(mine) + added > MAX_FLAVORS:
        raise Misused(f"entry {entry} would have more than {MAX_FLAVORS} flavors")
    work = [
        (one, mine[one.path].id if one.path in mine else new_id())
        for one in found
        if one.path not in mine or not _is_same(session, order, one, mine[one.path])
    ]
    return _Plan(entry, False, tuple(work))


def _plan_replacement(session: Session, order: _Order, flavor: str, found: Found) -> _Plan:
    stored = find_flavor(session, flavor)
    if stored is None:
        raise Misused(f"--replace: there is no flavor {flavor}")
    if order.entry not in (None, stored.entry_id):
        raise Misused(f"--replace: flavor {flavor} belongs to entry {stored.entry_id}")
    same = stored.path == found.path and _is_same(session, order, found, stored)
    return _Plan(stored.entry_id, False, () if same else ((found, flavor),))


def _is_same(session: Session, order: _Order, found: Found, stored: FlavorRecord) -> bool:
    """Whether there is nothing to do: a remuxed file that was deleted is made again."""
    if (found.size, found.mtime_ns) != (stored.size, stored.mtime_ns):
        return False
    own = find_own_file(session, stored, order.data_center)
    return own is None or not is_missing(own)


def _entry_of_all(known: dict[str, list[FlavorRecord]]) -> str | None:
    """The oldest entry that all these files are flavors of already."""
    shared = set.intersection(*({row.entry_id for row in rows} for rows in known.values()))
    for rows in known.values():
        for row in rows:
            if row.entry_id in shared:
                return row.entry_id
    return None


def _examine_all(files: Sequence[Found], into: Folder | None) -> dict[Found, Examined]:
    total = sum(one.size for one in files)
    with _progress(total) as advance:
        examined = {one: examine(one, advance, into) for one in files}
    for one, made in examined.items():
        for reason in made.left_out:
            print(f"{one.name}: left out: {reason}", file=sys.stderr)  # noqa: T201
        for note in made.notes:
            print(f"{one.name}: {note}", file=sys.stderr)  # noqa: T201
    return examined


@contextmanager
def _progress(total: int) -> Iterator[Any]:
    """A bar on standard error for long work; silent for short."""
    if total < _SHOW_PROGRESS_FROM:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=total)
        yield lambda done: bar.advance(task, done)


# -- showing


def _need_entry(engine: Engine, entry: str) -> EntryRecord:
    with reading(engine) as session:
        record = find_entry(session, entry, replaced_after=time.time_ns())
    if record is None:
        raise Refused(f"{entry}: there is no such entry")
    return record


def _print_flavors(record: EntryRecord, as_json: bool, *, bare: bool) -> None:
    flavors = current(record.flavors)
    if as_json:
        for number, flavor in enumerate(flavors, 1):
            print(json.dumps(_flavor_facts(record, number, flavor)))  # noqa: T201
        return
    if bare:
        print(record.id)  # noqa: T201
        return
    print(f"{record.id}  partner {record.partner_id}  {record.name}")  # noqa: T201
    for number, one in enumerate(flavors, 1):
        picture = f"{one.width}x{one.height}" if one.height else "audio"
        print(  # noqa: T201
            f"  -f{number}  {one.id}  v{one.version}  {picture}  {one.bitrate // 1000} kb/s  "
            f"{_clock(one.duration_ms)}  {one.codecs}  {one.path}"
        )


def _flavor_facts(record: EntryRecord, number: int, flavor: FlavorRecord) -> dict[str, Any]:
    return {
        "entry": record.id,
        "partner": record.partner_id,
        "flavor": flavor.id,
        "version": flavor.version,
        "index": number,
        "path": flavor.path,
        "width": flavor.width,
        "height": flavor.height,
        "codecs": flavor.codecs,
        "duration_ms": flavor.duration_ms,
    }


def _clock(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
