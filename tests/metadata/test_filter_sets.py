"""Filter sets: of a partner before those of all, and seen by the journal."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from metadata.enums import ChangeKind
from metadata.errors import BadRow, Conflict
from metadata.filter_sets import (
    FilterSetRecord,
    delete_filter_set,
    find_filter_sets,
    list_filter_sets,
    put_filter_set,
)
from metadata.journal import read_changes
from metadata.migrate import downgrade, upgrade
from metadata.sessions import reading, writing
from tests.metadata.samples import store

PHONE = FilterSetRecord("phone", None, "video_height:1-480")
OWN = FilterSetRecord("phone", 101, "video_height:1-720")
CAR = FilterSetRecord("car", 101, "audio_language:en")


def put(writer: Engine, *records: FilterSetRecord) -> list[bool]:
    with writing(writer) as session:
        return [put_filter_set(session, one, now=1) for one in records]


def test_a_partners_own_come_before_those_of_all(writer: Engine) -> None:
    store(writer)
    assert put(writer, PHONE, CAR, OWN) == [True] * 3
    with reading(writer) as session:
        assert find_filter_sets(session, 101) == {"phone": OWN, "car": CAR}
        assert find_filter_sets(session, 7) == {"phone": PHONE}
        assert find_filter_sets(session, None) == {"phone": PHONE}
        assert list_filter_sets(session) == [CAR, PHONE, OWN]


def test_they_are_changed_and_deleted(writer: Engine) -> None:
    store(writer)
    other = FilterSetRecord("phone", None, "video_height:1-240")
    assert put(writer, PHONE, PHONE, other) == [True, False, True]
    with writing(writer) as session:
        assert find_filter_sets(session, None) == {"phone": other}
        assert not delete_filter_set(session, "phone", 101)
        assert delete_filter_set(session, "phone", None)
        assert find_filter_sets(session, None) == {}


def test_a_partner_that_is_not_there(writer: Engine) -> None:
    with pytest.raises(Conflict, match="no partner 101"):
        put(writer, OWN)


@pytest.mark.parametrize(
    "values",
    ["(1, NULL, 'phone', 'x', 1)", "(1, 101, 'phone', 'x', 1)", "(1, NULL, '', 'x', 1)",
     "(1, NULL, 'new', '', 1)"],
)  # fmt: skip
def test_the_database_holds_one_of_a_name(writer: Engine, values: str) -> None:
    store(writer)
    put(writer, PHONE, OWN)
    insert = "INSERT INTO filter_set (id, partner_id, name, rules, updated_at) VALUES "
    with pytest.raises(IntegrityError), writer.begin() as connection:
        connection.execute(text(insert + values.replace("(1,", "(99,")))


def test_a_row_that_cannot_be() -> None:
    with pytest.raises(BadRow, match="no text"):
        FilterSetRecord("phone", None, b"x")  # type: ignore[arg-type]


def test_changes_are_seen(writer: Engine) -> None:
    store(writer)
    with reading(writer) as session:
        position = read_changes(session, None).position
    seen = []
    for statement in (
        "INSERT INTO filter_set VALUES (1, 101, 'a', 'x', 1)",
        "UPDATE filter_set SET rules = 'y'",
        "DELETE FROM filter_set",
        "INSERT INTO filter_set VALUES (1, NULL, 'a', 'x', 1)",
    ):
        with writer.begin() as connection:
            connection.execute(text(statement))
        with reading(writer) as session:
            found = read_changes(session, position)
        position = found.position
        seen.append({(one.kind, one.subject) for one in found.changes})
    partner = {(ChangeKind.PARTNER, "101")}
    assert [{kind for kind, _ in one} for one in seen[3:]] == [{ChangeKind.ALL}]
    assert seen[:3] == [partner] * 3


def test_down_and_up_with_rows_in_place(writer: Engine) -> None:
    store(writer)
    put(writer, PHONE, OWN)
    for _ in range(2):
        downgrade(writer, "0003")
        with writer.begin() as connection:  # nothing of it is left behind
            connection.execute(text("UPDATE partner SET name = 'x'"))
        upgrade(writer)
        with reading(writer) as session:
            assert list_filter_sets(session) == []
        put(writer, PHONE)
