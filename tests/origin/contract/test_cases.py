"""Each case of the contract's table, against an origin."""

import re
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from origin.config import OriginConfig
from tests.origin.contract.cases import ENTRY, SECOND, TABLES, Case
from tests.origin.inside import Origin, running, take
from tests.support.http import Answer

NOW = time.time_ns() // SECOND * SECOND
BASE = f"/p/101/sp/10100/playManifest/entryId/{ENTRY}"
CASES = {
    f"{table}: {name}": case for table, cases in TABLES.items() for name, case in cases.items()
}
BACK = (
    "UPDATE entry SET status = 2, moderation_status = 6, type = 1",
    "UPDATE entry SET access_control_id = NULL, start_at = NULL, end_at = NULL",
    "DELETE FROM access_control",
    "DELETE FROM delivery_profile",
    "DELETE FROM file_sync",
    "DELETE FROM storage_profile",
    "DELETE FROM server_node WHERE parent_id IS NOT NULL",
    "DELETE FROM server_node",
    "UPDATE partner SET settings = '{}', status = 1",
)


@dataclass
class Site:
    origin: Origin
    data: Path
    words: dict[str, object]

    def change(self, *statements: str) -> None:
        with sqlite3.connect(self.data / "headrace.db") as database:
            for statement in statements:
                database.execute(statement)
        database.close()
        self.origin.notice()

    def ask(self, case: Case) -> Answer:
        rest = case.rest.format(**self.words)
        target = rest if rest.startswith("/") else f"{BASE}/{rest}"
        lines, sent = list(case.lines), case.sent.format(**self.words).encode()
        if case.method == "POST":
            lines.append(f"Content-Length: {len(sent)}")
        with self.origin.connect() as client:
            client.send(target, *lines, method=case.method)
            client.socket.sendall(sent)
            return client.answer(case.method)


@pytest.fixture(scope="module")
def site(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data = tmp_path_factory.mktemp("data")
    taken = take(data, *sorted(clips.glob("*.mp4")), entry=ENTRY, name="film")
    ids = [one["flavor"] for one in taken]
    words: dict[str, object] = dict(zip("abc", ids, strict=True)) | {"now": NOW}
    words |= {"a2": ids[0][:4], "a_rest": ids[0][4:]}
    with running(OriginConfig(data=data, local_root=None)) as origin:
        origin.still = NOW
        yield Site(origin, data, words)


@pytest.mark.parametrize("name", CASES)
def test_case(site: Site, name: str) -> None:
    case = CASES[name]
    rows = [statement.format(**site.words) for statement in case.rows]
    kept = (
        "SELECT tags, status, bitrate, frame_rate, flavor_params_id, int_id FROM flavor_asset"
    )
    with sqlite3.connect(site.data / "headrace.db") as database:
        flavors = database.execute(kept).fetchall()
    database.close()
    if rows:
        site.change(*rows)
    try:
        check(case, site, site.ask(case))
    finally:
        if rows:
            site.change(*BACK)
            with sqlite3.connect(site.data / "headrace.db") as database:
                database.executemany(
                    "UPDATE flavor_asset SET tags = ?, status = ?, bitrate = ?, frame_rate = ?,"
                    " flavor_params_id = ? WHERE int_id = ?",
                    flavors,
                )
                database.execute("DELETE FROM flavor_params")
            database.close()
            site.origin.notice()


def check(case: Case, site: Site, answer: Answer) -> None:
    assert answer.status == case.status, answer
    for name, pattern in case.fields.items():
        value = answer.headers.get(name)
        if pattern is None:
            assert value is None, name
            continue
        for word, known in site.words.items():
            pattern = pattern.replace(f"{{{word}}}", str(known))
        assert value is not None and re.fullmatch(pattern, value), (name, value, pattern)
    text = answer.body.decode("latin-1")
    assert re.search(case.body, text), text
    if case.not_body:
        assert not re.search(case.not_body, text), text


def test_an_error_is_said_again_from_memory(site: Site) -> None:
    path = f"{BASE}/format/url/tags/nobodys"
    asked = site.origin.ask(path)
    assert asked.headers["x-kaltura"] == "error-6"
    again = site.origin.ask(path)
    assert (again.status, again.headers["x-kaltura"]) == (404, "cached-error-6")
    assert again.headers["cache-control"] == "public, max-age=60"
    site.change("UPDATE flavor_asset SET tags = tags || ',nobodys'")
    assert site.origin.ask(path).status == 302  # seen at once
