"""Fills: one request upstream for many clients, whatever happens on either side of it."""

import asyncio
import resource

import pytest

from tests.edge_cache.support.client import Answer, Client, connect, get
from tests.edge_cache.support.edge import edge, run, until
from tests.edge_cache.support.origin import Exchange, Handler, Seen, origin

FRESH = "Cache-Control: max-age=60"
HERD = 200
PART = 64 * 1024


def in_two_halves(first_half_read: asyncio.Event) -> Handler:
    """Sends the second half only when the test says that everyone has the first."""

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        await exchange.head(FRESH, f"Content-Length: {2 * PART}")
        await exchange.send(b"a" * PART)
        await first_half_read.wait()
        await exchange.send(b"b" * PART)

    return handler


async def read_half(client: Client) -> Answer:
    answer = await client.head()
    answer.body = await client.reader.readexactly(PART)
    return answer


def test_a_herd_is_one_request_and_nobody_waits_for_the_end() -> None:
    async def scenario() -> None:
        go = asyncio.Event()
        async with origin(in_two_halves(go)) as up, edge(up.url) as node:

            async def one() -> bytes:
                nonlocal halves
                async with connect(node.port) as client:
                    await client.ask("/slow")
                    answer = await read_half(client)
                    assert answer.status == 200
                    halves += 1
                    return answer.body + await client.reader.readexactly(PART)

            halves = 0
            herd = [asyncio.create_task(one()) for _ in range(HERD)]
            await until(lambda: halves == HERD)  # while the origin still holds the second half
            assert not go.is_set() and len(up.seen) == 1
            go.set()
            assert set(await asyncio.gather(*herd)) == {b"a" * PART + b"b" * PART}
            assert len(up.seen) == 1
            log = await node.logged(HERD)
            assert sorted(line["fill"] for line in log) == ["follower"] * (HERD - 1) + [
                "leader"
            ]
            assert "hit" in (await get(node.port, "/slow")).cache

    run(scenario())


def test_a_follower_is_told_that_it_collapsed() -> None:
    async def scenario() -> None:
        go = asyncio.Event()
        async with origin(in_two_halves(go)) as up, edge(up.url) as node:
            async with connect(node.port) as first, connect(node.port) as second:
                await first.ask("/")
                await read_half(first)
                await second.ask("/")
                answer = await read_half(second)
                assert answer.cache == (
                    "headrace; fwd=uri-miss; fwd-status=200; stored; collapsed"
                )
            go.set()

    run(scenario())


def test_ranges_join_a_fill() -> None:
    async def scenario() -> None:
        go = asyncio.Event()
        async with origin(in_two_halves(go)) as up, edge(up.url) as node:
            async with connect(node.port) as leader:
                await leader.ask("/")
                await read_half(leader)
                early = await get(node.port, "/", "Range: bytes=10-19")
                assert (early.status, early.body) == (206, b"a" * 10)
                beyond = await get(node.port, "/", f"Range: bytes={2 * PART}-")
                assert beyond.status == 416
                late = asyncio.create_task(
                    get(node.port, "/", f"Range: bytes={PART - 1}-{PART + 1}")
                )
                go.set()
                assert (await late).body == b"abb"
            assert len(up.seen) == 1

    run(scenario())


def test_an_uncacheable_herd_is_not_serialised() -> None:
    asked = 0
    go = asyncio.Event()

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        nonlocal asked
        asked += 1
        if asked > 1:  # the first goes through; the others meet here
            await go.wait()
        await exchange.respond(b"x", "Cache-Control: no-store")

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            herd = [asyncio.create_task(get(node.port, "/live")) for _ in range(HERD)]
            await until(lambda: asked == HERD)  # all at the origin at once
            go.set()
            answers = await asyncio.gather(*herd)
            assert {answer.body for answer in answers} == {b"x"}
            assert len(up.seen) == HERD

    run(scenario())


