"""What an edge counts.  Indexes are resolved once; a hit costs two additions."""

from enum import StrEnum

from edge_cache.errors import Failure
from edge_cache.purging.rules import Mode
from serving.counters import Counter, Gauge, Histogram, Row

_P = "headrace_edge_"


class Verdict(StrEnum):
    """What became of a request, for the log and the counters."""

    HIT = "hit"
    STALE = "stale"
    MISS = "miss"
    REVALIDATED = "revalidated"
    PASS = "pass"
    ERROR = "error"


class Role(StrEnum):
    """What a request had to do with a fill."""

    NONE = "none"
    LEADER = "leader"
    FOLLOWER = "follower"


METRICS = (
    Counter(f"{_P}requests_total", "Requests by cache verdict.", {"verdict": list(Verdict)}),
    Counter(f"{_P}sent_bytes_total", "Body bytes sent to clients."),
    Counter(f"{_P}aborted_total", "Responses that were cut, by us or by the client."),
    Counter(
        f"{_P}refused_total", "Requests refused for their form, and connections over the limit."
    ),
    Counter(f"{_P}fills_total", "Fills begun."),
    Gauge(f"{_P}fills", "Fills on their way."),
    Counter(f"{_P}evictions_total", "Entries that made room for others in RAM."),
    Counter(f"{_P}purged_total", "Entries of RAM found purged.", {"mode": list(Mode)}),
    Gauge(f"{_P}ram_bytes", "Bytes of the RAM tier in use."),
    Gauge(f"{_P}ram_objects", "Entries in the RAM tier."),
    Counter(
        f"{_P}upstream_errors_total",
        "Requests upstream that failed.",
        {"reason": list(Failure)},
    ),
    Gauge(f"{_P}connections", "Client connections."),
    Histogram(
        f"{_P}first_byte_seconds",
        "From a request to the first byte of its answer, hits left out.",
        (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 10.0),
    ),
)


class Tally:
    """The counters of one worker."""

    def __init__(self, row: Row) -> None:
        self.cells = row.cells
        self.requests = {v: row.index(f"{_P}requests_total", v) for v in Verdict}
        self.hits = self.requests[Verdict.HIT]  # an enumeration is slow to hash
        self.bytes = row.index(f"{_P}sent_bytes_total")
        self.aborted = row.index(f"{_P}aborted_total")
        self.refused = row.index(f"{_P}refused_total")
        self.connections = row.index(f"{_P}connections")
        self.first_byte = row.histogram(f"{_P}first_byte_seconds")
        self._fills_total = row.index(f"{_P}fills_total")
        self._fills = row.index(f"{_P}fills")
        self._evictions = row.index(f"{_P}evictions_total")
        self._purged = {m: row.index(f"{_P}purged_total", m) for m in Mode}
        self._ram_bytes = row.index(f"{_P}ram_bytes")
        self._ram_objects = row.index(f"{_P}ram_objects")
        self._errors = {f: row.index(f"{_P}upstream_errors_total", f) for f in Failure}
        self._evictions_before = self.cells[self._evictions]

    def purged(self, mode: Mode) -> None:
        self.cells[self._purged[mode]] += 1

    def fill_started(self) -> None:
        self.cells[self._fills_total] += 1
        self.cells[self._fills] += 1

    def fill_ended(self) -> None:
        self.cells[self._fills] -= 1

    def upstream_error(self, failure: Failure) -> None:
        self.cells[self._errors[failure]] += 1

    def tier(self, objects: int, size: int, evictions: int) -> None:
        """The state of the RAM tier; *evictions* since it was made."""
        self.cells[self._ram_objects] = objects
        self.cells[self._ram_bytes] = size
        self.cells[self._evictions] = self._evictions_before + evictions
