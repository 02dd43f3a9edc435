"""Everything about an edge that an operator may change."""

import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from math import inf, isfinite
from secrets import token_hex
from typing import Self

from edge_cache.upstream.address import Address
from edge_cache.upstream.pool import tls_context
from edge_cache.upstream.routing import TOKENS

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30

MAX_UPSTREAMS = 64
"""Upstreams and shields together: each has counters of its own."""

MAX_WORKERS = 256

_PATH = re.compile(r"/[!-~]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeConfig:
    upstreams: tuple[str, ...]
    """Where to fetch from, ``http://host:port``.  Several mean fail-over in order."""

    shields: tuple[str, ...] = ()
    """Caches to ask before the upstreams, chosen by the key: ``URL`` or ``URL|weight``."""

    upstream_ca: str | None = None
    """File of the authorities (PEM) that vouch for ``https://`` upstreams; None for those of
    the system."""

    host: str = "127.0.0.1"
    port: int = 8080
    """0 picks a free one."""

    admin_port: int | None = None
    """Loopback port of the administration listener; None for none, 0 for a free one."""

    admin_token: str | None = field(default=None, repr=False)
    """What ``Authorization: Bearer`` must bring to change anything; None forbids it."""

    purge_method: bool = False
    """Whether PURGE on the public port is an order, if it brings that token."""

    workers: int = 1
    """Processes that serve."""

    sibling_patience: float = 1.0
    """Seconds in which the worker that owns a key must show that it is alive; then the one
    that asks it goes upstream itself."""

    ram: int = 256 * MIB
    """Bytes of the RAM tier, headers and bookkeeping included, of all workers together."""

    cache_dir: str | None = None
    """Folder of the disk tier, which all workers share; None for none."""

    disk: int = 10 * GIB
    """Bytes of the disk tier."""

    ram_object: int = 64 * KIB
    """Bytes of the largest body that is kept in RAM as well, if there is a disk tier."""

    disk_queue: int = 32 * MIB
    """Bytes of entries that may wait to be written to the disk; more are not stored there."""

    spool_limit: int = 8 * MIB
    """Bytes that the disk may be behind a body that is written while it comes; past it the
    body is not stored."""

    max_object: int = 1 * GIB
    """Bytes of the largest body that is stored; never more than a quarter of its tier, so that
    one body cannot evict more than that."""

    fill_memory: int = 256 * MIB
    """Bytes of RAM that bodies on their way may take together, in all workers."""

    block: int = 1 * MIB
    """Bytes in which a body that is not wanted whole is fetched and kept."""

    stream_window: int = 1 * MIB
    """Bytes between the fastest and the slowest reader of a body too large to store."""

    hit_for_miss: float = 10.0
    """Seconds in which requests for what was refused go upstream without waiting for one
    another."""

    refresh_rest: float = 2.0
    """Seconds between a failed refresh, in the background or covered by a stale answer, and
    the next."""

    early_refresh: float = 10.0
    """Seconds before the end of its freshness, at most its last tenth, from which on an object
    that is often asked for is renewed in the background; 0 for never."""

    heuristic: float = 0.0
    """Share of the time since Last-Modified for which a response that names no lifetime is
    fresh, a day at most (RFC 9111 §4.2.2); 0 for none."""

    negative_ttl: Mapping[int, float] = field(default_factory=dict)
    """Seconds that errors which name no lifetime are kept, by status (400 and above)."""

    stale_if_unreachable: float = 3600.0
    """Seconds past its freshness that a response with no word on it may be served while no
    upstream can be reached (RFC 9111 §4.2.4); 0 for never."""

    store_set_cookie: bool = False
    """Whether a response with Set-Cookie may be stored: one client's session for all."""

    node_id: str = field(default_factory=lambda: f"headrace-{token_hex(4)}")
    """Names this node in CDN-Loop (RFC 8586): its shields are others, and must not take its
    requests for a loop."""

    forwarded: str = "none"
    """How upstreams learn a client's address: ``forwarded`` (RFC 7239), ``x-forwarded-for`` or
    ``none``."""

    cache_status_key: bool = False
    """Whether Cache-Status tells the cache key (RFC 9211 §2.7)."""

    coalesce_timeout: float = 15.0
    """Seconds that a request waits for the headers of another's fill before it goes itself."""

    max_connections: int = 10_000
    """Client connections at once; more are answered 503."""

    max_upstream: int = 512
    """Requests upstream at once."""

    max_waiting: int = 2048
    """Requests that wait for their turn upstream; more are answered 503."""

    upstream_patience: float = 5.0
    """Seconds they wait before they are answered 503."""

    max_request_line: int = 8 * KIB
    """Bytes of the request target; 414 past it."""

    max_headers: int = 32 * KIB
    """Bytes of all header lines; 431 past it."""

    max_header_fields: int = 100
    """Header lines; 431 past it."""

    max_request_body: int = 16 * MIB
    """Bytes of a request body; 413 past it."""

    header_timeout: float = 10.0
    """Seconds from the first byte of a request to the end of its headers, in total: a
    time-out between bytes would let a drip hold a connection for ever."""

    idle_timeout: float = 75.0
    """Seconds that a connection may wait for its next request."""

    body_timeout: float = 30.0
    """Seconds between two pieces of a request body."""

    min_send_rate: int = 8 * KIB
    """Bytes per second that a client must take while we have something for it..."""

    send_rate_window: float = 30.0
    """...on average over so many seconds.  Slower ones are let go."""

    write_high_water: int = 256 * KIB
    """Bytes that may wait in a connection's write buffer."""

    connect_timeout: float = 5.0
    """Seconds to connect to an upstream."""

    first_byte_timeout: float = 30.0
    """Seconds from a request to the headers of its response."""

    read_timeout: float = 30.0
    """Seconds between two pieces of a response body."""

    upstream_deadline: float = 45.0
    """Seconds from the first try of a request to the headers of the last."""

    pool_idle: float = 30.0
    """Seconds that an idle upstream connection is kept."""

    upstream_connections: int = 512
    """Connections to one upstream; past it the next is asked."""

    dns_interval: float = 30.0
    """Seconds after which the name of an upstream is looked up again."""

    failure_statuses: tuple[int, ...] = (502, 503, 504)
    """Statuses that count against the health of an upstream."""

    failover_statuses: tuple[int, ...] = (500, 502, 503, 504)
    """Statuses to a GET or HEAD after which the next upstream is asked."""

    retry_share: float = 0.2
    """Of all requests: so many may be sent to an upstream once more..."""

    retry_burst: float = 10.0
    """...and so many beyond, once in a while."""

    breaker_failures: int = 5
    """Failures in a row after which an upstream is down."""

    breaker_share: float = 0.5
    """Of the requests within the window: so many failures take an upstream down, too..."""

    breaker_volume: int = 20
    """...if there were so many requests."""

    breaker_window: float = 10.0
    """Seconds."""

    breaker_rest: float = 1.0
    """Seconds that an upstream which is down is not asked; doubled each time, with jitter."""

    breaker_rest_limit: float = 10.0
    """Seconds of the longest rest."""

    health: str | None = None
    """Path that every upstream is asked for to see whether it is well; None for no checks."""

    health_interval: float = 5.0
    """Seconds between two checks."""

    health_timeout: float = 2.0
    """Seconds of one."""

    health_status: int = 200
    """Status of a check that passes."""

    health_down: int = 3
    """Checks in a row that fail before an upstream is down."""

    health_up: int = 2
    """Checks in a row that pass before it is up again."""

    route_ignored: tuple[str, ...] = TOKENS
    """Query parameters that do not choose a shield, in any case of letters."""

    route_allowed: tuple[str, ...] | None = None
    """Those that alone choose it; None for all but the ignored."""

    drain_timeout: float = 30.0
    """Seconds that responses may take to finish after SIGTERM."""

    def __post_init__(self) -> None:
        if not self.upstreams:
            raise ValueError("upstreams: at least one is needed")
        _check_upstreams(self.upstreams, self.shields)
        _check_ca(self.upstream_ca)
        if self.health is not None and not _PATH.fullmatch(self.health):
            raise ValueError(f"health: {self.health!r} is not a path")
        for one in fields(self):
            _check_number(one.name, getattr(self, one.name))
        for status, seconds in self.negative_ttl.items():
            if not (400 <= status <= 599 and 0 < seconds < inf):
                raise ValueError(f"negative_ttl: {status}: {seconds} is no error's seconds")
        if self.purge_method and self.admin_token is None:
            raise ValueError("purge_method: it needs a token of the administration")
        if _NODE_ID.fullmatch(self.node_id) is None:
            raise ValueError(f"node_id: {self.node_id!r} is not a token")
        if self.forwarded not in _FORWARDED:
            raise ValueError(
                f"forwarded: {self.forwarded!r} is none of {', '.join(_FORWARDED)}"
            )

    def of_worker(self) -> Self:
        """What one worker may use of what the node has."""
        count = self.workers
        return replace(self, ram=self.ram // count, fill_memory=self.fill_memory // count)

    @property
    def object_limit(self) -> int:
        """Bytes of the largest body that is stored."""
        tier = self.ram if self.cache_dir is None else self.disk
        return min(self.max_object, tier // 4)

    @property
    def ram_limit(self) -> int:
        """Bytes of the largest body that is held in RAM."""
        return min(self.max_object, self.ram // 4)

    @property
    def whole_limit(self) -> int:
        """Bytes of the largest body that is fetched whole where parts of it are wanted."""
        return min(self.object_limit, 64 * MIB)


_NODE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_FORWARDED = ("none", "forwarded", "x-forwarded-for")

_RULES: dict[str, tuple[Callable[[float], bool], str]] = {
    "port": (lambda value: 0 <= value <= 65535, "a port"),
    "admin_port": (lambda value: 0 <= value <= 65535, "a port"),
    "workers": (lambda value: 1 <= value <= MAX_WORKERS, f"1 to {MAX_WORKERS}"),
    "disk": (lambda value: value >= 8 * MIB, "8M or more"),
    "ram": (lambda value: value >= MIB, "1M or more"),
    "retry_share": (lambda value: 0 <= value <= 1, "between 0 and 1"),
    "retry_burst": (lambda value: value >= 0, "0 or more"),
    "breaker_share": (lambda value: 0 < value <= 1, "above 0 and at most 1"),
    "block": (lambda value: value >= 64 * KIB, "64K or more"),
    "heuristic": (lambda value: 0 <= value <= 1, "between 0 and 1"),
    "stale_if_unreachable": (lambda value: value >= 0, "0 or more"),
    "early_refresh": (lambda value: value >= 0, "0 or more"),
    "store_set_cookie": (lambda _value: True, ""),
    "cache_status_key": (lambda _value: True, ""),
    "purge_method": (lambda _value: True, ""),
}
"""What holds for a number, and how to say so; for those not listed: that it is positive."""


def _check_number(name: str, value: object) -> None:
    holds, rule = _RULES.get(name, (lambda value: value > 0, "positive"))
    if isinstance(value, int | float) and not (isfinite(value) and holds(value)):
        raise ValueError(f"{name}: {value} is not {rule}")


def _check_upstreams(upstreams: tuple[str, ...], shields: tuple[str, ...]) -> None:
    names = set()
    for name, urls in ("upstreams", upstreams), ("shields", shields):
        for url in urls:
            try:
                address = Address.parse(url)
            except ValueError as error:
                raise ValueError(f"{name}: {url}: {error}") from error
            if "|" in url and name == "upstreams":
                raise ValueError(f"{name}: {url}: they have an order, and no weights")
            if address.name in names:
                raise ValueError(f"{name}: {url}: given twice")
            names.add(address.name)
    if len(names) > MAX_UPSTREAMS:
        raise ValueError(f"upstreams: more than {MAX_UPSTREAMS} with the shields")


def _check_ca(path: str | None) -> None:
    try:
        if path is not None:
            tls_context(path)
    except ssl.SSLError as error:
        raise ValueError(f"upstream_ca: {path}: no certificates in PEM form") from error
    except OSError as error:
        raise ValueError(f"upstream_ca: {path}: {error.strerror}") from error
