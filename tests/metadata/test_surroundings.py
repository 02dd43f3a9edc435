"""What answers about a partner's entries depend on besides the entries."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from metadata.errors import BadRow
from metadata.models import DeliveryProfile, Partner, ServerNode, StorageProfile
from metadata.partner_records import Surroundings
from metadata.sessions import reading, writing
from metadata.surroundings import load_surroundings


def load(engine: Engine, partner: int) -> Surroundings:
    with reading(engine) as session:
        return load_surroundings(session, partner)


@pytest.fixture
def filled(writer: Engine) -> Engine:
    hls: dict[str, Any] = {"type": 61, "streamer_type": "applehttp"}
    with writing(writer) as session:
        session.add_all(
            [
                Partner(id=101, created_at=1, settings={"cdn_ratios": {"2": 3}}),
                Partner(id=7, created_at=1),
            ]
        )
        session.flush()
        session.add_all(
            [
                DeliveryProfile(id=1, is_default=True, url="cdn.example/hls", **hls),
                DeliveryProfile(
                    id=2,
                    partner_id=101,
                    priority=9,
                    settings={"legacyBandwidth": True},
                    tokenizer={"key": "x"},
                    **hls,
                ),
                DeliveryProfile(id=3, partner_id=101, status=1, **hls),
                DeliveryProfile(id=4, partner_id=101, status=1, **hls),
                StorageProfile(id=8, partner_id=7, protocol=6, url="s3://media"),
                StorageProfile(id=9, protocol=6, url="s3://more", base_dir="/films"),
                ServerNode(id=1, host_name="a.example", heartbeat_at=5),
                ServerNode(id=3, host_name="off.example", status=2),
            ]
        )
        session.flush()
        session.add_all(
            [
                DeliveryProfile(id=5, partner_id=101, parent_id=4, **hls),
                ServerNode(
                    id=2, partner_id=7, parent_id=1, host_name="b", playback_host_name="c"
                ),
            ]
        )
    return writer


def test_those_of_a_partner_and_of_all(filled: Engine) -> None:
    found = load(filled, 101)
    assert found.settings == {"cdn_ratios": {"2": 3}}
    # of those that are gone only the ones that others inherit from
    assert [(one.id, one.is_active) for one in found.deliveries] == [
        (1, True),
        (2, True),
        (4, False),
        (5, True),
    ]
    first, second = found.deliveries[:2]
    assert (first.partner_id, first.url, first.is_default) == (None, "cdn.example/hls", True)
    assert (first.tokenizer, first.settings, first.host_name) == (None, {}, None)
    assert (second.tokenizer, second.settings) == ({"key": "x"}, {"legacyBandwidth": True})
    assert (second.priority, second.is_default, second.type) == (9, False, 61)
    assert found.deliveries[3].parent_id == 4
    assert [(one.id, one.url, one.base_dir) for one in found.storages] == [
        (9, "s3://more", "/films")
    ]
    assert [(one.id, one.heartbeat_at) for one in found.nodes] == [(1, 5)]


def test_of_another_partner(filled: Engine) -> None:
    found = load(filled, 7)
    assert [one.id for one in found.deliveries] == [1]
    assert [one.id for one in found.storages] == [8, 9]
    assert [
        (one.id, one.parent_id, one.playback_host_name, one.heartbeat_at) for one in found.nodes
    ] == [(1, None, None, 5), (2, 1, "c", None)]
    assert load(filled, 999).deliveries == found.deliveries
    assert load(filled, 999).settings == {}


def test_a_row_that_cannot_be(filled: Engine) -> None:
    if filled.dialect.name != "sqlite":
        return  # PostgreSQL keeps types
    with writing(filled) as session:
        session.execute(text("UPDATE delivery_profile SET type = 'x' WHERE id = 1"))
    with pytest.raises(BadRow, match="delivery_profile 1: a column is str"):
        load(filled, 101)
