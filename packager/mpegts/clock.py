"""Times of the transport stream: 90 kHz, 33 bits, from a fixed base (rules T-04, T-05)."""

import numpy as np

from packager.index import TrackIndex
from packager.samples import Bytes, Column
from packager.timescale import MPEG2_CLOCK

TIME_BASE = 900_000
"""Added to every time: ten seconds, so that priming keeps a time of its own."""

CLOCK_LEAD = MPEG2_CLOCK // 2
"""How far the PCR runs ahead of the decode times, so that sound that is sent a little after
its picture is never late."""

MAX_CLOCK_GAP = 8_100
"""PCRs are at most 100 ms apart (§2.7.2); 90 ms leaves room."""

_WRAP = (1 << 33) - 1


def decode_times(index: TrackIndex, dts: Column) -> Column:
    """Media times *dts* at 90 kHz, not wrapped: each the floor of the absolute time.

    They move earlier where the source has negative composition offsets: here a frame cannot
    be decoded after it is shown.
    """
    return _ticks(index, dts - index.late)


def presentation_times(index: TrackIndex, cts: Column) -> Column:
    """Media times *cts* at 90 kHz, in the same way."""
    return _ticks(index, cts)


def _ticks(index: TrackIndex, times: Column) -> Column:
    return (times - index.origin) * MPEG2_CLOCK // index.track.timescale + TIME_BASE


def timestamp_field(prefix: Column | int, times: Column) -> Bytes:
    """PTS or DTS as five bytes a row (§2.4.3.7); *prefix* is its first four bits."""
    times = times & _WRAP
    high, middle, low = times >> 30 << 33, (times & 0x3FFF8000) << 2, (times & 0x7FFF) << 1
    return _bytes(high | middle | low | 0x1_0001_0001 | np.left_shift(prefix, 36), 5)


def clock_field(times: Column) -> Bytes:
    """program_clock_reference with extension 0, six bytes a row (§2.4.3.5)."""
    return _bytes(((times - CLOCK_LEAD) & _WRAP) << 15 | 0x7E00, 6)


def _bytes(numbers: Column, size: int) -> Bytes:
    """Each of *numbers* as its last *size* bytes, big-endian."""
    return numbers.astype(">i8").view(np.uint8).reshape(-1, 8)[:, 8 - size :]
