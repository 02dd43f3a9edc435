"""Files of HTTP servers: ranges, validators, redirects, addresses, and what goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from origin.errors import NotFound, SourceChanged, SourceUnavailable
from origin.storage.remote import Limits
from origin.storage.sources import Access, Sources
from tests.origin.inside import take

CONTENT = bytes(range(256)) * 8192


class Site:
    """One file, and what a server may do with it."""

    def __init__(self) -> None:
        self.content, self.etag, self.fields = CONTENT, '"one"', dict[str, str]()
        self.statuses: list[int] = []
        """Of the next answers."""
        self.ports: set[int] = set()
        self.asked = 0
        self.to = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        assert request.transport
        self.ports.add(request.transport.get_extra_info("peername")[1])
        if self.statuses:
            return web.Response(status=self.statuses.pop(0))
        if request.path == "/moved":
            return web.Response(status=302, headers={"Location": self.to})
        if request.path != "/a.mp4":
            return web.Response(status=404)
        if request.headers.get("If-Match", self.etag) != self.etag:
            return web.Response(status=412)
        at = request.http_range
        start, stop = at.start, min(at.stop, len(self.content))
        fields = {
            "ETag": self.etag,
            "Content-Range": f"bytes {start}-{stop - 1}/{len(self.content)}",
        }
        body = self.content[start:stop]
        return web.Response(status=206, body=body, headers=fields | self.fields)


@asynccontextmanager
async def serving(
    hosts: tuple[str, ...] = (), *, private: bool = True
) -> AsyncIterator[tuple[Site, Sources, str]]:
    site, app = Site(), web.Application()
    app.router.add_get("/{path:.*}", site.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host = f"127.0.0.1:{runner.addresses[0][1]}"
    access = Access(remote_hosts=(host, *hosts), remote_private=private)
    sources = Sources(4, access, Limits(answer=5, idle=1))
    try:
        yield site, sources, f"http://{host}"
    finally:
        await sources.close()
        await runner.cleanup()


def played(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(scenario())  # type: ignore[arg-type]


def test_reads_on_one_connection() -> None:
    async def scenario() -> None:
        async with serving() as (site, sources, url):
            source = await sources.open(f"{url}/a.mp4")
            buffer = memoryview(bytearray(200))
            for at in (0, 500_000, 1_900_000):
                await source.read([(at, 0, 100), (at + 100_000, 100, 200)], buffer)
                assert buffer == CONTENT[at:][:100] + CONTENT[at + 100_000 :][:100]
            assert source.size == len(CONTENT) and site.asked == 4 and len(site.ports) == 1

    played(scenario)


def test_a_file_that_changes_is_never_mixed() -> None:
    async def scenario() -> None:
        async with serving() as (site, sources, url):
            source = await sources.open(f"{url}/a.mp4")
            site.etag = '"two"'
            with pytest.raises(SourceChanged):
                await source.read([(0, 0, 9)], memoryview(bytearray(9)))
            assert (await sources.open(f"{url}/a.mp4")).stamp != source.stamp

    played(scenario)


@pytest.mark.parametrize(
    ("statuses", "error"),
    [
        ([404], NotFound), ([403], SourceUnavailable), ([200], SourceUnavailable),
        ([503, 503, 503], SourceUnavailable), ([503, 429], None),
    ],
)  # fmt: skip
def test_statuses(statuses: list[int], error: type[Exception] | None) -> None:
    async def scenario() -> None:
        async with serving() as (site, sources, url):
            site.statuses, count = list(statuses), len(statuses)
            if error is None:
                await sources.open(f"{url}/a.mp4")
                count += 1
            else:
                with pytest.raises(error):
                    await sources.open(f"{url}/a.mp4")
            assert site.asked == count

    played(scenario)


@pytest.mark.parametrize(
    "fields",
    [
        {"Content-Range": "bytes 1-1/9"}, {"Content-Range": "bytes 0-0/*"},
        {"Content-Encoding": "gzip"}, {"ETag": 'W/"x"'},
    ],
)  # fmt: skip
def test_answers_that_cannot_be_used(fields: dict[str, str]) -> None:
    async def scenario() -> None:
        async with serving() as (site, sources, url):
            site.fields = fields
            with pytest.raises(SourceUnavailable):
                await sources.open(f"{url}/a.mp4")

    played(scenario)


def test_redirects_stay_among_the_hosts() -> None:
    async def scenario() -> None:
        async with serving() as (site, sources, url):
            site.to = "/a.mp4"
            assert (await sources.open(f"{url}/moved")).size == len(CONTENT)
            for site.to in ("http://other.example/a.mp4", "file:///etc/passwd", "/moved"):
                with pytest.raises(SourceUnavailable):
                    await sources.open(f"{url}/moved?{len(site.to)}")

    played(scenario)


def test_private_addresses_are_connected_to_only_if_allowed() -> None:
    """Also those behind a name."""

    async def scenario() -> None:
        async with serving(private=False) as (site, sources, url):
            for one in (url, url.replace("127.0.0.1", "localhost")):
                with pytest.raises(SourceUnavailable):
                    await sources.open(f"{one}/a.mp4")
            named = Access(remote_hosts=(url.replace("127.0.0.1", "localhost")[7:],))
            other = Sources(1, named)
            with pytest.raises(SourceUnavailable, match="reached"):
                await other.open(f"http://{named.remote_hosts[0]}/a.mp4")
            await other.close()
            assert not site.asked

    played(scenario)


@pytest.mark.parametrize(
    "address", ["http://u:p@{}/a.mp4", "http://other.example/", "http://{}x/", "http://[/"]
)
def test_addresses_that_are_refused(address: str) -> None:
    async def scenario() -> None:
        async with serving() as (_, sources, url):
            with pytest.raises(SourceUnavailable):
                await sources.open(address.format(url[7:]))

    played(scenario)


def test_ingest_of_an_address(clips: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving() as (site, _, url):
            site.content = (clips / "a.mp4").read_bytes()
            found = await asyncio.to_thread(take, tmp_path / "data", f"{url}/a.mp4")
            assert found[0]["path"] == f"{url}/a.mp4" and site.asked <= 3

    played(scenario)
