"""One record per request: to the access log and to the counters."""

import time
from collections.abc import Callable
from itertools import count
from os import urandom

import msgspec

from edge_cache.metrics import Tally, Verdict
from edge_cache.request import Request

Write = Callable[[bytes], None]
"""Takes one JSON object without its line end."""

_RECORD = (
    b'{"time":%.3f,"id":"%b","method":"%b","target":%b,"status":%d,"bytes":%d,'
    b'"first_ms":%.3f,"total_ms":%.3f,"cache":"%b","detail":%b,"tier":"%b","fill":"%b",'
    b'"upstream":%b,"client":"%b"}'
)
"""Formatted rather than encoded from a mapping: one is written for every hit, and this takes
half the time.  What clients choose freely goes through the encoder; the rest is tokens."""

_NULL = b"null"
_json = msgspec.json.Encoder().encode


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
        started, first_byte = request.started, request.first_byte
        self._count(request)
        self._write(
            _RECORD
            % (
                time.time(),
                request.id,
                request.method,
                _json(request.target.decode("latin-1")),
                request.status,
                request.sent,
                (first_byte - started) * 1000,
                (now - started) * 1000,
                request.verdict.encode(),
                _detail(request),
                _tier(request),
                request.role.encode(),
                _upstream(request),
                request.client,
            )
        )

    def refused(self, status: int, reason: str, client: bytes) -> None:
        """Something that never became a request."""
        self._tally.cells[self._tally.refused] += 1
        self._write(
            b'{"time":%.3f,"status":%d,"cache":"error","detail":%b,"client":"%b"}'
            % (time.time(), status, _json(reason), client)
        )

    def _count(self, request: Request) -> None:
        tally = self._tally
        cells = tally.cells
        cells[tally.bytes] += request.sent
        if request.verdict is Verdict.HIT:
            cells[tally.hits] += 1
            if request.from_disk:
                cells[tally.disk_hits] += 1
        else:
            cells[tally.requests[request.verdict]] += 1
            tally.first_byte.observe(request.first_byte - request.started)
        if request.failure is not None and request.verdict is not Verdict.ERROR:
            cells[tally.aborted] += 1


def _tier(request: Request) -> bytes:
    """Where the answer came from, if it was stored or another worker's."""
    if request.told is not None:
        return b"sibling"
    if request.verdict is not Verdict.HIT and request.verdict is not Verdict.STALE:
        return b"none"
    return b"disk" if request.from_disk else b"ram"


def _upstream(request: Request) -> bytes:
    """The status from upstream, who gave it, and how many were asked."""
    status = request.upstream_status
    told = _NULL if status is None else b"%d" % status
    if not request.tries:
        return told
    return b'%b,"server":%b,"tries":%d' % (told, _json(request.server), request.tries)


def _detail(request: Request) -> bytes:
    """The name of what went otherwise than well."""
    if request.failure is not None:
        return _json(request.failure)
    if request.cache is None or request.cache.detail is None:
        return _NULL
    return _json(request.cache.detail)
