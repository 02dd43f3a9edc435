"""CMAF headers: ftyp and a moov without samples (23000-19 §7.3.1, rules I-01 to I-12)."""

import struct

from packager.index import TrackIndex
from packager.isobmff.box import box, full_box
from packager.isobmff.movie import TRACK_ID, edit_list, media, movie_header, track_header

_FTYP = box(b"ftyp", b"cmfc", bytes(4), b"iso6cmfc")
_NO_SAMPLES = (
    full_box(b"stts", 0, 0, bytes(4)),
    full_box(b"stsc", 0, 0, bytes(4)),
    full_box(b"stsz", 0, 0, bytes(8)),
    full_box(b"stco", 0, 0, bytes(4)),
)


def init_segment(index: TrackIndex) -> bytes:
    """The header of the CMAF track made from *index*."""
    header = movie_header(index.track.timescale, 0, max(TRACK_ID.values()) + 1)
    return _FTYP + box(b"moov", header, _trak(index), box(b"mvex", _trex(index)))


def _trak(index: TrackIndex) -> bytes:
    parts = [track_header(index, TRACK_ID[index.kind], 0)]
    if index.lead:
        parts.append(box(b"edts", edit_list(index.lead)))
    return box(b"trak", *parts, media(index, 0, *_NO_SAMPLES))


def _trex(index: TrackIndex) -> bytes:
    return full_box(b"trex", 0, 0, struct.pack(">IIIII", TRACK_ID[index.kind], 1, 0, 0, 0))
