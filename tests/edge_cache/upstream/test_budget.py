"""The retry budget: a share of the requests, and a burst."""

import pytest

from edge_cache.upstream.budget import RetryBudget


@pytest.mark.parametrize(
    ("share", "burst", "requests", "retries"),
    [(0.25, 0, 100, 0), (0.25, 4, 0, 4), (0.25, 4, 100, 29), (0, 4, 100, 4), (1, 4, 100, 104)],
)
def test_retries_when_every_request_fails(
    share: float, burst: float, requests: int, retries: int
) -> None:
    budget = RetryBudget(share, burst)
    for _ in range(int(burst)):
        assert budget.withdraw()
    spent = int(burst)
    for _ in range(requests):
        budget.deposit()
        spent += budget.withdraw()
    assert spent == retries


def test_a_quiet_time_saves_no_more_than_the_burst() -> None:
    budget = RetryBudget(0.5, 3)
    for _ in range(1000):
        budget.deposit()
    assert [budget.withdraw() for _ in range(4)] == [True, True, True, False]
