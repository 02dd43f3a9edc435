"""What memory the workers of one edge take, beside the objects that all of them serve.

Each is asked for all objects, more than once: the connections are many, and whoever is free
accepts them.  The page cache is nobody's: what is measured is what they hold themselves.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.crowd import Crowd
from bench.figures import Result, figure
from bench.processes import memory
from bench.servers import Server, edge
from bench.settings import Scale

PROGRAM = "edge"
_SIZE = 1 << 20
_TIMES = 4
"""How often a worker is asked for an object, on average."""
_PER_WORKER = 8
"""Connections."""


def memory_of_workers(source: str, scale: Scale) -> Iterator[Result]:
    """An edge with a disk, and one in RAM alone, in front of *source*."""
    working_set = scale.edge_objects * _SIZE
    with tempfile.TemporaryDirectory() as folder:
        cache = ("--cache-dir", str(Path(folder) / "cache"))
        yield _measure(source, scale, "with a disk", working_set, cache, at_most=1.0)
    # What is in RAM is in that of each worker that was asked for it, as far as --ram goes.
    yield _measure(source, scale, "in RAM alone", working_set, ("--ram", str(working_set)))


def _measure(
    source: str,
    scale: Scale,
    name: str,
    working_set: int,
    options: tuple[str, ...],
    at_most: float | None = None,
) -> Result:
    workers = scale.edge_workers
    with edge(source, "--workers", str(workers), *options) as server:
        idle = _used(server)
        paths = [f"/{_SIZE + number}" for number in range(scale.edge_objects)]
        asked = 0
        while asked < _TIMES * workers * len(paths):
            crowd = Crowd(server.address, workers * _PER_WORKER)
            try:
                asked += len(crowd.keep_asking(paths, scale.seconds).answers)
            finally:
                crowd.close()
        busy = _used(server)
    figures = {
        "working set": figure("MiB", [working_set / _MIB]),
        "PSS idle": figure("MiB", [idle / _MIB]),
        "PSS": figure("MiB", [busy / _MIB]),
        "growth": figure("of the working set", [(busy - idle) / working_set], at_most),
    }
    return Result(PROGRAM, f"memory of {workers} workers, {name}", figures)


_MIB = 1 << 20


def _used(server: Server) -> int:
    return sum(memory(pid).proportional for pid in server.pids)
