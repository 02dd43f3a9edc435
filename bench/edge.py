"""How many hits an edge serves in a second of CPU, against nginx's proxy_cache and the floor.

All caches sit in front of the same upstream, write an access log, and hold the object before
the first run: one edge in RAM alone, one with a disk tier, whose large bodies come from the
page cache as nginx's do.  Small objects are asked for by wrk where it is installed.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import nginx
from bench.client import Client
from bench.errors import BadResponse, NotThere
from bench.figures import Figure, Result, figure, ratio
from bench.harness import Harness
from bench.measure import (
    MILLISECONDS,
    Run,
    alternate,
    client_notes,
    closed_loop,
    costs,
    crowded,
)
from bench.processes import memory
from bench.servers import Server, edge, floor
from bench.upstream import upstream
from bench.workers import memory_of_workers
from bench.wrk import has_wrk, load

PROGRAM = "edge"
_KIB = 1 << 10
_PAUSE = 0.02
"""Seconds between two tries: what has come is stored a moment after."""
_WRK_TO = 100 * _KIB
"""Bytes up to which wrk asks; above, its own copying and parsing is the limit."""

_P99 = 10.0
"""Milliseconds."""

_SIZES = {"2 KiB": 2 * _KIB, "100 KiB": 100 * _KIB, "1 MiB": 1 << 20, "4 MiB": 4 << 20}


@dataclass(frozen=True, slots=True)
class _Site:
    source: str
    """URL of the upstream."""
    own: Server
    disk: Server
    peer: Server | None
    base: Server
    notes: tuple[str, ...]


def run(harness: Harness) -> None:
    with _site() as site, harness.step(PROGRAM, len(_SIZES)) as advance:
        for name, size in _SIZES.items():
            harness.record(_measure(harness, site, f"{name} hit", size))
            advance(name)
        for name, server in (("in RAM alone", site.own), ("with a disk", site.disk)):
            used = memory(server.pids[0])
            figures = {"PSS": figure("MiB", [used.proportional / (1 << 20)])}
            harness.record(Result(PROGRAM, f"memory of the worker, {name}", figures))
        for result in memory_of_workers(site.source, harness.scale):
            harness.record(result)


@contextmanager
def _site() -> Iterator[_Site]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = folder / "floor"
        file.write_bytes(bytes(max(_SIZES.values())))
        source = stack.enter_context(upstream())
        peer = None
        try:
            peer = stack.enter_context(nginx.nginx_cache(source))
            notes = (f"nginx {nginx.version()}",)
        except NotThere as missing:
            notes = (str(missing),)
        own = stack.enter_context(edge(source))
        disk = stack.enter_context(edge(source, "--cache-dir", str(folder / "cache")))
        yield _Site(source, own, disk, peer, stack.enter_context(floor(file)), notes)


def _measure(harness: Harness, site: _Site, case: str, size: int) -> Result:
    scale, path = harness.scale, f"/{size}"
    _warm(site.own, path, "cache-status", "hit")
    _warm(site.disk, path, "cache-status", "hit")
    loops: dict[str, Callable[[], Run]] = {
        "own": _loop(harness, site.own, path, size),
        "disk": _loop(harness, site.disk, path, size),
    }
    if site.peer is not None:
        _warm(site.peer, path, "x-cache", "HIT")
        loops["peer"] = _loop(harness, site.peer, path, size)
    loops["base"] = partial(closed_loop, site.base, [f"/0/{size}"], scale.seconds)
    uncopied = f"/sendfile/0/{size}"
    loops["sendfile"] = partial(closed_loop, site.base, [uncopied], scale.seconds)
    if size <= _WRK_TO:  # the floor has one connection at a time, so the edge gets one too
        loops["alone"] = partial(closed_loop, site.own, [path], scale.seconds)
    runs = alternate(loops, scale.runs)
    times, notes = _times(harness, site.own, path, size)
    on_disk, _ = _times(harness, site.disk, path, size)
    times |= {f"{name}, disk": one for name, one in on_disk.items() if name.startswith("p99")}
    return Result(
        PROGRAM,
        case,
        _figures(runs) | times,
        (*site.notes, *client_notes(runs["own"]), *notes),
    )


def _warm(server: Server, path: str, header: str, word: str) -> None:
    """Ask until it is a hit."""
    with Client(server.address) as client:
        for _ in range(10):
            head, _body = client.fetch(path)
            if word in head.headers.get(header, ""):
                return
            time.sleep(_PAUSE)
    raise BadResponse(f"{server.name}: {path} does not become a hit")


def _loop(harness: Harness, server: Server, path: str, size: int) -> Callable[[], Run]:
    scale = harness.scale
    if size <= _WRK_TO and has_wrk():
        return lambda: load(server, path, scale.connections, scale.seconds)[0]
    return partial(closed_loop, server, [path], scale.seconds)


def _times(
    harness: Harness, server: Server, path: str, size: int
) -> tuple[dict[str, Figure], tuple[str, ...]]:
    """Nobody pauses, so a time is that of all connections' answers, one after the other: there
    is a target where those take milliseconds."""
    scale = harness.scale
    connections = scale.edge_connections
    if size > _WRK_TO or not has_wrk():
        many = crowded(server, [path], connections, scale.latency_seconds)
        return many.figures(connections), many.notes
    one, times = load(server, path, connections, scale.latency_seconds)
    at = f"at {connections}"
    figures = {f"{name} {at}": figure("ms", [value]) for name, value in times.items()}
    figures[f"p99 {at}"] = figure("ms", [times["p99"]], _P99)
    figures[f"rate {at}"] = figure("requests/s", [one.requests / one.seconds])
    figures[f"client CPU {at}"] = figure("of its core", [one.client_cpu / one.seconds])
    return figures, ("asked by wrk",)


def _figures(runs: dict[str, list[Run]]) -> dict[str, Figure]:
    own = costs(runs["own"])
    found = {
        "hits": figure("hits/CPU second", _rates(own)),
        "server CPU": figure(MILLISECONDS, own),
    }
    disk = costs(runs["disk"])
    found["hits, disk"] = figure("hits/CPU second", _rates(disk))
    if "peer" in runs:
        peer = costs(runs["peer"])
        found["hits of nginx"] = figure("hits/CPU second", _rates(peer))
        found["hits to nginx"] = ratio("of nginx", peer, own)
        found["hits to nginx, disk"] = ratio("of nginx", peer, disk)
    if "base" in runs:
        base = costs(runs["base"])
        found["floor"] = figure(MILLISECONDS, base)
        bare = costs(runs["sendfile"])
        found["bare sendfile"] = figure(MILLISECONDS, bare)
        found["bare sendfile to disk"] = ratio("of the bare loop", bare, disk)
        found["floors"] = ratio("floors", costs(runs.get("alone", runs["own"])), base)
        if "peer" in runs and "alone" not in runs:
            found["nginx, floors"] = ratio("floors", costs(runs["peer"]), base)
    return found


def _rates(milliseconds: list[float]) -> list[float]:
    return [1000 / one if one else 0.0 for one in milliseconds]
