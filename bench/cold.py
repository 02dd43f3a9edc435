"""What the first answers cost an origin that knows nothing of the file.

*evicted* is a segment whose index, plan and file handle a server with tiny caches has just
dropped for another entry's; beside it, in turn, a server with its usual caches packages a
segment of the same file for the first time: index and handle at hand, no plan.

The other figures are of fresh processes.  *first of all* is its very first request.  The others
come after it has answered for another entry, so that its own code is warm and only this file's
index, its entry row and its handle are cold.  *again* is the same request right after.  The
page cache is warm throughout.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.client import Client
from bench.errors import BenchError
from bench.figures import Figure, Result, figure, ratio
from bench.harness import Harness
from bench.manifests import Found, discover
from bench.processes import Reads, reads
from bench.servers import Server, ingest, origin

PROGRAM = "cold"
_AT_MOST = 1.3
"""Target of a cold segment, in warm ones."""
_SETTLE = 0.05
"""Seconds in which a server ends what a request has started."""
_WARM = 5
"""Requests of which a warm one is the mean."""


@dataclass(frozen=True, slots=True)
class Source:
    name: str
    """What the figures call it: the length of the file, and how it came here."""

    path: str
    """In a URL."""


@dataclass(frozen=True, slots=True)
class Question:
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Answer:
    cpu: float
    """Milliseconds, as the other times."""
    wall: float
    storage: Reads


def run(harness: Harness) -> None:
    scale = harness.scale
    files = {seconds: harness.media(scale.high, seconds) for seconds in scale.cold_lengths}
    other = harness.media(scale.low, scale.short)
    with tempfile.TemporaryDirectory(prefix="headrace-bench-") as folder:
        data = Path(folder)
        options = ("--data", str(data), "--local-root", str(harness.settings.media_folder))
        warming = f"e/{ingest([other], data)}"
        sources = []
        for seconds, file in files.items():
            length = f"{seconds / 60:g} min"
            sources.append(Source(f"{length}, entry", f"e/{ingest([file], data)}"))
            sources.append(Source(f"{length}, local", f"local/{file.name}"))
        with origin(*options) as server:
            questions = {source: find_questions(server, source.path) for source in sources}
            before = find_questions(server, warming)
            segments = {
                source: find_segments(server, source.path)
                for source in sources
                if source.path.startswith("e/")
            }
        _measure_evicted(harness, options, segments, before[-1])
        _measure(harness, options, questions, before)


def find_questions(server: Server, source: str) -> list[Question]:
    """A manifest of each kind, and a segment from the middle.  Their URLs are the same in
    every process."""
    with Client(server.address) as client:
        ts = discover(f"/hls/{source}/master.m3u8", client.read)
        dash = discover(f"/dash/{source}/manifest.mpd", client.read)
    playlist = ts.tracks[0].playlist
    return [
        Question("master playlist", ts.manifest),
        Question("media playlist", str(playlist)),
        Question("MPD", dash.manifest),
        Question("TS segment", _middle(ts, "muxed")),
        Question("DASH video segment", _middle(dash, "video")),
    ]


def find_segments(server: Server, source: str) -> dict[str, list[str]]:
    """All segments of each kind, by the name of the kind."""
    with Client(server.address) as client:
        ts = discover(f"/hls/{source}/master.m3u8", client.read)
        dash = discover(f"/dash/{source}/manifest.mpd", client.read)
    return {
        name: found.segments
        for name, found in (
            ("TS segment", ts.best("muxed")),
            ("DASH video segment", dash.best("video")),
        )
        if found is not None
    }


def _measure_evicted(
    harness: Harness,
    options: Sequence[str],
    segments: dict[Source, dict[str, list[str]]],
    other: Question,
) -> None:
    runs = harness.scale.evicted_runs
    tiny = (*options, "--index-cache", "1K", "--plan-cache", "1K", "--open-files", "1")
    kinds = [(source, *kind) for source, own in segments.items() for kind in own.items()]
    with (
        harness.step(f"{PROGRAM}, evicted", len(kinds) * runs) as advance,
        origin(*tiny) as evicting,
        origin(*options) as keeping,
        origin(*options) as reading,
        Client(evicting.address) as cold_client,
        Client(keeping.address) as warm_client,
        Client(reading.address) as reader,
    ):
        for source, name, paths in kinds:
            cold, warm = [], []
            for number in range(runs):
                path = paths[number * len(paths) // runs]
                for _ in range(2):  # reads its pages in, then marks them as in use
                    reader.get(path)
                cold_client.get(other.path)  # takes the place of what the server kept
                answer = _ask(evicting, cold_client, path)
                # Its own neighbour brings the entry's row, the index and the handle back.
                warm_client.get(paths[(number * len(paths) // runs + 1) % len(paths)])
                kept = _ask(keeping, warm_client, path)
                if number:  # the first finds code that never ran
                    cold.append(answer)
                    warm.append(kept.cpu)
                advance(f"{name}, {source.name}")
            figures = _figures(cold) | {
                "index at hand": figure("ms", warm),
                "cold to warm": ratio("times", [one.cpu for one in cold], warm, _AT_MOST),
            }
            harness.record(Result(PROGRAM, f"{name}, {source.name}, evicted", figures))


def _middle(found: Found, kind: str) -> str:
    track = found.best(kind)
    if track is None:
        raise BenchError(f"{found.manifest}: no {kind} track")
    return track.segments[len(track.segments) // 2]


def _measure(
    harness: Harness,
    options: Sequence[str],
    questions: dict[Source, list[Question]],
    warming: Sequence[Question],
) -> None:
    asked = [(source, one) for source, own in questions.items() for one in own]
    runs = harness.scale.cold_runs
    with harness.step(PROGRAM, (len(asked) + len(warming)) * runs) as advance:
        for question in next(iter(questions.values())):
            answers = []
            for _ in range(runs):
                with origin(*options) as server, Client(server.address) as client:
                    answers.append(_ask(server, client, question.path))
                advance(f"{question.name}, first of all")
            name = f"{question.name}, first of all"
            harness.record(Result(PROGRAM, name, _figures(answers)))
        for source, question in asked:
            cold, warm = [], []
            for _ in range(runs):
                with origin(*options) as server, Client(server.address) as client:
                    for one in warming:
                        client.get(one.path)
                    cold.append(_ask(server, client, question.path))
                    warm.append(_warm(server, client, question.path))
                advance(f"{question.name}, {source.name}")
            figures = _figures(cold) | _ratios(cold, warm)
            harness.record(Result(PROGRAM, f"{question.name}, {source.name}", figures))


def _ask(server: Server, client: Client, path: str) -> Answer:
    [pid] = server.pids
    time.sleep(_SETTLE)
    storage, cpu = reads(pid), server.cpu
    reply = client.get(path)
    time.sleep(_SETTLE)
    return Answer((server.cpu - cpu) * 1000, reply.total * 1000, reads(pid) - storage)


def _warm(server: Server, client: Client, path: str) -> float:
    """Milliseconds of CPU."""
    client.get(path)
    cpu = server.cpu
    for _ in range(_WARM):
        client.get(path)
    return (server.cpu - cpu) * 1000 / _WARM


def _figures(answers: Sequence[Answer]) -> dict[str, Figure]:
    return {
        "server CPU": figure("ms", [one.cpu for one in answers]),
        "wall": figure("ms", [one.wall for one in answers]),
        "read": figure("KiB", [one.storage.size / 1024 for one in answers]),
        "reads": figure("calls", [one.storage.calls for one in answers]),
    }


def _ratios(cold: Sequence[Answer], warm: Sequence[float]) -> dict[str, Figure]:
    return {
        "again": figure("ms", warm),
        "cold to warm": ratio("times", [one.cpu for one in cold], warm),
    }
