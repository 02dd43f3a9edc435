"""Bit rates of segments: BANDWIDTH of HLS (P-09) and @bandwidth of DASH (D-13).

Runs are tried from every segment, all starts at once; how long a run may get is bounded by
``WORK``, so that a manifest of a million segments costs no more than one of ten thousand.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

RUN = 200
"""Segments of one run that are looked at, at most."""
WORK = 20_000_000
"""Runs that are looked at, at most."""

_Sums = tuple["np.ndarray[tuple[int], np.dtype[np.float64]]", ...]


def peak(sizes: Sequence[int], durations: Sequence[Fraction], target: Fraction) -> float:
    """RFC 8216 §4.1: the largest rate of contiguous segments lasting 0.5 to 1.5 *target*.

    >>> peak([1000, 3000], [Fraction(2), Fraction(2)], Fraction(2))
    12000.0
    """
    octets, lasted = _sums(sizes, durations)
    best, shortest, longest = 0.0, float(target) / 2, float(target) * 1.5
    for run in range(1, _runs(len(sizes)) + 1):
        lasts = lasted[run:] - lasted[:-run]
        fits = (lasts >= shortest) & (lasts <= longest) & (lasts > 0)
        if fits.any():
            rates = 8 * (octets[run:] - octets[:-run])[fits] / lasts[fits]
            best = max(best, float(rates.max()))
        if not (lasts <= longest).any():
            break
    return best


def average(sizes: Sequence[int], durations: Sequence[Fraction]) -> float:
    """Bits of all over seconds of all.

    >>> average([1000, 3000], [Fraction(2), Fraction(2)])
    8000.0
    """
    octets, lasted = _sums(sizes, durations)
    return float(8 * octets[-1] / lasted[-1]) if lasted[-1] else 0.0


def leaky(sizes: Sequence[int], durations: Sequence[Fraction], buffer: Fraction) -> float:
    """The least rate at which each run of segments arrives in time, after *buffer* seconds.

    Segment k of a run is needed ``buffer`` seconds after the run was begun plus the
    durations of those before it (IOP 3.2.8).

    >>> leaky([1000, 1000], [Fraction(2), Fraction(2)], Fraction(2))
    4000.0
    """
    octets, lasted = _sums(sizes, durations)
    if buffer <= 0:
        return 0.0
    best = 0.0
    for run in range(1, _runs(len(sizes)) + 1):
        due = lasted[run - 1 : -1] - lasted[:-run] + float(buffer)
        best = max(best, float((8 * (octets[run:] - octets[:-run]) / due).max()))
    return best


def _runs(count: int) -> int:
    return min(count, RUN, max(1, WORK // max(1, count)))


def _sums(sizes: Sequence[int], durations: Sequence[Fraction]) -> _Sums:
    """What the first k segments have, for each k."""
    octets = np.concatenate(([0.0], np.cumsum(np.array(sizes, np.float64))))
    lasted = np.concatenate(([0.0], np.cumsum(np.array([float(d) for d in durations]))))
    return octets, lasted
