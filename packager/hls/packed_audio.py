"""Packed audio segments (RFC 8216 §3.4, rule T-08): frames without a container, behind an ID3
tag with the time of the first.

The time is that of MPEG-TS (rule T-05), so that a player may have pictures in MPEG-TS
beside it.
"""

import struct
from collections.abc import Sequence

import numpy as np

from packager.errors import MalformedMedia
from packager.index import TrackIndex
from packager.mpegts.clock import presentation_times
from packager.mpegts.elementary import AudioFrames, Payloads
from packager.mpegts.segment import carried, framed_sizes
from packager.plan import Extent, Extents, Piece, Plan, Transform
from packager.samples import Bytes, Column, Samples, column, runs

_OWNER = b"com.apple.streaming.transportStreamTimestamp\0"
_WRAP = (1 << 33) - 1
_FRAMES_AT_ONCE = 256
"""At most 2 MiB of ADTS."""


def _tag(time: int) -> bytes:
    """ID3 2.4 with one PRIV frame; its sizes are below 128, so synchsafe as they are."""
    private = _OWNER + struct.pack(">Q", time & _WRAP)
    frame = b"PRIV" + struct.pack(">IH", len(private), 0) + private
    return b"ID3\4\0\0" + struct.pack(">I", len(frame)) + frame


_TAG_SIZE = len(_tag(0))


def packed_segment(index: TrackIndex, samples: Samples) -> Plan:
    """Plan the segment of *samples*, rows of *index*.

    Raises ``Unsupported`` for a codec that is in fMP4 alone.
    """
    header = carried(index).frame_header
    pieces: list[Piece] = [_tag(int(presentation_times(index, samples.cts[:1])[0]))]
    if not header:
        starts, lengths = runs(samples.offset, samples.size)
        every = tuple(starts.tolist()), tuple(lengths.tolist())
        return Plan((*pieces, Extents(*every, int(samples.size.sum()))))
    for start in range(0, len(samples), _FRAMES_AT_ONCE):
        stop = min(start + _FRAMES_AT_ONCE, len(samples))
        pieces.append(_framed(samples.rows(start, stop), header))
    return Plan(tuple(pieces))


def _framed(samples: Samples, header: bytes) -> Transform:
    starts, lengths = runs(samples.offset, samples.size)
    extents = tuple(map(Extent, starts.tolist(), lengths.tolist()))
    places = np.cumsum(samples.size) - samples.size
    none = np.zeros(0, np.uint8)
    frames = AudioFrames(Payloads(none, places, samples.size, samples.first), header)
    wanted = int(samples.size.sum())

    def make(read: memoryview) -> Bytes:
        if len(read) != wanted:
            raise MalformedMedia(f"the source gave {len(read)} bytes of {wanted}")
        return frames.filled(np.frombuffer(read, np.uint8))

    return Transform(extents, frames.size, make)


def packed_sizes(
    index: TrackIndex, rows: Sequence[tuple[int, int]], sizes: Column
) -> list[int]:
    """Bytes of each segment; *sizes* are those of all samples of the track."""
    before = np.concatenate(([0], np.cumsum(framed_sizes(index, sizes))))
    starts, stops = column(rows).reshape(-1, 2).T
    found = _TAG_SIZE + before[stops] - before[starts]
    return list(found.tolist())
