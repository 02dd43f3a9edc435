"""What was imported is parsed on first use, and served as if it had been ingested."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from origin.importing.program import Order, run
from tests.origin.inside import Origin, take

Start = Callable[..., Origin]


def imported(data: Path, path: Path, **said: Any) -> str:
    flavor = {"id": "0_flav0001", "path": str(path), **said}
    row = {"id": "0_impo0001", "flavors": [flavor]}
    file = data.with_name("entries.jsonl")
    file.write_text(json.dumps(row))
    assert run(Order(str(file), str(data), None, 1000, False), as_json=False) == 0
    return "e/0_impo0001"


@pytest.mark.parametrize("says_size", [False, True])
def test_an_imported_flavor_plays_as_an_ingested_one(
    start: Start, files: list[Path], tmp_path: Path, says_size: bool
) -> None:
    data = tmp_path / "data"
    ingested = f"e/{take(data, files[0])[0]['entry']}"
    said = {"size": files[0].stat().st_size} if says_size else {}
    source = imported(data, files[0], **said)
    origin = start(data=data)
    names = [origin.get(f"/hls/{one}/index-f1-v1-a1.m3u8") for one in (ingested, source)]
    assert names[0] == names[1]  # tokens as well: they hash what the file is
    segment = next(line for line in names[0].decode().splitlines() if line.startswith("seg-"))
    bodies = [origin.get(f"/hls/{one}/{segment}") for one in (ingested, source)]
    assert bodies[0] == bodies[1]


def test_a_file_of_another_size_is_not_what_was_imported(
    start: Start, files: list[Path], tmp_path: Path
) -> None:
    source = imported(tmp_path / "data", files[0], size=5)
    assert start(data=tmp_path / "data").ask(f"/hls/{source}/master.m3u8").status == 503


def test_a_flavor_that_is_not_ready_is_not_served(
    start: Start, files: list[Path], tmp_path: Path
) -> None:
    source = imported(tmp_path / "data", files[0], status=1)
    assert start(data=tmp_path / "data").ask(f"/hls/{source}/master.m3u8").status == 404
