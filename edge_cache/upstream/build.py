"""From a configuration to the client."""

from collections.abc import Iterable

from edge_cache.config import EdgeConfig
from edge_cache.upstream.address import Address
from edge_cache.upstream.breaker import BreakerPolicy
from edge_cache.upstream.budget import RetryBudget
from edge_cache.upstream.client import Routing, UpstreamClient
from edge_cache.upstream.health import HealthCheck
from edge_cache.upstream.member import Limits, Member
from edge_cache.upstream.metrics import MemberTally, RetryTally
from edge_cache.upstream.pool import Pool, tls_context
from serving.counters import Row


def upstream_names(config: EdgeConfig) -> list[str]:
    """What the metrics call the upstreams."""
    return [Address.parse(url).name for url in (*config.shields, *config.upstreams)]


def make_client(config: EdgeConfig, row: Row, checker: Row | None = None) -> UpstreamClient:
    """A client that counts in *row*, and checks health from now on if that is configured.

    *checker* is the row of the worker that does so for all; None if that is this one.
    """
    urls = (*config.shields, *config.upstreams)
    is_tls = any(url.startswith("https:") for url in urls)
    tls = tls_context(config.upstream_ca) if is_tls else None  # for all of them: it is large
    limits = Limits(
        config.first_byte_timeout, config.upstream_deadline, config.failure_statuses
    )
    policy = BreakerPolicy(
        failures=config.breaker_failures,
        share=config.breaker_share,
        volume=config.breaker_volume,
        window=config.breaker_window,
        rest=config.breaker_rest,
        rest_limit=config.breaker_rest_limit,
    )

    def member(url: str) -> Member:
        pool = Pool(
            url,
            connect_timeout=config.connect_timeout,
            idle_timeout=config.pool_idle,
            limit=config.upstream_connections,
            tls=tls,
            dns_interval=config.dns_interval,
        )
        return Member(pool, limits, policy, MemberTally(row, pool.address.name))

    client = UpstreamClient(
        [member(url) for url in config.upstreams],
        [member(url) for url in config.shields],
        limits,
        _routing(config),
        RetryBudget(config.retry_share, config.retry_burst),
        RetryTally(row),
    )
    if config.health is not None and checker is not None:
        client.follow_health(checker)
    elif config.health is not None:
        client.check_health(_health_check(config, config.health))
    return client


def _routing(config: EdgeConfig) -> Routing:
    allowed = config.route_allowed
    return Routing(
        ignored=_lowered(config.route_ignored),
        allowed=None if allowed is None else _lowered(allowed),
        next_on=config.failover_statuses,
    )


def _lowered(names: Iterable[str]) -> frozenset[bytes]:
    return frozenset(name.lower().encode() for name in names)


def _health_check(config: EdgeConfig, path: str) -> HealthCheck:
    return HealthCheck(
        path=path,
        interval=config.health_interval,
        timeout=config.health_timeout,
        status=config.health_status,
        down=config.health_down,
        up=config.health_up,
    )
