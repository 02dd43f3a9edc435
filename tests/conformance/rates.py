"""Bit rates of a list from the sizes of its segments, as each standard defines them."""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

from tests.conformance.presented import Segmented


def durations(listed: Segmented) -> list[Fraction]:
    return [end - start for start, end in zip(listed.starts, listed.starts[1:], strict=False)]


def average(sizes: Sequence[int], lasting: Sequence[Fraction]) -> Fraction:
    return 8 * sum(sizes) / sum(lasting, Fraction(0))


def largest(sizes: Sequence[int], lasting: Sequence[Fraction]) -> Fraction:
    """Of a segment, which is what Shaka Packager declares."""
    return max(8 * size / one for size, one in zip(sizes, lasting, strict=True))


def peak(sizes: Sequence[int], lasting: Sequence[Fraction], target: int) -> Fraction:
    """RFC 8216 §4.1 (P-09): of contiguous segments that last 0.5 to 1.5 targets.

    Of a list without any such run, and where a short dense tail is in none, the average.
    """
    mean = average(sizes, lasting)
    return max([mean, *_rates(sizes, lasting, target)])


def _rates(
    sizes: Sequence[int], lasting: Sequence[Fraction], target: int
) -> Iterator[Fraction]:
    for first in range(len(sizes)):
        size, time = 0, Fraction(0)
        for number in range(first, len(sizes)):
            size, time = size + sizes[number], time + lasting[number]
            if 2 * time > 3 * target:
                break
            if 2 * time >= target:
                yield 8 * size / time


def near(declared: int, measured: Fraction, lasting: Sequence[Fraction]) -> bool:
    """A list has durations to a millionth of a second, and a rate is rounded up."""
    rounding = measured * Fraction(1, 10**6) / min(lasting)
    return measured - rounding <= declared <= math.ceil(measured + rounding) + 1
