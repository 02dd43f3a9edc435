"""RFC 9110, 9111, 5861, 8586 and 9213, row by row, from outside; with and without a disk."""

import asyncio
from pathlib import Path

import pytest

from tests.edge_cache.conformance import exchanges, reuse
from tests.edge_cache.conformance.playing import play

CASES = {**reuse.CASES, **exchanges.CASES}
assert len(CASES) == len(reuse.CASES) + len(exchanges.CASES)


@pytest.fixture(scope="module", params=["ram", "disk"])
def failures(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What every case came to."""
    folder: Path = tmp_path_factory.mktemp("edge")
    # With as little RAM as leaves blocks of the usual size.
    disk = ("--cache-dir", str(folder / "cache"), "--disk", "64M", "--ram", "4M")
    return asyncio.run(play(CASES, *(disk if request.param == "disk" else ())))


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, failures: dict[str, str]) -> None:
    assert failures.get(name) is None, CASES[name].clause
