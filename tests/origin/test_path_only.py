"""``pathOnly=1`` on the administration port of a running origin."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from origin.mapping.grammar import parse_mapping
from origin.mapping.media_set import SourceType
from tests.origin.inside import take
from tests.support.http import Answer, ask
from tests.support.processes import Running, free_port, running
from tests.support.waiting import until

TOKEN = "a-token-of-the-administration"
BEARER = f"Authorization: Bearer {TOKEN}"
DC = 3


class Served:
    def __init__(self, origin: Running, admin: int, data: Path, files: list[Path]) -> None:
        self.origin, self.admin, self.data = origin, ("127.0.0.1", admin), data
        self.files = files
        self.taken = take(data, *files)
        self.entry = self.taken[0]["entry"]

    def path(self, *flavors: str, behind: str = "") -> str:
        one, *more = flavors or (self.taken[0]["flavor"],)
        name = f",{','.join((one, *more))},/name/a.mp4.urlset" if more else f"{one}/name/a.mp4"
        return f"/p/101/sp/10100/serveFlavor/entryId/{self.entry}{behind}/flavorId/{name}"

    def ask(self, path: str, *lines: str) -> Answer:
        return ask(self.admin, path, *(lines or (BEARER,)))

    def mapping(self, path: str) -> dict[str, Any]:
        answer = self.ask(f"{path}?pathOnly=1")
        assert answer.status == 200, answer
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"] == "application/json"
        parse_or_empty(answer.body)
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def change(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.data / "headrace.db")) as database, database:
            database.execute(statement, values)


def parse_or_empty(body: bytes) -> None:
    """Our own mapped mode takes what we tell others."""
    if b'"path":""' not in body:
        assert parse_mapping(body).sequences[0].source_type is SourceType.FILE


@pytest.fixture(scope="module")
def served(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data, admin = tmp_path_factory.mktemp("served") / "data", free_port()
    arguments = ("--data", data, "--port", "0", "--admin-port", str(admin))
    with running(
        "origin", *arguments, "--data-center", str(DC),
        env={"HEADRACE_ORIGIN_ADMIN_TOKEN": TOKEN},
    ) as origin:  # fmt: skip
        yield Served(origin, admin, data, sorted(clips.glob("*.mp4"))[:2])


def test_one_flavor(served: Served) -> None:
    assert served.mapping(served.path()) == {
        "sequences": [
            {"clips": [{"type": "source", "path": str(served.files[0]), "sourceType": "file"}]}
        ]
    }


def test_a_set_in_its_order(served: Served) -> None:
    ids = [one["flavor"] for one in served.taken]
    found = served.mapping(served.path(ids[1], ids[0]))
    paths = [one["clips"][0]["path"] for one in found["sequences"]]
    assert paths == [str(served.files[1]), str(served.files[0])]


def test_a_clip(served: Served) -> None:
    found = served.mapping(served.path(behind="/clipTo/9000/clipFrom/2000"))
    assert (found["clipFrom"], found["clipTo"]) == (2000, 9000)


def test_languages_and_labels(served: Served) -> None:
    served.change("UPDATE flavor_asset SET language = 'fre', label = 'Français'")
    assert served.mapping(served.path())["sequences"][0]["language"] == "fre"
    assert served.mapping(served.path())["sequences"][0]["label"] == "Français"
    served.change("UPDATE flavor_asset SET language = 'und', label = NULL")
    assert served.mapping(served.path())["sequences"][0].keys() == {"clips"}
    served.change("UPDATE flavor_asset SET language = NULL")


COPIES = {
    "here": ([(DC, 2, 1, "/here.mp4")], "/srv/here.mp4"),
    "elsewhere": ([(DC + 1, 2, 1, "/there.mp4")], ""),
    "on its way": ([(DC, 1, 1, "/here.mp4")], ""),
    "in both": ([(DC + 1, 2, 1, "/there.mp4"), (DC, 2, 1, "/here.mp4")], "/srv/here.mp4"),
    "by a link": ([(DC + 1, 2, 1, "/there.mp4"), (DC, 2, 2, "")], "/srv/there.mp4"),
}


@pytest.mark.parametrize(("copies", "path"), COPIES.values(), ids=COPIES)
def test_where_a_file_is(
    served: Served, copies: list[tuple[int, int, int, str]], path: str
) -> None:
    flavor = served.taken[0]["flavor"]
    for number, (dc, status, kind, name) in enumerate(copies, 1):
        served.change(
            "INSERT INTO file_sync (id, object_type, object_id, version, dc, status, file_type,"
            " linked_id, file_root, file_path, updated_at) VALUES (?,4,?,1,?,?,?,?,?,?,0)",
            number, flavor, dc, status, kind, 1 if kind == 2 else None, "/srv", name,
        )  # fmt: skip
    try:
        [sequence] = served.mapping(served.path())["sequences"]
        assert sequence["clips"][0]["path"] == path
    finally:
        served.change("DELETE FROM file_sync WHERE file_type = 2")
        served.change("DELETE FROM file_sync")


def test_who_may_ask(served: Served) -> None:
    path = f"{served.path()}?pathOnly=1"
    assert served.ask(path, "Accept: */*").status == 401
    assert served.ask(path, "Authorization: Bearer other").status == 401
    public = ask(served.origin.address, path, BEARER)
    assert public.status == 400 and b"pathOnly" in public.body


def test_what_is_refused(served: Served) -> None:
    cases = {
        served.path(): (400, "pathOnly=1 is missing"),
        f"{served.path()}?pathOnly=1&live=1": (400, "live"),
        f"{served.path(behind='/sequence/1')}?pathOnly=1": (400, "sequence"),
        f"{served.path('0_zzzzzzzz')}?pathOnly=1": (404, "flavor not found"),
        f"{served.path(behind='/v/7')}?pathOnly=1": (404, "flavor not found"),
        f"{served.path().replace('p/101', 'p/102')}?pathOnly=1": (404, "entry not found"),
        "/p/101/../healthz?pathOnly=1": (400, "dots"),
        "/p/101/%00?pathOnly=1": (400, "not printable"),
        "/p/?pathOnly=1": (400, "a path segment"),
    }
    for path, (status, reason) in cases.items():
        answer = served.ask(path)
        told = answer.headers["x-headrace-error"]
        assert answer.status == status and reason in told, (path, answer)
        assert answer.headers["cache-control"] == "no-store"


def test_an_entry_that_must_not_be_shown(served: Served) -> None:
    served.change("UPDATE entry SET status = 3")
    try:
        # what was known of it a moment ago may still count
        path = f"{served.path()}?pathOnly=1"
        until(lambda: served.ask(path).status == 404)
        assert served.ask(path).headers["x-kaltura"] == "error-9"
    finally:
        served.change("UPDATE entry SET status = 2")
