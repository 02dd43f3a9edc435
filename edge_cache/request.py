"""One request: what the parser found, and what is wrong with it (RFC 9112 §3, §6; RFC 9110 §7).

httptools checks the grammar of lines.  What it lets through and we must not is checked here:
two Hosts, bodies where none can be told from the next request, methods that are tunnels.
"""

import re

from edge_cache.config import EdgeConfig
from edge_cache.errors import Refused
from edge_cache.http.cache_status import CacheStatus
from edge_cache.http.fields import Field
from edge_cache.http.targets import path_and_query
from edge_cache.metrics import Role, Verdict
from edge_cache.request_body import RequestBody
from edge_cache.siblings.told import Told

KNOWN = frozenset(
    b"host range if-range if-none-match if-modified-since if-match if-unmodified-since"
    b" authorization x-request-id content-length transfer-encoding".split()
)
"""Fields that decide something here.  Each is looked up once, when the head is complete."""

_ONCE = (b"host", b"content-length", b"transfer-encoding", b"authorization")
_HOST = re.compile(rb"(?:[A-Za-z0-9._~%!$&'()*+,;=-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_TUNNELS = (b"CONNECT", b"TRACE")


class Request:
    """Filled by the connection's parser, then read only, but for what becomes of it."""

    __slots__ = (
        *("target", "client", "started", "method", "key", "fields", "known", "size"),
        *("http10", "keep_alive", "id", "body"),
        *("status", "sent", "verdict", "cache", "role", "upstream_status", "first_byte"),
        *("failure", "server", "tries", "is_internal", "told", "from_disk"),
    )

    def __init__(self, target: bytes, client: bytes, started: float) -> None:
        self.target = target
        """As sent."""
        self.client = client
        self.started = started
        """Monotonic seconds when its first byte came."""
        self.method = b""
        self.key = b""
        """Path and query."""
        self.fields: list[Field] = []
        self.known: dict[bytes, bytes] = {}
        """Fields among ``KNOWN``, by lower-case name."""
        self.size = 0
        """Bytes of the header lines."""
        self.http10 = False
        self.keep_alive = True
        self.id = b""
        self.body: RequestBody | None = None
        self.status = 0
        """Of the answer; 0 while there is none."""
        self.sent = 0
        """Bytes of its body handed to the transport."""
        self.verdict = Verdict.HIT
        self.cache: CacheStatus | None = None
        """What Cache-Status said; None for a plain hit."""
        self.role = Role.NONE
        self.upstream_status: int | None = None
        self.server: str | None = None
        """Which upstream answered."""
        self.tries = 0
        """How many were asked."""
        self.first_byte = started
        """Monotonic seconds when the answer began."""
        self.failure: str | None = None
        """Why it was refused, failed or cut."""
        self.is_internal = False
        """It comes from another worker of the node."""
        self.from_disk = False
        """Whether what is stored for it was found in the disk tier, or has its body there."""
        self.told: Told | None = None
        """What the owner of the key said of its answer, if that is the one."""

    @property
    def wants_stored(self) -> bool:
        """Whether a stored response may answer: a plain GET or HEAD.

        If-Match and If-Unmodified-Since are for the origin alone to judge (RFC 9111 §4.3.2).
        """
        if self.method not in (b"GET", b"HEAD") or self.body is not None:
            return False
        known = self.known
        return b"if-match" not in known and b"if-unmodified-since" not in known

    @property
    def is_authorized(self) -> bool:
        return b"authorization" in self.known

    def text(self, name: bytes) -> str | None:
        """The value of a known field."""
        value = self.known.get(name)
        return None if value is None else value.decode("latin-1")

    def complete(self, method: bytes, version: str, config: EdgeConfig) -> None:
        """The head is there: read the known fields, and refuse what must be."""
        self.check_size(config)
        self.method = method
        if version not in ("1.0", "1.1"):  # the parser also takes 0.9 and 2.0
            raise Refused(505, "version")
        self.http10 = version == "1.0"
        self._read_known()
        if method in _TUNNELS:
            raise Refused(501, "method")
        self._check_host()
        key = path_and_query(self.target)
        if key is None and not (self.target == b"*" and method == b"OPTIONS"):
            raise Refused(400, "target")
        self.key = key or b"*"
        if b"content-length" in self.known or b"transfer-encoding" in self.known:
            self._check_framing(config.max_request_body)

    def check_size(self, config: EdgeConfig) -> None:
        """Bound the header lines, those of a head that is not complete yet included."""
        if len(self.fields) > config.max_header_fields:
            raise Refused(431, "headers")
        self.size = 0
        for name, value in self.fields:
            self.size += len(name) + len(value) + 4
        if self.size > config.max_headers:
            raise Refused(431, "headers")

    def given_id(self) -> bytes | None:
        """The client's own request id, if it can be trusted in a log line and a header."""
        given = self.known.get(b"x-request-id", b"")
        return given if _REQUEST_ID.fullmatch(given) else None

    def _read_known(self) -> None:
        known = self.known
        for name, value in self.fields:
            name = name.lower()
            if name not in KNOWN:
                continue
            if name not in known:
                known[name] = value
            elif name in _ONCE:
                raise Refused(400, f"two {name.decode()} fields")
            else:
                known[name] += b", " + value

    def _check_host(self) -> None:
        host = self.known.get(b"host")
        if host is None:
            if not self.http10:
                raise Refused(400, "no host")
        elif _HOST.fullmatch(host) is None:
            raise Refused(400, "host")

    def _check_framing(self, limit: int) -> None:
        """RFC 9112 §6.1: anything but one clear length is how requests are smuggled."""
        coding = self.known.get(b"transfer-encoding")
        length = self.known.get(b"content-length")
        if coding is not None:
            if length is not None or self.http10:
                raise Refused(400, "transfer-encoding")
            if coding.lower() != b"chunked":
                raise Refused(501, "transfer-encoding")
        elif int(length or b"0") > limit:
            raise Refused(413, "body")
        elif length is not None and int(length) == 0:
            return
        self.body = RequestBody(chunked=coding is not None, limit=limit)
