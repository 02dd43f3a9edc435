"""Edit list box (ISO/IEC 14496-12 §8.6.6).  Contained in: edts.

Accepted: empty edits that delay, then one piece of the media (in one or several entries
that join).  Several pieces that do not join are refused by name.
"""

import numpy as np

from packager.errors import MalformedBox, Unsupported
from packager.isobmff.box import unpack, version_and_flags
from packager.isobmff.sample_tables import _COUNT
from packager.timescale import MAX_TICKS, rescale
from packager.tracks import Edit

_ROWS = {
    0: np.dtype([("duration", ">u4"), ("media_time", ">i4"), ("rate", ">i2"), ("frac", ">i2")]),
    1: np.dtype([("duration", ">u8"), ("media_time", ">i8"), ("rate", ">i2"), ("frac", ">i2")]),
}
_MAX_ENTRIES = 4096


def parse_edit_list(payload: memoryview, movie_timescale: int, timescale: int) -> Edit:
    """The edit in ticks of *timescale* (rule C-01: durations are in the movie's)."""
    version, _, body = version_and_flags(b"elst", payload)
    (count,) = unpack(b"elst", _COUNT, body)
    if version not in _ROWS:
        raise MalformedBox(b"elst", f"unknown version {version}")
    dtype = _ROWS[version]
    if count > _MAX_ENTRIES or count * dtype.itemsize > len(body) - 4:
        raise MalformedBox(b"elst", f"{count} entries do not fit in {len(body) - 4} bytes")
    rows = np.frombuffer(body, dtype, count, 4).tolist()
    return _combine(rows, movie_timescale, timescale)


def _combine(
    rows: list[tuple[int, int, int, int]], movie_timescale: int, timescale: int
) -> Edit:
    delay, start, end, open_ended = 0, None, 0, False
    for duration, media_time, rate, fraction in rows:
        if (rate, fraction) != (1, 0):
            raise Unsupported(f"elst: media rate {rate} and {fraction}/65536")
        length = rescale(duration, movie_timescale, timescale)
        if media_time < 0:
            if start is not None:
                raise Unsupported("elst: an empty edit after media")
            delay += duration
        elif start is None:
            start, end, open_ended = media_time, media_time + length, duration == 0
        elif abs(media_time - end) * movie_timescale <= timescale:  # one movie tick
            end, open_ended = media_time + length, duration == 0
        else:
            raise Unsupported(f"elst: {len(rows)} entries that do not join")
    shift = rescale(delay, movie_timescale, timescale)
    if max(start or 0, shift) > MAX_TICKS:
        raise MalformedBox(b"elst", "times are out of range")
    if start is None:
        return Edit(-shift)
    return Edit(start - shift, None if open_ended or end > MAX_TICKS else end)
