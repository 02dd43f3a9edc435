"""What a thumbnail costs, in decodings of its key frame by bare PyAV.

Each run asks for a picture that nobody has drawn yet, over HTTP, and right after it decodes the
same sample in this process: a decoder is made, given the sample and drained.  *CPU* is that of
the origin and of the process that draws for it.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
from av.packet import Packet

from bench.client import Client
from bench.figures import Figure, Result, figure, ratio
from bench.harness import Harness
from bench.processes import cpu_seconds
from bench.servers import Server, origin
from packager.index import FlavorIndex
from packager.indexing import build_index
from packager.plan import run_reads
from packager.tracks import Kind

PROGRAM = "pictures"
_AT_MOST = 1.5
"""Target of a thumbnail, in decodings."""

_MOST = 40
"""Key frames that are asked for in each case."""

_CASES: dict[str, tuple[str, float | None]] = {
    "320 wide": ("-w320", _AT_MOST),
    "as large as the video": ("", None),
}
"""Selectors, and targets."""


def run(harness: Harness) -> None:
    path = harness.media(harness.scale.high, harness.scale.short)
    keys = list(_key_frames(path))
    with (
        tempfile.TemporaryDirectory() as data,
        origin("--data", data, "--local-root", str(path.parent)) as server,
        Client(server.address) as client,
        harness.step(PROGRAM, len(_CASES) + 1) as advance,
    ):
        at = f"/thumb/local/{path.name}"
        high = harness.scale.high
        for name, (size, most) in _CASES.items():
            figures = _measured(server, client, keys, at, size, most)
            case = f"thumbnail {name}, of {high.width} by {high.height}"
            harness.record(Result(PROGRAM, case, figures))
            advance(name)
        sheet = figure("ms", [client.get(f"{at}/sheet-1.jpg").total * 1000])
        harness.record(Result(PROGRAM, "sheet of 25 tiles", {"request": sheet}))
        advance("sheet")


def _measured(
    server: Server,
    client: Client,
    keys: list[tuple[int, bytes, bytes]],
    at: str,
    size: str,
    most: float | None,
) -> dict[str, Figure]:
    whole, cpu, bare, bare_cpu = [], [], [], []
    [(first, _, _), *others] = keys
    client.get(f"{at}/thumb-{first}{size}.jpg")  # the process that draws begins
    for milliseconds, record, sample in others:
        before = _cpu(server)
        whole.append(client.get(f"{at}/thumb-{milliseconds}{size}.jpg").total * 1000)
        cpu.append((_cpu(server) - before) * 1000)
        wall, own = time.perf_counter(), time.process_time()
        _decode(record, sample)
        bare_cpu.append((time.process_time() - own) * 1000)
        bare.append((time.perf_counter() - wall) * 1000)
    return {
        "request": figure("ms", whole),
        "bare decoding": figure("ms", bare),
        "decodings": ratio("times", whole, bare, most),
        "CPU": figure("ms", cpu),
        "CPU to bare": ratio("times", cpu, bare_cpu, most),
    }


def _decode(record: bytes, sample: bytes) -> None:
    context: Any = av.CodecContext.create("h264", "r")
    context.extradata = record
    frames = [*context.decode(Packet(sample)), *context.decode(None)]
    assert len(frames) == 1


def _cpu(server: Server) -> float:
    """Of the worker and of what its threads have started."""
    drawing = [
        int(pid)
        for worker in server.pids
        for thread in Path(f"/proc/{worker}/task").iterdir()
        for pid in (thread / "children").read_text().split()
    ]
    return cpu_seconds([*server.pids, *drawing])


def _key_frames(path: Path) -> Iterator[tuple[int, bytes, bytes]]:
    """Time in milliseconds, configuration record and sample of some that differ."""
    with path.open("rb") as file:

        def read(extent: Any) -> bytes:
            file.seek(extent.offset)
            return file.read(extent.length)

        size = path.stat().st_size
        index: FlavorIndex = run_reads(build_index(size, facts=False), read)
        [video] = index.of_kind(Kind.VIDEO)
        rows = video.samples(0, video.count, index.blocks[index.tracks.index(video)])
        record = video.track.format.config.record
        numbers = [n for n in range(video.count) if rows.sync[n]][:_MOST]
        for number in numbers:
            file.seek(int(rows.offset[number]))
            time_ = (int(rows.cts[number]) - video.origin) * 1000 // video.track.timescale
            yield time_, record, file.read(int(rows.size[number]))
