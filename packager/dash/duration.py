"""Seconds as ``xs:duration`` (XML Schema part 2 §3.2.6), without a float.

Only seconds are written: years and months are forbidden in an MPD (D-03), and hours and
minutes say nothing that seconds do not.
"""

import math
from fractions import Fraction

_DIGITS = 9
"""Of the fraction of a second.  Any count of ticks of a timescale that divides a power of ten
up to this is exact; thirds and the like are cut."""

_UNIT = 10**_DIGITS


def duration_down(seconds: Fraction) -> str:
    """Not longer than it is: media must fill its period (D-03)."""
    return _duration(math.floor(seconds * _UNIT))


def duration_up(seconds: Fraction) -> str:
    """Not shorter than it is: a buffer must hold what was promised (D-13)."""
    return _duration(math.ceil(seconds * _UNIT))


def _duration(units: int) -> str:
    whole, part = divmod(units, _UNIT)
    return f"PT{whole}.{part:0{_DIGITS}d}".rstrip("0").rstrip(".") + "S"
