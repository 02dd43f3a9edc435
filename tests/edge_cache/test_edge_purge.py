"""Purging from outside: a running edge, its administration, ``headrace purge`` and PURGE."""

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge_cache.purging.names import Kind
from tests.edge_cache.support.client import Answer, connect, get
from tests.edge_cache.support.edge import edge, run, until
from tests.edge_cache.support.origin import Exchange, Handler, Seen, origin
from tests.support.processes import Running, free_port, headrace, running

TOKEN = "open-sesame"
HEADERS = ("Cache-Control: max-age=60", "Surrogate-Key: all-of-it")
SOFT = ("Cache-Control: max-age=60, stale-while-revalidate=60", 'ETag: "1"')


def counting(*lines: str) -> Handler:
    """A handler whose bodies are numbered."""
    count = 0

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        nonlocal count
        count += 1
        await exchange.respond(b"%d" % count, *(lines or HEADERS))

    return handler


# Within the test's own loop.


def test_a_purged_url_is_fetched_anew_when_somebody_asks() -> None:
    async def scenario() -> None:
        async with origin(counting()) as upstream, edge(upstream.url) as node:
            assert (await get(node.port, "/a")).body == b"1"
            assert (await get(node.port, "/b")).body == b"2"
            await node.purges.purge([(Kind.URL, b"/a")], soft=False)
            await until(lambda: node.count("ram_objects") == 1)
            assert len(upstream.seen) == 2  # and not before
            answer = await get(node.port, "/a")
            assert answer.body == b"3" and "fwd=uri-miss" in answer.cache
            assert "hit" in (await get(node.port, "/a")).cache
            assert (await get(node.port, "/b")).body == b"2"
            assert node.count("purged_total", "hard") == 1

    run(scenario())


def test_every_variant_and_every_spelling_goes() -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        coding = seen.headers["accept-encoding"]
        await exchange.respond(coding.encode(), *HEADERS, "Vary: Accept-Encoding")

    async def scenario() -> None:
        async with origin(handler) as upstream, edge(upstream.url) as node:
            asked = [
                (target, f"Accept-Encoding: {coding}")
                for target in ("/~a", "/%7ea")
                for coding in ("gzip", "identity")
            ]
            for _ in range(2):
                for request in asked:
                    await get(node.port, *request)
            assert len(upstream.seen) == 4
            await node.purges.purge([(Kind.URL, b"/~a")], soft=False)
            for request in asked:
                assert "hit" not in (await get(node.port, *request)).cache

    run(scenario())


@dataclass
class Held:
    """An origin that keeps its responses back until it is told to go on."""

    going: asyncio.Event = field(default_factory=asyncio.Event)
    begun: int = 0

    async def __call__(self, _seen: Seen, exchange: Exchange) -> None:
        self.begun += 1
        number = b"%d" % self.begun
        if self.begun > 1:
            await exchange.respond(number, *HEADERS)
            return
        await exchange.head(*HEADERS, "Content-Length: 2")
        await exchange.send(number)
        await self.going.wait()
        await exchange.send(number)


def test_a_fill_that_a_purge_overtakes_is_not_joined_and_not_stored() -> None:
    async def scenario() -> None:
        held = Held()
        async with (
            origin(held) as upstream,
            edge(upstream.url) as node,
            connect(node.port) as early,
        ):
            await early.ask("/a")
            head = await early.head()
            await node.purges.purge([(Kind.TAG, b"all-of-it")], soft=False)
            late = await get(node.port, "/a")
            assert late.body == b"2"  # did not wait for the first
            held.going.set()
            assert await early.body(head.headers) == b"11"  # asked before the purge
            again = await get(node.port, "/a")
            assert again.body == b"2" and "hit" in again.cache

    run(scenario())


def test_a_fill_without_a_head_is_not_joined_after_a_purge_of_any_tag() -> None:
    async def scenario() -> None:
        going, begun = asyncio.Event(), 0

        async def handler(_seen: Seen, exchange: Exchange) -> None:
            nonlocal begun
            begun += 1
            number = b"%d" % begun
            if begun == 1:
                await going.wait()
            await exchange.respond(number, *HEADERS)

        async with origin(handler) as upstream, edge(upstream.url) as node:
            early = asyncio.ensure_future(get(node.port, "/a"))
            await until(lambda: begun == 1)
            await node.purges.purge([(Kind.TAG, b"all-of-it")], soft=False)
            assert (await get(node.port, "/a")).body == b"2"
            going.set()
            assert (await early).body == b"1"
            assert (await get(node.port, "/a")).body == b"2"

    run(scenario())


