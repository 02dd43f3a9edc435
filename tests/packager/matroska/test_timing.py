"""Exact times from rounded timestamps: a table of what is written and what was meant."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from packager.matroska.clusters import UNTIMED
from packager.matroska.timing import picture_times, sound_times
from packager.samples import column

MS = 1_000_000


def rounded(times: list[Fraction], scale: int = MS) -> list[int]:
    return [int(each * 1_000_000_000 / scale + Fraction(1, 2)) for each in times]


RATES = [Fraction(n) for n in (10, 12, 15, 24, 25, 30, 48, 50, 60, 90, 100, 120, 144)]
RATES += [Fraction(n * 1000, 1001) for n in (24, 30, 60, 120)] + [Fraction(25, 2)]


@pytest.mark.parametrize("told", [False, True], ids=["", "DefaultDuration"])
@pytest.mark.parametrize("rate", RATES, ids=str)
def test_constant_rates(rate: Fraction, told: bool) -> None:
    stamps = column(rounded([n / rate for n in range(3000)]))
    default = round(1_000_000_000 / rate) if told else 0
    times = picture_times(stamps, MS, default, None)
    assert {Fraction(int(step), times.timescale) for step in np.diff(times.cts)} == {1 / rate}
    assert times.start == 0


def test_reordered_pictures_are_decoded_before_they_are_shown() -> None:
    order = [0, 4, 2, 1, 3, 8, 6, 5, 7]
    times = picture_times(column([40 * n for n in order]), MS, 0, None)
    assert (times.dts <= times.cts).all() and (np.diff(times.dts) > 0).all()
    assert np.argsort(times.cts).tolist() == np.argsort(order).tolist()


def test_a_rate_that_is_not_constant_is_kept_as_it_is() -> None:
    stamps = [0, 33, 100, 133, 200, 210, 300]
    times = picture_times(column(stamps), MS, 0, 33)
    assert times.timescale == 1000
    assert (times.cts - times.cts[0]).tolist() == stamps
    assert times.duration.tolist() == [33, 67, 33, 67, 10, 90, 33]


FRAME, RATE = 1024, 44_100


def sound(stamps: list[int]) -> list[int]:
    durations = np.full(len(stamps), FRAME)
    made = sound_times(column(stamps), MS, RATE, durations)
    return (made.dts - made.start).tolist()


def test_sound_is_exact() -> None:
    stamps = rounded([Fraction(FRAME * n, RATE) for n in range(2000)])
    assert sound(stamps) == [FRAME * n for n in range(2000)]


@pytest.mark.parametrize("gap", [30, 1000, 3_600_000])
def test_sound_begins_anew_behind_a_gap(gap: int) -> None:
    whole = rounded([Fraction(FRAME * n, RATE) for n in range(1000)])
    stamps = [*whole[:500], *(each + gap for each in whole[500:])]
    found = sound(stamps)
    assert found[:500] == [FRAME * n for n in range(500)]
    assert {after - before for before, after in pairwise(found[500:])} == {FRAME}
    assert abs(Fraction(found[500], RATE) - Fraction(stamps[500], 1000)) <= Fraction(1, 1000)


@pytest.mark.parametrize("drift", [0.999, 1.001])
def test_a_clock_that_runs_otherwise_is_followed(drift: float) -> None:
    """A tenth of a percent: never more than two frames off, in the order of the file."""
    stamps = [round(1000 * FRAME * n / RATE * drift) for n in range(20_000)]
    found = sound(stamps)
    assert min(np.diff(found)) > 0
    off = max(abs(at / RATE - told / 1000) for at, told in zip(found, stamps, strict=True))
    assert off <= 2 * FRAME / RATE


def test_frames_of_a_lace_have_no_time_of_their_own() -> None:
    stamps = [n * 23 if n % 4 == 0 else UNTIMED for n in range(40)]
    assert sound(stamps) == [FRAME * n for n in range(40)]
