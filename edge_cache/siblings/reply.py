"""An owner's answer to a sibling: the same as to a client, with what it is told beside it."""

from edge_cache.appraisal import Times
from edge_cache.entry import Entry
from edge_cache.http.cache_status import CacheStatus
from edge_cache.metrics import Verdict
from edge_cache.replies import error_head, tail
from edge_cache.reply import Output, Reply
from edge_cache.request import Request
from edge_cache.selection import Selection
from edge_cache.siblings.told import Told
from edge_cache.storability import Refusal


class SiblingReply(Reply):
    def __init__(self, output: Output, request: Request) -> None:
        super().__init__(output, request)
        self._times: Times | None = None

    def entry(self, entry: Entry, status: CacheStatus, verdict: Verdict) -> None:
        self._times = Times.of(entry)
        super().entry(entry, status, verdict)

    def start(
        self,
        selection: Selection,
        entry: Entry,
        size: int | None,
        status: CacheStatus,
        verdict: Verdict,
    ) -> bool:
        self._times = Times.of(entry)
        return super().start(selection, entry, size, status, verdict)

    def error(
        self,
        status: int,
        reason: str,
        *,
        retry_after: int | None = None,  # noqa: ARG002 - a sibling does not wait
    ) -> None:
        self._request.failure = reason
        if self._request.status:
            self._output.abort()
        else:
            self._say(status, Told(failure=reason, tries=self._request.tries))

    def decline(self, refusal: Refusal | None) -> None:
        """Nothing here is for the sibling; *refusal* says why."""
        self._say(503, Told(declines=True, refusal=refusal))

    def _say(self, status: int, told: Told) -> None:
        self._begin(status, None, Verdict.ERROR)
        head = error_head(status, "sibling") + tail(self._request, told.line())
        self._output.send(self._request, head, b"")

    def _line(self, status: CacheStatus) -> bytes:
        request = self._request
        told = Told(
            verdict=request.verdict,
            status=status,
            times=self._times,
            upstream=request.upstream_status,
            server=request.server,
            tries=request.tries,
        )
        return told.line()
