"""Each question is one statement, without blobs, and reads rows by an index."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from metadata import content, entries, indexes, surroundings
from metadata.changes import add_entry, add_flavor_versions
from metadata.content import find_caption, find_content
from metadata.entries import (
    find_by_source,
    find_entry,
    find_flavor,
    list_entries,
)
from metadata.indexes import (
    load_index_blocks,
    load_index_headers,
    load_index_stretch,
    load_indexes,
)
from metadata.models import CaptionAsset, DeliveryProfile
from metadata.sessions import reading, writing
from metadata.surroundings import load_surroundings
from tests.metadata.samples import ENTRY, counted, new, store


@pytest.fixture
def filled(writer: Engine) -> Engine:
    """An entry whose first flavor was replaced at 50, beside another entry."""
    flavors = [new("0_aaaaaaaa", blocks=2), new("0_bbbbbbbb", path="/srv/b.mp4", blocks=2)]
    with writing(writer) as session:
        add_entry(session, entry_id=ENTRY, partner_id=101, name="A", flavors=flavors, now=10)
        newer = [new("0_aaaaaaaa", path="/srv/a2.mp4", blocks=2)]
        add_flavor_versions(session, ENTRY, newer, now=50)
    store(writer, "0_zzzz1234", "0_zzzzzzzz")
    with writing(writer) as session:
        caption = CaptionAsset(id="0_capt1234", entry_id=ENTRY, format=3, language="eng",
                               path="/srv/a.vtt", created_at=1, updated_at=1)  # fmt: skip
        own = DeliveryProfile(id=1, partner_id=101, type=61, streamer_type="applehttp")
        shared = {"type": 68, "streamer_type": "mpegdash"}
        others = [DeliveryProfile(id=2, **shared), DeliveryProfile(id=3, status=1, **shared)]
        session.add_all([caption, own, *others])
    return writer


@pytest.mark.parametrize(
    ("replaced_after", "versions"),
    [
        (49, [("0_aaaaaaaa", 1), ("0_aaaaaaaa", 2), ("0_bbbbbbbb", 1)]),
        (50, [("0_aaaaaaaa", 2), ("0_bbbbbbbb", 1)]),
    ],
)
def test_an_entry(filled: Engine, replaced_after: int, versions: list[tuple[str, int]]) -> None:
    with reading(filled) as session:
        entry = find_entry(session, ENTRY, replaced_after=replaced_after)
    assert entry is not None
    assert (entry.partner_id, entry.name, entry.created_at, entry.updated_at) == (
        101,
        "A",
        10,
        50,
    )
    assert sorted((flavor.id, flavor.version) for flavor in entry.flavors) == versions


def test_an_entry_without_flavors_and_no_entry(writer: Engine) -> None:
    with writing(writer) as session:
        add_entry(session, entry_id=ENTRY, partner_id=101, name="", flavors=[], now=10)
    with reading(writer) as session:
        entry = find_entry(session, ENTRY, replaced_after=0)
        assert entry is not None
        assert entry.flavors == ()
        assert find_entry(session, "0_zzzz1234", replaced_after=0) is None


def test_the_versions_of_an_entry_are_bounded(
    writer: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "MOST_VERSIONS", 5)
    store(writer)
    with writing(writer) as session:
        for now in range(2, 9):
            add_flavor_versions(session, ENTRY, [new("0_aaaaaaaa")], now=now)
    with reading(writer) as session:
        entry = find_entry(session, ENTRY, replaced_after=0)
    assert entry is not None
    versions = [flavor.version for flavor in entry.flavors]
    assert versions == [8, 7, 6, 5, 4]


def test_a_list_goes_on_where_it_stopped(writer: Engine) -> None:
    ids = [f"0_{number:08}" for number in range(7)]
    for number, entry_id in enumerate(ids):
        store(writer, entry_id, f"0_aaaaaaa{number}")
    seen: list[str] = []
    with reading(writer) as session:
        while page := list_entries(session, limit=3, after=seen[-1] if seen else ""):
            seen += [entry.id for entry in page]
    assert seen == ids


def test_a_line_of_a_list(filled: Engine) -> None:
    with writing(filled) as session:
        add_entry(session, entry_id="0_bbbb1234", partner_id=7, name="B", flavors=[], now=9)
        longer = [new("0_bbbbbbbb", duration_ms=60_001)]
        add_flavor_versions(session, ENTRY, longer, now=60)
    with reading(filled) as session:
        found = list_entries(session, limit=2)
    assert [(e.id, e.flavors, e.duration_ms) for e in found] == [
        (ENTRY, 2, 60_001),
        ("0_bbbb1234", 0, 0),
    ]


def test_ids_sort_by_byte_on_both_databases(writer: Engine) -> None:
    # a locale would sort "_" after or beside the digits
    ids = ["0_aaaa1234", "10_aaaa1234", "1_aaaa1234"]
    for number, entry_id in enumerate(ids):
        store(writer, entry_id, f"0_aaaaaaa{number}")
    with reading(writer) as session:
        assert [entry.id for entry in list_entries(session, limit=9)] == ids


def test_who_has_this_source(filled: Engine) -> None:
    with reading(filled) as session:
        assert find_by_source(session, "/srv/film.mp4")[0].entry_id == "0_zzzz1234"
        [found] = find_by_source(session, "/srv/a2.mp4")
        assert (found.id, found.version, found.entry_id) == ("0_aaaaaaaa", 2, ENTRY)
        assert find_by_source(session, "/srv/none.mp4") == []


def test_a_flavor(filled: Engine) -> None:
    with reading(filled) as session:
        found = find_flavor(session, "0_aaaaaaaa")
        assert found is not None
        assert (found.version, found.replaced_at) == (2, None)
        assert find_flavor(session, "0_yyyyyyyy") is None


QUESTIONS: dict[str, tuple[Callable[..., Any], list[Any], dict[str, Any]]] = {
    "find_entry": (find_entry, [ENTRY], {"replaced_after": 0}),
    "list_entries": (list_entries, [], {"limit": 10}),
    "find_by_source": (find_by_source, ["/srv/b.mp4"], {}),
    "find_flavor": (find_flavor, ["0_aaaaaaaa"], {}),
    "find_content": (find_content, [ENTRY], {"replaced_after": 0}),
    "find_caption": (find_caption, ["0_capt1234"], {}),
    "load_surroundings": (load_surroundings, [101], {}),
    "load_indexes": (load_indexes, [[1, 2, 3]], {}),
    "load_index_stretch": (load_index_stretch, [[1, 2], 1, 5, 500_000], {}),
    "load_index_headers": (load_index_headers, [[1, 2, 3]], {}),
    "load_index_blocks": (load_index_blocks, [1, [(0, 0, 1), (0, 1, 2)]], {}),
}


@pytest.mark.parametrize(("question", "args", "more"), QUESTIONS.values(), ids=QUESTIONS)
def test_one_statement(
    filled: Engine, question: Callable[..., Any], args: list[Any], more: dict[str, Any]
) -> None:
    with reading(filled) as session, counted(filled) as statements:
        assert question(session, *args, **more)
    assert len(statements) == 1
    if not question.__name__.startswith("load"):
        assert "flavor_index" not in statements[0]


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)  # its planner asks no statistics
@pytest.mark.parametrize(("question", "args", "more"), QUESTIONS.values(), ids=QUESTIONS)
def test_no_table_is_read_from_end_to_end(
    filled: Engine, question: Callable[..., Any], args: list[Any], more: dict[str, Any]
) -> None:
    with reading(filled) as session:
        with counted(filled) as statements:
            question(session, *args, **more)
        marks = statements[0].count("?")
        plan = session.connection().exec_driver_sql(
            "EXPLAIN QUERY PLAN " + statements[0], tuple(range(marks))
        )
        steps = [row.detail for row in plan]
    assert [step for step in steps if step.startswith("SCAN") and step != "SCAN page"] == []
    assert any("USING" in step for step in steps)


def test_the_table_of_questions_is_complete() -> None:
    public = {
        name
        for module in (content, entries, indexes, surroundings)
        for name, value in vars(module).items()
        if getattr(value, "__module__", "") == module.__name__ and name[0].islower()
    }
    assert public == set(QUESTIONS)