def test_a_revalidation_does_not_revive_what_is_purged() -> None:
    async def scenario() -> None:
        going = asyncio.Event()

        async def handler(seen: Seen, exchange: Exchange) -> None:
            lines = ("Cache-Control: max-age=0, stale-while-revalidate=60", 'ETag: "1"')
            if "if-none-match" in seen.headers:
                await going.wait()
                await exchange.head(*HEADERS, 'ETag: "1"', status="304 Not Modified")
                return
            await exchange.respond(b"old" if len(upstream.seen) == 1 else b"new", *lines)

        async with origin(handler) as upstream, edge(upstream.url) as node:
            assert (await get(node.port, "/a")).body == b"old"
            assert (await get(node.port, "/a")).body == b"old"  # stale; asks behind our back
            await until(lambda: len(upstream.seen) == 2)
            await node.purges.purge([(Kind.URL, b"/a")], soft=False)
            going.set()
            await until(lambda: node.count("fills") == 0)
            assert (await get(node.port, "/a")).body == b"new"

    run(scenario())


def test_what_is_softly_purged_is_served_once_more_while_it_is_refreshed() -> None:
    async def scenario() -> None:
        async with origin(counting(*SOFT)) as upstream, edge(upstream.url) as node:
            assert (await get(node.port, "/a")).body == b"1"
            await node.purges.purge([(Kind.URL, b"/a")], soft=True)
            stale = await get(node.port, "/a")
            assert stale.body == b"1" and "hit; ttl=-" in stale.cache
            await until(lambda: len(upstream.seen) == 2 and node.count("fills") == 0)
            assert upstream.seen[1].headers["if-none-match"] == '"1"'
            fresh = await get(node.port, "/a")
            assert fresh.body == b"2" and "hit; ttl=5" in fresh.cache

    run(scenario())


def test_a_head_asked_before_a_soft_purge_freshens_nothing() -> None:
    async def scenario() -> None:
        going = asyncio.Event()

        async def handler(seen: Seen, exchange: Exchange) -> None:
            if seen.method == "HEAD":
                await going.wait()
                await exchange.head(*HEADERS, 'ETag: "1"', "Content-Length: 4")
            else:
                await exchange.respond(b"body", "Cache-Control: max-age=0", 'ETag: "1"')

        async with origin(handler) as upstream, edge(upstream.url) as node:
            await get(node.port, "/a")
            head = asyncio.ensure_future(get(node.port, "/a", method="HEAD"))
            await until(lambda: len(upstream.seen) == 2)
            await node.purges.purge([(Kind.URL, b"/a")], soft=True)
            await until(lambda: node.tier.is_clean)
            going.set()
            assert (await head).status == 200
            assert "fwd=stale" in (await get(node.port, "/a")).cache

    run(scenario())


def test_without_a_window_a_soft_purge_asks_first() -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        lines = ("Cache-Control: max-age=60", 'ETag: "1"')
        if "if-none-match" in seen.headers:
            await exchange.head(*lines, status="304 Not Modified")
        else:
            await exchange.respond(b"body", *lines)

    async def scenario() -> None:
        async with origin(handler) as upstream, edge(upstream.url) as node:
            await get(node.port, "/a")
            await node.purges.purge([(Kind.URL, b"/a")], soft=True)
            assert "fwd=stale; fwd-status=304" in (await get(node.port, "/a")).cache
            assert "hit" in (await get(node.port, "/a")).cache

    run(scenario())


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        ("Authorization: Bearer open-sesame", 204, None),
        ("Authorization: Bearer open", 401, "token"),
        ("X-None: 1", 401, "token"),
    ],
)
def test_purge_as_a_method(line: str, status: int, reason: str | None) -> None:
    async def scenario() -> None:
        limits = {"purge_method": True, "admin_token": TOKEN}
        async with origin(counting()) as upstream, edge(upstream.url, **limits) as node:
            await get(node.port, "/a")
            async with connect(node.port) as client:
                answer = await client.get("/a", line, method="PURGE")
                assert (answer.status, answer.headers.get("x-headrace-error")) == (
                    status,
                    reason,
                )
                assert (await client.get("/a")).body == (b"2" if status == 204 else b"1")
            assert all(seen.method == "GET" for seen in upstream.seen)

    run(scenario())


def test_purge_as_a_method_may_be_soft() -> None:
    async def scenario() -> None:
        limits = {"purge_method": True, "admin_token": TOKEN}
        async with origin(counting(*SOFT)) as upstream, edge(upstream.url, **limits) as node:
            await get(node.port, "/a")
            lines = (f"Authorization: Bearer {TOKEN}", "Soft-Purge: 1")
            assert (await get(node.port, "/a", *lines, method="PURGE")).status == 204
            assert (await get(node.port, "/a")).body == b"1"
            await until(lambda: len(upstream.seen) == 2)

    run(scenario())


def test_purge_is_a_method_like_any_other_unless_configured() -> None:
    async def scenario() -> None:
        async with origin(counting()) as upstream, edge(upstream.url) as node:
            await get(node.port, "/a", method="PURGE")
            assert upstream.seen[0].method == "PURGE"

    run(scenario())


# Processes.


