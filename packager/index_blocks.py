"""Blocks of a flavor index: about 1,024 sample rows each, compact.

Sizes, composition offsets, durations and positions, run-length where that is shorter; at most
16 bytes a sample, and 2 to 4 more where the sizes in a byte stream differ or positions lie
4 GiB apart.  Each block ends in a CRC-32.
"""

import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from packager.samples import Column, Samples, column

BLOCK = 1024
"""Samples of a block; the last one may have fewer."""

_CRC = struct.Struct("<I")
_BLOCK_PREFIX = struct.Struct("<qqHBBHH")
"""First dts, lowest position, samples, width of sizes, flags, durations, positions."""

_HAS_CTS, _HAS_ANNEXB, _FAR = 1, 2, 4
_EACH_DURATION, _EACH_POSITION = 8, 16  # one a sample, not in runs
_WIDE_ANNEXB = 32


def _runs(values: Column) -> tuple[Column, Column]:
    """``(length, value)`` of each run of equal *values*."""
    first = np.concatenate(([0], np.flatnonzero(np.diff(values)) + 1))
    return np.diff(np.append(first, len(values))), values[first]


def encode_block(samples: Samples, annexb: Column | None) -> bytes:
    """At most ``BLOCK`` rows; see ``decode_block`` for the inverse."""
    width = 2 if int(samples.size.max()) < 1 << 16 else 4
    offsets = samples.cts - samples.dts
    stops = samples.offset + samples.size
    jumps = np.concatenate(([0], np.flatnonzero(samples.offset[1:] != stops[:-1]) + 1))
    lengths, durations = _runs(samples.duration)
    positions = samples.offset[jumps]
    low = int(positions.min())
    growth = np.zeros(0, np.int64) if annexb is None else annexb - samples.size
    flags = (
        (_HAS_CTS if offsets.any() else 0)
        | (_HAS_ANNEXB if annexb is not None else 0)
        | (_FAR if int(positions.max()) - low >= 1 << 32 else 0)
        | (_EACH_DURATION if 3 * len(lengths) > 2 * len(samples) else 0)
        | (_EACH_POSITION if 3 * len(jumps) > 2 * len(samples) else 0)
        | (_WIDE_ANNEXB if (np.abs(growth) >= 1 << 15).any() else 0)
    )
    if flags & _EACH_DURATION:
        lengths, durations = lengths[:0], samples.duration
    if flags & _EACH_POSITION:
        jumps, positions = jumps[:0], samples.offset
    parts = [
        _BLOCK_PREFIX.pack(
            int(samples.dts[0]), low, len(samples), width, flags, len(durations), len(positions)
        ),
        samples.size.astype(f"<u{width}").tobytes(),
        lengths.astype("<u2").tobytes(),
        durations.astype("<u4").tobytes(),
        jumps.astype("<u2").tobytes(),
        (positions - low).astype("<u8" if flags & _FAR else "<u4").tobytes(),
    ]
    if flags & _HAS_CTS:
        parts.append(offsets.astype("<i4").tobytes())
    if annexb is not None:
        parts.append(growth.astype("<i4" if flags & _WIDE_ANNEXB else "<i2").tobytes())
    return sealed(b"".join(parts))


def sealed(data: bytes) -> bytes:
    """*data* and its CRC-32."""
    return data + _CRC.pack(zlib.crc32(data))


def unsealed(data: bytes) -> memoryview:
    """The inverse of ``sealed``.  Raises ``ValueError`` where the checksum is wrong."""
    body = memoryview(data)[: -_CRC.size]
    if len(data) < _CRC.size or _CRC.pack(zlib.crc32(body)) != data[-_CRC.size :]:
        raise ValueError("its checksum is wrong")
    return body


