"""Workers that ask one another, each at a port of its own in the test's own loop."""

import asyncio
from asyncio import IncompleteReadError
from typing import Any

import pytest

from edge_cache.purging.names import Kind
from tests.edge_cache.siblings.support import Workers, owned_by, workers
from tests.edge_cache.support.client import Answer, connect, get
from tests.edge_cache.support.edge import run, until
from tests.edge_cache.support.origin import Exchange, Handler, Seen, origin, plain

FRESH = "Cache-Control: max-age=60"
TAGGED = (FRESH, 'ETag: "1"')
PART = 64 * 1024
OWNER = 1
TARGET = owned_by(OWNER, 3)
ASKERS = (0, 2)
EACH = 20
"""Requests of a herd to each worker."""


def counting(*lines: str) -> Handler:
    """A handler whose bodies are numbered."""
    count = 0

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        nonlocal count
        count += 1
        await exchange.respond(b"%d" % count, *lines)

    return handler


def gets(seen: list[Seen]) -> int:
    return sum(one.method == "GET" for one in seen)


async def herd(node: Workers, target: str) -> list[Answer]:
    asked = [get(worker.port, target) for _ in range(EACH) for worker in node.all]
    return await asyncio.gather(*asked)


def test_what_one_worker_has_none_fetches_again() -> None:
    async def scenario() -> None:
        async with origin(plain(b"hello", *TAGGED)) as up, workers(3, up.url) as node:
            first = await get(node[0].port, TARGET)
            assert first.body == b"hello"
            assert first.cache == "headrace; fwd=uri-miss; fwd-status=200; stored"
            second = await get(node[2].port, TARGET)
            assert second.body == b"hello"
            assert second.cache.startswith("headrace; hit; ttl=")
            assert second.headers["via"] == first.headers["via"] == "1.1 headrace"
            assert "x-headrace-told" not in {**first.headers, **second.headers}
            for each in node.all:
                assert "hit" in (await get(each.port, TARGET)).cache
            assert len(up.seen) == 1
            assert up.seen[0].headers["via"] == "1.1 headrace"
            assert node.count("sibling_asked_total", "answered") == 2
            assert node.count("sibling_served_total") == 2
            assert node.count("requests_total", "hit") == 4
            assert node.count("requests_total", "miss") == 1

    run(scenario())


def test_the_log_tells_the_way() -> None:
    async def scenario() -> None:
        async with origin(plain(b"hello", *TAGGED)) as up, workers(3, up.url) as node:
            for number in (0, 0, 2):
                await get(node[number].port, TARGET)
            await until(lambda: len(node[0].log) == 2 and len(node[2].log) == 1)
            missed, hit = node[0].log
            asked = ("cache", "fill", "upstream", "server", "tries", "tier")
            assert [missed.get(name) for name in asked] == [
                *("miss", "leader", 200, up.url, 1, "sibling")
            ]
            assert [hit.get(name) for name in asked] == ["hit", "none", None, None, None, "ram"]
            [other] = node[2].log
            assert [other.get(name) for name in asked] == [
                *("hit", "leader", None, None, None, "sibling")
            ]
            assert missed["client"] == "127.0.0.1"
            assert node[OWNER].log == []  # one line a request

    run(scenario())


def test_a_herd_at_all_workers_is_one_request() -> None:
    async def scenario() -> None:
        go = asyncio.Event()

        async def handler(_seen: Seen, exchange: Exchange) -> None:
            await exchange.head(FRESH, f"Content-Length: {2 * PART}")
            await exchange.send(b"a" * PART)
            await go.wait()
            await exchange.send(b"b" * PART)

        halves = 0

        async def one(port: int) -> tuple[str, bytes]:
            nonlocal halves
            async with connect(port) as client:
                await client.ask(TARGET)
                head = await client.head()
                body = await client.reader.readexactly(PART)
                halves += 1
                return head.cache, body + await client.reader.readexactly(PART)

        async with origin(handler) as up, workers(3, up.url) as node:
            asked = [asyncio.create_task(one(each.port)) for each in node.all * EACH]
            await until(lambda: halves == 3 * EACH)  # before the end of the body
            go.set()
            answers = await asyncio.gather(*asked)
            assert {body for _, body in answers} == {b"a" * PART + b"b" * PART}
            assert len(up.seen) == 1
            alone = [cache for cache, _ in answers if "collapsed" not in cache]
            assert alone == ["headrace; fwd=uri-miss; fwd-status=200; stored"]
            assert node.count("sibling_served_total") == 2

    run(scenario())


