"""What can go wrong at an edge.

EdgeError
 +-- Refused          a request that is answered by a status of ours
 +-- Overloaded       no turn upstream within the limit
 +-- UpstreamError    an upstream that is missing, late or wrong
"""

from enum import StrEnum


class EdgeError(Exception):
    pass


class Refused(EdgeError):
    """A request that breaks the grammar or a limit."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Overloaded(EdgeError):
    """Too many wait for their turn upstream, or one waited too long."""


class Failure(StrEnum):
    """The reason as it stands in X-Headrace-Error, the log and the metrics."""

    CONNECT = "upstream-connect"
    CONNECT_TIMEOUT = "upstream-connect-timeout"
    TLS = "upstream-tls"
    BUSY = "upstream-busy"
    DOWN = "upstream-down"
    FIRST_BYTE_TIMEOUT = "upstream-first-byte-timeout"
    READ_TIMEOUT = "upstream-read-timeout"
    CLOSED = "upstream-closed"
    TRUNCATED = "upstream-truncated"
    MALFORMED = "upstream-malformed"
    HEADERS_TOO_LARGE = "upstream-headers-too-large"
    UNEXPECTED_STATUS = "upstream-unexpected-status"
    BAD_STATUS = "upstream-bad-status"
    CHANGED = "upstream-changed"


TIMEOUTS = frozenset(
    (Failure.CONNECT_TIMEOUT, Failure.FIRST_BYTE_TIMEOUT, Failure.READ_TIMEOUT, Failure.DOWN)
)
"""DOWN is one of them: only an upstream that keeps requests waiting is not asked at all."""


class UpstreamError(EdgeError):
    def __init__(self, failure: Failure, *, sent: bool = True) -> None:
        super().__init__(failure)
        self.failure = failure
        self.sent = sent
        """Whether the upstream may have seen the request."""
        self.tries = 0
        """Upstreams that were asked; 0 if that is not known."""
        self.is_counted = False
        """Another worker has met it, and counted it."""

    @property
    def status(self) -> int:
        """RFC 9110 §15.6.3 to §15.6.5."""
        if self.failure is Failure.BUSY:
            return 503
        return 504 if self.failure in TIMEOUTS else 502
