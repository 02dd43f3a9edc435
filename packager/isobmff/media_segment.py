"""CMAF media segments: styp, moof, then an mdat whose samples are never touched.

(ISO/IEC 14496-12 §8.8, ISO/IEC 23000-19 §7.3.2; rules S-01 to S-07.)  Composition offsets
are never negative: decode times move earlier instead, and the edit list of the init segment
takes the delay out (rule I-07: one or the other).  Which columns a run has depends on the
track alone, so that the size of a segment is known from its counts.
"""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from packager.errors import Unsupported
from packager.index import TrackIndex
from packager.isobmff.box import box, full_box
from packager.isobmff.movie import TRACK_ID
from packager.plan import Extents, Plan
from packager.samples import Column, Samples, column, runs

_SYNC, _NOT_SYNC = 0x02000000, 0x01010000  # sample_depends_on 2 and 1; is_non_sync
_DEFAULT_BASE_IS_MOOF, _DEFAULT_DURATION, _DEFAULT_FLAGS = 0x020000, 0x08, 0x20
_DATA_OFFSET = 0x000001
_COLUMNS = {  # in wire order: flag and type (§8.8.8.2)
    "duration": (0x000100, ">u4"),
    "size": (0x000200, ">u4"),
    "flags": (0x000400, ">u4"),
    "offset": (0x000800, ">u4"),
}
_STYP = box(b"styp", b"msdh", bytes(4), b"msdhcmfscmff")
_MDAT_HEADER_SIZE = 8
# moof, mfhd, traf, tfhd, tfdt, trun: all but rows and tfhd's defaults
_FIXED_SIZE = len(_STYP) + 8 + 16 + 8 + 16 + 20 + 20 + _MDAT_HEADER_SIZE


def columns(index: TrackIndex, *, last: bool) -> tuple[str, ...]:
    """The columns of a run of *index*; *last* for the run that holds the last sample."""
    uniform = index.uniform_duration and not (
        last and index.last_duration != index.uniform_duration
    )
    names = ["size"] if uniform else ["duration", "size"]
    if not index.all_sync:
        names.append("flags")
    if index.has_offsets:
        names.append("offset")
    return tuple(names)


def segment_sizes(
    index: TrackIndex, rows: Sequence[tuple[int, int]], sizes: Column
) -> list[int]:
    """Bytes of each segment; *sizes* are those of all samples of the track."""
    before = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=before[1:])
    starts, stops = column(rows).reshape(-1, 2).T
    last = stops == index.count
    each = np.where(last, *(4 * len(columns(index, last=flag)) for flag in (True, False)))
    heads = np.where(last, *(_head_size(index, last=flag) for flag in (True, False)))
    found = column(heads + each * (stops - starts) + before[stops] - before[starts])
    return list(found.tolist())


def _head_size(index: TrackIndex, *, last: bool) -> int:
    return _FIXED_SIZE + _tfhd_defaults(columns(index, last=last))


def _tfhd_defaults(names: tuple[str, ...]) -> int:
    return 4 * ("duration" not in names) + 4 * ("flags" not in names)


def media_segment(index: TrackIndex, samples: Samples, sequence: int) -> Plan:
    """Plan one segment of one chunk; *samples* are rows of *index*, *sequence* from 1."""
    last = samples.first + len(samples) == index.first_in_source + index.count
    return _segment(index, samples, sequence, columns(index, last=last))


def lone_sample(index: TrackIndex, sample: Samples, sequence: int) -> Plan:
    """The same of one row alone, whose duration may be another than in the source."""
    return _segment(index, sample, sequence, tuple(_COLUMNS))


LONE_SAMPLE_SIZE = _FIXED_SIZE + 4 * len(_COLUMNS)
"""Bytes of ``lone_sample`` without those of the sample."""


def _segment(
    index: TrackIndex, samples: Samples, sequence: int, names: tuple[str, ...]
) -> Plan:
    table = _table(index, samples, names)
    payload = int(samples.size.sum())
    if payload + _MDAT_HEADER_SIZE >= 1 << 32:
        raise Unsupported(f"segment {sequence}: {payload} bytes do not fit in one mdat")

    decode_time = int(samples.dts[0]) - index.late - index.base

    def moof(data_offset: int) -> bytes:
        return box(
            b"moof",
            full_box(b"mfhd", 0, 0, struct.pack(">I", sequence)),
            box(
                b"traf",
                _tfhd(index, names),
                full_box(b"tfdt", 1, 0, struct.pack(">Q", decode_time)),
                _trun(names, table, data_offset),
            ),
        )

    # data_offset is of fixed width, so the length of moof does not depend on its value.
    header = moof(len(moof(0)) + _MDAT_HEADER_SIZE)
    mdat = struct.pack(">I4s", payload + _MDAT_HEADER_SIZE, b"mdat")
    starts, lengths = runs(samples.offset, samples.size)
    extents = Extents(tuple(starts.tolist()), tuple(lengths.tolist()), payload)
    return Plan((_STYP + header + mdat, extents))


def _table(index: TrackIndex, samples: Samples, names: tuple[str, ...]) -> npt.NDArray[Any]:
    table = np.empty(len(samples), [(name, _COLUMNS[name][1]) for name in names])
    table["size"] = samples.size
    if "duration" in names:
        table["duration"] = samples.duration
    if "flags" in names:
        table["flags"] = np.where(samples.sync, _SYNC, _NOT_SYNC)
    if "offset" in names:
        table["offset"] = samples.cts - samples.dts + index.late
    return table


def _tfhd(index: TrackIndex, names: tuple[str, ...]) -> bytes:
    """Track fragment header: what all rows share (rule S-03: not in trex)."""
    flags, defaults = _DEFAULT_BASE_IS_MOOF, b""
    if "duration" not in names:
        flags |= _DEFAULT_DURATION
        defaults += struct.pack(">I", index.uniform_duration)
    if "flags" not in names:
        flags |= _DEFAULT_FLAGS
        defaults += struct.pack(">I", _SYNC)
    return full_box(b"tfhd", 0, flags, struct.pack(">I", TRACK_ID[index.kind]), defaults)


def _trun(names: tuple[str, ...], table: npt.NDArray[Any], data_offset: int) -> bytes:
    flags = _DATA_OFFSET | sum(_COLUMNS[name][0] for name in names)
    fixed = struct.pack(">Ii", len(table), data_offset)
    return full_box(b"trun", 0, flags, fixed, table.tobytes())
