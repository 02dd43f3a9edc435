"""An origin inside the test: its loop has a thread, its clock and its parts are at hand."""

import asyncio
import io
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import uvloop

from origin.catalog import Catalog
from origin.config import OriginConfig
from origin.database import Database
from origin.indexes import Indexes
from origin.ingest.program import ingest
from origin.mapping.mapped import Mapped
from origin.media import Media
from origin.pictures import Pictures
from origin.server import Finished, Server, Site
from origin.storage.sources import Access, Sources
from serving.sockets import listen
from tests.support.http import Answer, Client
from tests.support.waiting import LIMIT, until

SECOND = 1_000_000_000


class Origin:
    def __init__(self, config: OriginConfig) -> None:
        self.config = config
        self.records: list[Mapping[str, Any]] = []
        """Of finished requests."""
        self.bugs: list[Exception] = []
        self.clock_offset = 0
        """Nanoseconds that the origin's clock is ahead of ours."""
        self.entry = ""
        """That is ingested, where the fixture ingests one."""
        self.flavors: list[str] = []
        """Its flavors, in order."""
        self.still: int | None = None
        """Nanoseconds at which the clock stands, where it stands."""

    def now(self) -> int:
        return time.time_ns() + self.clock_offset if self.still is None else self.still

    async def serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        config = self.config
        self.database = Database(config.data)
        access = Access.of(config)
        self.files = Sources(config.open_files, access)
        self.indexes = Indexes(self.database, self.files, config.index_cache)
        self.mapped = Mapped.of(config, self.now)
        self.catalog = Catalog(
            self.database, self.files, self.indexes, config.local_root, self.now, self.mapped
        )
        self.pictures = Pictures(
            self.catalog,
            drawers=config.picture_processes,
            exact=config.thumb_exact,
            listed=config.thumb_sheets,
        )
        self.media = Media(
            self.catalog,
            manifest_cache=config.manifest_cache,
            plan_cache=config.plan_cache,
            built_bytes=config.built_bytes,
            pictures=self.pictures,
        )
        self.site = Site(
            config, self.media.at_hand, self.media.find, self.report, self.bugs.append
        )
        self.loop = asyncio.get_running_loop()
        self.server = server = Server(self.site, config.connections)
        listener = listen("127.0.0.1", 0)
        self.address = listener.getsockname()[:2]
        server.add_socket(listener)
        ready.set()
        await stop.wait()
        server.stop()
        await server.close_all_connections()
        if self.site.tasks:
            await asyncio.wait(self.site.tasks, timeout=LIMIT)
        await self.pictures.close()
        await self.mapped.close()
        await self.files.close()
        await self.database.close()

    def notice(self) -> None:
        """See at once what changed in the catalog, and not only with the next look."""
        look = self.database.watch.look()
        asyncio.run_coroutine_threadsafe(look, self.loop).result(LIMIT)

    def report(self, done: Finished) -> None:
        self.records.append(json.loads(done.line))

    # -- as a client

    def connect(self, *, receive: int | None = None) -> Client:
        return Client(self.address, receive=receive)

    def ask(self, target: str, *lines: str, method: str = "GET") -> Answer:
        with self.connect() as client:
            return client.ask(target, *lines, method=method)

    def get(self, target: str, *lines: str) -> bytes:
        """The body of a 200."""
        answer = self.ask(target, *lines)
        assert answer.status == 200, (target, answer)
        return answer.body

    def text(self, target: str) -> str:
        return self.get(target).decode()

    def media_names(self, playlist: str) -> list[str]:
        """Paths of the init segment and the segments of a media playlist."""
        return names_in(playlist, self.text(playlist))

    def last_record(self) -> Mapping[str, Any]:
        return until(lambda: self.records)[-1]


def names_in(playlist: str, text: str) -> list[str]:
    folder = playlist.rpartition("/")[0]
    found = []
    for line in text.splitlines():
        if line.startswith("#EXT-X-MAP"):
            line = line.partition('URI="')[2].partition('"')[0]
        if line and not line.startswith("#"):
            found.append(f"{folder}/{line}")
    return found


def token_of(name: str) -> str:
    return name.rpartition("-x")[2].partition(".")[0]


@contextmanager
def running(config: OriginConfig) -> Iterator[Origin]:
    """An origin, which must not have met an unforeseen error in the end."""
    origin, ready = Origin(config), threading.Event()
    failures: list[BaseException] = []
    stops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def main() -> None:
        stop = asyncio.Event()
        stops.append((asyncio.get_running_loop(), stop))
        await origin.serve(ready, stop)

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(main())
        except BaseException as error:
            failures.append(error)
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(LIMIT) and not failures, failures
        yield origin
    finally:
        loop, stop = stops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(LIMIT)
    assert not thread.is_alive() and not failures, failures
    assert not origin.bugs, origin.bugs


def take(data: Path, *files: Path | str, **options: Any) -> list[dict[str, Any]]:
    """Ingest; what is printed of each flavor."""
    order = {"entry": None, "partner": 101, "name": None, "replace": None, **options}
    said = io.StringIO()
    with redirect_stdout(said):
        assert ingest(files, data, as_json=True, **order) == 0
    return [json.loads(line) for line in said.getvalue().splitlines()]
