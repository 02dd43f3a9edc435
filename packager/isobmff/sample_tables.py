"""The sample table boxes (ISO/IEC 14496-12 §8.6.1, §8.7) to columns.  Contained in: stbl.

Every count is checked against the bytes that hold it before it sizes anything; a count that
is carried by no bytes (stsz with one size for all, stts, stsc) is checked against
``MAX_SAMPLES``.
"""

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from packager.errors import MalformedBox
from packager.isobmff.box import unpack, version_and_flags
from packager.samples import Column, Flags, Samples, column

MAX_SAMPLES = 1 << 22
"""Of one track.  A day of AAC at 48 kHz has 4.05 million, one at 30 frames a second 2.6."""

MAX_SAMPLE_SIZE = 64 << 20
"""Bytes: a sample is read whole."""

_COUNT = struct.Struct(">I")
_TWO = struct.Struct(">II")
_PAIR = np.dtype([("count", ">u4"), ("value", ">u4")])
_SIGNED_PAIR = np.dtype([("count", ">u4"), ("value", ">i4")])
_STSC = np.dtype([("first_chunk", ">u4"), ("samples", ">u4"), ("description", ">u4")])


def parse_samples(stbl: dict[bytes, memoryview], file_size: int) -> tuple[Samples, int]:
    """The neutral table of one track, and how many samples it leaves out: those that stsz
    counts beyond the times of stts (rule C-02).

    *file_size* bounds every sample: one that lies outside the file is an error here, not a
    short read later.
    """
    size = _sizes(stbl, file_size)
    every = len(size)
    _check_sizes(size)
    duration = _durations(stbl, every)
    count = len(duration)
    dts = np.zeros(count, np.int64)
    np.cumsum(duration[:-1], out=dts[1:])
    samples = Samples(
        dts=dts,
        cts=dts + _composition_offsets(stbl, count),
        duration=duration,
        size=size[:count],
        offset=_offsets(stbl, size, file_size)[:count],
        sync=_sync(stbl, every)[:count],
    )
    return samples, every - count


