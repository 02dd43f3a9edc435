"""The box itself: size, type, payload (ISO/IEC 14496-12 §4.2).

``box`` and ``iter_boxes`` are inverses.  Nothing here knows any particular box.
"""

import itertools
import struct
from collections.abc import Iterator

from packager.errors import MalformedBox

HEADER = struct.Struct(">I4s")
LARGE_HEADER_SIZE = 16
MAX_BOXES = 10_000
"""In one container: walking them takes no longer than reading the file."""


def box(fourcc: bytes, *parts: bytes) -> bytes:
    """Wrap *parts* in a box."""
    size = HEADER.size + sum(map(len, parts))
    return b"".join((HEADER.pack(size, fourcc), *parts))


def full_box(fourcc: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """Wrap *parts* in a box that carries a version and flags."""
    return box(fourcc, struct.pack(">I", version << 24 | flags), *parts)


def parse_header(data: memoryview | bytes, available: int) -> tuple[bytes, int, int]:
    """``(fourcc, header size, box size)`` of the box at the start of *data*.

    *available* is how many bytes the container has from here on; a size of 0 means all of
    them (§4.2.2).  The box may be larger than *available*: the caller decides.
    """
    if len(data) < HEADER.size:
        raise MalformedBox(b"????", f"{len(data)} stray bytes after the last box")
    size, fourcc = HEADER.unpack_from(data)
    start = HEADER.size
    if size == 1:  # a 64-bit size follows the type
        start = LARGE_HEADER_SIZE
        if len(data) < start:
            raise MalformedBox(fourcc, "64-bit size is cut short")
        size = int.from_bytes(data[8:16], "big")
    elif size == 0:
        size = available
    if size < start:
        raise MalformedBox(fourcc, f"size {size} is smaller than its own header")
    return fourcc, start, size


def iter_boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield ``(fourcc, payload)`` for each box laid end to end in *data*; trailing junk shorter
    than a header is left.

    QuickTime ends some containers with a 32-bit zero.
    """
    for count in itertools.count():
        if len(data) < HEADER.size:
            return
        fourcc, start, size = parse_header(data, len(data))
        if count == MAX_BOXES:
            raise MalformedBox(fourcc, f"follows {MAX_BOXES} boxes of the same container")
        if size > len(data):
            raise MalformedBox(fourcc, f"size {size} does not fit in {len(data)} bytes")
        yield fourcc, data[start:size]
        data = data[size:]


def children(data: memoryview) -> dict[bytes, memoryview]:
    """The first box of each type in *data*."""
    found: dict[bytes, memoryview] = {}
    for fourcc, payload in iter_boxes(data):
        found.setdefault(fourcc, payload)
    return found


def version_and_flags(fourcc: bytes, payload: memoryview) -> tuple[int, int, memoryview]:
    """Split a full box's payload into version, flags and the rest."""
    if len(payload) < 4:
        raise MalformedBox(fourcc, "cut short before its version")
    return payload[0], int.from_bytes(payload[1:4], "big"), payload[4:]


def unpack(fourcc: bytes, layout: struct.Struct, payload: memoryview) -> tuple[int, ...]:
    """*layout* from the start of *payload*, or the box's name in the error."""
    if len(payload) < layout.size:
        raise MalformedBox(fourcc, f"{len(payload)} bytes where {layout.size} are needed")
    return layout.unpack_from(payload)
