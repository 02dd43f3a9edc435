"""What files at the limits of the packager cost to index, and how soon one beyond them is
refused.  ``python -m bench.limits``

Each file is made in memory; each line is a process of its own, so that its peak is its own.
"""

import os
import resource
import struct
import sys
import time
from collections.abc import Callable

from packager.errors import PackagerError
from packager.indexing import build_index
from packager.isobmff.box import box, full_box
from packager.isobmff.fragments import MAX_RUNS
from packager.isobmff.layout import MAX_TOP_LEVEL_BOXES
from packager.plan import run_reads
from packager.source import MAX_SAMPLES

_IDENTITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_FRAME = 960
"""Ticks of 48 kHz."""

_OPUS = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 0, 48_000, 0, 0)


def _init() -> bytes:
    """Opus, of which each frame has a byte and 20 ms where a fragment says nothing else."""
    record = full_box(b"dOps", 0, 0)[:8] + struct.pack(">BBHIhB", 0, 2, 0, 48_000, 0, 0)
    record = struct.pack(">I", len(record)) + record[4:]
    fields = struct.pack(">HHIHHHHI", 0, 0, 0, 2, 16, 0, 0, 48_000 << 16)
    entry = box(b"Opus", bytes(6), b"\0\1", fields, record)
    stbl = box(b"stbl", full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry))
    mdhd = full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, 48_000, 0, 0x55C4, 0))
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), b"soun", bytes(13))
    tkhd = full_box(
        b"tkhd", 0, 7, struct.pack(">IIIII", 0, 0, 1, 0, 0), bytes(16), _IDENTITY, bytes(8)
    )
    trak = box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, box(b"minf", stbl)))
    mvhd = full_box(b"mvhd", 0, 0, struct.pack(">IIII", 0, 0, 600, 0), bytes(80))
    trex = full_box(b"trex", 0, 0, struct.pack(">5I", 1, 1, _FRAME, 1, 0))
    ftyp = box(b"ftyp", b"isom", bytes(4))
    return ftyp + box(b"moov", mvhd, trak, box(b"mvex", trex))


def _fragments(count: int, samples: int, *, rows: bool = False) -> bytes:
    """*rows*: each sample has its duration, size, flags and offset."""
    flags = 0xF01 if rows else 0x1
    table = struct.pack(">IIII", _FRAME, 1, 0, 0) * samples if rows else b""
    tfhd = full_box(b"tfhd", 0, 0x20000, struct.pack(">I", 1))

    def moof(offset: int) -> bytes:
        trun = full_box(b"trun", 0, flags, struct.pack(">II", samples, offset), table)
        return box(b"moof", box(b"traf", tfhd, trun))

    one = moof(len(moof(0)) + 8) + box(b"mdat", bytes(samples))
    return _init() + one * count


def _element(identifier: str, payload: bytes) -> bytes:
    return bytes.fromhex(identifier) + struct.pack(">Q", 1 << 56 | len(payload)) + payload


def _matroska(blocks: int) -> bytes:
    """SimpleBlocks of a frame of Opus each, 50 to a cluster."""
    entry = b"".join(
        _element(identifier, payload)
        for identifier, payload in (
            ("d7", b"\1"), ("83", b"\2"), ("86", b"A_OPUS"), ("63a2", _OPUS),
        )
    )  # fmt: skip
    tracks = _element("1654ae6b", _element("ae", entry))
    frames = b"".join(
        b"\xa3\x85\x81" + struct.pack(">hBB", 20 * row, 0x80, 0xF8) for row in range(50)
    )
    clusters = b"".join(
        _element("1f43b675", _element("e7", struct.pack(">I", 1000 * at)) + frames)
        for at in range(blocks // 50)
    )
    head = _element("1a45dfa3", _element("4282", b"matroska"))
    return head + _element("18538067", tracks + clusters)


_PAIRS = MAX_TOP_LEVEL_BOXES // 2 - 1
"""Fragments of moof and mdat; ftyp and moov are boxes too."""

_CLUSTERS = MAX_SAMPLES // 50
"""Of 50 blocks each."""

CASES: tuple[tuple[str, Callable[[], bytes]], ...] = (
    (f"{2 * _PAIRS + 2:,} boxes: fragments of a sample", lambda: _fragments(_PAIRS, 1)),
    ("... two boxes more", lambda: _fragments(_PAIRS + 1, 1)),
    ("1,000,000 empty boxes", lambda: _init() + box(b"free") * 1_000_000),
    (f"{MAX_SAMPLES:,} samples that are alike", lambda: _fragments(1024, MAX_SAMPLES >> 10)),
    ("... a fragment more", lambda: _fragments(1025, MAX_SAMPLES >> 10)),
    (
        f"{MAX_SAMPLES:,} samples, each with a row",
        lambda: _fragments(1024, MAX_SAMPLES >> 10, rows=True),
    ),
    ("... a fragment more", lambda: _fragments(1025, MAX_SAMPLES >> 10, rows=True)),
    ("500,000 blocks of Matroska", lambda: _matroska(500_000)),
    (f"{_CLUSTERS:,} clusters of Matroska", lambda: _matroska(50 * _CLUSTERS)),
    ("... a cluster more", lambda: _matroska(50 * _CLUSTERS + 50)),
)  # fmt: skip


def measure(data: bytes) -> str:
    """Seconds, MiB above what the file itself takes, and what came of it."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    view = memoryview(data)
    begin = time.perf_counter()
    try:
        index = run_reads(
            build_index(len(data), facts=True),
            lambda extent: bytes(view[extent.offset : extent.offset + extent.length]),
        )
        said = f"{sum(track.count for track in index.tracks):,} samples"
    except PackagerError as error:
        said = f"refused: {error}"
    seconds = time.perf_counter() - begin
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
    return f"{len(data) / 1e6:7.1f} MB  {seconds:6.2f} s  {more:5} MiB  {said}"


def main() -> None:
    assert MAX_RUNS >= _PAIRS
    for title, make in CASES:
        if (child := os.fork()) == 0:
            sys.stdout.write(f"{title:44}{measure(make())}\n")
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
