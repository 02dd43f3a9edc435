"""A database goes away, or hangs: what is known plays on, the rest is told to come back."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.clips import make_clip
from tests.support.http import Answer, get
from tests.support.postgresql import postgresql_server
from tests.support.processes import free_port, running
from tests.support.waiting import LIMIT, until

ENTRY = "0_abcd1234"
MANIFEST = f"/p/101/sp/10100/playManifest/entryId/{ENTRY}/format/applehttp/a.m3u8"
INDEX = f"/hls/e/{ENTRY}/index-f1-v1-a1.m3u8"
UNKNOWN = "/hls/e/0_11111111/master.m3u8"
HEADRACE = [sys.executable, str(Path(__file__).parents[2] / "headrace.py")]


@dataclass(frozen=True)
class Database:
    where: str
    take_away: Callable[[], object]
    give_back: Callable[[], object]
    change: Callable[[str], object]


@contextmanager
def sqlite(folder: Path) -> Iterator[Database]:
    data, away = folder / "data", folder / "away"

    def change(statement: str) -> None:
        with closing(sqlite3.connect(data / "headrace.db")) as database:
            database.execute(statement)
            database.commit()

    yield Database(str(data), lambda: data.rename(away), lambda: away.rename(data), change)


@contextmanager
def stopped(_: Path) -> Iterator[Database]:
    with postgresql_server() as server:
        yield Database(server.url(), server.stop, server.start, server.run)


@contextmanager
def hung(_: Path) -> Iterator[Database]:
    with postgresql_server() as server:
        try:
            yield Database(server.url(), server.pause, server.resume, server.run)
        finally:
            server.resume()


@pytest.mark.parametrize("kind", [sqlite, stopped, hung])
def test_the_database_goes_away_and_comes_back(
    kind: Callable[[Path], Iterator[Database]], tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", width=96, height=54)
    port = free_port()
    with kind(tmp_path) as database:  # type: ignore[attr-defined]
        ingest = [*HEADRACE, "ingest", str(clip), "--data", database.where, "--entry", ENTRY]
        subprocess.run(ingest, check=True, capture_output=True, timeout=LIMIT)
        options = ("--data", database.where, "--port", "0", "--admin-port", port)
        with running("origin", *options) as origin:

            def ask(path: str) -> Answer:
                return get(origin.url + path, "Connection: close")

            def is_ready() -> bool:
                address = f"http://127.0.0.1:{port}/readyz"
                return get(address, "Connection: close").status == 200

            folder = INDEX.rpartition("/")[0]
            lines = ask(INDEX).body.decode().splitlines()
            names = [f"{folder}/{line}" for line in lines if not line.startswith("#")]
            paths = [MANIFEST, INDEX, *names]
            before = {path: ask(path).body for path in paths}
            until(is_ready)
            database.take_away()
            until(lambda: not is_ready())
            for _ in range(3):
                began = time.monotonic()
                for path in paths:
                    answer = ask(path)
                    assert (answer.status, answer.body) == (200, before[path])
                assert time.monotonic() - began < 2  # nobody waits for the database
            answer = ask(UNKNOWN)
            assert answer.status == 503 and int(answer.headers["retry-after"]) > 0
            database.give_back()
            until(is_ready)
            assert ask(UNKNOWN).status == 404
            assert ask(MANIFEST).body == before[MANIFEST]
            database.change(f"UPDATE entry SET moderation_status = 1 WHERE id = '{ENTRY}'")
            until(lambda: ask(MANIFEST).headers.get("x-kaltura") == "error-13")
            assert ask(names[0]).status == 404