@pytest.fixture
def upstream() -> Iterator[str]:
    """The URL of an origin in a thread of its own."""
    loop, ready, end = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    urls: list[str] = []

    async def serve() -> None:
        async with origin(counting()) as one:
            urls.append(one.url)
            ready.set()
            await end.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(20)
    yield urls[0]
    loop.call_soon_threadsafe(end.set)
    thread.join(20)
    loop.close()


@dataclass
class Node:
    process: Running
    admin: int
    token_file: Path

    def fetch(self, target: str) -> Answer:
        return asyncio.run(get(self.process.address[1], target))

    def ask(
        self, method: str, path: str, body: object = None, token: str | None = TOKEN
    ) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=20)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def order(self, **order: object) -> int:
        status, text = self.ask("POST", "/api/v1/purge", order)
        assert status == 200, text
        return int(json.loads(text)["sequence"])

    def command(self, *arguments: str) -> tuple[int, str, str]:
        edge = f"http://127.0.0.1:{self.admin}"
        given = ("--edge", edge, "--token-file", str(self.token_file), *arguments)
        result = headrace("purge", *given)
        return result.returncode, result.stdout, result.stderr


@contextmanager
def node_of(upstream: str, folder: Path, *options: str) -> Iterator[Node]:
    admin = free_port()
    file = folder / "token"
    file.write_text(f"{TOKEN}\n")
    given = ("--upstream", upstream, "--port", "0", "--admin-port", str(admin), *options)
    with running("edge", *given) as process:
        yield Node(process, admin, file)


@pytest.fixture
def node(upstream: str, tmp_path: Path) -> Iterator[Node]:
    with node_of(upstream, tmp_path, "--admin-token-file", str(tmp_path / "token")) as running:
        yield running


def test_orders(node: Node) -> None:
    number = 0
    for order in (
        {"urls": ["/x/a"]},
        {"urls": ["http://edge.example/x/*"]},
        {"prefixes": ["/x/"]},
        {"tags": ["All-Of-It"]},
        {"all": True},
    ):
        number += 1
        assert node.fetch("/x/a").body == b"%d" % number
        assert "hit" in node.fetch("/x/a").cache
        assert node.order(**order) == number
    assert node.fetch("/x/a").body == b"%d" % (number + 1)


def test_refusals(node: Node) -> None:
    node.fetch("/a")
    refused = [
        (("POST", "/api/v1/purge", {"all": True}, None), 401, ""),
        (("POST", "/api/v1/purge", {"all": True}, "open"), 401, ""),
        (("GET", "/api/v1/purges", None, None), 401, ""),
        (("GET", "/api/v1/purge"), 405, ""),
        (("POST", "/api/v1/purge", b"urls=/a"), 400, "malformed"),
        (("POST", "/api/v1/purge", {"url": "/a"}), 400, "`url`"),
        (("POST", "/api/v1/purge", {"urls": ["/a", "a"]}), 400, "urls[1]: not an http URL"),
        (("POST", "/api/v1/purge", {"tags": "a"}), 400, "$.tags"),
        (("POST", "/api/v1/purge", {}), 400, "nothing to purge"),
        (("POST", "/api/v1/purge", b" " * (1 << 20) + b"{}"), 413, ""),
    ]
    for request, status, reason in refused:
        answer = node.ask(*request)
        assert answer[0] == status and reason in answer[1]
    assert "hit" in node.fetch("/a").cache


def test_a_list_tells_how_far_purges_have_come(node: Node) -> None:
    node.order(urls=["/a", "/b"])
    node.order(tags=["t"], all=True, soft=True)
    status, text = node.ask("GET", "/api/v1/purges")
    assert status == 200 and json.loads(text)["sequence"] == 2


def test_without_a_token_nothing_is_changed(upstream: str, tmp_path: Path) -> None:
    with node_of(upstream, tmp_path) as node:
        node.fetch("/a")
        status, text = node.ask("POST", "/api/v1/purge", {"all": True})
        assert status == 403 and "no administration token" in text
        assert node.command("--all")[0] == 1
        assert "hit" in node.fetch("/a").cache


def test_the_command(node: Node) -> None:
    node.fetch("/a")
    edge = f"http://127.0.0.1:{node.admin}"
    assert node.command("/a") == (0, f"{edge}: purged\n", "")
    assert node.fetch("/a").body == b"2"
    assert node.command("--tag", "all-of-it", "--soft")[0] == 0
    assert node.fetch("/a").body == b"3"
    gone = f"http://127.0.0.1:{free_port()}"
    status, text, _ = node.command("--all", "--edge", gone)
    assert status == 1
    assert text == f"{edge}: purged\n{gone}: Connection refused\n"


def test_a_wrong_token_is_told(node: Node) -> None:
    node.token_file.write_text("another")
    status, text, _ = node.command("--all")
    assert status == 1 and text.endswith(": 401 Unauthorized\n")
