"""The migration that gives captions a purpose and a channel, both ways, with rows in place."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from metadata.engine import open_writer
from metadata.migrate import downgrade, upgrade
from tests.metadata.samples import store
from tests.metadata.test_migrate import all_of

INSERT = (
    "INSERT INTO caption_asset (id, entry_id, format, language, path, created_at, updated_at)"
    " VALUES ('{}', (SELECT min(id) FROM entry), {}, 'eng', '/a', 1, 1)"
)


def run(writer: Engine, *statements: str) -> None:
    with writer.begin() as connection:
        for one in statements:
            connection.execute(text(one))


def test_captions_go_down_to_0005_and_up(writer: Engine) -> None:
    store(writer)
    run(writer, INSERT.format("0_srt", 1), INSERT.format("0_ass", 6))
    run(writer, "UPDATE caption_asset SET purpose = 3, channel = '2' WHERE id = '0_ass'")
    with pytest.raises(IntegrityError):
        run(writer, INSERT.format("0_none", 9))
    downgrade(writer, "0005")
    assert [row[0] for row in all_of(writer, "id, 0, 0", "caption_asset")] == ["0_srt"]
    with pytest.raises(IntegrityError):
        run(writer, INSERT.format("0_ass", 6))
    for revision in ("0005", "0006"):
        upgrade(writer, revision)
        noted = all_of(writer, "count(*), 0, 0", "change")
        run(writer, "UPDATE caption_asset SET language = 'fra' WHERE id = '0_srt'")
        assert all_of(writer, "count(*), 0, 0", "change") > noted
    assert all_of(writer, "id, purpose, format", "caption_asset") == [("0_srt", 1, 1)]
    with pytest.raises(IntegrityError):
        run(writer, "UPDATE caption_asset SET purpose = 4")


def test_a_journal_that_was_there_notes_captions(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    upgrade(writer, "0005")
    upgrade(writer)
    store(writer)
    noted = all_of(writer, "count(*), 0, 0", "change")
    run(writer, INSERT.format("0_scc", 5), "DELETE FROM caption_asset")
    assert all_of(writer, "count(*), 0, 0", "change") > noted
    writer.dispose()
