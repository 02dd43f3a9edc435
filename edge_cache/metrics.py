"""What an edge counts.  Indexes are resolved once; a hit costs two additions."""

from enum import StrEnum

from edge_cache.disk.errors import Reason
from edge_cache.disk.store import Statistics
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
    Gauge(f"{_P}disk_bytes", "Bytes of the disk tier in use."),
    Gauge(f"{_P}disk_objects", "Records in the disk tier: entries, and bodies beside them."),
    Gauge(f"{_P}disk_unread", "Volumes that are yet to be read, after a power loss."),
    Gauge(f"{_P}disk_resting", "Workers that write nothing since the disk has failed."),
    Counter(f"{_P}disk_hits_total", "Requests answered from the disk tier."),
    Counter(f"{_P}disk_evictions_total", "Records that made room for others on disk."),
    Counter(f"{_P}disk_skipped_total", "Entries not stored because the disk is behind."),
    Counter(f"{_P}disk_failures_total", "What went wrong on disk.", {"reason": list(Reason)}),
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
        self.disk_hits = row.index(f"{_P}disk_hits_total")
        self._disk_bytes = row.index(f"{_P}disk_bytes")
        self._disk_objects = row.index(f"{_P}disk_objects")
        self._disk_unread = row.index(f"{_P}disk_unread")
        self._disk_resting = row.index(f"{_P}disk_resting")
        self._disk_evictions = _Growing(row, f"{_P}disk_evictions_total")
        self._disk_skipped = _Growing(row, f"{_P}disk_skipped_total")
        self._disk_failures = {r: _Growing(row, f"{_P}disk_failures_total", r) for r in Reason}
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

    def disk(self, statistics: Statistics, skipped: int, *, reports: bool) -> None:
        """The state of the disk tier, of which one worker *reports* what all share; *skipped*
        since it was opened."""
        if reports:
            self.cells[self._disk_bytes] = statistics.used
            self.cells[self._disk_objects] = statistics.objects
            self.cells[self._disk_unread] = statistics.unread
        self.cells[self._disk_resting] = statistics.is_resting
        self._disk_evictions.grown(statistics.evictions)
        self._disk_skipped.grown(skipped)
        for reason, count in statistics.failures.items():
            self._disk_failures[reason].grown(count)


class _Growing:
    """A counter of something that counts from 0 in each process."""

    def __init__(self, row: Row, name: str, *values: str) -> None:
        self._cells = row.cells
        self._index = row.index(name, *values)
        self._before = self._cells[self._index]

    def grown(self, count: int) -> None:
        self._cells[self._index] = self._before + count
