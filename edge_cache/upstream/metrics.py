"""What is counted of each upstream.  Their names are known when the program starts."""

from collections.abc import Iterable

from edge_cache.errors import Failure
from edge_cache.upstream.breaker import State
from serving.counters import Counter, Gauge, Metric, Row

_P = "headrace_edge_upstream_"


def upstream_metrics(names: Iterable[str]) -> tuple[Metric, ...]:
    """Of the upstreams *names*."""
    upstream = {"upstream": list(dict.fromkeys(names))}
    return (
        Counter(f"{_P}requests_total", "Requests sent to an upstream.", upstream),
        Counter(
            f"{_P}failures_total",
            "Requests to an upstream that failed, bodies that were cut included.",
            {**upstream, "reason": list(Failure)},
        ),
        Gauge(
            f"{_P}workers",
            "Workers that see an upstream in a state.",
            {**upstream, "state": list(State)},
        ),
        Counter(f"{_P}health_checks_total", "Health checks.", {**upstream, "result": RESULTS}),
        Gauge(f"{_P}unhealthy", "Whether health checks have taken it out.", upstream),
        Counter(f"{_P}retries_total", "Requests sent to another upstream after a failure."),
        Counter(f"{_P}retries_refused_total", "Retries that the budget did not allow."),
    )


RESULTS = ("passed", "failed")


class MemberTally:
    """The counters of one upstream in one worker."""

    def __init__(self, row: Row, name: str) -> None:
        self.cells = row.cells
        self.requests = row.index(f"{_P}requests_total", name)
        self._failures = {
            failure: row.index(f"{_P}failures_total", name, failure) for failure in Failure
        }
        self._states = {state: row.index(f"{_P}workers", name, state) for state in State}
        self._unhealthy = row.index(f"{_P}unhealthy", name)
        self._checks = [row.index(f"{_P}health_checks_total", name, it) for it in RESULTS]

    def failed(self, failure: Failure) -> None:
        self.cells[self._failures[failure]] += 1

    def is_in(self, state: State) -> None:
        for each, index in self._states.items():
            self.cells[index] = each is state

    def checked(self, *, passed: bool, is_healthy: bool) -> None:
        self.cells[self._checks[not passed]] += 1
        self.cells[self._unhealthy] = not is_healthy

    def is_healthy_in(self, row: Row) -> bool:
        """What the worker of *row* has found, which checks for all."""
        return not row.cells[self._unhealthy]


class RetryTally:
    """The counters of one worker's retries."""

    def __init__(self, row: Row) -> None:
        self._cells = row.cells
        self._retries = row.index(f"{_P}retries_total")
        self._refused = row.index(f"{_P}retries_refused_total")

    def retried(self) -> None:
        self._cells[self._retries] += 1

    def refused(self) -> None:
        self._cells[self._refused] += 1
