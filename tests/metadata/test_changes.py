"""Changes of an entry: versions count up, and a change happens at one time."""

import threading

import pytest
from sqlalchemy import Engine

from metadata.changes import add_entry, add_flavor_versions
from metadata.entries import find_entry
from metadata.errors import Conflict, UnknownEntry
from metadata.flavors import current, generations
from metadata.indexes import load_index_headers
from metadata.records import EntryRecord
from metadata.sessions import reading, writing
from tests.metadata.samples import ENTRY, new, store


def entry_of(engine: Engine, entry_id: str = ENTRY) -> EntryRecord:
    with reading(engine) as session:
        entry = find_entry(session, entry_id, replaced_after=0)
    assert entry is not None
    return entry


def test_what_is_added_is_what_is_found(writer: Engine) -> None:
    flavors = [new("0_aaaaaaaa", blocks=2), new("0_bbbbbbbb", width=None, height=None)]
    with writing(writer) as session:
        added = add_entry(
            session, entry_id=ENTRY, partner_id=101, name="é\U0001f3ac", flavors=flavors, now=10
        )
    found = entry_of(writer)
    assert (found.id, found.name, found.created_at) == (ENTRY, "é\U0001f3ac", 10)
    assert current(found.flavors) == current(added.flavors)
    with reading(writer) as session:
        assert list(load_index_headers(session, [row.int_id for row in added.flavors])) == [
            next(row.int_id for row in added.flavors if row.id == "0_aaaaaaaa")
        ]


def test_versions_count_up_and_the_older_one_is_replaced(writer: Engine) -> None:
    store(writer)
    with writing(writer) as session:
        [second] = add_flavor_versions(session, ENTRY, [new("0_aaaaaaaa")], now=20)
    with writing(writer) as session:
        [third] = add_flavor_versions(session, ENTRY, [new("0_aaaaaaaa")], now=30)
    times = {row.version: (row.created_at, row.replaced_at) for row in entry_of(writer).flavors}
    assert times == {1: (1, 20), 2: (20, 30), 3: (30, None)}
    assert (second.version, third.version) == (2, 3)
    assert entry_of(writer).updated_at == 30


def test_one_call_is_one_change(writer: Engine) -> None:
    store(writer)
    with writing(writer) as session:
        both = [new("0_aaaaaaaa"), new("0_bbbbbbbb", height=360)]
        add_flavor_versions(session, ENTRY, both, now=20)
    with writing(writer) as session:
        both = [new("0_cccccccc", height=240), new("0_bbbbbbbb", height=360)]
        add_flavor_versions(session, ENTRY, both, now=30, retired=["0_aaaaaaaa"])
    found = [
        [(row.id, row.version) for row in rows]
        for rows in generations(entry_of(writer).flavors, now=40, keep=100)
    ]
    assert found == [
        [("0_cccccccc", 1), ("0_bbbbbbbb", 2)],
        [("0_bbbbbbbb", 1), ("0_aaaaaaaa", 2)],
        [("0_aaaaaaaa", 1)],
    ]


def test_a_clock_that_was_set_back(writer: Engine) -> None:
    store(writer)
    for _ in range(2):
        with writing(writer) as session:
            both = [new("0_aaaaaaaa"), new("0_bbbbbbbb", height=360)]
            add_flavor_versions(session, ENTRY, both, now=0)
    found = generations(entry_of(writer).flavors, now=0, keep=100)
    assert [len(rows) for rows in found] == [2, 2, 1]


def test_a_retired_flavor_may_come_back(writer: Engine) -> None:
    store(writer)
    with writing(writer) as session:
        add_flavor_versions(session, ENTRY, [], now=20, retired=["0_aaaaaaaa"])
    assert current(entry_of(writer).flavors) == ()
    with writing(writer) as session:
        [back] = add_flavor_versions(session, ENTRY, [new("0_aaaaaaaa")], now=30)
    assert back.version == 2
    assert current(entry_of(writer).flavors) == (back,)


def test_no_entry_and_a_flavor_of_another(writer: Engine) -> None:
    store(writer)
    store(writer, "0_bbbb1234", "0_bbbbbbbb")
    with pytest.raises(UnknownEntry, match="no entry 0_zzzz1234"), writing(writer) as session:
        add_flavor_versions(session, "0_zzzz1234", [new("0_aaaaaaaa")], now=20)
    with pytest.raises(Conflict, match="belongs to entry"), writing(writer) as session:
        add_flavor_versions(session, ENTRY, [new("0_bbbbbbbb")], now=20)
    with pytest.raises(Conflict), writing(writer) as session:
        add_flavor_versions(session, ENTRY, [new("0_cccccccc"), new("0_cccccccc")], now=20)
    with writing(writer) as session:  # another entry's flavor is not retired from here
        add_flavor_versions(session, ENTRY, [], now=20, retired=["0_bbbbbbbb"])
    assert current(entry_of(writer, "0_bbbb1234").flavors)


def test_changes_at_once_come_one_after_the_other(writer: Engine) -> None:
    store(writer)
    errors: list[BaseException] = []

    def change() -> None:
        try:
            for _ in range(5):
                with writing(writer) as session:
                    add_flavor_versions(session, ENTRY, [new("0_aaaaaaaa", blocks=2)], now=20)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=change) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    rows = sorted(entry_of(writer).flavors, key=lambda row: row.version)
    assert [row.version for row in rows] == list(range(1, 22))
    assert [row.replaced_at for row in rows] == [*(row.created_at for row in rows[1:]), None]
    assert len({row.created_at for row in rows}) == 21


def test_entries_of_a_new_partner_at_once(writer: Engine) -> None:
    errors: list[BaseException] = []
    start = threading.Barrier(4)

    def add(number: int) -> None:
        try:
            start.wait()
            store(writer, f"0_aaaa000{number}", f"0_aaaaaaa{number}")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=add, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
