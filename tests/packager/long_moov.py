"""A film of half a day, whose samples are of a few bytes and all alike: 2.6 million pictures at
60 frames a second, 2 million frames of AAC, each a chunk of its own.

``python -m tests.packager.long_moov FILE`` writes it, to be ingested.
"""

import struct
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from packager.index import FlavorIndex
from packager.indexing import build_index
from packager.isobmff.box import box, full_box
from packager.plan import Extent, run_reads
from packager.samples import Column
from tests.packager.tables import (
    FTYP,
    IDENTITY,
    LC_44100_STEREO,
    avc1,
    avcc,
    counted,
    esds,
    mp4a,
    stsd,
)

HOURS = 12
PICTURES = HOURS * 3600 * 60
FRAMES = HOURS * 3600 * 48_000 // 1024
PICTURE, SOUND = 24, 16
"""Bytes of each."""

UNIT = b"\0\0\0\x14\x41" + bytes(PICTURE - 5)


def table(name: bytes, *columns: Any, kind: str = ">u4") -> bytes:
    rows = np.column_stack(columns).astype(kind)
    return full_box(name, 0, 0, struct.pack(">I", len(rows)), rows.tobytes())


def trak(
    handler: bytes, scale: int, duration: int, size: int, places: Any, *more: bytes
) -> bytes:
    count, times = len(places), struct.pack(">II", 0, 0)
    head = struct.pack(">II", 0, count)
    stbl = box(
        b"stbl", counted(b"stts", (count, duration)), counted(b"stsc", (1, 1, 1)),
        full_box(b"stsz", 0, 0, head, np.full(count, size, ">u4").tobytes()),
        table(b"co64", places, kind=">u8"), *more,
    )  # fmt: skip
    mdhd = full_box(b"mdhd", 0, 0, times, struct.pack(">IIHH", scale, 0, 0x55C4, 0))
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(13))
    tkhd = full_box(
        b"tkhd", 0, 7, times, struct.pack(">III", 1, 0, 0), bytes(16), IDENTITY, bytes(8)
    )
    return box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, box(b"minf", stbl)))


def _in_file() -> tuple[Column, Column]:
    """Pictures and sounds in the order of their times, and where each lies."""
    times = np.concatenate((np.arange(PICTURES) / 60, np.arange(FRAMES) * 1024 / 48_000))
    sizes = np.repeat([PICTURE, SOUND], [PICTURES, FRAMES])
    order = np.argsort(times, kind="stable")
    places = np.empty(len(times), np.int64)
    places[order] = np.cumsum(sizes[order]) - sizes[order]
    return order, places


@cache
def long_film() -> tuple[bytes, int]:
    """All before the samples, and the size of the file."""
    _, places = _in_file()
    media = PICTURES * PICTURE + FRAMES * SOUND
    offsets = np.tile([3000, 6000, 1500, 1500], PICTURES // 4)

    def head(first: int) -> bytes:
        pictures = trak(
            b"vide", 90_000, 1500, PICTURE, places[:PICTURES] + first,
            stsd(avc1(box(b"avcC", avcc()))), table(b"ctts", np.ones(PICTURES), offsets),
            table(b"stss", np.arange(1, PICTURES, 120)),
        )  # fmt: skip
        sounds = trak(
            b"soun", 48_000, 1024, SOUND, places[PICTURES:] + first,
            stsd(mp4a(esds(LC_44100_STEREO))),
        )  # fmt: skip
        mvhd = full_box(b"mvhd", 0, 0, struct.pack(">IIII", 0, 0, 600, 0), bytes(80))
        moov = box(b"moov", mvhd, pictures, sounds)
        return FTYP + moov + struct.pack(">I4sQ", 1, b"mdat", media + 16)

    made = head(len(head(0)))
    return made, len(made) + media


class Source:
    """Reads *long_film*, whose samples are all alike, and counts."""

    def __init__(self) -> None:
        self.head, self.size = long_film()
        self.reads: list[Extent] = []

    def read(self, extent: Extent) -> bytes:
        self.reads.append(extent)
        if extent.offset < len(self.head):
            return self.head[extent.offset : extent.offset + extent.length]
        return (UNIT * (extent.length // PICTURE + 1))[: extent.length]

    def index(self) -> FlavorIndex:
        return run_reads(build_index(self.size, facts=False), self.read)


def write(path: Path) -> None:
    order, _ = _in_file()
    with path.open("wb") as file:
        file.write(long_film()[0])
        for part in np.array_split(order < PICTURES, 100):
            file.write(b"".join(UNIT if picture else bytes(SOUND) for picture in part.tolist()))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
