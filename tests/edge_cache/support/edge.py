"""An edge in the test's own loop, with its log and its counters at hand."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvloop

from edge_cache.config import EdgeConfig
from edge_cache.disk.journal import Journal as PurgeJournal
from edge_cache.disk.store import Store
from edge_cache.journal import Journal
from edge_cache.metrics import METRICS, Tally
from edge_cache.node import Node
from edge_cache.purging.purges import Purges
from edge_cache.server import Server
from edge_cache.tiers.disk import DiskTier
from edge_cache.tiers.tiered import Tiered
from edge_cache.upstream.build import make_client, upstream_names
from edge_cache.upstream.metrics import upstream_metrics
from serving.counters import Counters
from serving.sockets import listen

LIMIT = 20.0
"""Seconds that a scenario may take before it counts as hanging."""


def run(scenario: Coroutine[Any, Any, None], limit: float = LIMIT) -> None:
    """Run *scenario* on the loop that the product uses, within *limit* seconds."""

    async def limited() -> None:
        async with asyncio.timeout(limit):
            await scenario

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(limited())


async def until(holds: Callable[[], object]) -> None:
    """Wait for something that nobody announces; the scenario's limit ends it."""
    while not holds():  # noqa: ASYNC110 - what is looked at knows nothing of tests
        await asyncio.sleep(0.002)


@dataclass(slots=True)
class Edge:
    port: int
    server: Server
    tier: Tiered
    purges: Purges
    counters: Counters
    log: list[Mapping[str, Any]] = field(default_factory=list)

    def count(self, name: str, *values: str) -> float:
        return self.counters.value(f"headrace_edge_{name}", *values)

    async def logged(self, number: int) -> list[Mapping[str, Any]]:
        """The log, once it has *number* lines."""
        await until(lambda: len(self.log) >= number)
        return self.log


@asynccontextmanager
async def edge(*upstreams: str, **limits: Any) -> AsyncIterator[Edge]:
    config = EdgeConfig(upstreams=upstreams, port=0, **limits)
    counters = Counters((*METRICS, *upstream_metrics(upstream_names(config))), 1)
    row = counters.row(0)
    tally = Tally(row)
    folder = TemporaryDirectory()
    records = PurgeJournal(Path(folder.name))
    purges = Purges(records)
    tier = Tiered(config, purges, tally, disk_tier(config))
    tier.start()
    node = Node(config, make_client(config, row), tier, tally)
    log: list[Mapping[str, Any]] = []

    def write(line: bytes) -> None:
        log.append(json.loads(line))

    server = Server(config, node, Journal(write, tally), tally)
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    await server.start(listener)
    try:
        yield Edge(port, server, tier, purges, counters, log)
    finally:
        await server.drain(0)
        await node.close()
        await purges.close()
        await tier.finish()
        records.close()
        folder.cleanup()
        await asyncio.sleep(0.01)  # transports that were aborted close in the next turns


def disk_tier(config: EdgeConfig) -> DiskTier | None:
    if config.cache_dir is None:
        return None
    return DiskTier(Store.open(Path(config.cache_dir), config.disk), config.ram_object)
