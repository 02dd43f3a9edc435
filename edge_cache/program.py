"""``headrace edge``: the node, its server and its administration listener in one worker."""

import asyncio

from edge_cache.config import EdgeConfig
from edge_cache.journal import Journal
from edge_cache.metrics import METRICS, Tally
from edge_cache.node import Node
from edge_cache.server import Server
from edge_cache.tiers.memory import MemoryTier
from edge_cache.upstream.client import UpstreamClient
from edge_cache.upstream.pool import Pool
from serving import admin, parent
from serving.sockets import address, listen
from serving.worker import Worker

_DRAIN_MARGIN = 1.0
"""Seconds between our own cut and the parent's kill."""


def run(config: EdgeConfig) -> int:
    """Serve until SIGTERM; the exit status.  ListenError if an address cannot be had."""
    listener = listen(config.host, config.port)
    administration = None
    if config.admin_port is not None:
        administration = listen("127.0.0.1", config.admin_port)

    async def main(worker: Worker) -> None:
        await _serve(config, worker)

    return parent.run(
        "headrace edge",
        main,
        listener=listener,
        admin=administration,
        workers=config.workers,
        counters=METRICS,
        drain=config.drain_timeout,
        ready_line=f"headrace edge ready {address(listener)}",
    )


def make_client(config: EdgeConfig) -> UpstreamClient:
    pools = [
        Pool(url, connect_timeout=config.connect_timeout, idle_timeout=config.pool_idle)
        for url in config.upstreams
    ]
    return UpstreamClient(pools, first_byte_timeout=config.first_byte_timeout)


async def _serve(config: EdgeConfig, worker: Worker) -> None:
    tally = Tally(worker.row)
    node = Node(config, make_client(config), MemoryTier(config.ram), tally)
    server = Server(config, node, Journal(worker.log.write, tally), tally)
    await server.start(worker.listener)
    worker.on_orphaned(server.stop_accepting)
    await admin.serve(worker)
    worker.ready()
    await worker.draining()
    await server.drain(max(0.0, worker.drain_limit - _DRAIN_MARGIN))
    await node.close()
    await asyncio.sleep(0)  # aborted transports tell their protocols in the next turn
