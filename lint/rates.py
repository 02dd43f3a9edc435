"""Bit rates of segments: BANDWIDTH of HLS (P-09) and @bandwidth of DASH (D-13)."""

from fractions import Fraction

RUN = 200
"""Segments of one run that are looked at, at most."""


def peak(sizes: list[int], durations: list[Fraction], target: Fraction) -> Fraction:
    """RFC 8216 §4.1: the largest rate of contiguous segments lasting 0.5 to 1.5 *target*.

    >>> peak([1000, 3000], [Fraction(2), Fraction(2)], Fraction(2))
    Fraction(12000, 1)
    """
    best = Fraction(0)
    for start in range(len(sizes)):
        octets, lasts = 0, Fraction(0)
        for size, duration in list(zip(sizes, durations, strict=True))[start : start + RUN]:
            octets, lasts = octets + size, lasts + duration
            if lasts > target * Fraction(3, 2):
                break
            if lasts >= target / 2:
                best = max(best, 8 * octets / lasts)
    return best


def average(sizes: list[int], durations: list[Fraction]) -> Fraction:
    """Bits of all over seconds of all."""
    lasts = sum(durations, Fraction(0))
    return 8 * sum(sizes) / lasts if lasts else Fraction(0)


def leaky(sizes: list[int], durations: list[Fraction], buffer: Fraction) -> Fraction:
    """The least rate at which each run of segments arrives in time, after *buffer* seconds.

    Segment k of a run is needed ``buffer`` seconds after the run was begun plus the
    durations of those before it (IOP 3.2.8).

    >>> leaky([1000, 1000], [Fraction(2), Fraction(2)], Fraction(2))
    Fraction(4000, 1)
    """
    best = Fraction(0)
    for start in range(len(sizes)):
        octets, due = 0, buffer
        for size, duration in list(zip(sizes, durations, strict=True))[start : start + RUN]:
            octets += size
            if due:
                best = max(best, 8 * octets / due)
            due += duration
    return best
