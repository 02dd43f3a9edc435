"""Waiting for a condition, with a limit: the one kind of sleep that tests may use."""

import time
from collections.abc import Callable
from typing import TypeVar

LIMIT = 20.0
"""Seconds: far more than anything takes, so that only what never happens runs into it."""

T = TypeVar("T")


def until(condition: Callable[[], T], *, limit: float = LIMIT) -> T:
    """What *condition* returns once that is true."""
    give_up = time.monotonic() + limit
    while not (found := condition()):
        if time.monotonic() > give_up:
            raise AssertionError(f"not within {limit} s: {condition}")
        time.sleep(0.01)
    return found
