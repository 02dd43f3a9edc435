"""The routes of the administration, without its listener."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.journal import Journal
from edge_cache.purging import api
from edge_cache.purging.purges import Purges
from serving.admin_http import Request


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path)
    yield journal
    journal.close()


def ask(purges: Purges, method: str, path: str, body: bytes = b"") -> tuple[int, object]:
    handler = api.routes(purges)[method, path]
    response = asyncio.run(handler(Request(method, path, {}, {}, body)))  # type: ignore[arg-type]
    assert response.content_type == "application/json"
    return response.status, json.loads(response.body)


def test_what_is_in_force_is_listed_the_latest_first(journal: Journal) -> None:
    purges = Purges(journal, wall=lambda: 7.25)
    bodies = [
        b'{"urls": ["/a"], "tags": ["T"]}',
        b'{"urls": ["/a"], "soft": true}',
        b'{"all": true}',
    ]
    for number, body in enumerate(bodies, 1):
        answer = ask(purges, "POST", "/api/v1/purge", body)
        assert answer == (200, {"sequence": number, "purged": 2 if number == 1 else 1})
    assert ask(purges, "GET", "/api/v1/purges") == (
        200,
        {
            "sequence": 3,
            "count": 3,
            "purges": [
                {"kind": "all", "hard": 3},
                {"kind": "url", "value": "/a", "hard": 1, "soft": 2, "softened": 7.25},
                {"kind": "tag", "value": "t", "hard": 1},
            ],
        },
    )


def test_a_list_is_bounded(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MAX_LISTED", 2)
    purges = Purges(journal)
    ask(purges, "POST", "/api/v1/purge", b'{"urls": ["/a", "/b", "/c"]}')
    status, listed = ask(purges, "GET", "/api/v1/purges")
    assert isinstance(listed, dict)
    assert (status, listed["count"], len(listed["purges"])) == (200, 3, 2)


class Full(Journal):
    def append(self, record: bytes) -> int:
        raise DiskError(Reason.FULL)


def test_what_cannot_be_made_durable_is_no_success(tmp_path: Path) -> None:
    journal = Full(tmp_path)
    status, content = ask(Purges(journal), "POST", "/api/v1/purge", b'{"all": true}')
    assert (status, content) == (503, {"error": "the purge may be incomplete: disk-full"})
    journal.close()
