"""Segments taken apart by the letter of ISO/IEC 14496-12, without the packager's parsers."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass


def boxes(data: bytes) -> Iterator[tuple[str, bytes]]:
    """``(type, payload)`` of boxes end to end."""
    at = 0
    while at < len(data):
        size, fourcc = struct.unpack_from(">I4s", data, at)
        assert 8 <= size <= len(data) - at, fourcc
        yield fourcc.decode("ascii"), data[at + 8 : at + size]
        at += size


def find(data: bytes, *path: str) -> bytes:
    """The payload of the one box at *path*."""
    for name in path:
        [data] = [payload for fourcc, payload in boxes(data) if fourcc == name]
    return data


def names(data: bytes) -> list[str]:
    return [fourcc for fourcc, _ in boxes(data)]


@dataclass
class Row:
    duration: int
    size: int
    flags: int
    offset: int


@dataclass
class Segment:
    sequence: int
    track_id: int
    decode_time: int
    rows: list[Row]
    samples: list[bytes]


def parse_segment(data: bytes) -> Segment:
    assert names(data) == ["styp", "moof", "mdat"]
    assert find(data, "styp")[:4] == b"msdh"
    moof = find(data, "moof")
    assert names(moof) == ["mfhd", "traf"]
    traf = find(moof, "traf")
    assert names(traf) == ["tfhd", "tfdt", "trun"]
    tfhd, tfdt, trun = (find(traf, name) for name in ("tfhd", "tfdt", "trun"))
    flags, track_id = struct.unpack_from(">II", tfhd)
    assert flags & ~0x28 == 0x020000  # default-base-is-moof; a duration, flags
    defaults = list(struct.unpack(f">{len(tfhd) // 4 - 2}I", tfhd[8:]))
    duration = defaults.pop(0) if flags & 0x08 else None
    sample_flags = defaults.pop(0) if flags & 0x20 else None
    assert tfdt[:4] == b"\1\0\0\0"
    rows, data_offset = parse_run(trun, duration, sample_flags)
    moof_start = data.index(b"moof") - 4
    at = moof_start + data_offset
    assert data[at - 4 : at] == b"mdat"
    payloads = []
    for row in rows:
        payloads.append(data[at : at + row.size])
        at += row.size
    assert at == len(data)
    return Segment(
        struct.unpack(">I", find(moof, "mfhd")[4:])[0],
        track_id,
        struct.unpack(">Q", tfdt[4:])[0],
        rows,
        payloads,
    )


def parse_run(
    trun: bytes, duration: int | None, sample_flags: int | None
) -> tuple[list[Row], int]:
    word, count, data_offset = struct.unpack_from(">IIi", trun)
    assert word & ~0x000F00 == 0x000001  # version 0; data-offset-present
    rows, at = [], 12
    for _ in range(count):
        values: list[int | None] = [duration, None, sample_flags, 0]
        for place, flag in enumerate((0x100, 0x200, 0x400, 0x800)):
            if word & flag:
                (values[place],) = struct.unpack_from(">I", trun, at)
                at += 4
        assert None not in values
        rows.append(Row(*values))  # type: ignore[arg-type]
    assert at == len(trun)
    return rows, data_offset
