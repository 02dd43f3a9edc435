"""Exact conversion of times between timescales.  No float touches a time."""

MPEG2_CLOCK = 90_000
"""Ticks per second of PTS and DTS (ISO/IEC 13818-1 §2.4.2.1)."""


MAX_TICKS = 1 << 46
"""Of a time in any timescale; 81 days at ten million a second.  Times ``MPEG2_CLOCK`` it
still fits in 64 bits."""


def rescale(ticks: int, source: int, target: int) -> int:
    """*ticks* of timescale *source* in timescale *target*, to the nearest, halves up."""
    return (2 * ticks * target + source) // (2 * source)
