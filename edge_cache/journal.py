"""One record per request: to the access log and to the counters."""

import time
from collections.abc import Callable, Mapping
from itertools import count
from os import urandom

from edge_cache.metrics import Tally, Verdict
from edge_cache.request import Request

Write = Callable[[Mapping[str, object]], None]


class Journal:
    def __init__(self, write: Write, tally: Tally) -> None:
        self._write = write
        self._tally = tally
        self._prefix = urandom(6).hex().encode()
        self._numbers = count(1)

    def new_id(self) -> bytes:
        """A request id: random for this process, then counted, since one is made per hit."""
        return b"%b%08x" % (self._prefix, next(self._numbers) & 0xFFFFFFFF)

    def answered(self, request: Request, now: float) -> None:
        """*request* has its answer, or has been cut, at *now* (monotonic seconds)."""
        tally = self._tally
        cells = tally.cells
        cells[tally.requests[request.verdict]] += 1
        cells[tally.bytes] += request.sent
        waited = request.first_byte - request.started
        tally.first_byte.observe(waited)
        if request.failure is not None and request.verdict is not Verdict.ERROR:
            cells[tally.aborted] += 1
        cache = request.cache
        self._write(
            {
                "time": round(time.time(), 3),
                "id": request.id.decode(),
                "method": request.method.decode("latin-1"),
                "target": request.target.decode("latin-1"),
                "status": request.status,
                "bytes": request.sent,
                "first_ms": round(waited * 1000, 3),
                "total_ms": round((now - request.started) * 1000, 3),
                "cache": request.verdict,
                "detail": request.failure or (None if cache is None else cache.detail),
                "fill": request.role,
                "upstream": request.upstream_status,
                "client": request.client,
            }
        )

    def refused(self, status: int, reason: str, client: str) -> None:
        """Something that never became a request."""
        self._tally.cells[self._tally.refused] += 1
        self._write(
            {
                "time": round(time.time(), 3),
                "status": status,
                "cache": Verdict.ERROR,
                "detail": reason,
                "client": client,
            }
        )
