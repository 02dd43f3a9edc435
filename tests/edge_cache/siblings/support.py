"""Several workers of one node in the test's own loop, each at a port of its own."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from edge_cache.config import EdgeConfig
from edge_cache.disk.journal import Journal as PurgeJournal
from edge_cache.journal import Journal
from edge_cache.metrics import METRICS, Tally
from edge_cache.node import Node
from edge_cache.purging.purges import Purges
from edge_cache.server import Server
from edge_cache.siblings import metrics
from edge_cache.siblings.client import Siblings, socket_path
from edge_cache.siblings.metrics import SiblingTally
from edge_cache.siblings.owner import owner_of
from edge_cache.siblings.server import SiblingServer
from edge_cache.tiers.tiered import Tiered
from edge_cache.upstream.build import make_client, upstream_names
from edge_cache.upstream.metrics import upstream_metrics
from serving.counters import Counters
from serving.sockets import listen


@dataclass(slots=True)
class Worker:
    port: int
    inner: SiblingServer
    tier: Tiered
    purges: Purges
    log: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Workers:
    all: list[Worker]
    folder: Path
    counters: Counters
    closing: AsyncExitStack
    node_id: str

    def __getitem__(self, number: int) -> Worker:
        return self.all[number]

    def count(self, name: str, *values: str) -> float:
        return self.counters.value(f"headrace_edge_{name}", *values)


def owned_by(worker: int, workers: int, prefix: str = "/") -> str:
    """A target that *worker* owns."""
    names = (f"{prefix}{number}" for number in count())
    return next(name for name in names if owner_of(name.encode(), workers) == worker)


@asynccontextmanager
async def workers(number: int, *upstreams: str, **limits: Any) -> AsyncIterator[Workers]:
    config = EdgeConfig(upstreams=upstreams, port=0, workers=number, **limits)
    names = upstream_names(config)
    counters = Counters((*METRICS, *metrics.METRICS, *upstream_metrics(names)), number)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        records = PurgeJournal(folder / "purges")
        stack.callback(records.close)
        started = Workers([], folder, counters, stack, config.node_id)
        for each in range(number):
            worker = await stack.enter_async_context(_worker(config, started, each, records))
            started.all.append(worker)
        yield started


@asynccontextmanager
async def _worker(
    config: EdgeConfig, started: Workers, number: int, records: PurgeJournal
) -> AsyncIterator[Worker]:
    config = config.of_worker()
    row = started.counters.row(number)
    tally, asked = Tally(row), SiblingTally(row)
    purges = Purges(records)
    tier = Tiered(config, purges, tally, None)
    tier.start()
    siblings = Siblings(config, started.folder, number, asked)
    node = Node(config, make_client(config, row), tier, tally, siblings)
    log: list[Mapping[str, Any]] = []
    journal = Journal(lambda line: log.append(json.loads(line)), tally)
    server, inner = (
        Server(config, node, journal, tally),
        SiblingServer(config, node, tally, asked),
    )
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    await inner.listen(socket_path(started.folder, number))
    await server.start(listener)
    try:
        yield Worker(port, inner, tier, purges, log)
    finally:
        await asyncio.gather(server.drain(0), inner.drain(0))
        await node.close()
        await purges.close()
        await tier.finish()
        await asyncio.sleep(0.01)  # transports that were aborted close in the next turns