def _table(fourcc: bytes, payload: memoryview, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """An entry count and that many rows of *dtype*."""
    (count,) = unpack(fourcc, _COUNT, payload)
    if count * dtype.itemsize > len(payload) - _COUNT.size:
        raise MalformedBox(
            fourcc, f"{count} entries do not fit in {len(payload) - _COUNT.size} bytes"
        )
    return np.frombuffer(payload, dtype, count, _COUNT.size)


def _body(stbl: dict[bytes, memoryview], fourcc: bytes) -> memoryview:
    if fourcc not in stbl:
        raise MalformedBox(fourcc, "missing from stbl")
    return version_and_flags(fourcc, stbl[fourcc])[2]


def _sizes(stbl: dict[bytes, memoryview], file_size: int) -> Column:
    if b"stz2" in stbl and b"stsz" not in stbl:
        return _compact_sizes(_body(stbl, b"stz2"))
    body = _body(stbl, b"stsz")
    uniform, count = unpack(b"stsz", _TWO, body)
    _check_count(b"stsz", count)
    if uniform:
        if uniform * count > file_size:
            raise MalformedBox(b"stsz", f"{count} samples of {uniform} bytes exceed the file")
        return np.full(count, uniform, np.int64)
    return column(_table(b"stsz", body[4:], np.dtype(">u4")))


def _check_sizes(size: Column) -> None:
    if len(size) and int(size.max()) > MAX_SAMPLE_SIZE:
        sample = int(np.argmax(size))
        raise MalformedBox(b"stsz", f"sample {sample + 1} has {int(size[sample])} bytes")


def _check_count(fourcc: bytes, count: int) -> None:
    if count > MAX_SAMPLES:
        raise MalformedBox(fourcc, f"{count} samples are more than the limit of {MAX_SAMPLES}")


def _compact_sizes(body: memoryview) -> Column:
    field_size, count = unpack(b"stz2", _TWO, body)
    _check_count(b"stz2", count)
    rows = body[_TWO.size :]
    if count * field_size > 8 * len(rows):
        raise MalformedBox(b"stz2", f"{count} samples do not fit in {len(rows)} bytes")
    match field_size:
        case 16:
            return column(np.frombuffer(rows, ">u2", count))
        case 8:
            return column(np.frombuffer(rows, np.uint8, count))
        case 4:
            packed = np.frombuffer(rows, np.uint8, (count + 1) // 2)
            return column(np.stack((packed >> 4, packed & 15), axis=1).reshape(-1)[:count])
    raise MalformedBox(b"stz2", f"field size {field_size} is not 4, 8 or 16")


def _expand(pairs: npt.NDArray[Any], count: int) -> Column:
    """Run-length *pairs* as one value per sample, at most *count*."""
    counts = np.minimum(column(pairs["count"]), count)
    before = np.cumsum(counts) - counts
    counts = np.clip(count - before, 0, counts)
    return np.repeat(column(pairs["value"]), counts)


def _durations(stbl: dict[bytes, memoryview], count: int) -> Column:
    """Of *count* samples, or of as many of them as have one."""
    body = _body(stbl, b"stts")
    if not count:
        return column([])
    durations = _expand(_table(b"stts", body, _PAIR), count)
    if not len(durations):
        raise MalformedBox(b"stts", f"no entry for {count} samples")
    # Some writers store a negative correction as a huge unsigned delta.
    if (durations >= 1 << 31).any():
        raise MalformedBox(b"stts", "a sample lasts 2^31 ticks or more")
    return durations


def _composition_offsets(stbl: dict[bytes, memoryview], count: int) -> Column:
    """Signed in both versions: QuickTime and ffmpeg write negative ones in version 0."""
    offsets = np.zeros(count, np.int64)
    if b"ctts" in stbl and count:
        known = _expand(_table(b"ctts", _body(stbl, b"ctts"), _SIGNED_PAIR), count)
        offsets[: len(known)] = known
    return offsets


def _chunk_offsets(stbl: dict[bytes, memoryview]) -> Column:
    if b"co64" in stbl:
        wide = _table(b"co64", _body(stbl, b"co64"), np.dtype(">u8"))
        if len(wide) and int(wide.max()) >= 1 << 62:
            raise MalformedBox(b"co64", f"offset {int(wide.max())} is out of range")
        return column(wide)
    return column(_table(b"stco", _body(stbl, b"stco"), np.dtype(">u4")))


def _samples_per_chunk(stbl: dict[bytes, memoryview], chunks: int, count: int) -> Column:
    entries = _table(b"stsc", _body(stbl, b"stsc"), _STSC)
    if not len(entries):
        raise MalformedBox(b"stsc", f"no entry for {count} samples")
    first = column(entries["first_chunk"]) - 1
    if first[0] != 0 or (np.diff(first) <= 0).any():
        raise MalformedBox(b"stsc", "first_chunk does not start at 1 and increase")
    stops = np.minimum(np.append(first[1:], chunks), chunks)
    lengths = np.maximum(stops - np.minimum(first, chunks), 0)
    return np.repeat(np.minimum(column(entries["samples"]), count), lengths)


def used_descriptions(stbl: dict[bytes, memoryview]) -> set[int]:
    """Numbers of the sample descriptions that stsc names, 1-based."""
    if b"stsc" not in stbl:
        return set()
    return set(_table(b"stsc", _body(stbl, b"stsc"), _STSC)["description"].tolist())


def _offsets(stbl: dict[bytes, memoryview], size: Column, file_size: int) -> Column:
    count = len(size)
    if not count:
        return column([])
    chunk_offset = _chunk_offsets(stbl)
    name = b"co64" if b"co64" in stbl else b"stco"
    per_chunk = _samples_per_chunk(stbl, len(chunk_offset), count)
    before = np.cumsum(per_chunk) - per_chunk
    per_chunk = np.clip(count - before, 0, per_chunk)
    if int(per_chunk.sum()) != count:
        raise MalformedBox(
            name, f"{len(chunk_offset)} chunks hold {int(per_chunk.sum())} of {count} samples"
        )
    chunk = np.repeat(np.arange(len(chunk_offset)), per_chunk)
    preceding = np.cumsum(size) - size  # bytes of earlier samples, in any chunk
    first = np.minimum(np.cumsum(per_chunk) - per_chunk, count - 1)
    offset = chunk_offset[chunk] + preceding - preceding[first][chunk]
    beyond = np.flatnonzero(offset + size > file_size)
    if len(beyond):
        sample = int(beyond[0])
        raise MalformedBox(
            name,
            f"sample {sample + 1} at {int(offset[sample])} (chunk {int(chunk[sample]) + 1}) "
            f"runs past the end of the file at {file_size}",
        )
    # Samples that claim the same bytes many times would make work without end.
    if int(size.sum()) > file_size:
        raise MalformedBox(name, f"{int(size.sum())} bytes of samples overlap in the file")
    return column(offset)


def _sync(stbl: dict[bytes, memoryview], count: int) -> Flags:
    """Without stss every sample is a sync sample (§8.6.2.1)."""
    if b"stss" not in stbl:
        return np.ones(count, np.bool_)
    numbers = column(_table(b"stss", _body(stbl, b"stss"), np.dtype(">u4"))) - 1
    if len(numbers) and (int(numbers.min()) < 0 or int(numbers.max()) >= count):
        raise MalformedBox(b"stss", f"names a sample outside 1 to {count}")
    sync = np.zeros(count, np.bool_)
    sync[numbers] = True
    return sync
