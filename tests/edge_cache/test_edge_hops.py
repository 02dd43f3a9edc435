"""What every hop says and heeds: CDN-Loop, Via, Forwarded, Cache-Status; and what 304s and
errors do to what is stored, as far as a running edge's configuration decides it."""

import asyncio

import pytest

from tests.edge_cache.support.client import connect, get
from tests.edge_cache.support.edge import edge, run, until
from tests.edge_cache.support.origin import Exchange, Seen, origin, plain

FRESH = "Cache-Control: max-age=60"


LOOPS = {
    "no one": ((), 200),
    "others": (("CDN-Loop: a.example; v=1, b",), 200),
    "this node": (("CDN-Loop: a, me",), 508),
    "this node on another line": (("CDN-Loop: a", 'CDN-Loop: me; x="1,2"'), 508),
    "a name like it": (("CDN-Loop: me2",), 200),
    "nonsense": (("CDN-Loop: a b",), 400),
}


@pytest.mark.parametrize(("lines", "status"), LOOPS.values(), ids=LOOPS)
def test_loops(lines: tuple[str, ...], status: int) -> None:
    async def scenario() -> None:
        async with origin(plain()) as up, edge(up.url, node_id="me") as node:
            assert (await get(node.port, "/", *lines)).status == status
            assert len(up.seen) == (status == 200)
            if up.seen:
                said = [line.removeprefix("CDN-Loop: ") for line in lines]
                assert up.seen[0].headers["cdn-loop"] == ", ".join([*said, "me"])

    run(scenario())


def test_a_hit_cannot_loop() -> None:
    async def scenario() -> None:
        async with origin(plain()) as up, edge(up.url, node_id="me") as node:
            await get(node.port, "/")
            assert "hit" in (await get(node.port, "/", "CDN-Loop: me")).cache

    run(scenario())


FORWARDED = {
    "none": ("none", {}),
    "forwarded": ("forwarded", {"forwarded": "for=before, for=127.0.0.1"}),
    "x-forwarded-for": ("x-forwarded-for", {"x-forwarded-for": "127.0.0.1"}),
}


@pytest.mark.parametrize(("form", "sent"), FORWARDED.values(), ids=FORWARDED)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_a_clients_address(method: str, form: str, sent: dict[str, str]) -> None:
    async def scenario() -> None:
        async with origin(plain()) as up, edge(up.url, forwarded=form) as node:
            await get(node.port, "/", "Forwarded: for=before", method=method)
            found = up.seen[0].headers
            for name in ("forwarded", "x-forwarded-for"):
                expected = "for=before" if name == "forwarded" else None
                assert found.get(name) == sent.get(name, expected)

    run(scenario())


def test_via_tells_the_clients_version() -> None:
    async def scenario() -> None:
        async with origin(plain()) as up, edge(up.url) as node, connect(node.port) as client:
            await client.send(b"GET / HTTP/1.0\r\nVia: 1.1 before\r\n\r\n")
            await client.answer()
            assert up.seen[0].headers["via"] == "1.1 before, 1.0 headrace"

    run(scenario())


def test_the_key_is_told_where_it_is_wanted() -> None:
    async def scenario() -> None:
        async with origin(plain()) as up, edge(up.url, cache_status_key=True) as node:
            for _ in range(2):
                answer = await get(node.port, '/a?b="c')
                assert answer.cache.endswith(r'; key="/a?b=\"c"')

    run(scenario())