@lru_cache(maxsize=64)
def decode_block(block: bytes) -> tuple[Samples, Column]:
    """The rows of *block*, all marked as sync, and their sizes in a byte stream.

    Segments that follow each other share blocks, so a few stay decoded (3 MiB in all).
    Raises ``ValueError`` or ``struct.error`` where the block contradicts itself.
    """
    samples, annexb = _decode_block(block)
    for each in (samples.dts, samples.cts, samples.duration, samples.size, samples.offset,
                 samples.sync, annexb):  # fmt: skip
        each.flags.writeable = False
    return samples, annexb


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """The columns of a block as they lie in it, not yet wide."""

    dts: int
    """Of the first sample."""

    low: int
    flags: int
    size: npt.NDArray[Any]
    lengths: npt.NDArray[Any]
    """Of the runs that have ``durations``; empty where each sample has its own."""

    durations: npt.NDArray[Any]
    jumps: npt.NDArray[Any]
    """First samples of the runs that lie at ``positions``; empty where each has its own."""

    positions: npt.NDArray[Any]
    offsets: npt.NDArray[Any]
    """cts - dts; empty where all are 0: see ``each_offset``."""

    growth: npt.NDArray[Any]
    """As a byte stream; empty where samples do not grow."""

    @property
    def duration(self) -> Column:
        if self.flags & _EACH_DURATION:
            return column(self.durations)
        if int(self.lengths.sum()) != len(self.size):
            raise ValueError("durations do not add up")
        return np.repeat(column(self.durations), self.lengths)

    @property
    def each_offset(self) -> npt.NDArray[Any]:
        return self.offsets if len(self.offsets) else np.zeros(len(self.size), np.int32)

    @property
    def annexb(self) -> Column:
        return column(self.size) + self.growth if len(self.growth) else column(self.size)

    @property
    def first_samples(self) -> Column:
        """First sample of each run of bytes."""
        if self.flags & _EACH_POSITION:
            return np.arange(len(self.size))
        jumps = column(self.jumps)
        if jumps[0] != 0 or (np.diff(jumps) <= 0).any() or int(jumps[-1]) >= len(self.size):
            raise ValueError("positions out of order")
        return jumps


def stored(block: bytes) -> Stored:
    """Raises ``ValueError`` or ``struct.error`` where *block* is damaged."""
    rows = unsealed(block)
    dts, low, count, width, flags, run_count, jump_count = _BLOCK_PREFIX.unpack_from(rows)
    if not 0 < count <= BLOCK or width not in (2, 4) or not jump_count:
        raise ValueError("prefix out of range")
    position = _BLOCK_PREFIX.size

    def take(kind: str, length: int) -> Column:
        nonlocal position
        values: Column = np.frombuffer(rows, kind, length, position)
        position += values.nbytes
        return values

    found = Stored(
        dts,
        low,
        flags,
        size=take(f"<u{width}", count),
        lengths=take("<u2", 0 if flags & _EACH_DURATION else run_count),
        durations=take("<u4", run_count),
        jumps=take("<u2", 0 if flags & _EACH_POSITION else jump_count),
        positions=take("<u8" if flags & _FAR else "<u4", jump_count),
        offsets=take("<i4", count if flags & _HAS_CTS else 0),
        growth=take(
            "<i4" if flags & _WIDE_ANNEXB else "<i2", count if flags & _HAS_ANNEXB else 0
        ),
    )
    each = (_EACH_DURATION, run_count), (_EACH_POSITION, jump_count)
    if position != len(rows) or any(flags & flag and given != count for flag, given in each):
        raise ValueError("lengths do not add up")
    return found


def _decode_block(block: bytes) -> tuple[Samples, Column]:
    rows = stored(block)
    size, duration, jumps = column(rows.size), rows.duration, rows.first_samples
    decode = rows.dts + np.cumsum(duration) - duration
    before = np.cumsum(size) - size
    spans = np.diff(np.append(jumps, len(size)))
    offset = before + np.repeat(rows.low + column(rows.positions) - before[jumps], spans)
    sync = np.ones(len(size), np.bool_)
    return Samples(decode, decode + rows.each_offset, duration, size, offset, sync), rows.annexb
