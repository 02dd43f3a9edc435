"""What many requests for one cold segment cost an edge and the origin behind it.

All connections are open before the first request.  Every body must be the same, and should
reach the origin once; the last follower's first byte says whether anybody waited for the whole
object.
"""

import json
import tempfile
import time
from pathlib import Path

from bench.client import Client
from bench.crowd import Crowd, Outcome
from bench.errors import BenchError
from bench.figures import Figure, Result, figure
from bench.harness import Harness
from bench.manifests import discover, spread
from bench.servers import Server, edge, ingest, origin

PROGRAM = "herd"
_LOG_SETTLE, _LOG_LIMIT = 0.2, 5.0
"""Seconds."""


def run(harness: Harness) -> None:
    scale = harness.scale
    file = harness.media(scale.high, scale.short)
    with tempfile.TemporaryDirectory(prefix="headrace-bench-") as folder:
        data = Path(folder)
        entry = ingest([file], data)
        with origin("--data", str(data)) as source, edge(source.url) as cache:
            with Client(source.address) as client:
                found = discover(f"/hls/e/{entry}/master.m3u8", client.read)
            segments = spread(found.tracks[0].segments, scale.runs)
            rounds: list[dict[str, float]] = []
            with harness.step(PROGRAM, len(segments)) as advance:
                for path in segments:
                    rounds.append(_herd(source, cache, path, scale.herd))
                    advance(path.rpartition("/")[2])
    case = f"{scale.herd} requests, TS segment of {_size(rounds)}"
    harness.record(Result(PROGRAM, case, _figures(rounds)))


def _herd(source: Server, cache: Server, path: str, size: int) -> dict[str, float]:
    crowd = Crowd(cache.address, size, hashed=True)
    try:
        origin_cpu, edge_cpu = source.cpu, cache.cpu
        outcome = crowd.once(path)
        origin_cpu, edge_cpu = source.cpu - origin_cpu, cache.cpu - edge_cpu
    finally:
        crowd.close()
    return _check(outcome, path) | {
        "origin requests": _requests(source, path),
        "origin CPU": origin_cpu * 1000,
        "edge CPU": edge_cpu * 1000,
    }


def _check(outcome: Outcome, path: str) -> dict[str, float]:
    bodies = {answer.digest for answer in outcome.answers}
    if len(bodies) != 1:
        raise BenchError(f"{path}: {len(bodies)} different bodies were served")
    firsts = [answer.first_byte * 1000 for answer in outcome.answers]
    return {
        "first byte": min(firsts),
        "last first byte": max(firsts),
        "all done": outcome.seconds * 1000,
        "body": outcome.answers[0].size / 1024,
    }


def _requests(source: Server, path: str) -> int:
    """How often the origin was asked, from its access log, which is written a little later."""
    assert source.log is not None
    give_up, count = time.monotonic() + _LOG_LIMIT, 0
    while not count and time.monotonic() < give_up:
        time.sleep(_LOG_SETTLE)
        lines = (_record(line) for line in source.log.read_text().splitlines())
        count = sum(line.get("target") == path for line in lines)
    return count


def _record(line: str) -> dict[str, object]:
    try:
        found = json.loads(line)
    except ValueError:  # the last line, half written
        return {}
    return found if isinstance(found, dict) else {}


_UNITS = {
    "origin requests": ("requests", 1.0),
    "first byte": ("ms", None),
    "last first byte": ("ms", None),
    "all done": ("ms", None),
    "origin CPU": ("ms", None),
    "edge CPU": ("ms", None),
}


def _figures(rounds: list[dict[str, float]]) -> dict[str, Figure]:
    return {
        name: figure(unit, [one[name] for one in rounds], at_most)
        for name, (unit, at_most) in _UNITS.items()
    }


def _size(rounds: list[dict[str, float]]) -> str:
    return f"{sum(one['body'] for one in rounds) / len(rounds) / 1024:.1f} MiB"
