"""Closed loops: what a request costs a server, beside a peer, and how long it takes."""

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.client import Client, Reply
from bench.crowd import Crowd, Outcome
from bench.figures import Figure, figure, percentile
from bench.servers import Server

_LIMITED = 0.9
"""Share of the time from which a core is the limit."""

MILLISECONDS = "ms/request"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a closed loop."""

    requests: int
    seconds: float
    server_cpu: float
    """Seconds."""
    client_cpu: float
    size: int
    """Bytes of all bodies."""
    first_byte: float = 0
    """Milliseconds in the middle, as the next one."""
    whole: float = 0

    @property
    def cpu_per_request(self) -> float:
        """Milliseconds."""
        return self.server_cpu / self.requests * 1000

    @property
    def client_was_limit(self) -> bool:
        """The server had time to spare, and the client none."""
        return (
            self.client_cpu > _LIMITED * self.seconds
            and self.server_cpu < _LIMITED * self.seconds
        )


def closed_loop(server: Server, paths: Sequence[str], seconds: float) -> Run:
    """Ask for *paths* in turn on one connection, for so many *seconds*; each as often as the
    others, so that runs can be compared."""
    with Client(server.address) as client:
        client.get(paths[0])  # connected, and warm
        replies: list[Reply] = []
        server_cpu, client_cpu = server.cpu, time.process_time()
        began = now = time.perf_counter()
        while now - began < seconds or not replies or len(replies) % len(paths):
            replies.append(client.get(paths[len(replies) % len(paths)]))
            now = time.perf_counter()
        return Run(
            len(replies),
            now - began,
            server.cpu - server_cpu,
            time.process_time() - client_cpu,
            sum(reply.length for reply in replies),
            median(reply.first_byte for reply in replies) * 1000,
            median(reply.total for reply in replies) * 1000,
        )


def alternate(loops: Mapping[str, Callable[[], Run]], runs: int) -> dict[str, list[Run]]:
    """Each of *loops* once, and again, A B A B: what disturbs one disturbs its neighbour."""
    found: dict[str, list[Run]] = {name: [] for name in loops}
    for _ in range(runs):
        for name, loop in loops.items():
            found[name].append(loop())
    return found


def costs(runs: Sequence[Run]) -> list[float]:
    """Milliseconds of CPU per request, run by run."""
    return [run.cpu_per_request for run in runs]


def mean_size(runs: Sequence[Run]) -> float:
    """KiB of one body."""
    return sum(run.size for run in runs) / sum(run.requests for run in runs) / 1024


def client_notes(runs: Sequence[Run]) -> tuple[str, ...]:
    limited = sum(run.client_was_limit for run in runs)
    return (f"the client was the limit in {limited} of {len(runs)} runs",) if limited else ()


@dataclass(frozen=True, slots=True)
class Crowded:
    """Many connections at once."""

    outcome: Outcome
    server_cpu: float
    client_cpu: float

    def figures(self, connections: int) -> dict[str, Figure]:
        answers, seconds = self.outcome.answers, self.outcome.seconds
        totals = [answer.total * 1000 for answer in answers]
        at = f"at {connections}"
        return {
            f"p50 {at}": figure("ms", [percentile(totals, 0.5)]),
            f"p99 {at}": figure("ms", [percentile(totals, 0.99)]),
            f"rate {at}": figure("requests/s", [len(answers) / seconds]),
            f"server CPU {at}": figure(MILLISECONDS, [self.server_cpu / len(answers) * 1000]),
            f"client CPU {at}": figure("of its core", [self.client_cpu / seconds]),
        }

    @property
    def notes(self) -> tuple[str, ...]:
        seconds = self.outcome.seconds
        limited = self.client_cpu > _LIMITED * seconds and self.server_cpu < _LIMITED * seconds
        return ("the client was the limit of the rate",) if limited else ()


def crowded(server: Server, paths: Sequence[str], connections: int, seconds: float) -> Crowded:
    crowd = Crowd(server.address, connections)
    try:
        crowd.once(paths[0])
        server_cpu, client_cpu = server.cpu, time.process_time()
        outcome = crowd.keep_asking(paths, seconds)
        return Crowded(outcome, server.cpu - server_cpu, time.process_time() - client_cpu)
    finally:
        crowd.close()


def children_cpu() -> float:
    """Seconds of the programs that we ran and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
