"""A value that cannot be true has no record."""

from typing import Any

import pytest

from metadata.errors import BadRow
from metadata.records import EntryRecord, IndexBlock, IndexHeader, NewFlavor, NewIndex
from tests.metadata.samples import facts, row

BAD_FACTS: list[dict[str, Any]] = [
    {"path": "film.mp4"},
    {"path": "ftp://host/film.mp4"},
    {"path": "s3://"},
    {"path": "/srv/\udcff.mp4"},
    {"path": "/srv/\0.mp4"},
    {"path": 7},
    {"size": -1},
    {"size": 2**63},
    {"size": "1000"},
    {"size": None},
    {"size": True},
    {"mtime_ns": 1.5},
    {"width": 0},
    {"width": None},
    {"height": None},
    {"duration_ms": -1},
    {"bitrate": -1},
    {"identity": "01"},
]
NOT_KNOWN: list[dict[str, Any]] = [{"size": 0}, {"codecs": ""}, {"identity": b""}]
BAD_VERSIONS: list[dict[str, Any]] = [
    {"version": 0},
    {"created_at": -1},
    {"created_at": 5, "replaced_at": 5},
    {"created_at": 5, "replaced_at": 0},
    {"id": ""},
]


@pytest.mark.parametrize("bad", BAD_FACTS + BAD_VERSIONS, ids=repr)
def test_a_bad_flavor_row_is_named(bad: dict[str, Any]) -> None:
    with pytest.raises(BadRow) as caught:
        row(7, bad.get("id", "0_aaaaaaaa"), **{k: v for k, v in bad.items() if k != "id"})
    assert (caught.value.table, caught.value.row_id) == ("flavor_asset", 7)
    assert "/srv" not in str(caught.value)


@pytest.mark.parametrize("unknown", NOT_KNOWN, ids=repr)
def test_what_an_import_did_not_say_is_a_row(unknown: dict[str, Any]) -> None:
    assert row(7, "0_aaaaaaaa", **unknown).int_id == 7


@pytest.mark.parametrize("bad", BAD_FACTS + NOT_KNOWN, ids=repr)
def test_a_bad_flavor_is_not_stored(bad: dict[str, Any]) -> None:
    with pytest.raises(BadRow, match="flavor_asset 0_aaaaaaaa: "):
        NewFlavor("0_aaaaaaaa", facts(**bad))


def test_a_bad_index_is_not_stored() -> None:
    for index in (NewIndex(0, b"h", ()), NewIndex(1, b"", ())):
        with pytest.raises(BadRow, match="flavor_index 0_aaaaaaaa"):
            NewFlavor("0_aaaaaaaa", facts(), index)
    with pytest.raises(BadRow, match="flavor_index_block 0_aaaaaaaa"):
        NewFlavor("0_aaaaaaaa", facts(), NewIndex(1, b"h", (IndexBlock(-1, 0, b"x"),)))


def test_a_file_from_before_1970_is_a_file() -> None:
    assert facts(mtime_ns=-1) == NewFlavor("0_aaaaaaaa", facts(mtime_ns=-1)).facts


def test_a_bad_entry_is_named() -> None:
    with pytest.raises(BadRow, match="entry 0_abcd1234: name str cannot be"):
        EntryRecord(
            id="0_abcd1234", partner_id=1, name="\udcff", created_at=1, updated_at=1, flavors=()
        )


def test_an_unknown_index_format_is_named() -> None:
    assert IndexHeader(7, 2, b"header").expect(2) == b"header"
    with pytest.raises(BadRow, match="flavor_index 7: index format 3 is not 2"):
        IndexHeader(7, 3, b"header").expect(2)
    with pytest.raises(BadRow, match="flavor_index 7: format 0 cannot be"):
        IndexHeader(7, 0, b"header")
