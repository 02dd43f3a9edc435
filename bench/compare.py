"""The same requests to two servers in turn, and the ratio of every figure.

Each URL is a manifest: a multivariant or media playlist, or an MPD.  What it names is read from
it, so the servers may call things as they like; a segment is compared with the segment at the
same place.  CPU is told where a server listens on this machine and we may look at it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from bench.client import Client
from bench.errors import BenchError
from bench.figures import Figure, Result, figure, ratio
from bench.harness import Harness
from bench.manifests import Found, discover, spread
from bench.measure import (
    MILLISECONDS,
    Run,
    alternate,
    client_notes,
    closed_loop,
    costs,
    mean_size,
)
from bench.processes import is_local, listeners
from bench.servers import Server, address_of

PROGRAM = "compare"


@dataclass(frozen=True, slots=True)
class Side:
    server: Server
    questions: dict[str, list[str]]
    """Paths by what they are for."""


def run(harness: Harness, first: str, second: str) -> None:
    sides = [_side(url, harness.scale.segments) for url in (first, second)]
    shared = [name for name in sides[0].questions if name in sides[1].questions]
    if not shared:
        raise BenchError("the two have nothing in common: give manifests of one protocol")
    with harness.step(PROGRAM, len(shared)) as advance:
        for name in shared:
            harness.record(_measure(harness, name, sides))
            advance(name)


def _side(url: str, segments: int) -> Side:
    server = find_server(url)
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    with Client(server.address) as client:
        found = discover(path, client.read)
    return Side(server, questions(found, segments))


def find_server(url: str) -> Server:
    address = address_of(url)
    pids = listeners(address.port) if is_local(address.host) else []
    return Server(url, address, pids)


def questions(found: Found, segments: int) -> dict[str, list[str]]:
    """What can be asked of a presentation, in the words of neither server."""
    asked = {f"{found.protocol} manifest": [found.manifest]}
    for kind in ("muxed", "video", "audio"):
        track = found.best(kind)
        if track is None:
            continue
        if track.playlist not in (None, found.manifest):
            asked[f"{kind} playlist"] = [str(track.playlist)]
        if track.init is not None:
            asked[f"{kind} init"] = [track.init]
        asked[f"{kind} segment"] = spread(track.segments, segments)
    return asked


def _measure(harness: Harness, name: str, sides: Sequence[Side]) -> Result:
    scale = harness.scale
    a, b = sides
    for side in sides:  # what they keep they may keep
        with Client(side.server.address) as client:
            for path in side.questions[name]:
                client.get(path)
    runs = alternate(
        {
            "A": partial(closed_loop, a.server, a.questions[name], scale.seconds),
            "B": partial(closed_loop, b.server, b.questions[name], scale.seconds),
        },
        scale.runs,
    )
    notes = [f"A {a.server.name}", f"B {b.server.name}"]
    notes += [
        f"{letter}: its process is not found here, so its CPU is not told"
        for letter, side in zip("AB", sides, strict=True)
        if not side.server.pids
    ]
    notes += client_notes(runs["A"] + runs["B"])
    cpu = all(side.server.pids for side in sides)
    return Result(PROGRAM, name, _figures(runs, cpu=cpu), tuple(notes))


def _figures(runs: dict[str, list[Run]], *, cpu: bool) -> dict[str, Figure]:
    a, b = runs["A"], runs["B"]
    figures = {
        "body A": figure("KiB", [mean_size(a)]),
        "body B": figure("KiB", [mean_size(b)]),
        "bodies A/B": ratio("times", [mean_size(a)], [mean_size(b)]),
    }
    rows = [
        ("first byte", "ms", [one.first_byte for one in a], [one.first_byte for one in b]),
        ("whole", "ms", [one.whole for one in a], [one.whole for one in b]),
    ]
    if cpu:
        rows.append(("CPU", MILLISECONDS, costs(a), costs(b)))
    for name, unit, of, to in rows:
        figures[f"{name} A"] = figure(unit, of)
        figures[f"{name} B"] = figure(unit, to)
        figures[f"{name} A/B"] = ratio("times", of, to)
    return figures