def test_an_uncacheable_herd_is_not_serialised() -> None:
    async def scenario() -> None:
        asked, go = 0, asyncio.Event()

        async def handler(_seen: Seen, exchange: Exchange) -> None:
            nonlocal asked
            asked += 1
            if asked > 1:  # the first goes through; the others meet here
                await go.wait()
            await exchange.respond(b"x", "Cache-Control: no-store")

        async with origin(handler) as up, workers(3, up.url) as node:
            waiting = asyncio.create_task(herd(node, TARGET))
            await until(lambda: asked == 3 * EACH)  # all at the origin at once
            go.set()
            assert {answer.body for answer in await waiting} == {b"x"}
            for number in ASKERS:  # the marker is met, and from then on nobody is asked
                await get(node[number].port, TARGET)
            served = node.count("sibling_served_total")
            for number in ASKERS:
                answer = await get(node[number].port, TARGET)
                assert answer.cache == (
                    "headrace; fwd=uri-miss; fwd-status=200; detail=hit-for-miss"
                )
            assert node.count("sibling_served_total") == served

    run(scenario())


@pytest.mark.parametrize("vary", ["Accept-Encoding", "Accept-Language"])
def test_variants_stay_apart(vary: str) -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        body = seen.headers.get(vary.lower(), "none").encode()
        await exchange.respond(body, FRESH, f"Vary: {vary}")

    async def scenario() -> None:
        async with origin(handler) as up, workers(3, up.url) as node:
            for _ in range(2):
                for value in ("gzip", "identity"):
                    for worker in node.all:
                        answer = await get(worker.port, TARGET, f"{vary}: {value}")
                        assert answer.body.decode() == value
            assert len(up.seen) == 2

    run(scenario())


def test_what_is_for_one_client_is_not_for_others() -> None:
    async def scenario() -> None:
        async with origin(counting(FRESH)) as up, workers(3, up.url) as node:
            mine = await get(node[0].port, TARGET, "Authorization: Basic bWU=")
            assert mine.body == b"1" and "detail=authorization" in mine.cache
            assert (await get(node[0].port, TARGET)).body == b"2"
            assert (await get(node[2].port, TARGET)).body == b"2"
            again = await get(node[2].port, TARGET, "Authorization: Basic bWU=")
            assert again.body == b"3"

    run(scenario())


RANGES: dict[str, tuple[str, int, bytes]] = {
    "begin": ("bytes=0-3", 206, b"abcd"),
    "end": ("bytes=-2", 206, b"yz"),
    "middle": ("bytes=5-6", 206, b"fg"),
    "beyond": ("bytes=99-", 416, b""),
}


@pytest.mark.parametrize(("asked", "status", "body"), RANGES.values(), ids=RANGES)
@pytest.mark.parametrize("warm", [False, True])
def test_ranges(asked: str, status: int, body: bytes, *, warm: bool) -> None:
    whole = bytes(range(97, 123))

    async def handler(seen: Seen, exchange: Exchange) -> None:
        span = seen.headers.get("range")
        if span is None:
            await exchange.respond(whole, *TAGGED)
            return
        first, _, last = span.removeprefix("bytes=").partition("-")
        start = int(first) if first else len(whole) - int(last)
        stop = min(int(last) + 1, len(whole)) if first and last else len(whole)
        if start >= len(whole):
            await exchange.respond(b"", f"Content-Range: bytes */{len(whole)}", status="416 No")
            return
        place = f"Content-Range: bytes {start}-{stop - 1}/{len(whole)}"
        await exchange.respond(whole[start:stop], *TAGGED, place, status="206 Part")

    async def scenario() -> None:
        async with origin(handler) as up, workers(3, up.url) as node:
            if warm:
                await get(node[OWNER].port, TARGET)
            for number in ASKERS:
                answer = await get(node[number].port, TARGET, f"Range: {asked}")
                assert (answer.status, answer.body) == (status, body)
            if warm:
                assert len(up.seen) == 1

    run(scenario())


