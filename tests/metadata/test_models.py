"""The constraints are the database's: what the records would refuse, it refuses as well."""

from typing import Any

import pytest
from sqlalchemy import Engine, delete, exc, func, insert, select, update
from sqlalchemy.orm import Session

from metadata.changes import add_entry, add_flavor_versions
from metadata.errors import Conflict
from metadata.models import Entry, FlavorAsset, FlavorIndex, FlavorIndexBlock, Partner
from metadata.sessions import reading, writing
from tests.metadata.samples import ENTRY, new


@pytest.fixture
def filled(writer: Engine) -> Engine:
    with writing(writer) as session:
        flavors = [new("0_aaaaaaaa", blocks=2), new("0_bbbbbbbb", path="/srv/b.mp4")]
        add_entry(session, entry_id=ENTRY, partner_id=101, name="A", flavors=flavors, now=10)
    return writer


FLAVOR: list[tuple[dict[str, Any], str]] = [
    ({"version": 0}, "ck_flavor_asset_version"),
    ({"path": ""}, "ck_flavor_asset_path"),
    ({"size": -1}, "ck_flavor_asset_size"),
    ({"width": None}, "ck_flavor_asset_frame"),
    ({"height": None}, "ck_flavor_asset_frame"),
    ({"height": -1}, "ck_flavor_asset_frame"),
    ({"status": 10}, "ck_flavor_asset_status"),
    ({"language": ""}, "ck_flavor_asset_language"),
    ({"frame_rate": 0}, "ck_flavor_asset_frame_rate"),
    ({"duration_ms": -1}, "ck_flavor_asset_duration_ms"),
    ({"bitrate": -1}, "ck_flavor_asset_bitrate"),
    ({"replaced_at": 10}, "ck_flavor_asset_times"),
    ({"created_at": -1}, "ck_flavor_asset_times"),
    ({"id": ""}, "ck_flavor_asset_id"),
]


@pytest.mark.parametrize(("bad", "name"), FLAVOR, ids=repr)
def test_a_flavor_row(filled: Engine, bad: dict[str, Any], name: str) -> None:
    change = update(FlavorAsset).where(FlavorAsset.id == "0_bbbbbbbb").values(bad)
    with pytest.raises(Conflict, match=name), writing(filled) as session:
        session.execute(change)


def test_other_rows(filled: Engine) -> None:
    changes: list[tuple[Any, str]] = [
        (insert(Partner).values(id=-1, created_at=0), "ck_partner_id"),
        (update(Entry).values(updated_at=9), "ck_entry_times"),
        (update(FlavorIndex).values(format=0), "ck_flavor_index_format"),
        (update(FlavorIndex).values(header=b""), "ck_flavor_index_header"),
        (update(FlavorIndexBlock).values(data=b""), "ck_flavor_index_block_data"),
        (update(FlavorIndexBlock).values(track=-1), "ck_flavor_index_block_track"),
        (update(FlavorIndexBlock).where(FlavorIndexBlock.number == 1).values(number=-1),
         "ck_flavor_index_block_number"),
    ]  # fmt: skip
    for change, name in changes:
        with pytest.raises(Conflict, match=name), writing(filled) as session:
            session.execute(change)


def test_only_one_version_of_a_flavor_is_current(filled: Engine) -> None:
    with writing(filled) as session:
        add_flavor_versions(session, ENTRY, [new("0_aaaaaaaa")], now=20)
    with pytest.raises(Conflict), writing(filled) as session:
        session.execute(update(FlavorAsset).values(replaced_at=None))


def test_nothing_refers_to_what_is_not_there(filled: Engine) -> None:
    orphans: list[Any] = [
        update(Entry).values(partner_id=5),
        update(FlavorAsset).values(entry_id="0_zzzzzzzz"),
        insert(FlavorIndex).values(int_id=999, format=1, header=b"h"),
        insert(FlavorIndexBlock).values(int_id=999, track=0, number=0, data=b"x"),
        delete(Partner),
    ]
    for change in orphans:
        with pytest.raises(Conflict, match=r"(?i)foreign key"), writing(filled) as session:
            session.execute(change)


def test_an_entry_takes_its_flavors_and_indexes_along(filled: Engine) -> None:
    with writing(filled) as session:
        session.execute(delete(Entry))
    with reading(filled) as session:
        for table in (FlavorAsset, FlavorIndex, FlavorIndexBlock):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_the_number_of_a_deleted_row_is_not_given_again(filled: Engine) -> None:
    with reading(filled) as session:
        highest = session.scalar(select(func.max(FlavorAsset.int_id)))
    with writing(filled) as session:
        session.execute(delete(Entry))
        entry = add_entry(
            session,
            entry_id="0_bbbb1234",
            partner_id=101,
            name="B",
            flavors=[new("0_cccccccc")],
            now=30,
        )
    assert highest is not None
    assert entry.flavors[0].int_id > highest


def test_nothing_loads_behind_a_question(filled: Engine) -> None:
    with reading(filled) as session:
        entry = session.get_one(Entry, ENTRY)
        with pytest.raises(exc.InvalidRequestError, match="lazy='raise'"):
            _ = entry.flavors


def test_a_path_may_be_as_long_as_the_system_allows(filled: Engine) -> None:
    # PATH_MAX is 4096, and a B-tree of PostgreSQL takes 2704 bytes
    path = "/" + "".join(chr(0x4E00 + n) for n in range(1300))
    with writing(filled) as session:
        add_flavor_versions(session, ENTRY, [new("0_cccccccc", path=path)], now=20)
    with Session(filled) as session:
        assert session.scalar(select(FlavorAsset.path).where(FlavorAsset.path == path)) == path