def test_a_leader_that_leaves_does_not_cancel_the_fill() -> None:
    async def scenario() -> None:
        go = asyncio.Event()
        async with origin(in_two_halves(go)) as up, edge(up.url) as node:
            async with connect(node.port) as leader:
                await leader.ask("/")
                await read_half(leader)
            await until(lambda: node.count("connections") == 0)
            go.set()
            await until(lambda: len(node.tier) == 1)
            assert len((await get(node.port, "/")).body) == 2 * PART
            assert len(up.seen) == 1

    run(scenario())


def test_a_leader_that_leaves_before_an_uncacheable_head_holds_nobody() -> None:
    async def scenario() -> None:
        go = asyncio.Event()

        async def handler(_seen: Seen, exchange: Exchange) -> None:
            await go.wait()
            await exchange.respond(b"x" * 10, "Cache-Control: no-store")

        async with origin(handler) as up, edge(up.url) as node:
            async with connect(node.port) as leader:
                await leader.ask("/")
                await until(lambda: up.seen)
                follower = asyncio.create_task(get(node.port, "/"))
                await until(lambda: node.count("connections") == 2)
            await until(lambda: node.count("connections") == 1)
            go.set()
            assert (await follower).body == b"x" * 10
            await until(lambda: node.count("fills") == 0)

    run(scenario())


FRAMINGS = {"length": f"Content-Length: {2 * PART}", "chunks": "Transfer-Encoding: chunked"}


@pytest.mark.parametrize("framing", FRAMINGS.values(), ids=FRAMINGS)
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_an_origin_that_cuts_is_seen_by_all_and_nothing_is_stored(
    framing: str, version: str
) -> None:
    async def scenario() -> None:
        go = asyncio.Event()

        async def handler(_seen: Seen, exchange: Exchange) -> None:
            await exchange.head(FRESH, framing)
            await (exchange.chunk if "chunked" in framing else exchange.send)(b"a" * PART)
            await go.wait()
            exchange.cut()

        async def one(node_port: int) -> None:
            nonlocal halves
            async with connect(node_port) as client:
                await client.send(f"GET /cut HTTP/{version}\r\nHost: e\r\n\r\n".encode())
                head = await client.head()
                if head.headers.get("transfer-encoding") == "chunked":
                    await client.reader.readuntil(b"\r\n")
                await client.reader.readexactly(PART)
                halves += 1
                with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                    if version == "1.0":  # without a reset the end would look like the end
                        await client.reader.read()
                    else:
                        await client.reader.readexactly(PART)

        halves = 0
        async with origin(handler) as up, edge(up.url) as node:
            herd = [asyncio.create_task(one(node.port)) for _ in range(5)]
            await until(lambda: halves == 5)
            go.set()
            await asyncio.gather(*herd)
            assert len(node.tier) == 0 and len(up.seen) == 1
            log = await node.logged(5)
            assert {line["detail"] for line in log} == {"upstream-truncated"}

    run(scenario())


async def lies_long(_seen: Seen, exchange: Exchange) -> None:
    await exchange.respond(b"x" * 10, FRESH, length=20)
    exchange.cut()


async def garbage(_seen: Seen, exchange: Exchange) -> None:
    await exchange.send(b"this is no HTTP\r\n\r\n")


async def closes(_seen: Seen, exchange: Exchange) -> None:
    exchange.cut()


