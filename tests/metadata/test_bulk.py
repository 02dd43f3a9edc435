"""Rows in bulk: new ones in, known ones changed, and what contradicts is left out whole."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from metadata.bulk import (
    Checkpoint,
    EntryRow,
    drop_checkpoint,
    find_checkpoint,
    keep_checkpoint,
    store_rows,
)
from metadata.changes import add_flavor_versions
from metadata.entries import find_entry
from metadata.flavors import current, generations
from metadata.models import AccessControl, Entry, FlavorAsset
from metadata.records import EntryRecord
from metadata.sessions import reading, writing
from tests.metadata.samples import ENTRY, counted, new, store


def row(
    entry_id: str = ENTRY, *flavors: dict[str, Any], line: int = 1, **entry: Any
) -> EntryRow:
    return EntryRow(line, {"id": entry_id, "partner_id": 101, **entry}, list(flavors))


def flavor(
    flavor_id: str = "0_aaaaaaaa", path: str = "/srv/a.mp4", **more: Any
) -> dict[str, Any]:
    return {"id": flavor_id, "path": path, **more}


def put(engine: Engine, rows: Sequence[EntryRow], now: int = 10) -> list[tuple[int, str]]:
    with writing(engine) as session:
        refused = store_rows(session, rows, now=now)
    return [(one.line, one.reason) for one in refused]


def entry_of(engine: Engine, entry_id: str = ENTRY) -> EntryRecord:
    with reading(engine) as session:
        found = find_entry(session, entry_id, replaced_after=0)
    assert found is not None
    return found


def columns_of(engine: Engine, flavor_id: str = "0_aaaaaaaa") -> list[dict[str, Any]]:
    table = FlavorAsset.__table__
    query = select(table).where(table.c.id == flavor_id).order_by(table.c.version)
    with reading(engine) as session:
        return [dict(found) for found in session.execute(query).mappings()]


def test_a_row_that_says_little(writer: Engine) -> None:
    assert put(writer, [row(ENTRY, flavor())]) == []
    found = entry_of(writer)
    assert (found.partner_id, found.name, found.created_at, found.updated_at) == (
        101,
        "",
        10,
        10,
    )
    [one] = current(found.flavors)
    assert (one.path, one.size, one.identity, one.version) == ("/srv/a.mp4", 0, b"", 1)
    [stored] = columns_of(writer)
    assert (stored["status"], stored["is_default"], stored["language"]) == (2, False, None)
    assert "mbr" in stored["tags"]


def test_the_same_again_changes_nothing(writer: Engine) -> None:
    rows = [row(ENTRY, flavor(size=5, tags="mbr", is_default=True), name="A", start_at=1)]
    put(writer, rows, now=10)
    before = entry_of(writer), columns_of(writer)
    with counted(writer) as statements:
        assert put(writer, rows, now=20) == []
    assert (entry_of(writer), columns_of(writer)) == before
    assert not [one for one in statements if one.split()[0] in ("INSERT", "UPDATE")]


def test_what_is_said_changes_and_what_is_not_stays(writer: Engine) -> None:
    put(writer, [row(ENTRY, flavor(size=5, tags="mbr", language="eng"), name="A")])
    put(writer, [row(ENTRY, flavor(language="deu"), moderation_status=1)], now=20)
    [stored] = columns_of(writer)
    assert (stored["size"], stored["tags"], stored["language"]) == (5, "mbr", "deu")
    assert (stored["version"], stored["created_at"]) == (1, 10)
    found = entry_of(writer)
    assert (found.name, found.created_at, found.updated_at) == ("A", 10, 20)
    with reading(writer) as session:
        assert session.scalar(select(Entry.moderation_status)) == 1


@pytest.mark.parametrize("changed", [{"path": "/srv/b.mp4"}, {"size": 6}], ids=repr)
def test_another_file_is_a_new_version(writer: Engine, changed: dict[str, Any]) -> None:
    put(writer, [row(ENTRY, flavor(size=5, tags="mbr", width=2, height=2))])
    put(writer, [row(ENTRY, flavor(**{"size": 5, **changed}))], now=5)
    first, second = columns_of(writer)
    assert (first["replaced_at"], second["replaced_at"]) == (11, None)
    assert (second["version"], second["created_at"], second["tags"]) == (2, 11, "mbr")
    assert second["width"] is None  # of the file before
    assert len(generations(entry_of(writer).flavors, now=20, keep=100)) == 2


def test_a_version_that_was_ingested_keeps_its_index(writer: Engine) -> None:
    store(writer)
    said = flavor(path="/srv/film.mp4", size=1000, label="Film")
    assert put(writer, [row(ENTRY, said)], now=20) == []
    [stored] = columns_of(writer)
    assert (stored["label"], stored["identity"]) == ("Film", b"\x01" * 32)


def test_a_flavor_that_was_retired_comes_back(writer: Engine) -> None:
    store(writer)
    with writing(writer) as session:
        add_flavor_versions(session, ENTRY, [], now=20, retired=["0_aaaaaaaa"])
    put(writer, [row(ENTRY, flavor(path="/srv/film.mp4"))], now=30)
    [one] = current(entry_of(writer).flavors)
    assert (one.version, one.created_at) == (2, 30)


def test_an_ingest_after_an_import_keeps_the_words(writer: Engine) -> None:
    put(writer, [row(ENTRY, flavor(tags="ipad", language="eng", is_default=True))])
    with writing(writer) as session:
        add_flavor_versions(session, ENTRY, [new("0_aaaaaaaa")], now=20)
    last = columns_of(writer)[-1]
    assert (last["version"], last["tags"], last["language"], last["is_default"]) == (
        2, "ipad", "eng", True,
    )  # fmt: skip


def test_rows_of_one_entry_in_one_batch(writer: Engine) -> None:
    rows = [
        row(ENTRY, flavor("0_aaaaaaaa"), name="A"),
        row(ENTRY, flavor("0_bbbbbbbb", "/srv/b.mp4"), name="B"),
        row(ENTRY, flavor("0_aaaaaaaa", "/srv/c.mp4")),
    ]
    assert put(writer, rows) == []
    found = entry_of(writer)
    assert found.name == "B"
    assert {one.id: (one.path, one.version) for one in found.flavors} == {
        "0_aaaaaaaa": ("/srv/c.mp4", 1),
        "0_bbbbbbbb": ("/srv/b.mp4", 1),
    }


def test_what_contradicts_is_left_out_whole(writer: Engine) -> None:
    store(writer, "0_zzzz1234", "0_zzzzzzzz")
    bad = {
        2: row("0_zzzz1234", partner_id=7),
        3: row("0_bbbb1234", flavor("0_bbbbbbbb"), flavor("0_zzzzzzzz")),
        4: row("0_cccc1234", flavor("0_cccccccc"), access_control_id=9),
        5: row("0_cccc1234", flavor("0_cccccccc", flavor_params_id=9)),
        6: row("0_cccc1234", conversion_profile_id=9),
        7: row("0_cccc1234", start_at=5, end_at=5),
        8: row("0_cccc1234", playlist=ENTRY),
        9: row("0_cccc1234", flavor("0_cccccccc", width=5)),
        10: row("0_dddd1234", flavor("0_aaaaaaaa")),  # of the first row
    }
    for line, one in bad.items():
        one.line = line
        one.entry["partner_id"] = 7 if line == 2 else 101
    rows = [row(ENTRY, flavor("0_aaaaaaaa")), *bad.values(), row("0_eeee1234", line=11)]
    refused = put(writer, rows)
    assert [line for line, _ in refused] == list(bad)
    assert dict(refused)[2] == "entry 0_zzzz1234 belongs to partner 101"
    assert dict(refused)[3] == "flavor 0_zzzzzzzz belongs to entry 0_zzzz1234"
    assert dict(refused)[4] == "there is no access_control 9"
    assert dict(refused)[10] == f"flavor 0_aaaaaaaa belongs to entry {ENTRY}"
    with reading(writer) as session:
        ids = set(session.scalars(select(Entry.id)))
        assert session.scalar(select(func.count()).select_from(FlavorAsset)) == 2
    assert ids == {"0_zzzz1234", ENTRY, "0_eeee1234"}


def test_profiles_that_are_there(writer: Engine) -> None:
    with writing(writer) as session:
        session.add(AccessControl(id=9, rules=[{"actions": [1]}]))
    assert put(writer, [row(ENTRY, access_control_id=9)]) == []


def test_a_batch_is_a_few_statements(writer: Engine) -> None:
    rows = [row(f"0_{n:08}", flavor(f"1_{n:08}", f"/srv/{n}.mp4")) for n in range(1000)]
    with counted(writer) as statements:
        put(writer, rows)
    assert len(statements) <= 9


def test_a_checkpoint(writer: Engine) -> None:
    with writing(writer) as session:
        assert find_checkpoint(session, "a") is None
        for at in (Checkpoint(10, 1, 1, 0), Checkpoint(20, 2, 1, 1)):
            keep_checkpoint(session, "a", at, now=1)
    with writing(writer) as session:
        assert find_checkpoint(session, "a") == Checkpoint(20, 2, 1, 1)
        assert find_checkpoint(session, "b") is None
        drop_checkpoint(session, "a")
        assert find_checkpoint(session, "a") is None
