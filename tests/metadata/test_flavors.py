"""Order and generations, against the plainest reading: look at every moment."""

import random

from hypothesis import given
from hypothesis import strategies as st

from metadata.flavors import current, generations, in_order
from metadata.records import FlavorRecord
from tests.metadata.samples import row


def test_video_first_then_height_bitrate_and_id() -> None:
    rows = [
        row(1, "0_aaaaaaaa", height=360, bitrate=400_000),
        row(2, "0_cccccccc", height=720, bitrate=900_000),
        row(3, "0_bbbbbbbb", height=720, bitrate=900_000),
        row(4, "0_dddddddd", height=720, bitrate=2_000_000),
        row(5, "0_eeeeeeee", width=None, height=None, bitrate=64_000),
        row(6, "0_ffffffff", width=None, height=None, bitrate=128_000),
    ]
    shuffled = random.Random(1).sample(rows, len(rows))
    assert [found.int_id for found in in_order(shuffled)] == [1, 3, 2, 4, 5, 6]


def test_a_replaced_set_is_kept_for_a_while() -> None:
    low = row(1, "0_aaaaaaaa", height=360, created_at=10)
    old = row(2, "0_bbbbbbbb", created_at=10, replaced_at=50)
    new = row(3, "0_bbbbbbbb", created_at=50, version=2)
    rows = [low, old, new]
    assert current(rows) == (low, new)
    assert generations(rows, now=60, keep=20) == [(low, new), (low, old)]
    assert generations(rows, now=69, keep=20) == [(low, new), (low, old)]
    assert generations(rows, now=70, keep=20) == [(low, new)]


def test_a_clock_that_is_behind_does_not_hide_a_new_entry() -> None:
    ahead = row(1, "0_aaaaaaaa", created_at=1000)
    assert generations([ahead], now=10, keep=20) == [(ahead,)]


def test_nothing_is_current_once_all_is_retired() -> None:
    gone = row(1, "0_aaaaaaaa", created_at=10, replaced_at=50)
    assert generations([gone], now=60, keep=20) == [(), (gone,)]
    assert generations([], now=60, keep=20) == [()]


@st.composite
def histories(draw: st.DrawFn) -> list[FlavorRecord]:
    """tuple[FlavorRecord, ...] that come, are replaced and go, at times up to 20."""
    rows: list[FlavorRecord] = []
    for flavor in range(draw(st.integers(0, 4))):
        times = sorted(draw(st.sets(st.integers(0, 20), min_size=1, max_size=4)))
        last = draw(st.sampled_from([None, 21]))
        ends = [*times[1:], last]
        for version, (begin, end) in enumerate(zip(times, ends, strict=True), 1):
            rows.append(
                row(
                    len(rows) + 1,
                    f"0_{flavor:08}",
                    version=version,
                    created_at=begin,
                    replaced_at=end,
                )
            )
    return rows


@given(histories(), st.integers(21, 30), st.integers(1, 30))
def test_generations(rows: list[FlavorRecord], now: int, keep: int) -> None:
    def at(time: int) -> tuple[FlavorRecord, ...]:
        return in_order(
            row
            for row in rows
            if row.created_at <= time and (row.replaced_at is None or time < row.replaced_at)
        )

    plain = [at(now)]
    for time in reversed(range(max(now - keep, 0), now)):
        if at(time) and at(time) != plain[-1]:
            plain.append(at(time))
    assert generations(rows, now, keep) == plain
