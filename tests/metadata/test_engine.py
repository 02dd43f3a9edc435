"""What may be opened, and SQLite files that are not there, come, go or are none."""

import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from metadata.asking import open_asker
from metadata.engine import FILE_NAME, database_url, open_reader, open_writer
from metadata.entries import find_entry, list_entries
from metadata.errors import BadDatabaseUrl, DatabaseUnavailable, WrongSchema
from metadata.migrate import upgrade
from metadata.sessions import reading
from tests.metadata.samples import ENTRY, asking, store


def test_urls(tmp_path: Path) -> None:
    file = f"sqlite:///{tmp_path / FILE_NAME}"
    assert str(database_url(tmp_path)) == file
    assert str(database_url(str(tmp_path))) == file
    assert str(database_url(file)) == file
    for url in ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"):
        assert str(database_url(url)) == "postgresql+psycopg://u@h/d"


BAD_URLS = ["mysql://h/d", "postgresql+asyncpg://h/d", "sqlite://", "sqlite:///:memory:"]
BAD_URLS += ["sqlite:////srv/h.db?mode=memory", "://", "x y://"]


@pytest.mark.parametrize("url", BAD_URLS)
def test_bad_urls(url: str) -> None:
    with pytest.raises(BadDatabaseUrl):
        database_url(url)


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for opened in (open_writer, open_reader, open_asker):
        with pytest.raises(BadDatabaseUrl, match=r"headrace\[postgresql\]"):
            opened("postgresql://u@h/d")


def test_any_folder_name_is_a_folder_name(tmp_path: Path) -> None:
    folder = tmp_path / "a ?mode=memory#%2f%20é'"
    writer = open_writer(folder)
    upgrade(writer)
    writer.dispose()
    assert (folder / FILE_NAME).exists()


def test_sqlite_is_set_up_to_keep_what_was_stored(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    upgrade(writer)
    with writer.connect() as connection:
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragma == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }
    writer.dispose()


def test_a_reader_changes_nothing(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    upgrade(writer)
    reader = open_reader(tmp_path)
    with pytest.raises(DatabaseUnavailable, match="readonly"), reading(reader) as session:
        session.execute(text("DELETE FROM entry"))
    reader.dispose()
    writer.dispose()


def test_a_reader_waits_for_the_database_without_making_it(tmp_path: Path) -> None:
    with asking(tmp_path) as ask:
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable, match="there is no database") as caught:
                ask(find_entry, ENTRY, replaced_after=0)
            assert FILE_NAME in caught.value.where
            assert FILE_NAME not in str(caught.value)
        assert list(tmp_path.iterdir()) == []
        (tmp_path / FILE_NAME).touch()
        with pytest.raises(WrongSchema, match=r"no tables yet.*`headrace migrate`"):
            ask(find_entry, ENTRY, replaced_after=0)
        writer = open_writer(tmp_path)
        upgrade(writer)
        assert ask(find_entry, ENTRY, replaced_after=0) is None
        store(writer)
        assert ask(find_entry, ENTRY, replaced_after=0) is not None
        writer.dispose()


def test_a_reader_follows_a_database_that_is_made_anew(tmp_path: Path) -> None:
    with asking(tmp_path) as ask:
        for entry_id in ("0_aaaa1234", "0_bbbb1234"):
            writer = open_writer(tmp_path)
            upgrade(writer)
            store(writer, entry_id)
            writer.dispose()
            assert [entry.id for entry in ask(list_entries, limit=10)] == [entry_id]
            for file in tmp_path.iterdir():
                file.unlink()
            with pytest.raises(DatabaseUnavailable, match="there is no database"):
                ask(list_entries, limit=10)


def test_what_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"not a database" * 1000)
    reader = open_reader(tmp_path)
    with pytest.raises(DatabaseUnavailable, match="not a database"), reading(reader):
        pass
    with pytest.raises(DatabaseUnavailable, match="not a database"), asking(tmp_path) as ask:
        ask(list_entries, limit=10)
    reader.dispose()


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseUnavailable, match="no directory"):
        open_writer(tmp_path / "file" / "data")
