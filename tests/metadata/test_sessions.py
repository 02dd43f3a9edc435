"""Sessions on both databases: what is stored, and what an error is called."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
import uvloop
from sqlalchemy import Engine, exc, text
from sqlalchemy.orm import Session

from metadata import asking as asking_module
from metadata.asking import open_asker
from metadata.engine import READER_POOL, open_reader, open_writer
from metadata.entries import find_entry, list_entries
from metadata.errors import BadRow, Conflict, DatabaseUnavailable, WrongSchema
from metadata.sessions import reading, writing
from tests.metadata.samples import ENTRY, asking, counted, store


def test_the_same_answer_either_way(where: str, writer: Engine) -> None:
    store(writer)
    reader = open_reader(where)
    with reading(reader) as session:
        answer = find_entry(session, ENTRY, replaced_after=0)
    reader.dispose()
    with asking(where) as asked:
        assert asked(find_entry, ENTRY, replaced_after=0) == answer
    assert answer is not None


def test_a_writer_and_a_reader_do_not_wait_for_each_other(where: str, writer: Engine) -> None:
    store(writer)
    with asking(where) as asked, writing(writer) as session:
        session.execute(text("UPDATE entry SET name = 'B'"))
        assert asked(list_entries, limit=1)[0].name == "A"


def test_what_raises_stores_nothing(writer: Engine) -> None:
    with pytest.raises(ZeroDivisionError), writing(writer) as session:
        session.execute(text("INSERT INTO partner (id, created_at) VALUES (1, 1)"))
        _ = 1 // 0
    with reading(writer) as session:
        assert session.scalar(text("SELECT count(*) FROM partner")) == 0


def test_twice_the_same_is_a_conflict(writer: Engine) -> None:
    store(writer)
    with pytest.raises(Conflict, match="stored already"):
        store(writer)
    with pytest.raises(Conflict):  # the flavor's id is taken, so the entry is not stored either
        store(writer, "0_bbbb1234")
    with reading(writer) as session:
        assert [entry.id for entry in list_entries(session, limit=10)] == [ENTRY]


def test_a_wrong_statement_is_a_bug_and_stays_one(writer: Engine) -> None:
    with pytest.raises(exc.DBAPIError, match="syntax"), reading(writer) as session:
        session.execute(text("SELEKT 1"))


def test_a_table_that_is_missing_is_the_wrong_schema(where: str, writer: Engine) -> None:
    with asking(where) as asked:
        assert asked(list_entries, limit=1) == []
        with writer.begin() as connection:
            connection.execute(text("ALTER TABLE entry RENAME COLUMN name TO title"))
        with pytest.raises(WrongSchema):
            asked(list_entries, limit=1)


def test_the_schema_is_looked_up_once(where: str, writer: Engine) -> None:
    async def scenario() -> None:
        asker = open_asker(where)
        with counted(asker.engine) as statements:
            for _ in range(3):
                await asker.ask(list_entries, limit=1)
        assert [statement.split()[-1] for statement in statements[:1]] == ["alembic_version"]
        assert len(statements) == 1 + 3
        await asker.close()

    asyncio.run(scenario())


def test_a_late_answer_is_unavailable(
    where: str, writer: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_module, "ANSWER_LIMIT_S", 0.3)
    slow = {
        "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n"
        " WHERE x < 6000000) SELECT count(*) FROM n",
        "postgresql": "SELECT pg_sleep(2)",
    }[writer.dialect.name]

    def question(session: Session) -> Any:
        return session.scalar(text(slow))

    with asking(where) as asked:
        assert asked(list_entries, limit=1) == []
        with pytest.raises(DatabaseUnavailable, match=r"no answer within 0\.3 s"):
            asked(question)
        monkeypatch.undo()
        assert asked(list_entries, limit=1) == []  # the connection is fit for use again


def test_more_questions_than_connections(where: str, writer: Engine) -> None:
    store(writer)

    async def scenario() -> None:
        asker = open_asker(where)
        questions = (asker.ask(list_entries, limit=1) for _ in range(20 * READER_POOL))
        assert {answer[0].id for answer in await asyncio.gather(*questions)} == {ENTRY}
        await asker.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the origin does
        runner.run(scenario())


def test_questions_that_are_given_up_leave_connections_usable(
    where: str, writer: Engine
) -> None:
    store(writer)

    async def scenario() -> None:
        asker = open_asker(where)
        for number in range(30):
            asked = asyncio.create_task(asker.ask(list_entries, limit=1))
            await asyncio.sleep(random.Random(number).uniform(0, 0.004))
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
        for _ in range(2 * READER_POOL):
            assert (await asker.ask(list_entries, limit=1))[0].id == ENTRY
        await asker.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("where", ["postgresql"], indirect=True)
def test_a_server_that_dropped_its_connections_is_asked_again(
    where: str, writer: Engine
) -> None:
    store(writer)
    with asking(where) as asked:
        assert asked(list_entries, limit=1)[0].id == ENTRY
        drop = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        with writer.connect() as connection:
            mine = "datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(text(f"{drop} WHERE {mine}"))
        assert asked(list_entries, limit=1)[0].id == ENTRY


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    url = f"postgresql://headrace:secret@/d?host={tmp_path}"
    with pytest.raises(DatabaseUnavailable) as caught, asking(url) as asked:
        asked(list_entries, limit=1)
    assert "secret" not in caught.value.where + str(caught.value)
    writer = open_writer(url)
    with pytest.raises(DatabaseUnavailable), writing(writer):
        pass
    writer.dispose()


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)  # PostgreSQL stores no such row
def test_a_bad_row_is_named(where: str, writer: Engine) -> None:
    store(writer)
    store(writer, "0_bbbb1234", "0_bbbbbbbb")
    with writing(writer) as session:
        session.execute(text("UPDATE flavor_asset SET duration_ms = 'long' WHERE int_id = 1"))
        session.execute(text("UPDATE entry SET name = CAST(x'ff' AS TEXT) WHERE id > '0_b'"))
    with asking(where) as asked:
        with pytest.raises(BadRow, match="flavor_asset 1: duration_ms str cannot be"):
            asked(find_entry, ENTRY, replaced_after=0)
        with pytest.raises(BadRow, match="entry 0_bbbb1234: name str cannot be"):
            asked(find_entry, "0_bbbb1234", replaced_after=0)
