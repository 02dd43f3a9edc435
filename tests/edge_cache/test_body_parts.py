"""Parts of a body, against the plainest thing that holds bytes: a dict by position."""

from hypothesis import given
from hypothesis import strategies as st

from edge_cache.parts import MAX_RUNS, Parts

BODY = bytes(range(64))
spans = st.tuples(st.integers(0, 63), st.integers(1, 64)).map(
    lambda span: (span[0], min(64, span[0] + span[1]))
)


@given(runs=st.lists(spans, max_size=8), asked=spans)
def test_what_is_held_is_read_and_nothing_else(
    runs: list[tuple[int, int]], asked: tuple[int, int]
) -> None:
    parts, positions = Parts(64), set[int]()
    for start, stop in runs:
        parts = parts.with_run(start, BODY[start:stop], limit=10_000)
        positions.update(range(start, stop))
    start, stop = asked
    found = parts.read(start, stop)
    if positions.issuperset(range(start, stop)):
        assert found is not None and b"".join(found) == BODY[start:stop]
    else:
        assert found is None


@given(runs=st.lists(spans, max_size=20), limit=st.integers(1, 100))
def test_bytes_are_bounded_and_the_newest_stays(
    runs: list[tuple[int, int]], limit: int
) -> None:
    parts = Parts(64)
    for start, stop in runs:
        parts = parts.with_run(start, BODY[start:stop], limit)
        assert parts.held <= max(limit, stop - start)
        assert parts.read(start, stop) is not None


def test_runs_are_bounded() -> None:
    parts = Parts(10**6)
    for number in range(MAX_RUNS + 50):
        parts = parts.with_run(2 * number, b"x", limit=10**6)
    assert len(parts.runs) == MAX_RUNS
    assert parts.read(0, 1) is None


def test_a_run_takes_the_place_of_what_it_covers() -> None:
    parts = Parts(10).with_run(2, b"23", 99).with_run(0, b"01234", 99)
    assert parts.runs == ((0, b"01234"),)


def test_an_empty_range_is_there() -> None:
    assert Parts(10).read(3, 3) == []
