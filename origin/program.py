"""An origin as a process: a parent that listens, workers that serve."""

import asyncio
import logging
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from metadata.engine import import_driver, is_there, open_reader
from metadata.sessions import refuse_other_schema
from origin.config import OriginConfig
from origin.filters.hook import NamedHook, load_hook
from origin.watch import Watch
from serving import admin, parent
from serving.counters import Counter, Gauge, Histogram, Metric
from serving.sockets import address, listen
from serving.worker import Worker

_log = logging.getLogger("origin")

_STATUSES = ("2xx", "3xx", "4xx", "5xx", "aborted")
_METRICS: tuple[Metric, ...] = (
    Counter(
        "headrace_origin_requests_total", "Requests answered, by status.", {"status": _STATUSES}
    ),
    Counter("headrace_origin_bytes_total", "Bytes of bodies sent."),
    Counter("headrace_origin_database_questions_total", "Questions asked of the database."),
    Counter("headrace_origin_indexes_parsed_total", "Files parsed for want of an index."),
    Gauge("headrace_origin_requests_in_flight", "Requests being carried out."),
    Gauge("headrace_origin_connections", "Open connections."),
    Gauge("headrace_origin_index_cache_bytes", "Flavor indexes in memory."),
    Histogram(
        "headrace_origin_first_byte_seconds",
        "From the end of a request's header to the first byte of its answer.",
        (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
    ),
)
_OF_EVERY_WORKER = (
    "metadata.asking",
    "metadata.journal",
    "origin.administration",
    "origin.mapping.mapped",
    "origin.media",
    "origin.memory",
    "origin.page",
    "origin.server",
    "tornado.platform.asyncio",  # or Tornado's loop would, when it begins
)
"""Imported before the fork, so that workers share the memory and the time.  What only some
deployments use is imported where it is used, by each worker that does."""

_SAMPLED_EVERY = 1.0
"""Seconds between two readings of what is only a level."""


def run(config: OriginConfig) -> int:
    """Serve until SIGTERM; the exit status.  Raises ``ListenError``, ``UnknownHook``, and
    ``WrongSchema`` for a database that another version of this program has made."""
    _refuse_other_schema(config)
    listener = listen(config.host, config.port)
    admin_listener = None
    if config.admin_port is not None:
        admin_listener = listen("127.0.0.1", config.admin_port)
    hook = None if config.manifest_hook is None else load_hook(config.manifest_hook)
    _import_before_fork(config)
    return parent.run(
        "headrace origin",
        lambda worker: _main(config, worker, hook),
        listener=listener,
        admin=admin_listener,
        workers=config.workers,
        counters=_METRICS,
        drain=config.drain,
        ready_line=f"headrace origin ready {address(listener)}",
    )


def _import_before_fork(config: OriginConfig) -> None:
    for name in _OF_EVERY_WORKER:
        import_module(name)
    import_driver(config.data)


def _refuse_other_schema(config: OriginConfig) -> None:
    engine = open_reader(config.data)
    try:
        refuse_other_schema(engine)
    finally:
        engine.dispose()  # no connection goes to the workers


def _unready(config: OriginConfig, watch: Watch) -> str | None:
    """Why requests should not be sent here; one that serves files may have no database."""
    elsewhere = (
        config.local_root, config.mapping_root, config.mapping_upstream, config.remote_upstream
    )  # fmt: skip
    if watch.problem is None or (any(elsewhere) and not is_there(config.data)):
        return None
    return watch.problem


async def _main(config: OriginConfig, worker: Worker, hook: NamedHook | None) -> None:
    from origin import administration
    from origin.catalog import Catalog
    from origin.database import Database
    from origin.indexes import Indexes
    from origin.mapping.mapped import Mapped
    from origin.media import Found, Media
    from origin.memory import keep_freed_memory
    from origin.page import Page
    from origin.pictures import Pictures
    from origin.server import Finished, Server, Site
    from origin.storage.sources import Access, Sources

    keep_freed_memory()
    database = Database(config.data)
    files = Sources(config.open_files, Access.of(config))
    indexes = Indexes(database, files, config.index_cache)
    mapped = Mapped.of(config, time.time_ns)
    catalog = Catalog(
        *(database, files, indexes, config.local_root, time.time_ns, mapped, hook),
        data_center=config.data_center,
    )
    pictures = Pictures(
        catalog,
        drawers=config.picture_processes,
        exact=config.thumb_exact,
        listed=config.thumb_sheets,
    )
    media = Media(
        catalog,
        manifest_cache=config.manifest_cache,
        plan_cache=config.plan_cache,
        built_bytes=config.built_bytes,
        pictures=pictures,
    )
    page = Page(config.page_entry, config.players)
    row = worker.row
    first_byte = row.histogram("headrace_origin_first_byte_seconds")
    requests = {name: row.index("headrace_origin_requests_total", name) for name in _STATUSES}
    sent = row.index("headrace_origin_bytes_total")

    async def find(path: str) -> Found:
        if (own := page.find(path)) is not None:
            return own, None
        return await media.find(path)

    def report(done: Finished) -> None:
        name = "aborted" if done.aborted else f"{done.status // 100}xx"
        row.cells[requests[name]] += 1
        row.cells[sent] += done.sent
        first_byte.observe(done.first_byte)
        worker.log.write(done.line)

    def on_bug(error: Exception) -> None:
        _log.error("a request failed for a reason that nobody foresaw", exc_info=error)

    site = Site(config, media.at_hand, find, report, on_bug)
    server = Server(site, config.connections)
    server.add_socket(worker.listener)
    contract = administration.routes(
        database, catalog.contents, time.time_ns, config.data_center
    )
    await admin.serve(
        worker,
        routes=contract,
        token=config.admin_token,
        unready=lambda: _unready(config, database.watch),
    )
    database.watch.begin()
    worker.on_orphaned(server.stop)
    worker.ready()
    levels = asyncio.ensure_future(_sample(worker, site, server, indexes, database))
    await worker.draining()
    site.draining = True
    server.stop()
    await _finish(site.tasks, max(1.0, config.drain - 1))
    levels.cancel()
    await server.close_all_connections()
    await pictures.close()
    await mapped.close()
    await files.close()
    await database.close()


async def _finish(tasks: "set[asyncio.Task[None]]", limit: float) -> None:
    """Wait for all responses, those too that begin meanwhile on connections kept alive."""
    with suppress(TimeoutError):
        async with asyncio.timeout(limit):
            while tasks:
                await asyncio.wait(tasks)


async def _sample(worker: Worker, site, server, indexes, database) -> None:  # type: ignore[no-untyped-def]
    """Levels and totals that others keep, into this worker's row."""
    row = worker.row
    questions = parsed = 0
    while True:
        row.set("headrace_origin_requests_in_flight", to=site.in_flight)
        row.set("headrace_origin_connections", to=server.connections)
        row.set("headrace_origin_index_cache_bytes", to=indexes.size)
        row.add(
            "headrace_origin_database_questions_total", amount=database.questions - questions
        )
        row.add("headrace_origin_indexes_parsed_total", amount=indexes.parsed - parsed)
        questions, parsed = database.questions, indexes.parsed
        await asyncio.sleep(_SAMPLED_EVERY)


__all__ = ["Path", "run"]
