"""How a volume file looks.  Pure.

    0        header: magic, version, where the records begin, checksum
    4096     bodies, each from a multiple of 4096
    ...      records, each from a multiple of 512, in the order they were committed

    record   mark, checksum, version, sizes, where the body is, stamp | key | metadata
             then one xxh3-64 for each 64 KiB of the body

A record's checksum covers all but its mark, which alone ever changes: from live to dead.  It is
seeded with the volume's number, so that a stray block of another volume is no record of this
one.  The sums of the blocks are covered through a sum of their own: they are read only when a
body has to be verified.
"""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from xxhash import xxh3_64_digest, xxh3_64_intdigest

VERSION = 1
GRAIN = 4 << 10
"""Bytes that bodies are aligned to: no two bodies share a page."""

BLOCK = 64 << 10
"""Bytes of a body under one sum."""

RECORD_GRAIN = 512
MAX_KEY = 16 << 10
"""Bytes; a target of 8 KiB and what Vary selects."""

MAX_META = 256 << 10
"""Bytes; an upstream's header lines are at most 64 KiB."""

LIVE, DEAD = b"hrL1", b"hrD1"
SUM = 8

_HEADER = struct.Struct("<8sQ")
_MAGIC = b"hrvol\0\0\1"
HEADER_SIZE = _HEADER.size + SUM

_MARK = struct.Struct("<4s4xQ")
_FIXED = struct.Struct("<HHIQQQQ")
_FIXED_SIZE = _MARK.size + _FIXED.size


class Record(NamedTuple):
    key: bytes
    meta: bytes
    offset: int
    """Of the body in its volume."""
    length: int
    """Bytes of the body."""
    stamp: int
    """Nanoseconds since 1970; of two records of one key the later one holds."""
    sum_of_sums: int


class Placed(NamedTuple):
    """A record found in a volume, live or dead."""

    at: int
    size: int
    """Bytes, without the sums of the blocks."""
    is_live: bool
    record: Record


def encode_header(records_at: int) -> bytes:
    head = _HEADER.pack(_MAGIC, records_at)
    return head + xxh3_64_digest(head)


def decode_header(data: bytes) -> int | None:
    """Where the records begin; None if this is not the header of a volume."""
    head = data[: _HEADER.size]
    if len(data) < HEADER_SIZE or data[_HEADER.size : HEADER_SIZE] != xxh3_64_digest(head):
        return None
    magic, records_at = _HEADER.unpack(head)
    return int(records_at) if magic == _MAGIC else None


def encode_record(record: Record, volume: int) -> bytes:
    key, meta, offset, length, stamp, sum_of_sums = record
    rest = (
        _FIXED.pack(VERSION, len(key), len(meta), offset, length, stamp, sum_of_sums)
        + key
        + meta
    )
    return _MARK.pack(LIVE, xxh3_64_intdigest(rest, volume)) + rest


def decode_record(data: bytes, volume: int) -> tuple[bool, Record] | None:
    """Whether it is live, and the record that is all of *data*; None if it is damaged."""
    if len(data) < _FIXED_SIZE:
        return None
    mark, checksum = _MARK.unpack_from(data)
    if xxh3_64_intdigest(memoryview(data)[_MARK.size :], volume) != checksum:
        return None
    version, key_size, meta_size, *numbers = _FIXED.unpack_from(data, _MARK.size)
    key_end = _FIXED_SIZE + key_size
    if version != VERSION or key_end + meta_size != len(data):
        return None
    return mark == LIVE, Record(data[_FIXED_SIZE:key_end], data[key_end:], *numbers)


def block_count(length: int) -> int:
    return -(-length // BLOCK)


def aligned(size: int, grain: int) -> int:
    """*size*, rounded up."""
    return -(-size // grain) * grain


def record_span(size: int, length: int) -> int:
    """Bytes that a record of *size* takes with the sums of a body of *length*."""
    return aligned(size + SUM * block_count(length), RECORD_GRAIN)


Read = Callable[[int, int], bytes]
"""So many bytes from an offset; fewer at the end of the file."""


def records(read: Read, volume: int) -> Iterator[Placed]:
    """The records of a volume, in order.  What is damaged is passed over."""
    at = decode_header(read(HEADER_SIZE, 0))
    if at is None:
        return
    window, base = read(_WINDOW, at), at
    end = at
    while window:
        if at + MAX_RECORD_SIZE > base + len(window) and len(window) == _WINDOW:
            window, base = read(_WINDOW, at), at
        if at >= base + len(window):
            return
        placed = _at(window, at - base, at, volume)
        if placed is None:
            at += RECORD_GRAIN
            if at > end + _MAX_GAP:
                return
        else:
            yield placed
            at = end = at + record_span(placed.size, placed.record.length)


MAX_RECORD_SIZE = _FIXED_SIZE + MAX_KEY + MAX_META
_MAX_GAP = 16 << 20
"""Bytes without a record: nobody has written there, and a file can be made long for nothing."""
_WINDOW = 4 * MAX_RECORD_SIZE


def _at(window: bytes, place: int, at: int, volume: int) -> Placed | None:
    if len(window) - place < _FIXED_SIZE or window[place : place + 4] not in (LIVE, DEAD):
        return None
    _, key_size, meta_size, *_ = _FIXED.unpack_from(window, place + _MARK.size)
    if key_size > MAX_KEY or meta_size > MAX_META:
        return None
    size = _FIXED_SIZE + key_size + meta_size
    decoded = decode_record(window[place : place + size], volume)
    return None if decoded is None else Placed(at, size, *decoded)