def test_conditional_requests() -> None:
    async def scenario() -> None:
        async with origin(plain(b"hello", *TAGGED)) as up, workers(3, up.url) as node:
            for number in (0, 2, OWNER):
                answer = await get(node[number].port, TARGET, 'If-None-Match: "1"')
                assert (answer.status, answer.body) == (304, b"")
                other = await get(node[number].port, TARGET, 'If-None-Match: "2"')
                assert (other.status, other.body) == (200, b"hello")
            assert len(up.seen) == 1

    run(scenario())


@pytest.mark.parametrize("only", ["HEAD", "only-if-cached"])
def test_what_only_the_owner_has_is_enough(only: str) -> None:
    async def scenario() -> None:
        method = "HEAD" if only == "HEAD" else "GET"
        lines = () if only == "HEAD" else ("Cache-Control: only-if-cached",)
        async with origin(plain(b"hello", *TAGGED)) as up, workers(3, up.url) as node:
            cold = await get(node[0].port, TARGET, *lines, method=method)
            assert cold.status == (200 if only == "HEAD" else 504)
            await get(node[OWNER].port, TARGET)
            before = len(up.seen)
            warm = await get(node[2].port, TARGET, *lines, method=method)
            assert warm.status == 200 and warm.cache.startswith("headrace; hit; ttl=")
            assert warm.headers["content-length"] == "5" and "age" in warm.headers
            assert len(up.seen) == before
            await until(lambda: len(node[2].log) == 1)
            assert node[2].log[0]["cache"] == "hit"

    run(scenario())


def test_interim_responses_pass() -> None:
    async def handler(_seen: Seen, exchange: Exchange) -> None:
        await exchange.head("Link: </a.css>; rel=preload", status="103 Early Hints")
        await exchange.respond(b"hello", FRESH)

    async def scenario() -> None:
        async with origin(handler) as up, workers(3, up.url) as node:
            answer = await get(node[0].port, TARGET)
            assert [one.status for one in answer.interim] == [103]
            assert answer.body == b"hello"

    run(scenario())


def test_times_are_those_of_the_owner() -> None:
    """A soft purge is in no header field of the response."""

    async def scenario() -> None:
        windows = "Cache-Control: max-age=60, stale-while-revalidate=60"
        go = asyncio.Event()
        asked = 0

        async def handler(_seen: Seen, exchange: Exchange) -> None:
            nonlocal asked
            asked += 1
            if asked > 1:
                await go.wait()
            await exchange.respond(b"%d" % asked, windows, f'ETag: "{asked}"')

        async with origin(handler) as up, workers(3, up.url, refresh_rest=0.1) as node:
            assert (await get(node[OWNER].port, TARGET)).body == b"1"
            await node[0].purges.purge([(Kind.URL, TARGET.encode())], soft=True)
            for number in (0, 2):  # stale, and one refresh of the node behind it
                answer = await get(node[number].port, TARGET)
                assert answer.body == b"1" and int(answer.cache.partition("ttl=")[2]) < 0
            await until(lambda: asked == 2)
            assert (await get(node[2].port, TARGET)).body == b"1"
            go.set()
            for worker in node.all:
                while (await get(worker.port, TARGET)).body != b"2":
                    pass  # the refresh is on its way; the scenario's limit ends it
            assert len(up.seen) == 2

    run(scenario())


def test_an_unsafe_request_reaches_all_workers() -> None:
    async def scenario() -> None:
        async with origin(counting(FRESH)) as up, workers(3, up.url) as node:
            for worker in node.all:
                assert (await get(worker.port, TARGET)).body == b"1"
            assert (await get(node[0].port, TARGET, method="DELETE")).body == b"2"
            bodies = [(await get(worker.port, TARGET)).body for worker in node.all]
            assert bodies == [b"3"] * 3
            assert gets(up.seen) == 2

    run(scenario())


