"""Edit list box (ISO/IEC 14496-12 §8.6.6).  Contained in: edts.

Entries that join are one.  Whatever the list presents, and in whatever order, is kept as
pieces where one origin does not tell it.  A rate other than 1 and 0 is refused by name.
"""

from collections.abc import Iterable

import numpy as np

from packager.errors import MalformedBox, Unsupported
from packager.isobmff.box import unpack, version_and_flags
from packager.isobmff.sample_tables import _COUNT
from packager.timescale import MAX_TICKS, rescale
from packager.tracks import Edit, Piece

_ROWS = {
    0: np.dtype([("duration", ">u4"), ("media_time", ">i4"), ("rate", ">i2"), ("frac", ">i2")]),
    1: np.dtype([("duration", ">u8"), ("media_time", ">i8"), ("rate", ">i2"), ("frac", ">i2")]),
}
_MAX_ENTRIES = 4096
_Row = tuple[int, int, int, int]


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
    return _edit(_pieces(rows, movie_timescale, timescale))


def _pieces(rows: list[_Row], movie_timescale: int, timescale: int) -> tuple[Piece, ...]:
    """What *rows* present, joined where they join; an empty edit is known by where the piece
    after it begins, and one behind all others presents nothing."""
    pieces: list[Piece] = []
    # Times are sums in the movie's ticks, converted once: what is rounded does not add up.
    begin = 0
    for number, (duration, media_time, rate, fraction) in enumerate(rows):
        if fraction or rate not in (0, 1):
            raise Unsupported(f"elst: media rate {rate} and {fraction}/65536")
        at = rescale(begin, movie_timescale, timescale)
        begin += duration
        length = rescale(begin, movie_timescale, timescale) - at
        if max(at, media_time) > MAX_TICKS:
            raise MalformedBox(b"elst", "times are out of range")
        endless = rate == 1 and (length > MAX_TICKS or not duration)
        if endless and number == len(rows) - 1 and media_time >= 0:
            pieces.append(Piece(at, media_time, None))
        elif duration and media_time >= 0:
            pieces.append(Piece(at, media_time, length, rate == 0))
        elif number == len(rows) - 1 and not pieces:
            pieces.append(Piece(rescale(begin, movie_timescale, timescale), 0, None))
    if max((piece.at for piece in pieces), default=0) > MAX_TICKS:
        raise MalformedBox(b"elst", "times are out of range")
    return tuple(_joined(pieces, -(-timescale // movie_timescale)))


def _joined(pieces: Iterable[Piece], tolerance: int) -> list[Piece]:
    """*pieces*, of which those are one that go on where the media of the last one stopped, to
    within *tolerance* ticks: one of the movie, which durations are rounded to."""
    joined: list[Piece] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if (
            last is None or last.length is None or last.still or piece.still
            or piece.at != last.at + last.length
            or abs(piece.start - last.start - last.length) > tolerance
        ):  # fmt: skip
            joined.append(piece)
            continue
        length = None if piece.length is None else last.length + piece.length
        joined[-1] = Piece(last.at, last.start, length)
    return joined


def _edit(pieces: tuple[Piece, ...]) -> Edit:
    if not pieces:
        return Edit()
    first = pieces[0]
    end = None if first.length is None else first.start + first.length
    if len(pieces) == 1 and not first.still and not (first.at and first.start):
        return Edit(first.start - first.at, end)
    return Edit(first.start - first.at, end, pieces)
