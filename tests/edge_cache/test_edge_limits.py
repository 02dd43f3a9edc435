"""What a client may not do, and what becomes of it."""

import asyncio

import pytest

from tests.edge_cache.support.client import connect, get
from tests.edge_cache.support.edge import edge, run, until
from tests.edge_cache.support.origin import Exchange, Seen, origin, plain

HOST = b"Host: e\r\n"
REFUSED = {
    "no http": (b"hello\r\n\r\n", 501),  # "hello" is where a method should be
    "a lone line feed": (b"GET / HTTP/1.1\nHost: e\n\n", 400),
    "NUL in a value": (b"GET / HTTP/1.1\r\nHost: e\r\nX: a\0b\r\n\r\n", 400),
    "a folded line": (b"GET / HTTP/1.1\r\nHost: e\r\nX: a\r\n b\r\n\r\n", 400),
    "a space before the colon": (b"GET / HTTP/1.1\r\nHost : e\r\n\r\n", 400),
    "no Host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (b"GET / HTTP/1.1\r\nHost: e\r\nHost: e\r\n\r\n", 400),
    "two Hosts in HTTP/1.0": (b"GET / HTTP/1.0\r\nHost: e\r\nHost: f\r\n\r\n", 400),
    "a Host with a path": (b"GET / HTTP/1.1\r\nHost: e/a\r\n\r\n", 400),
    "a Host with an at sign": (b"GET / HTTP/1.1\r\nHost: a@e\r\n\r\n", 400),
    "a fragment": (b"GET /a#b HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "an asterisk to GET": (b"GET * HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "HTTP/2": (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505),
    "HTTP/3.7": (b"GET / HTTP/3.7\r\n" + HOST + b"\r\n", 505),
    "an unknown method": (b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "CONNECT": (b"CONNECT e:80 HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "TRACE": (b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "a long target": (b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "a long field": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 33000 + b"\r\n\r\n", 431),
    "long fields": (b"GET / HTTP/1.1\r\n" + HOST + (b"X: " + b"a" * 999 + b"\r\n") * 40, 431),
    "many fields": (b"GET / HTTP/1.1\r\n" + HOST + b"X: 1\r\n" * 100 + b"\r\n", 431),
    "a body too large": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1001\r\n\r\n", 413),
    "chunks too large": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
        b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n",
        413,
    ),
}
SMUGGLED = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
SMUGGLING = {
    "TE and CL": (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "CL and TE": (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
    "two lengths": (b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345", 400),
    "the same length twice": (b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n12345", 400),
    "a list of lengths": (b"Content-Length: 5, 5\r\n\r\n12345", 400),
    "a signed length": (b"Content-Length: +5\r\n\r\n12345", 400),
    "a negative length": (b"Content-Length: -5\r\n\r\n12345", 400),
    "a length in hex": (b"Content-Length: 0x5\r\n\r\n12345", 400),
    "an overflowing length": (b"Content-Length: 18446744073709551621\r\n\r\n12345", 400),
    "another coding": (b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "chunked twice": (b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", (400, 501)),
    "two codings": (
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        (400, 501),
    ),
    "an unknown coding": (b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", (400, 501)),
    "a coding behind a tab": (b"Transfer-Encoding:\tchunke\r\n\r\n0\r\n\r\n", (400, 501)),
    "a chunk size that is none": (b"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n", 400),
    "a chunk without its end": (b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n", 400),
    "an upgrade with a body": (
        b"Upgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 5\r\n\r\n12345",
        400,
    ),
}


@pytest.mark.parametrize(("sent", "status"), REFUSED.values(), ids=REFUSED)
def test_refused(sent: bytes, status: int) -> None:
    async def scenario() -> None:
        async with origin(plain()) as up, edge(up.url, max_request_body=1000) as node:
            async with connect(node.port) as client:
                await client.send(sent)
                answer = await client.answer()
                assert answer.status == status
                assert answer.headers["connection"] == "close"
                assert answer.headers["content-length"] == "0"
                assert await client.is_closed()
            assert up.seen == []
            assert (await get(node.port, "/")).status == 200  # only that client has lost

    run(scenario())


@pytest.mark.parametrize(("framing", "status"), SMUGGLING.values(), ids=SMUGGLING)
def test_smuggling(framing: bytes, status: int | tuple[int, ...]) -> None:
    async def scenario() -> None:
        async with origin(plain()) as up, edge(up.url) as node:
            async with connect(node.port) as client:
                await client.send(b"POST / HTTP/1.1\r\n" + HOST + framing + SMUGGLED)
                try:
                    found = (await client.answer()).status
                    assert found in (status if isinstance(status, tuple) else (status,))
                    assert await client.is_closed()
                except (ConnectionError, asyncio.IncompleteReadError):
                    pass  # cut in the middle of a body: no answer, and nothing after it
            assert not [seen for seen in up.seen if seen.target == "/smuggled"]

    run(scenario())


def test_http_1_0_has_no_chunks() -> None:
    async def scenario() -> None:
        async with origin(plain()) as up, edge(up.url) as node, connect(node.port) as client:
            sent = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            await client.send(sent)
            assert (await client.answer()).status == 400

    run(scenario())


def test_an_upgrade_is_not_taken_up() -> None:
    async def scenario() -> None:
        async with origin(plain()) as up, edge(up.url) as node, connect(node.port) as client:
            lines = ("Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: A")
            await client.ask("/a", *lines)
            await client.ask("/a")
            assert [(await client.answer()).status for _ in range(2)] == [200, 200]
            assert "upgrade" not in up.seen[0].headers

    run(scenario())


def test_what_is_before_a_bad_request_is_answered() -> None:
    async def scenario() -> None:
        async with origin(plain()) as up, edge(up.url) as node, connect(node.port) as client:
            good = b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n"
            await client.send(good * 3 + b"GET / HTTP/1.1\r\n\r\n" + SMUGGLED)
            assert [(await client.answer()).body for _ in range(3)] == [b"hello"] * 3
            await client.is_closed()
            assert [seen.target for seen in up.seen] == ["/a"]

    run(scenario())


def test_a_head_that_drips_is_cut() -> None:
    async def scenario() -> None:
        async with (
            origin(plain()) as up,
            edge(up.url, header_timeout=0.5) as node,
            connect(node.port) as client,
        ):
            await client.send(b"GET / HTTP/1.1\r\nHost: e\r\n")

            async def drip() -> None:
                while True:  # never idle for long
                    await client.send(b"X: 1\r\n")
                    await asyncio.sleep(0.1)

            dripping = asyncio.create_task(drip())
            answer = await client.answer()
            assert answer.status == 408 and answer.headers["x-headrace-error"] == "headers"
            dripping.cancel()
            await asyncio.gather(dripping, return_exceptions=True)

    run(scenario())


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"GE"])
def test_a_connection_that_says_nothing_is_closed(sent: bytes) -> None:
    async def scenario() -> None:
        limits = {"header_timeout": 0.5, "idle_timeout": 0.5}
        async with origin(plain()) as up, edge(up.url, **limits) as node:
            async with connect(node.port) as client:
                if sent:
                    await client.send(sent)
                await client.reader.read()
            async with connect(node.port) as client:
                await client.get("/")
                assert await client.is_closed()

    run(scenario())


def test_a_request_body_that_stops_is_cut() -> None:
    async def scenario() -> None:
        async with origin(plain()) as up, edge(up.url, body_timeout=0.5) as node:
            async with connect(node.port) as client:
                await client.ask("/", "Content-Length: 10", method="POST", body=b"123")
                assert (await client.answer()).status == 408
            assert up.seen == []

    run(scenario())


def test_a_client_that_leaves_in_its_body_cuts_the_request() -> None:
    async def scenario() -> None:
        async with origin(plain()) as up, edge(up.url) as node:
            async with connect(node.port) as client:
                await client.ask("/", "Content-Length: 10", method="POST", body=b"123")
                await until(lambda: up.connections)
            await until(lambda: node.count("connections") == 0)
            assert up.seen == []
            assert (await get(node.port, "/")).status == 200

    run(scenario())


def test_expect_100_continue_is_the_origins_to_answer() -> None:
    async def scenario() -> None:
        asked = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"100-continue" in head
            asked.set()
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await reader.readexactly(5)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + body)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with edge(url) as node, connect(node.port) as client:
            await client.ask("/", "Content-Length: 5", "Expect: 100-continue", method="POST")
            await asked.wait()
            assert (await client.head()).status == 100
            await client.send(b"12345")
            assert (await client.answer()).body == b"12345"
        server.close()

    run(scenario())


def test_a_client_that_reads_too_slowly_is_let_go() -> None:
    async def scenario() -> None:
        body = b"x" * (8 << 20)
        limits = {"send_rate_window": 0.5, "min_send_rate": 1 << 20}
        async with origin(plain(body)) as up, edge(up.url, **limits) as node:
            assert len((await get(node.port, "/")).body) == len(body)
            async with connect(node.port) as client:
                client.writer.transport.pause_reading()
                await client.ask("/")
                await until(lambda: node.count("connections") == 0)
            log = await node.logged(2)
            assert log[1]["detail"] == "client-too-slow" and log[1]["bytes"] < len(body)

    run(scenario())


def test_more_connections_than_allowed_are_told() -> None:
    async def scenario() -> None:
        async with origin(plain()) as up, edge(up.url, max_connections=1) as node:
            async with connect(node.port) as first, connect(node.port) as second:
                assert (await second.answer()).status == 503
                assert await second.is_closed()
                assert (await first.get("/")).status == 200
            await until(lambda: node.count("connections") == 0)
            assert (await get(node.port, "/")).status == 200

    run(scenario())


def test_draining_finishes_what_is_there() -> None:
    go = asyncio.Event()

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        await go.wait()
        await exchange.respond(b"x" * 10, "Cache-Control: max-age=60")

    async def scenario() -> None:
        async with (
            origin(handler) as up,
            edge(up.url) as node,
            connect(node.port) as idle,
            connect(node.port) as busy,
        ):
            await busy.ask("/")
            await until(lambda: up.seen)
            draining = asyncio.create_task(node.server.drain(10))
            assert await idle.is_closed()
            with pytest.raises(ConnectionError):
                await get(node.port, "/")
            go.set()
            answer = await busy.answer()
            assert answer.body == b"x" * 10 and answer.headers["connection"] == "close"
            assert await busy.is_closed()
            await draining

    run(scenario())
