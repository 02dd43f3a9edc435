"""What a server imports: nothing that it does not use, and before the fork what all workers do.

Each of the modules refused below was measured in the start of a server, or is of an extra.
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.http import get
from tests.support.processes import Running, running
from tests.system.delivery import ENTRY, ingest

_NEVER = """aiohttp alembic av click moto obstore prometheus_client psycopg pydantic pytest rich
    typer unittest"""
"""Of the command line, of ingest, of extras and of tests."""

_NOT_AN_ORIGIN = f"""{_NEVER} bench edge_cache.node httptools lmdb metadata.bulk
    metadata.changes metadata.models origin.importing origin.ingest
    sqlalchemy.dialects.postgresql sqlalchemy.orm xxhash"""
_NOT_AN_EDGE = f"{_NEVER} metadata numpy origin packager sqlalchemy tornado"

_FIRST_USED = {"lmdb._envid"}
"""What a library imports when it is first used."""

_TRACE = {"PYTHONPROFILEIMPORTTIME": "1"}
_LINE = re.compile(r"^import time: +[0-9]+ \| +[0-9]+ \| +([\w.]+)$", re.MULTILINE)


def _imported(server: Running) -> list[str]:
    return _LINE.findall(server.stderr())


def _below(packages: str, modules: Iterable[str]) -> set[str]:
    """Those of *modules* that are one of *packages*, or in it."""
    names = packages.split()
    return {one for one in modules if any(f"{one}.".startswith(f"{of}.") for of in names)}


@pytest.fixture(scope="module")
def data(clips: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("start") / "data"
    ingest(data, *clips)
    return data


def _started(*line: str | Path, statuses: dict[str, int]) -> Counter[str]:
    """What a server imports until it is ready, and how often: with as many workers, equally.

    Nothing more for those paths, which answer with these *statuses*.
    """
    found = []
    for workers in ("1", "3"):
        with running(*line, "--port", "0", "--workers", workers, env=_TRACE) as server:
            found.append(Counter(_imported(server)))
            for path, status in statuses.items():
                assert get(server.url + path).status == status, path
            assert Counter(_imported(server)) - found[-1] == Counter()
    one, three = found
    assert set(three - one) <= _FIRST_USED  # or each worker would import it
    return one


def test_an_origin_imports_what_it_uses_before_the_fork(data: Path) -> None:
    paths = (
        f"/hls/e/{ENTRY}/master.m3u8",
        f"/hls/e/{ENTRY}/seg-1-f1-v1-a1.ts",
        f"/dash/e/{ENTRY}/manifest.mpd",
        f"/cmaf/e/{ENTRY}/seg-1-f1-v1.m4s",
        f"/p/101/playManifest/entryId/{ENTRY}/format/applehttp/a.m3u8",
    )
    found = _started("origin", "--data", data, statuses=dict.fromkeys(paths, 200))
    assert {"origin.sending", "sqlalchemy", "sqlite3"} <= set(found)
    assert _below(_NOT_AN_ORIGIN, found) == set()


def test_an_edge_imports_what_it_uses_before_the_fork() -> None:
    found = _started("edge", "--upstream", "http://127.0.0.1:9", statuses={"/x": 502})
    assert {"edge_cache.node", "httptools"} <= set(found)
    assert _below(_NOT_AN_EDGE, found) == set()