async def endless_head(_seen: Seen, exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(40):
        await exchange.send(b"x" * 16384)


async def many_fields(_seen: Seen, exchange: Exchange) -> None:
    await exchange.head(*[f"X-{number}: 1" for number in range(300)], "Content-Length: 0")


async def two_lengths(_seen: Seen, exchange: Exchange) -> None:
    await exchange.head("Content-Length: 1", "Content-Length: 2", FRESH)


async def unknown_coding(_seen: Seen, exchange: Exchange) -> None:
    await exchange.head("Transfer-Encoding: magic", FRESH)


async def upgrades(_seen: Seen, exchange: Exchange) -> None:
    await exchange.head("Upgrade: h2c", "Connection: upgrade", status="101 Switching")


async def unasked_304(_seen: Seen, exchange: Exchange) -> None:
    await exchange.head(status="304 Not Modified")


async def silence(_seen: Seen, _exchange: Exchange) -> None:
    await asyncio.sleep(60)


BROKEN = {
    "garbage": (garbage, 502, "upstream-malformed"),
    "closes": (closes, 502, "upstream-closed"),
    "an endless head": (endless_head, 502, "upstream-headers-too-large"),
    "many fields": (many_fields, 502, "upstream-headers-too-large"),
    "two lengths": (two_lengths, 502, "upstream-malformed"),
    "an unknown coding": (unknown_coding, 502, "upstream-malformed"),
    "an upgrade": (upgrades, 502, "upstream-unexpected-status"),
    "a 304 for no condition": (unasked_304, 502, "upstream-unexpected-status"),
    "silence": (silence, 504, "upstream-first-byte-timeout"),
}


@pytest.mark.parametrize(("handler", "status", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_origin_is_named(handler: Handler, status: int, reason: str) -> None:
    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url, first_byte_timeout=0.3) as node:
            answer = await get(node.port, "/")
            assert (answer.status, answer.headers["x-headrace-error"]) == (status, reason)
            assert answer.headers["cache-control"] == "no-store" and answer.body == b""
            assert node.count("upstream_errors_total", reason) == 1
            assert len(node.tier) == 0

    run(scenario())


def test_a_length_that_is_too_long_cuts() -> None:
    async def scenario() -> None:
        async with origin(lies_long) as up, edge(up.url) as node:
            with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
                await get(node.port, "/")
            assert len(node.tier) == 0

    run(scenario())


def test_bytes_beyond_the_length_spoil_the_connection_alone() -> None:
    async def handler(_seen: Seen, exchange: Exchange) -> None:
        await exchange.respond(b"x" * 20, "Cache-Control: no-store", length=10)

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            for _ in range(3):
                assert (await get(node.port, "/")).body == b"x" * 10
            assert up.connections == 3

    run(scenario())


def test_a_body_that_ends_with_the_connection_is_whole() -> None:
    async def handler(_seen: Seen, exchange: Exchange) -> None:
        await exchange.head(FRESH)
        await exchange.send(b"abc")
        exchange.cut()

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            assert (await get(node.port, "/")).body == b"abc"
            hit = await get(node.port, "/")
            assert hit.body == b"abc" and hit.headers["content-length"] == "3"

    run(scenario())


def test_a_pooled_connection_that_went_stale_is_replaced() -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        await exchange.respond(seen.target.encode(), "Cache-Control: no-store")
        if seen.target == "/1":  # with a keep-alive answer, and then the line goes dead
            exchange.writer.transport.abort()

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            for target in ("/1", "/2", "/3"):
                assert (await get(node.port, target)).body == target.encode()
            assert up.connections == 2

    run(scenario())


def test_the_next_upstream_takes_over() -> None:
    async def works(_seen: Seen, exchange: Exchange) -> None:
        await exchange.respond(b"second", FRESH)

    async def scenario() -> None:
        async with origin(closes) as first, origin(works) as second:
            dead = "http://127.0.0.1:9"
            async with edge(dead, first.url, second.url) as node:
                assert (await get(node.port, "/")).body == b"second"
                async with connect(node.port) as client:  # may have been carried out once
                    await client.ask("/", "Content-Length: 1", method="POST", body=b"x")
                    assert (await client.answer()).status == 502
            assert [seen.method for seen in second.seen] == ["GET"]

    run(scenario())


def test_no_upstream_at_all() -> None:
    async def scenario() -> None:
        async with edge("http://127.0.0.1:9") as node:
            answer = await get(node.port, "/")
            assert answer.status == 502
            assert answer.headers["x-headrace-error"] == "upstream-connect"

    run(scenario())


LARGE = 8 * 1024 * 1024


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_what_is_too_large_passes_through(framing: str) -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        if framing == "length":
            await exchange.head(FRESH, f"Content-Length: {LARGE}")
        else:
            await exchange.head(FRESH, "Transfer-Encoding: chunked")
        for at in range(0, LARGE, PART):
            piece = bytes([at // PART % 251]) * PART
            await (exchange.send if framing == "length" else exchange.chunk)(piece)
        if framing == "chunks":
            await exchange.send(b"0\r\n\r\n")

    whole = b"".join(bytes([n % 251]) * PART for n in range(LARGE // PART))

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url, max_object=1 << 20) as node:
            herd = [asyncio.create_task(get(node.port, "/large")) for _ in range(4)]
            for answer in await asyncio.gather(*herd):
                assert answer.body == whole
            assert len(node.tier) == 0
            again = await get(node.port, "/large")
            assert again.body == whole and "hit-for-miss" in again.cache
            assert node.count("fills_total") == 1

    run(scenario())


def test_stalled_readers_hold_little() -> None:
    """Forty clients that never read, an object far beyond the tier, and what it costs."""

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        await exchange.head(FRESH, "Content-Length: 1000000000")
        while not exchange.writer.is_closing():
            await exchange.send(b"x" * PART)

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url, write_high_water=PART) as node:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            clients = []
            for _ in range(40):
                context = connect(node.port)
                client = await context.__aenter__()
                clients.append(context)
                client.writer.transport.pause_reading()
                await client.ask("/endless")
            await until(lambda: len(up.seen) == 40)
            await asyncio.sleep(0.5)  # to show what does not happen
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            assert grown < 120 * 1024  # KiB; a single body would be a million
            for context in clients:
                await context.__aexit__(None, None, None)
            await until(lambda: node.count("connections") == 0)

    run(scenario())


def test_a_reader_that_pauses_gets_all_of_what_is_stored() -> None:
    body = bytes(range(256)) * (1 << 16)  # 16 MiB: more than the kernel takes

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        await exchange.respond(body, FRESH)

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            assert (await get(node.port, "/")).body == body
            async with connect(node.port, small=True) as client:
                client.writer.transport.pause_reading()
                for lines in ((), ("Range: bytes=1-2",), ()):  # pipelined behind it
                    await client.ask("/", *lines)
                await until(lambda: node.count("connections") == 1)
                await asyncio.sleep(0.2)  # the edge has filled what it may
                assert node.count("requests_total", "hit") == 0
                client.writer.transport.resume_reading()
                found = [(await client.answer()).body for _ in range(3)]
                assert found == [body, body[1:3], body]

    run(scenario())


def test_one_slow_reader_of_an_unstorable_body_bounds_what_is_held() -> None:
    sent, total = 0, 16 * 1024 * 1024
    go = asyncio.Event()

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        nonlocal sent
        await exchange.head(FRESH, "Transfer-Encoding: chunked")
        await exchange.chunk(b"first")
        await go.wait()
        for _ in range(total // PART):
            await exchange.chunk(b"x" * PART)
            sent += PART
        await exchange.send(b"0\r\n\r\n")

    async def scenario() -> None:
        limits = {"max_object": 1 << 18, "stream_window": 1 << 18}
        async with origin(handler) as up, edge(up.url, **limits) as node:
            async with connect(node.port, small=True) as slow, connect(node.port) as fast:
                for client in (slow, fast):  # both are there before it is too large
                    await client.ask("/")
                    await client.head()
                    assert await client.reader.readexactly(10) == b"5\r\nfirst\r\n"
                slow.writer.transport.pause_reading()
                go.set()
                chunked = {"transfer-encoding": "chunked"}
                rest = asyncio.create_task(fast.body(chunked))
                await asyncio.sleep(0.5)  # to show what does not happen
                assert sent < total and not rest.done()
                slow.writer.transport.resume_reading()
                assert await slow.body(chunked) == await rest == b"x" * total
            assert len(up.seen) == 1

    run(scenario())


def test_a_large_request_body_passes() -> None:
    body = bytes(range(256)) * (1 << 15)

    async def handler(seen: Seen, exchange: Exchange) -> None:
        await exchange.respond(b"%d" % len(seen.body) if seen.body == body else b"wrong")

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node, connect(node.port) as client:
            await client.ask("/", f"Content-Length: {len(body)}", method="POST", body=body)
            assert (await client.answer()).body == b"%d" % len(body)
            assert (await client.get("/")).status == 200

    run(scenario())


def test_followers_of_a_silent_fill_go_themselves() -> None:
    go = asyncio.Event()

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        if not go.is_set():
            go.set()
            await asyncio.sleep(60)
        await exchange.respond(b"x", FRESH)

    async def scenario() -> None:
        async with (
            origin(handler) as up,
            edge(up.url, coalesce_timeout=0.2) as node,
            connect(node.port) as leader,
        ):
            await leader.ask("/")
            await go.wait()
            answer = await get(node.port, "/")
            assert answer.body == b"x" and answer.cache.endswith("detail=slow-fill")

    run(scenario())


def test_beyond_admission_there_is_503() -> None:
    go = asyncio.Event()

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        await go.wait()
        await exchange.respond(b"x", "Cache-Control: no-store")

    async def scenario() -> None:
        limits = {"max_upstream": 1, "max_waiting": 1, "upstream_patience": 15.0}
        async with origin(handler) as up, edge(up.url, **limits) as node:
            first = asyncio.create_task(get(node.port, "/1"))
            await until(lambda: up.seen)
            second = asyncio.create_task(get(node.port, "/2"))
            await until(lambda: node.count("fills") == 2)
            third = await get(node.port, "/3")
            assert third.status == 503 and third.headers["retry-after"] == "1"
            assert third.headers["x-headrace-error"] == "overloaded"
            go.set()
            assert (await first).status == (await second).status == 200

    run(scenario())


def test_a_body_past_the_limit_in_one_breath_loses_nothing() -> None:
    """Head and more than the tier takes arrive in the same read, before any client is told."""

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        chunk = b"%x\r\n%b\r\n" % (PART, b"x" * PART)
        head = f"HTTP/1.1 200 OK\r\n{FRESH}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        await exchange.send(head + chunk * 3 + b"0\r\n\r\n")

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url, max_object=1000) as node:
            herd = [asyncio.create_task(get(node.port, "/")) for _ in range(5)]
            for answer in await asyncio.gather(*herd):
                assert answer.body == b"x" * (3 * PART)
            assert len(node.tier) == 0

    run(scenario())


def test_an_authorized_request_does_not_push_out_what_others_have() -> None:
    async def handler(_seen: Seen, exchange: Exchange) -> None:
        await exchange.respond(b"x", FRESH)

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            await get(node.port, "/")
            answer = await get(node.port, "/", "Authorization: a")
            assert answer.cache.endswith("detail=authorization")
            assert "hit" in (await get(node.port, "/")).cache

    run(scenario())


def test_a_refresh_that_is_cut_leaves_the_stale_entry() -> None:
    calls = 0

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        nonlocal calls
        calls += 1
        control = "Cache-Control: max-age=0, stale-while-revalidate=60"
        if calls == 1:
            await exchange.respond(b"old", control)
        else:
            await exchange.respond(b"ne", control, length=100)
            exchange.cut()

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            await get(node.port, "/")
            await get(node.port, "/")
            await until(lambda: node.count("upstream_errors_total", "upstream-truncated"))
            assert (await get(node.port, "/")).body == b"old"

    run(scenario())
