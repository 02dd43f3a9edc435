"""What a request costs the origin, in milliseconds of CPU and in floors.

One worker, one entry of one 1080p flavor.  Each case alternates with a peer that sends as many
bytes: media with the floor (``bench.floor``) over the same file, small answers with a bare
Tornado delegate.  Segments are asked for in turn, spread over the file.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.client import Client
from bench.errors import BenchError, NotThere
from bench.figures import Figure, Result, figure, ratio
from bench.harness import Harness
from bench.manifests import Found, Track, discover, spread
from bench.measure import (
    MILLISECONDS,
    Run,
    alternate,
    client_notes,
    closed_loop,
    costs,
    crowded,
    mean_size,
)
from bench.processes import memory
from bench.servers import Server, bare_tornado, floor, ingest, origin
from bench.syscalls import count_calls

PROGRAM = "origin"
_LISTED_CALLS = 8


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    paths: Sequence[str]
    at_most: float
    """Target, in the peer's cost."""

    small: bool = False
    """Made, not read: the peer is the bare delegate."""

    of_large: bool = False
    """The target is in floors of a video segment."""


def run(harness: Harness) -> None:
    scale = harness.scale
    file = harness.media(scale.high, scale.short)
    with (
        tempfile.TemporaryDirectory(prefix="headrace-bench-") as folder,
        bare_tornado() as bare,
        floor(file) as base,
    ):
        data = Path(folder)
        entry = ingest([file], data)
        with origin("--data", str(data)) as server:
            idle = memory(server.pids[0])
            cases = find_cases(server, entry, scale.segments)
            reference = _regions(server, file, _by_name(cases, "DASH video").paths)
            with harness.step(PROGRAM, len(cases)) as advance:
                for case in cases:
                    harness.record(_measure(harness, case, server, bare, base, file, reference))
                    advance(case.name)
            harness.record(_memory(server, idle.proportional))


def find_cases(server: Server, entry: str, count: int) -> list[Case]:
    with Client(server.address) as client:
        ts, hls, dash = (
            discover(f"/{path}", client.read)
            for path in (
                f"hls/e/{entry}/master.m3u8",
                f"hls/container/fmp4/e/{entry}/master.m3u8",
                f"dash/e/{entry}/manifest.mpd",
            )
        )
    muxed, fmp4 = _track(ts, "muxed"), _track(hls, "video")
    video, audio = _track(dash, "video"), _track(dash, "audio")
    return [
        Case("TS", spread(muxed.segments, count), 2.1),
        Case("fMP4 video", spread(fmp4.segments, count), 1.3),
        Case("DASH video", spread(video.segments, count), 1.3),
        Case("DASH audio", spread(audio.segments, count), 0.35, of_large=True),
        Case("init", [str(video.init)], 1.5, small=True),
        Case("master playlist", [ts.manifest], 1.5, small=True),
        Case("media playlist", [str(muxed.playlist)], 1.5, small=True),
        Case("MPD", [dash.manifest], 1.5, small=True),
    ]


def _track(found: Found, kind: str) -> Track:
    track = found.best(kind)
    if track is None:
        raise BenchError(f"{found.manifest}: no {kind} track")
    return track


def _by_name(cases: Sequence[Case], name: str) -> Case:
    return next(case for case in cases if case.name == name)


def _regions(server: Server, file: Path, paths: Sequence[str]) -> list[str]:
    """What the floor is asked for in place of *paths*: as many bytes, spread over the file."""
    size = file.stat().st_size
    with Client(server.address) as client:
        lengths = [client.get(path).length for path in paths]
    step = (size - max(lengths)) // max(1, len(lengths))
    return [f"/{number * step}/{length}" for number, length in enumerate(lengths)]


def _measure(
    harness: Harness,
    case: Case,
    server: Server,
    bare: Server,
    base: Server,
    file: Path,
    reference: Sequence[str],
) -> Result:
    scale = harness.scale
    with Client(server.address) as client:
        length = client.get(case.paths[0]).length
    own = [f"/{length}"] if case.small else _regions(server, file, case.paths)
    peer = bare if case.small else base
    asked = {"own": (server, case.paths), "peer": (peer, own)}
    if case.of_large:
        asked["large"] = (base, reference)
    runs = alternate(
        {
            name: lambda of=of, paths=paths: closed_loop(of, paths, scale.seconds)  # type: ignore[misc]
            for name, (of, paths) in asked.items()
        },
        scale.runs,
    )
    many = crowded(server, case.paths, scale.connections, scale.latency_seconds)
    calls, notes = _calls(server, case.paths)
    figures = _figures(case, runs) | many.figures(scale.connections) | calls
    notes = (*client_notes(runs["own"]), *many.notes, *notes)
    return Result(PROGRAM, case.name, figures, notes)


def _figures(case: Case, runs: dict[str, list[Run]]) -> dict[str, Figure]:
    own, peer = costs(runs["own"]), costs(runs["peer"])
    found = {
        "body": figure("KiB", [mean_size(runs["own"])]),
        "server CPU": figure(MILLISECONDS, own),
        "peer's CPU": figure(MILLISECONDS, peer),
    }
    if case.small:
        found["to bare"] = ratio("× Tornado", own, peer, case.at_most)
    elif case.of_large:
        found["own floors"] = ratio("floors", own, peer)
        found["to video"] = ratio("floors", own, costs(runs["large"]), case.at_most)
    else:
        found["floors"] = ratio("floors", own, peer, case.at_most)
    return found


def _calls(server: Server, paths: Sequence[str]) -> tuple[dict[str, Figure], tuple[str, ...]]:
    try:
        calls = count_calls(server, paths)
    except NotThere as missing:
        return {}, (str(missing),)
    first = list(calls.items())[:_LISTED_CALLS]
    said = ", ".join(f"{name} {count:g}" for name, count in first)
    return {"system calls": figure("a request", [sum(calls.values())])}, (f"calls: {said}",)


def _memory(server: Server, idle: int) -> Result:
    found = memory(server.pids[0])
    figures = {
        "PSS idle": figure("MiB", [idle / (1 << 20)]),
        "PSS after": figure("MiB", [found.proportional / (1 << 20)]),
        "RSS after": figure("MiB", [found.resident / (1 << 20)]),
    }
    return Result(PROGRAM, "memory of the worker", figures)
