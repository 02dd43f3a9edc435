"""RFC 9110, 9111, 5861, 8586 and 9213, row by row, from outside."""

import asyncio

import pytest

from tests.edge_cache.conformance import exchanges, reuse
from tests.edge_cache.conformance.playing import play

CASES = {**reuse.CASES, **exchanges.CASES}
assert len(CASES) == len(reuse.CASES) + len(exchanges.CASES)


@pytest.fixture(scope="module")
def failures() -> dict[str, str]:
    """What every case came to."""
    return asyncio.run(play(CASES))


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, failures: dict[str, str]) -> None:
    assert failures.get(name) is None, CASES[name].clause
