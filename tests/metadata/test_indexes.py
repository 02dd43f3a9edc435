"""A segment reads its own blocks, and a block that is missing has a name."""

import pytest
from sqlalchemy import Engine, text

from metadata.changes import add_entry
from metadata.errors import BadRow
from metadata.indexes import (
    PARTS,
    load_index_blocks,
    load_index_headers,
    load_index_stretch,
    load_indexes,
)
from metadata.records import IndexHeader
from metadata.sessions import reading, writing
from tests.metadata.samples import ENTRY, new, store


def test_headers(writer: Engine) -> None:
    store(writer)
    with reading(writer) as session:
        found = load_index_headers(session, [1, 2])
        assert found == {1: IndexHeader(1, 1, b"header of 0_aaaaaaaa")}
        assert load_index_headers(session, []) == {}


def test_blocks(writer: Engine) -> None:
    store(writer)
    blocks = [b"block 0", b"block 1", b"block 2"]
    with reading(writer) as session:
        for start in range(4):
            for stop in range(start, 4):
                assert load_index_blocks(session, 1, [(0, start, stop)]) == [blocks[start:stop]]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_missing_block_is_named(writer: Engine, number: int) -> None:
    store(writer)
    with writing(writer) as session:
        session.execute(text(f"DELETE FROM flavor_index_block WHERE number = {number}"))
    with (
        reading(writer) as session,
        pytest.raises(BadRow, match=f"flavor_index_block 1/0/{number}: "),
    ):
        load_index_blocks(session, 1, [(0, 0, 3)])


def test_an_index_that_is_not_there_has_no_blocks(writer: Engine) -> None:
    with reading(writer) as session, pytest.raises(BadRow, match="flavor_index_block 9/1/4: "):
        load_index_blocks(session, 9, [(1, 4, 5)])


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)  # PostgreSQL stores no such row
def test_a_blob_that_is_none_is_named(writer: Engine) -> None:
    store(writer)
    with writing(writer) as session:
        session.execute(text("UPDATE flavor_index_block SET data = 'text' WHERE number = 1"))
        session.execute(text("UPDATE flavor_index SET header = 7"))
    with reading(writer) as session:
        with pytest.raises(BadRow, match="flavor_index_block 1/0/1: "):
            load_index_blocks(session, 1, [(0, 0, 3)])
        with pytest.raises(BadRow, match="flavor_index 1: data"):
            load_index_headers(session, [1])


STRETCHES: list[tuple[int, int, list[int]]] = [
    (0, 0, [0]),
    (0, 100_000, [0, 1]),
    (300_000, 400_000, [2, 3, 4]),
    (950_000, PARTS, [8, 9]),
    (PARTS, PARTS, [9]),
]


@pytest.mark.parametrize(("begin", "end", "numbers"), STRETCHES)
def test_a_stretch_of_a_track(writer: Engine, begin: int, end: int, numbers: list[int]) -> None:
    """Of ten blocks the ones in which it lies, however full the last one is."""
    with writing(writer) as session:
        flavors = [new("0_aaaaaaaa", blocks=10), new("0_bbbbbbbb", blocks=3)]
        add_entry(session, entry_id=ENTRY, partner_id=1, name="", flavors=flavors, now=1)
    with reading(writer) as session:
        headers, blocks = load_index_stretch(session, [1, 2, 3], 1, begin, end)
        assert sorted(headers) == [1, 2]
        assert sorted(blocks) == [(1, 0, number) for number in numbers]
        assert blocks[1, 0, numbers[0]] == b"block %d" % numbers[0]
        headers, blocks = load_indexes(session, [1, 2, 3])
        assert (sorted(headers), len(blocks)) == ([1, 2], 13)
