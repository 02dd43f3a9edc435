"""The breaker as a table: what happens at which second, and what it says then."""

import pytest

from edge_cache.upstream.breaker import FORCED, Breaker, BreakerPolicy, State

POLICY = BreakerPolicy(failures=3, share=0.5, volume=8, window=10.0, rest=1.0, rest_limit=4.0)
UP, DOWN, HALF_OPEN = State.UP, State.DOWN, State.HALF_OPEN

Step = tuple[float, str, State]
"""When, what (``in``, ``out``: let in or not; ``good``, ``bad``, ``left``: what came of it; the
same with ``old`` of a request begun before the state; with ``forced``), and the state after."""

RUNS: dict[str, list[Step]] = {
    "failures in a row": [
        (0, "in", UP),
        (0, "bad", UP),
        (0, "bad", UP),
        (0, "bad", DOWN),
        (0.9, "out", DOWN),
    ],
    "a success between": [
        (0, "in", UP),
        (0, "bad", UP),
        (0, "bad", UP),
        (0, "good", UP),
        (0, "bad", UP),
        (0, "bad", UP),
        (0, "bad", DOWN),
    ],
    "half of many in the window": [
        (0, "in", UP),
        *[(at, what, UP) for at in (0, 1, 2) for what in ("good", "bad")],
        (3, "good", UP),
        (3, "bad", DOWN),
    ],
    "half of many, but long ago": [
        (0, "in", UP),
        *[(at, what, UP) for at in (0, 1, 2) for what in ("good", "bad")],
        (30, "good", UP),
        (30, "bad", UP),
    ],
    "failures are kept over the turn of a half": [
        (0, "in", UP),
        *[(4, what, UP) for _ in range(3) for what in ("good", "bad")],
        (6, "good", UP),
        (6, "bad", DOWN),
    ],
    "one probe at a time": [
        (0, "in", UP),
        *[(0, "bad", UP)] * 2,
        (0, "bad", DOWN),
        (1, "in", HALF_OPEN),
        (1, "out", HALF_OPEN),
        (99, "out", HALF_OPEN),
        (99, "good", UP),
        (99, "in", UP),
    ],
    "rests grow, up to the limit": [
        (0, "in", UP),
        *[(0, "bad", UP)] * 2,
        (0, "bad", DOWN),
        (1, "in", HALF_OPEN),
        (1, "bad", DOWN),
        (2.9, "out", DOWN),
        (3, "in", HALF_OPEN),
        (3, "bad", DOWN),
        (6.9, "out", DOWN),
        (7, "in", HALF_OPEN),
        (7, "bad", DOWN),
        (10.9, "out", DOWN),
        (11, "in", HALF_OPEN),
    ],
    "down again soon: the rest goes on growing": [
        (0, "in", UP),
        *[(0, "bad", UP)] * 2,
        (0, "bad", DOWN),
        (1, "in", HALF_OPEN),
        (1, "good", UP),
        (2, "in", UP),
        *[(2, "bad", UP)] * 2,
        (2, "bad", DOWN),
        (3.9, "out", DOWN),
        (4, "in", HALF_OPEN),
    ],
    "down again much later: the rest begins anew": [
        (0, "in", UP),
        *[(0, "bad", UP)] * 2,
        (0, "bad", DOWN),
        (1, "in", HALF_OPEN),
        (1, "good", UP),
        (9, "in", UP),
        *[(9, "bad", UP)] * 2,
        (9, "bad", DOWN),
        (10, "in", HALF_OPEN),
    ],
    "a probe that was left lets another in": [
        (0, "in", UP),
        *[(0, "bad", UP)] * 2,
        (0, "bad", DOWN),
        (1, "in", HALF_OPEN),
        (1, "left", DOWN),
        (1, "in", HALF_OPEN),
    ],
    "what began before says nothing while down": [
        (0, "in", UP),
        *[(0, "bad", UP)] * 2,
        (0, "bad", DOWN),
        (0.5, "old good", DOWN),
        (0.5, "old bad", DOWN),
        (1, "in", HALF_OPEN),
    ],
    "what began before is not the probe": [
        (0, "in", UP),
        *[(0, "bad", UP)] * 2,
        (0, "bad", DOWN),
        (1, "in", HALF_OPEN),
        (1, "old good", HALF_OPEN),
        (1, "old bad", HALF_OPEN),
        (1, "old left", HALF_OPEN),
        (1, "out", HALF_OPEN),
    ],
    "a forced success is believed": [
        (0, "in", UP),
        *[(0, "bad", UP)] * 2,
        (0, "bad", DOWN),
        (0.1, "forced bad", DOWN),
        (0.1, "forced good", UP),
    ],
    "what is no probe waits for one": [
        (0, "in", UP),
        *[(0, "bad", UP)] * 2,
        (0, "bad", DOWN),
        (1, "no probe", DOWN),
        (1, "in", HALF_OPEN),
    ],
}


@pytest.mark.parametrize("steps", RUNS.values(), ids=RUNS)
def test_runs(steps: list[Step]) -> None:
    breaker = Breaker(POLICY, 0)
    ticket = first = 0
    for now, what, state in steps:
        holder, _, outcome = what.rpartition(" ")
        used = {"": ticket, "old": first, "forced": FORCED}.get(holder, ticket)
        if what in ("in", "out", "no probe"):
            given = breaker.enter(now, probe=what != "no probe")
            assert (given is not None) is (what == "in"), (now, what)
            ticket = ticket if given is None else given
        elif outcome == "good":
            breaker.succeeded(used, now)
        elif outcome == "bad":
            breaker.failed(used, now, jitter=0)
        else:
            breaker.abandoned(used, now)
        assert breaker.state is state, (now, what)


def down(*, jitter: float = 0, at_least: float = 0, hangs: bool = False) -> Breaker:
    breaker = Breaker(POLICY, 0)
    for _ in range(POLICY.failures):
        breaker.failed(0, 0, jitter=jitter, at_least=at_least, hangs=hangs)
    return breaker


@pytest.mark.parametrize(
    ("jitter", "at_least", "rest"), [(0, 0, 1), (0.5, 0, 1.25), (0.9, 20, 20), (0, 0.5, 1)]
)
def test_how_long_a_rest_is(jitter: float, at_least: float, rest: float) -> None:
    breaker = down(jitter=jitter, at_least=at_least)
    assert breaker.enter(rest - 0.01) is None
    assert breaker.enter(rest) is not None


@pytest.mark.parametrize("hangs", [True, False])
def test_it_knows_whether_asking_costs_a_wait(hangs: bool) -> None:
    assert down(hangs=hangs).hangs is hangs
