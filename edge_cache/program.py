"""``headrace edge``: the node, its server and its administration listener in one worker."""

import asyncio
import logging
from pathlib import Path

from edge_cache.config import EdgeConfig
from edge_cache.disk import journal
from edge_cache.disk.errors import DiskError
from edge_cache.disk.store import Store
from edge_cache.folder import own_folder
from edge_cache.journal import Journal
from edge_cache.metrics import METRICS, Tally
from edge_cache.node import Node
from edge_cache.purging import api
from edge_cache.purging.purges import Purges
from edge_cache.server import Server
from edge_cache.siblings import metrics as siblings
from edge_cache.siblings.client import Siblings, socket_path
from edge_cache.siblings.metrics import SiblingTally
from edge_cache.siblings.server import SiblingServer
from edge_cache.tiers.disk import DiskTier
from edge_cache.tiers.home import PURGES, opened
from edge_cache.tiers.tiered import Tiered
from edge_cache.upstream import status
from edge_cache.upstream.build import make_client, upstream_names
from edge_cache.upstream.metrics import upstream_metrics
from serving import admin, parent
from serving.sockets import address, listen
from serving.worker import Worker

_DRAIN_MARGIN = 1.0
"""Seconds between our own cut and the parent's kill."""

_CHECKER = 0
"""The worker that checks the health of upstreams for all: N would ask N times as often."""

_log = logging.getLogger("edge")


def run(config: EdgeConfig) -> int:
    """Serve until SIGTERM; the exit status.  ListenError if an address cannot be had."""
    listener = listen(config.host, config.port)
    administration = None
    if config.admin_port is not None:
        administration = listen("127.0.0.1", config.admin_port)

    with own_folder() as folder, opened(config):

        async def main(worker: Worker) -> None:
            await _serve(config, worker, folder)

        return parent.run(
            "headrace edge",
            main,
            listener=listener,
            admin=administration,
            workers=config.workers,
            counters=(
                *METRICS,
                *siblings.METRICS,
                *upstream_metrics(upstream_names(config)),
            ),
            drain=config.drain_timeout,
            ready_line=f"headrace edge ready {address(listener)}",
        )


async def _serve(config: EdgeConfig, worker: Worker, folder: Path) -> None:
    if worker.number == _CHECKER:
        _warn(config)
    config = config.of_worker()
    tally = Tally(worker.row)
    checker = None if worker.number == _CHECKER else worker.counters.row(_CHECKER)
    client = make_client(config, worker.row, checker)
    # What is in RAM ends with this process, and so may the purges of it.
    home = folder if config.cache_dir is None else Path(config.cache_dir)
    purges = Purges(journal.Journal(home / PURGES))
    tier = Tiered(config, purges, tally, _disk(config), reports=worker.number == 0)
    tier.start()
    asked = SiblingTally(worker.row)
    others = Siblings(config, folder, worker.number, asked) if config.workers > 1 else None
    node = Node(config, client, tier, tally, others)
    server = Server(config, node, Journal(worker.log.write, tally), tally)
    inner = SiblingServer(config, node, tally, asked)
    if others is not None:
        await inner.listen(socket_path(folder, worker.number))
    await server.start(worker.listener)
    worker.on_orphaned(server.stop_accepting)
    routes = {**status.routes(client, worker.number), **api.routes(purges)}
    await admin.serve(worker, routes=routes, token=config.admin_token)
    worker.ready()
    await worker.draining()
    limit = max(0.0, worker.drain_limit - _DRAIN_MARGIN)
    await asyncio.gather(server.drain(limit), inner.drain(limit))
    await node.close()
    await purges.close()
    await tier.finish()
    await asyncio.sleep(0)  # aborted transports tell their protocols in the next turn


def _warn(config: EdgeConfig) -> None:
    """Say what is not stored for a reason that is easily overlooked."""
    if config.cache_dir is not None and config.object_limit < config.max_object:
        limit = config.object_limit
        _log.warning("bodies above %d bytes are not stored: a quarter of --disk", limit)


def _disk(config: EdgeConfig) -> DiskTier | None:
    """The disk tier.  Without it if the disk has failed since the parent has opened it: a node
    that serves from RAM is better than none."""
    if config.cache_dir is None:
        return None
    try:
        store = Store.open(Path(config.cache_dir), config.disk)
    except DiskError:
        _log.exception("there is no disk tier")
        return None
    return DiskTier(store, config.ram_object)