def test_an_options_that_ends_here() -> None:
    async def scenario() -> None:
        async with origin(plain()) as up, edge(up.url) as node:
            answer = await get(node.port, "/", "Max-Forwards: 0", method="OPTIONS")
            assert (answer.status, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
            assert not up.seen
            await get(node.port, "/", "Max-Forwards: 7")
            assert up.seen[0].headers["max-forwards"] == "7"  # of OPTIONS and TRACE only

    run(scenario())


def test_what_an_operator_says_of_lifetimes_and_cookies() -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        if seen.target == "/cookie":
            await exchange.respond(b"x", FRESH, "Set-Cookie: a=b")
        else:
            await exchange.respond(b"x", status="404 Not Found")

    async def scenario() -> None:
        settings = {"negative_ttl": {404: 30.0}, "store_set_cookie": True}
        async with origin(handler) as up, edge(up.url, **settings) as node:
            for target in ("/cookie", "/none"):
                await get(node.port, target)
                assert "hit" in (await get(node.port, target)).cache
            assert "ttl=29" in (await get(node.port, "/none")).cache

    run(scenario())


def test_a_304_of_another_version_is_not_believed() -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        if "if-none-match" in seen.headers:
            await exchange.head(FRESH, 'ETag: "v2"', status="304 Not Modified")
        elif len(seen_by) == 1:
            await exchange.respond(b"one", "Cache-Control: no-cache", 'ETag: "v1"')
        else:
            await exchange.respond(b"two", FRESH, 'ETag: "v2"')

    seen_by: list[Seen] = []

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            up.seen = seen_by
            assert (await get(node.port, "/")).body == b"one"
            answer = await get(node.port, "/")
            assert (answer.body, answer.headers["etag"]) == (b"two", '"v2"')
            assert len(seen_by) == 3

    run(scenario())


def test_a_herd_on_what_is_asked_about_each_time_is_not_serialised() -> None:
    go = asyncio.Event()
    inside = 0

    async def handler(seen: Seen, exchange: Exchange) -> None:
        nonlocal inside
        inside += 1
        if inside > 1:
            await go.wait()
        await exchange.respond(b"%d" % inside, "Cache-Control: no-cache", 'ETag: "v1"')

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            await get(node.port, "/")
            herd = [asyncio.create_task(get(node.port, "/")) for _ in range(10)]
            await until(lambda: inside > 1)
            go.set()
            await asyncio.gather(*herd)
            assert len(up.seen) == 11  # each has asked for itself

    run(scenario())


def test_a_dead_origin_is_not_asked_for_every_stale_answer() -> None:
    async def scenario() -> None:
        lines = ("Cache-Control: max-age=60, stale-if-error=600", "Age: 61")
        async with origin(plain(b"x", *lines)) as up, edge(up.url, refresh_rest=60) as node:
            await get(node.port, "/")
            up.handler = _cut
            first = await get(node.port, "/")
            assert first.body == b"x" and "fwd=stale" in first.cache
            asked = len(up.seen)
            for _ in range(5):
                answer = await get(node.port, "/")
                assert answer.body == b"x" and answer.cache.endswith("detail=stale-if-error")
                assert "hit; ttl=-" in answer.cache
            assert len(up.seen) == asked
            assert node.count("requests_total", "stale") == 6

    run(scenario())


async def _cut(_seen: Seen, exchange: Exchange) -> None:
    exchange.cut()


def test_followers_of_a_failed_fill_are_covered_too() -> None:
    go = asyncio.Event()

    async def fails(_seen: Seen, exchange: Exchange) -> None:
        await go.wait()
        await exchange.respond(b"", status="500 Internal Server Error")

    async def scenario() -> None:
        lines = ("Cache-Control: max-age=60, stale-if-error=600", "Age: 61")
        async with origin(plain(b"x", *lines)) as up, edge(up.url) as node:
            await get(node.port, "/")
            up.handler = fails
            herd = [asyncio.create_task(get(node.port, "/")) for _ in range(20)]
            await until(lambda: len(up.seen) == 2)
            go.set()
            answers = await asyncio.gather(*herd)
            assert {answer.body for answer in answers} == {b"x"}
            assert len(up.seen) == 2

    run(scenario())


def test_what_was_on_its_way_when_it_changed_is_not_stored() -> None:
    go = asyncio.Event()

    async def handler(seen: Seen, exchange: Exchange) -> None:
        if seen.method == "GET" and not go.is_set():
            await go.wait()
            await exchange.respond(b"before", FRESH)
        else:
            await exchange.respond(b"after", FRESH)

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            early = asyncio.create_task(get(node.port, "/a"))
            await until(lambda: up.seen)
            posted = ("Content-Length: 0",)
            assert (await get(node.port, "/a", *posted, method="POST")).body == b"after"
            go.set()
            assert (await early).body == b"before"
            await until(lambda: node.count("fills") == 0)
            answer = await get(node.port, "/a")
            assert answer.body == b"after" and "fwd=uri-miss" in answer.cache

    run(scenario())


def test_who_asks_after_a_change_does_not_wait_for_what_was_on_its_way() -> None:
    go = asyncio.Event()

    async def handler(seen: Seen, exchange: Exchange) -> None:
        if len(order) == 1:
            await go.wait()
        order.append(seen.method)
        await exchange.respond(b"%d" % len(order), FRESH)

    order: list[str] = ["first"]

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            early = asyncio.create_task(get(node.port, "/a"))
            await until(lambda: up.seen)
            order.append("change")
            await get(node.port, "/a", "Content-Length: 0", method="DELETE")
            late = await get(node.port, "/a")
            assert "fwd=uri-miss" in late.cache and not early.done()
            go.set()
            await early
            await until(lambda: node.count("fills") == 0)
            assert (await get(node.port, "/a")).body == late.body

    run(scenario())


def test_a_head_of_another_coding_says_nothing_of_what_is_stored() -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        if seen.method == "HEAD":
            lines = (FRESH, 'ETag: "br"', "Content-Encoding: br")
            await exchange.respond(b"", *lines, length=3)
        elif "if-none-match" in seen.headers:
            await exchange.head(FRESH, status="304 Not Modified")
        else:
            await exchange.respond(b"plain", "Cache-Control: no-cache", 'ETag: "plain"')

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            await get(node.port, "/")
            async with connect(node.port) as client:
                await client.get("/", method="HEAD")
            answer = await get(node.port, "/")
            assert (answer.body, answer.headers["etag"]) == (b"plain", '"plain"')
            assert up.seen[-1].headers["if-none-match"] == '"plain"'

    run(scenario())