def test_a_purge_reaches_all_workers() -> None:
    async def scenario() -> None:
        async with origin(counting(FRESH)) as up, workers(3, up.url) as node:
            for worker in node.all:
                assert (await get(worker.port, TARGET)).body == b"1"
            await node[2].purges.purge([(Kind.URL, TARGET.encode())], soft=False)
            for worker in node.all:
                assert (await get(worker.port, TARGET)).body == b"2"
            assert len(up.seen) == 2

    run(scenario())


def test_errors_keep_their_reason() -> None:
    async def garbage(_seen: Seen, exchange: Exchange) -> None:
        await exchange.send(b"what?\r\n\r\n")
        exchange.cut()

    async def scenario() -> None:
        async with origin(garbage) as up, workers(3, up.url) as node:
            for number in (0, OWNER):
                answer = await get(node[number].port, TARGET)
                assert answer.status == 502
                assert answer.headers["x-headrace-error"] == "upstream-malformed"
            assert node.count("sibling_asked_total", "failed") == 1
            assert node.count("upstream_errors_total", "upstream-malformed") == 2

    run(scenario())


async def none_listens(node: Workers) -> None:
    node[OWNER].inner.stop_accepting()
    for connection in tuple(node[OWNER].inner._connections):
        connection.abort()


async def does_not_answer(node: Workers) -> None:
    """A worker that is stopped: the kernel goes on accepting for it."""
    await none_listens(node)
    path = node.folder / f"worker-{OWNER}"
    loop = asyncio.get_running_loop()
    server = await loop.create_unix_server(asyncio.Protocol, path)
    node.closing.callback(server.close)


async def talks_nonsense(node: Workers) -> None:
    await none_listens(node)

    async def answer(_reader: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nxyz")
        writer.close()

    server = await asyncio.start_unix_server(answer, node.folder / f"worker-{OWNER}")
    node.closing.callback(server.close)


@pytest.mark.parametrize("trouble", [none_listens, does_not_answer, talks_nonsense])
def test_without_the_owner_a_worker_goes_itself(trouble: Any) -> None:
    async def scenario() -> None:
        async with (
            origin(plain(b"hello", *TAGGED)) as up,
            workers(3, up.url, sibling_patience=0.2) as node,
        ):
            await get(node[0].port, owned_by(OWNER, 3, "/other"))  # a connection to lose
            await trouble(node)
            answers = await asyncio.gather(*(get(node[0].port, TARGET) for _ in range(EACH)))
            assert {(one.status, one.body) for one in answers} == {(200, b"hello")}
            assert len(up.seen) == 2
            assert node.count("sibling_asked_total", "absent") == 1
            assert "hit" in (await get(node[0].port, TARGET)).cache

    run(scenario())


def test_an_owner_that_dies_in_mid_body_cuts_it() -> None:
    async def scenario() -> None:
        go = asyncio.Event()
        asked = 0

        async def handler(_seen: Seen, exchange: Exchange) -> None:
            nonlocal asked
            asked += 1
            await exchange.head(FRESH, f"Content-Length: {2 * PART}")
            await exchange.send(b"a" * PART)
            if asked == 1:
                await go.wait()
            await exchange.send(b"b" * PART)

        async with (
            origin(handler) as up,
            workers(3, up.url) as node,
            connect(node[0].port) as c,
        ):
            await c.ask(TARGET)
            await c.head()
            await c.reader.readexactly(PART)
            await none_listens(node)
            with pytest.raises((IncompleteReadError, ConnectionError)):
                await c.reader.readexactly(PART)
            go.set()
            whole = await get(node[0].port, TARGET)  # nothing truncated is stored
            assert whole.body == b"a" * PART + b"b" * PART
            assert len(up.seen) == 2

    run(scenario())


def test_a_client_cannot_speak_for_a_worker() -> None:
    async def scenario() -> None:
        told = 'X-Headrace-Told: {"declines":true}'

        async def handler(_seen: Seen, exchange: Exchange) -> None:
            await exchange.respond(b"hello", FRESH, told)

        async with origin(handler) as up, workers(3, up.url) as node:
            loop = "CDN-Loop: " + node.node_id
            for worker in node.all:
                assert (await get(worker.port, TARGET, told)).body == b"hello"
                assert (await get(worker.port, TARGET + "?", loop)).status == 508
            assert len(up.seen) == 1

    run(scenario())
