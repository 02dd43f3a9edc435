"""The small pure parts of the shell: growing bodies, pacing, markers, the gate."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_cache.body import GrowingBody
from edge_cache.errors import Overloaded
from edge_cache.gate import Gate
from edge_cache.markers import MAX_NOTES, Markers
from edge_cache.pacing import Pacing
from tests.edge_cache.support.edge import run

pieces = st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=9)


def read_all(body: GrowingBody, start: int, stop: int) -> bytes:
    found = b""
    while start + len(found) < stop:
        found += body.read(start + len(found), stop)
    return found


@given(pieces, st.integers(0, 80), st.integers(0, 80))
def test_reading_a_growing_body_is_slicing_it(parts: list[bytes], one: int, two: int) -> None:
    body, whole = GrowingBody(), b"".join(parts)
    for part in parts:
        body.append(part)
    start, stop = sorted(min(at, len(whole)) for at in (one, two))
    assert read_all(body, start, stop) == whole[start:stop]
    body.drop_before(start)
    assert read_all(body, start, stop) == whole[start:stop]
    assert body.size == len(whole) and body.kept >= len(whole) - start


@given(pieces)
def test_dropping_all_keeps_nothing(parts: list[bytes]) -> None:
    body = GrowingBody()
    for part in parts:
        body.append(part)
    body.drop_before(body.size)
    assert body.kept == 0


@given(pieces)
def test_the_whole_is_its_pieces(parts: list[bytes]) -> None:
    body = GrowingBody()
    assert body.whole() == b""
    for part in parts:
        body.append(part)
    assert body.whole() == b"".join(parts) == read_all(body, 0, body.size)


PACES = {  # (seconds, bytes taken so far, something waiting) and the verdict of the last
    "fast enough": ([(0, 0, True), (10, 1000, True)], False),
    "too slow": ([(0, 0, True), (10, 999, True)], True),
    "before the window ends": ([(0, 0, True), (9, 0, True)], False),
    "nothing waited meanwhile": ([(0, 0, True), (5, 10, False), (11, 10, True)], False),
    "slow in the second window": ([(0, 0, True), (10, 9000, True), (20, 9001, True)], True),
}


@pytest.mark.parametrize(("looks", "too_slow"), PACES.values(), ids=PACES)
def test_pacing(looks: list[tuple[float, int, bool]], too_slow: bool) -> None:
    pacing = Pacing(rate=100, window=10)
    assert [pacing.is_too_slow(*look) for look in looks][-1] is too_slow


def test_markers_hold_for_a_while_and_are_bounded() -> None:
    markers: Markers[int] = Markers(10)
    markers.mark(-1, now=0)
    assert markers.holds(-1, now=9.9) and not markers.holds(-1, now=10)
    assert not markers.holds(0, now=0)
    for key in range(MAX_NOTES + 1):
        markers.mark(key, now=0)
    assert not markers.holds(0, now=1) and markers.holds(MAX_NOTES, now=1)


def test_the_gate_bounds_who_is_in_and_who_waits() -> None:
    async def scenario() -> None:
        gate = Gate(1, waiting=1, patience=0.1)
        async with gate.turn():
            with pytest.raises(Overloaded):  # after the patience
                async with gate.turn():
                    pass
            waiting = asyncio.create_task(gate._enter())
            await asyncio.sleep(0)
            with pytest.raises(Overloaded):  # at once
                async with gate.turn():
                    pass
        await waiting
        assert gate.waiting == 0

    run(scenario())
