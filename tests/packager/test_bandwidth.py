"""Bandwidth figures against the definitions read aloud: every run, every start, Fractions."""

import math
from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from packager.bandwidth import average, bitrate, combine, leaky_bucket, minimum_buffer, peak
from packager.presentation import Bitrate, Timeline

# The timescales of real files, one that divides nothing, and the largest that mdhd can hold.
timescales = st.sampled_from([1, 30, 1000, 44_100, 90_000, 23_040_000, 10**7, 2**32 - 1])
segments = st.lists(
    st.tuples(
        st.integers(0, 2**20) | st.sampled_from([2**40, 2**61]),  # bytes
        st.integers(1, 9_000),  # milliseconds
    ),
    min_size=1,
    max_size=12,
)


def columns(rows: list[tuple[int, int]], timescale: int) -> tuple[list[int], list[int]]:
    """Sizes, and durations in ticks."""
    return [size for size, _ in rows], [max(1, ms * timescale // 1000) for _, ms in rows]


def runs(count: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(count) for j in range(i + 1, count + 1)]


def timeline(durations: list[int], timescale: int, start: int = 0) -> Timeline:
    *starts, end = accumulate(durations, initial=start)
    return Timeline(timescale, tuple(starts), end)


@given(segments, timescales, st.integers(1, 10))
def test_peak_is_the_largest_rate_of_any_run_in_the_window(
    rows: list[tuple[int, int]], timescale: int, target: int
) -> None:
    sizes, durations = columns(rows, timescale)
    rates = [
        Fraction(8 * sum(sizes[i:j])) / seconds
        for i, j in runs(len(rows))
        if Fraction(target, 2)
        <= (seconds := Fraction(sum(durations[i:j]), timescale))
        <= Fraction(3 * target, 2)
    ] or [Fraction(8 * sum(sizes) * timescale, sum(durations))]
    assert peak(sizes, durations, timescale, target) == math.ceil(max(rates))


@given(segments, timescales, st.integers(1, 20_000), st.integers(0, 10**9))
@example([(2**61, 1)], 1, 1, 0)  # a rate past 64 bits meets a column of nothing but 0
def test_the_leaky_bucket_is_the_smallest_rate_at_which_every_run_arrives(
    rows: list[tuple[int, int]], timescale: int, buffer_ms: int, start: int
) -> None:
    sizes, durations = columns(rows, timescale)
    line = timeline(durations, timescale, start)
    buffer = Fraction(buffer_ms, 1000)
    needed = max(
        8
        * sum(sizes[i:j])
        / (buffer + Fraction(line.starts[j - 1] - line.starts[i], timescale))
        for i, j in runs(len(rows))
    )
    assert leaky_bucket(sizes, line, buffer) == math.ceil(needed)


@given(segments, timescales)
def test_the_average_is_rounded_up_and_never_above_the_peak(
    rows: list[tuple[int, int]], timescale: int
) -> None:
    sizes, durations = columns(rows, timescale)
    exact = Fraction(8 * sum(sizes) * timescale, sum(durations))
    assert average(sizes, durations, timescale) == math.ceil(exact)
    both = bitrate(sizes, timeline(durations, timescale), target=6)
    assert both.average == math.ceil(exact) <= both.peak


@pytest.mark.parametrize(
    ("sizes", "durations", "expected"),
    [
        pytest.param([1000], [1000], 8000, id="one segment, long enough"),
        pytest.param([100], [100], 8000, id="one segment, far shorter than the target"),
        pytest.param([10, 90], [50, 50], 8000, id="too short even together: the whole"),
        pytest.param([10, 90, 10], [400, 400, 400], 1000, id="a pair and all, never one"),
        pytest.param([1000, 1], [6000, 1], 1335, id="a tail of a millisecond never alone"),
        pytest.param([0, 0], [6000, 6000], 0, id="nothing at all"),
    ],
)
def test_peak_of_short_lists(sizes: list[int], durations: list[int], expected: int) -> None:
    target = max(1, round(max(durations) / 1000))
    assert peak(sizes, durations, 1000, target) == expected


def test_a_buffer_of_one_segment_makes_the_promise_about_the_true_rate() -> None:
    sizes, line = [750_000] * 20, timeline([6000] * 20, 1000)
    assert minimum_buffer([line]) == 6
    assert leaky_bucket(sizes, line, Fraction(6)) == 1_000_000
    assert leaky_bucket(sizes, line, Fraction(1)) == 6_000_000  # D-13: adaptation starves


def test_the_buffer_is_the_longest_segment_to_the_next_millisecond() -> None:
    ntsc = timeline([180_180, 90_090], 90_000)
    audio = timeline([96_256], 48_000)
    assert minimum_buffer([ntsc]) == Fraction(2002, 1000)
    assert minimum_buffer([ntsc, audio]) == Fraction(2006, 1000)


def test_the_sum_takes_the_largest_member_of_every_part() -> None:
    video, stereo, surround = Bitrate(900, 700), Bitrate(130, 128), Bitrate(129, 129)
    assert combine([video]) == video
    assert combine([video], [stereo, surround]) == Bitrate(1030, 829)


@pytest.mark.parametrize("count", [22_000])
def test_a_long_list_of_large_segments_stays_exact(count: int) -> None:
    """36 hours of 6 s: sums pass 2^63 where bits meet the timescale."""
    timescale = 2**32 - 1
    sizes = [2**32 + k % 7 for k in range(count)]
    line = timeline([6 * timescale] * count, timescale)
    assert peak(sizes, line.durations, timescale, 6) == math.ceil(Fraction(8 * (2**32 + 6), 6))
    assert leaky_bucket(sizes, line, Fraction(6)) == math.ceil(Fraction(8 * (2**32 + 6), 6))


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2 sizes for 1 durations"):
        peak([1, 2], [1], 1, 1)
    with pytest.raises(ValueError, match="2 sizes for 1 starts"):
        leaky_bucket([1, 2], Timeline(1, (0,), 1), Fraction(1))
