"""What a manifest learns of an entry, and who must not see it."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text, update

from metadata.changes import add_entry, add_flavor_versions
from metadata.content import find_content
from metadata.entries import find_entry
from metadata.errors import BadRow
from metadata.file_records import Copy
from metadata.models import AccessControl, Entry, Partner
from metadata.records import ContentRecord
from metadata.sessions import reading, writing
from metadata.standing import Refused, refusal
from tests.metadata.samples import ENTRY, counted, new


@pytest.fixture
def filled(writer: Engine) -> Engine:
    flavors = [new("0_aaaaaaaa"), new("0_bbbbbbbb", width=None, height=None)]
    with writing(writer) as session:
        add_entry(session, entry_id=ENTRY, partner_id=101, name="A", flavors=flavors, now=10)
        add_flavor_versions(session, ENTRY, [new("0_aaaaaaaa", path="/srv/2.mp4")], now=20)
    return writer


def content_of(engine: Engine) -> ContentRecord:
    with reading(engine) as session:
        found = find_content(session, ENTRY, replaced_after=0)
    assert found is not None
    return found


def test_an_entry_as_a_manifest_needs_it(filled: Engine) -> None:
    found = content_of(filled)
    assert (found.partner_id, found.type, found.status, found.updated_at) == (101, 1, 2, 20)
    assert {
        one.id: (one.version, one.path, one.tags.partition(",")[0]) for one in found.flavors
    } == {
        "0_aaaaaaaa": (2, "/srv/2.mp4", "mobile"),
        "0_bbbbbbbb": (1, "/srv/film.mp4", "alt_audio"),
    }
    assert refusal(found, now=5) is None
    with reading(filled) as session:
        assert find_content(session, "0_zzzz1234", replaced_after=0) is None


def test_where_its_files_are(filled: Engine) -> None:
    rows = (
        # id, sub_type, object, version, dc, status, type, linked, root, path
        "1, 1, '0_cccccccc', 1, 0, 2, 1, NULL, '/mnt', '/c.mp4'",
        "2, 1, '0_aaaaaaaa', 2, 7, 2, 2, 1, '', ''",
        "3, 0, '0_aaaaaaaa', 2, 5, 1, 1, NULL, '', 'a.mp4'",
        "4, 2, '0_aaaaaaaa', 2, 6, 2, 1, NULL, '', 'a.log'",
        "5, 1, '0_aaaaaaaa', 1, 5, 2, 1, NULL, '', 'old.mp4'",
    )
    with filled.begin() as connection:
        for row in rows:
            connection.execute(
                text(
                    "INSERT INTO file_sync (id, object_sub_type, object_id, version, dc,"
                    " status, file_type, linked_id, file_root, file_path, object_type,"
                    " updated_at)"
                    f" VALUES ({row}, 4, 1)"
                )
            )
    with counted(filled) as statements:
        found = content_of(filled)
    assert len([one for one in statements if "alembic" not in one]) == 1
    assert {(one.id, one.version): one.copies for one in found.versions} == {
        ("0_aaaaaaaa", 2): (Copy(5, False, "a.mp4"), Copy(7, True, "/mnt/c.mp4")),
        ("0_aaaaaaaa", 1): (Copy(5, True, "old.mp4"),),
        ("0_bbbbbbbb", 1): (),
    }
    with filled.begin() as connection:
        connection.execute(text("UPDATE file_sync SET status = 3 WHERE id = 1"))
    copies = {one.id: one.copies for one in content_of(filled).flavors}
    assert copies["0_aaaaaaaa"][1] == Copy(7, False, "/mnt/c.mp4")
    with filled.begin() as connection:
        connection.execute(text("UPDATE file_sync SET file_path = 'a\nb' WHERE id = 3"))
    with pytest.raises(BadRow, match="file_sync 0_aaaaaaaa: "):
        content_of(filled)


def test_a_flavor_that_is_not_ready_is_not_shown(filled: Engine) -> None:
    with writing(filled) as session:
        session.execute(text("UPDATE flavor_asset SET status = 1 WHERE id = '0_aaaaaaaa'"))
    assert [one.id for one in content_of(filled).flavors] == ["0_bbbbbbbb"]
    with reading(filled) as session:
        entry = find_entry(session, ENTRY, replaced_after=0)
    assert entry is not None
    assert [one.id for one in entry.flavors] == ["0_bbbbbbbb"]


@pytest.mark.parametrize(("rules", "has"), [("[]", False), ('[{"actions": [1]}]', True)])
def test_access_control(filled: Engine, rules: str, has: bool) -> None:
    with filled.begin() as connection:
        add = (
            "INSERT INTO access_control (id, rules) VALUES (5, '"
            + rules.replace(":", "\\:")
            + "')"
        )
        connection.execute(text(add))
        connection.execute(text("UPDATE entry SET access_control_id = 5"))
    found = content_of(filled)
    assert found.has_rules == has
    assert refusal(found, now=5) == (Refused.ACCESS_CONTROL if has else None)


STANDINGS: list[tuple[dict[str, Any], Refused | None]] = [
    ({"status": 3}, Refused.DELETED),
    ({"status": 0}, Refused.NOT_FOUND),
    ({"status": 5}, Refused.MODERATION),
    ({"status": 6}, Refused.MODERATION),
    ({"moderation_status": 1}, Refused.MODERATION),
    ({"moderation_status": 2}, None),
    ({"moderation_status": 3}, Refused.DELETED),
    ({"moderation_status": 5}, None),
    ({"start_at": 100}, None),
    ({"start_at": 101}, Refused.NOT_SCHEDULED),
    ({"end_at": 100}, Refused.NOT_SCHEDULED),
    ({"end_at": 101}, None),
    ({"partner_status": 2}, Refused.PARTNER_INACTIVE),
]


@pytest.mark.parametrize(("changed", "refused"), STANDINGS, ids=repr)
def test_who_must_not_see_it(changed: dict[str, Any], refused: Refused | None) -> None:
    usual = ContentRecord(
        id=ENTRY, partner_id=1, name="", type=1, media_type=1, status=2, moderation_status=6,
        start_at=None, end_at=None, version=1, cache_version=0, access_control_id=None,
        playlist=None, updated_at=1, partner_status=1, partner_cache_version=0,
        has_rules=False, flavors=(),
    )  # fmt: skip
    assert refusal(replace(usual, **changed), now=100) == refused


ROWS: list[tuple[dict[str, Any], Refused | None]] = [
    *((changed, refused) for changed, refused in STANDINGS if "partner_status" not in changed),
    ({"partner": 2}, Refused.PARTNER_INACTIVE),
    ({"access_control_id": 5}, Refused.ACCESS_CONTROL),
    ({"access_control_id": 6}, None),
]


@pytest.mark.parametrize(("changed", "refused"), ROWS, ids=repr)
def test_what_guards_an_entry_is_read(
    filled: Engine, changed: dict[str, Any], refused: Refused | None
) -> None:
    with writing(filled) as session:
        session.add_all([AccessControl(id=5, rules=[{}]), AccessControl(id=6, rules=[])])
        session.flush()
        if "partner" in changed:
            session.execute(update(Partner).values(status=changed["partner"]))
        else:
            session.execute(update(Entry).values(changed))
    with reading(filled) as session:
        content = find_content(session, ENTRY, replaced_after=0)
    assert content is not None
    assert refusal(content, now=100) == refused
