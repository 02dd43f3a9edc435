"""Upstreams that fail in every way, and what clients see of it."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from edge_cache.upstream.address import Address
from edge_cache.upstream.ring import Ring
from edge_cache.upstream.routing import route_key
from tests.edge_cache.support.client import connect, get
from tests.edge_cache.support.edge import Edge, edge, run, until
from tests.edge_cache.support.origin import Exchange, Handler, Origin, Seen, origin, plain

NO_STORE = "Cache-Control: no-store"
NEVER = 1000
"""A threshold that is not reached."""


@contextmanager
def refusing() -> Iterator[str]:
    """The URL of a port that is taken, and where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


def failures(node: Edge, url: str, reason: str) -> float:
    return node.count("upstream_failures_total", url, reason)


def is_in(node: Edge, url: str, state: str) -> bool:
    return node.count("upstream_workers", url, state) == 1


async def silence(_seen: Seen, _exchange: Exchange) -> None:
    await asyncio.sleep(60)


async def drips_its_head(_seen: Seen, exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        await exchange.send(b"X: 1\r\n")
        await asyncio.sleep(0.05)


async def resets_in_its_head(_seen: Seen, exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-")
    exchange.writer.transport.abort()


async def ends_in_its_head(_seen: Seen, exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-")
    exchange.cut()


async def closes(_seen: Seen, exchange: Exchange) -> None:
    exchange.cut()


async def garbage(_seen: Seen, exchange: Exchange) -> None:
    await exchange.send(b"\x16\x03\x01 this is no HTTP\r\n\r\n")


async def endless_head(_seen: Seen, exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        await exchange.send(b"x" * 16384)


async def interim_flood(_seen: Seen, exchange: Exchange) -> None:
    while True:
        await exchange.head("Link: </a>", status="103 Early Hints")


FAULTS = {
    "silence": (silence, "upstream-first-byte-timeout", 504),
    "a head that drips": (drips_its_head, "upstream-first-byte-timeout", 504),
    "a reset in the head": (resets_in_its_head, "upstream-closed", 502),
    "an end in the head": (ends_in_its_head, "upstream-closed", 502),
    "an end before the head": (closes, "upstream-closed", 502),
    "garbage": (garbage, "upstream-malformed", 502),
    "an endless head": (endless_head, "upstream-headers-too-large", 502),
    "a flood of 1xx": (interim_flood, "upstream-unexpected-status", 502),
}


@pytest.mark.parametrize(("handler", "reason", "status"), FAULTS.values(), ids=FAULTS)
def test_a_fault_goes_to_the_next_but_never_a_post(
    handler: Handler, reason: str, status: int
) -> None:
    async def scenario() -> None:
        async with (
            origin(handler) as bad,
            origin(plain(b"good", NO_STORE)) as good,
            edge(bad.url, good.url, first_byte_timeout=0.3) as node,
        ):
            answer = await get(node.port, "/a")
            assert (answer.status, answer.body) == (200, b"good")
            assert failures(node, bad.url, reason) == 1
            line = (await node.logged(1))[0]
            assert (line["server"], line["tries"]) == (good.url, 2)
            for body in (b"", b"x"):
                async with connect(node.port) as client:
                    length = f"Content-Length: {len(body)}"
                    await client.ask("/b", length, method="POST", body=body)
                    while (answer := await client.answer()).status < 200:
                        pass
                    assert answer.status == status
            assert [seen.method for seen in good.seen] == ["GET"]
            assert [seen.method for seen in bad.seen] == ["GET", "POST", "POST"]

    run(scenario())


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_never_arrived_goes_to_the_next(method: str) -> None:
    async def scenario() -> None:
        body = b"x" if method == "POST" else b""
        with refusing() as dead:
            async with (
                origin(plain(b"good", NO_STORE)) as good,
                edge(dead, good.url) as node,
                connect(node.port) as client,
            ):
                for _ in range(3):
                    length = f"Content-Length: {len(body)}"
                    await client.ask("/", length, method=method, body=body)
                    assert (await client.answer()).body == b"good"
                assert failures(node, dead, "upstream-connect") == 3
                assert node.count("upstream_retries_total") == 3

    run(scenario())


async def resets_in_its_body(_seen: Seen, exchange: Exchange) -> None:
    await exchange.head("Content-Length: 100", NO_STORE)
    await exchange.send(b"x" * 10)
    exchange.writer.transport.abort()


async def stops_in_its_body(_seen: Seen, exchange: Exchange) -> None:
    await exchange.head("Content-Length: 100", NO_STORE)
    await exchange.send(b"x" * 10)
    await asyncio.sleep(60)


async def lies_about_its_length(_seen: Seen, exchange: Exchange) -> None:
    await exchange.respond(b"x" * 10, NO_STORE, length=100)
    exchange.cut()


async def cuts_its_chunks(_seen: Seen, exchange: Exchange) -> None:
    await exchange.head("Transfer-Encoding: chunked", NO_STORE)
    await exchange.chunk(b"x" * 10)
    exchange.cut()


async def spoils_its_chunks(_seen: Seen, exchange: Exchange) -> None:
    await exchange.head("Transfer-Encoding: chunked", NO_STORE)
    await exchange.chunk(b"x" * 10)
    await exchange.send(b"no size\r\n")


async def endless_trailer(_seen: Seen, exchange: Exchange) -> None:
    await exchange.head("Transfer-Encoding: chunked", NO_STORE)
    await exchange.chunk(b"x" * 10)
    await exchange.send(b"0\r\nX-Long: ")
    while True:
        await exchange.send(b"x" * 16384)


async def endless_chunk_extension(_seen: Seen, exchange: Exchange) -> None:
    await exchange.head("Transfer-Encoding: chunked", NO_STORE)
    await exchange.chunk(b"x" * 10)
    await exchange.send(b"a;name=")
    while True:
        await exchange.send(b"x" * 16384)


CUTS = {
    "a reset": (resets_in_its_body, "upstream-truncated"),
    "a stop": (stops_in_its_body, "upstream-read-timeout"),
    "a length too long": (lies_about_its_length, "upstream-truncated"),
    "chunks without an end": (cuts_its_chunks, "upstream-truncated"),
    "a chunk that is none": (spoils_its_chunks, "upstream-malformed"),
    "an endless trailer": (endless_trailer, "upstream-headers-too-large"),
    "an endless chunk extension": (endless_chunk_extension, "upstream-headers-too-large"),
}


@pytest.mark.parametrize(("handler", "reason"), CUTS.values(), ids=CUTS)
def test_a_body_that_is_cut_is_cut_and_counted_and_not_asked_for_again(
    handler: Handler, reason: str
) -> None:
    async def scenario() -> None:
        async with (
            origin(handler) as bad,
            origin(plain()) as good,
            edge(bad.url, good.url, read_timeout=0.3) as node,
        ):
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await get(node.port, "/")
            await until(lambda: failures(node, bad.url, reason) == 1)
            assert len(bad.seen) == 1 and good.seen == []

    run(scenario())


def test_an_upstream_that_cuts_every_body_is_left() -> None:
    async def scenario() -> None:
        async with (
            origin(resets_in_its_body) as bad,
            origin(plain(b"good", NO_STORE)) as good,
            edge(bad.url, good.url, breaker_volume=6) as node,
        ):
            for number in range(3):
                with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                    await get(node.port, f"/{number}")
            assert is_in(node, bad.url, "down")
            assert (await get(node.port, "/")).body == b"good"

    run(scenario())


def statuses(*lines: str) -> Handler:
    """Answers with one status after the other, round and round; its body is its status."""
    asked = 0

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        nonlocal asked
        line = lines[asked % len(lines)]
        asked += 1
        await exchange.respond(line.encode(), NO_STORE, status=line)

    return handler


OK = "200 OK"
FAIL_OVER = {  # the statuses of two upstreams, what the client gets, how many are asked
    "500": ("500 a", OK, OK, 2),
    "502": ("502 a", OK, OK, 2),
    "503": ("503 a", OK, OK, 2),
    "504": ("504 a", OK, OK, 2),
    "404 is an answer": ("404 a", OK, "404 a", 1),
    "501 is an answer": ("501 a", OK, "501 a", 1),
    "508 of an origin is an answer": ("508 a", OK, "508 a", 1),
    "404 is a better answer": ("503 a", "404 b", "404 b", 2),
    "the last of bad ones": ("503 a", "502 b", "502 b", 2),
}


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize(("first", "second", "got", "asked"), FAIL_OVER.values(), ids=FAIL_OVER)
def test_statuses(first: str, second: str, got: str, asked: int, method: str) -> None:
    async def scenario() -> None:
        async with (
            origin(statuses(first)) as one,
            origin(statuses(second)) as two,
            edge(one.url, two.url) as node,
        ):
            answer = await get(node.port, "/", method=method)
            expected, tries = (first, 1) if method == "DELETE" else (got, asked)
            assert answer.status == int(expected[:3])
            assert answer.body == (b"" if method == "HEAD" else expected.encode())
            assert len(one.seen) + len(two.seen) == tries

    run(scenario())


def test_an_error_that_came_is_better_than_one_of_ours() -> None:
    async def scenario() -> None:
        with refusing() as dead:
            async with origin(statuses("503 busy")) as up, edge(up.url, dead) as node:
                answer = await get(node.port, "/")
                assert (answer.status, answer.body) == (503, b"503 busy")
                line = (await node.logged(1))[0]
                assert (line["server"], line["tries"]) == (up.url, 2)

    run(scenario())


def test_a_sole_upstream_that_answers_errors_is_asked_on() -> None:
    """It is down, but to ask costs no wait, and its answers are the best there are."""

    async def scenario() -> None:
        async with origin(statuses("503 busy")) as up, edge(up.url) as node:
            for _ in range(8):
                assert (await get(node.port, "/")).body == b"503 busy"
            assert is_in(node, up.url, "down")
            up.handler = plain(b"good", NO_STORE)
            assert (await get(node.port, "/")).body == b"good"
            assert is_in(node, up.url, "up")

    run(scenario())


def test_a_sole_upstream_that_comes_back_is_found_at_once() -> None:
    async def scenario() -> None:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{sock.getsockname()[1]}"
            async with edge(url) as node:
                for _ in range(8):
                    answer = await get(node.port, "/")
                    assert answer.headers["x-headrace-error"] == "upstream-connect"
                assert is_in(node, url, "down")
                up = Origin(plain(b"good", NO_STORE))
                server = await asyncio.start_server(up.serve, sock=sock)
                assert (await get(node.port, "/")).body == b"good"
                assert is_in(node, url, "up")
            server.close()

    run(scenario())


def test_one_probe_while_half_open_and_the_others_go_elsewhere() -> None:
    async def scenario() -> None:
        go = asyncio.Event()

        async def waits(_seen: Seen, exchange: Exchange) -> None:
            await go.wait()
            await exchange.respond(b"first", NO_STORE)

        async with (
            origin(statuses("503 a")) as first,
            origin(plain(b"second", NO_STORE)) as second,
            edge(first.url, second.url, breaker_failures=2, breaker_rest=0.2) as node,
        ):
            for _ in range(2):
                assert (await get(node.port, "/")).body == b"second"
            assert is_in(node, first.url, "down")
            assert (await get(node.port, "/")).body == b"second"
            assert len(first.seen) == 2
            first.handler = waits
            await asyncio.sleep(0.35)  # its rest, which is at most half as long again
            probe = asyncio.create_task(get(node.port, "/probe"))
            await until(lambda: len(first.seen) == 3)
            assert is_in(node, first.url, "half-open")
            herd = [get(node.port, f"/{number}") for number in range(20)]
            assert {answer.body for answer in await asyncio.gather(*herd)} == {b"second"}
            assert len(first.seen) == 3
            go.set()
            assert (await probe).body == b"first"
            assert is_in(node, first.url, "up")
            assert (await get(node.port, "/")).body == b"first"

    run(scenario())


def test_a_probe_whose_client_leaves_lets_another_in() -> None:
    async def scenario() -> None:
        limits = {"breaker_failures": 1, "breaker_rest": 0.1}
        async with (
            origin(statuses("503 a")) as first,
            origin(plain(b"second", NO_STORE)) as second,
            edge(first.url, second.url, **limits) as node,
        ):
            await get(node.port, "/")
            first.handler = silence
            await asyncio.sleep(0.2)  # its rest
            async with connect(node.port) as client:
                await client.ask("/", method="POST")  # nobody else waits for what comes of it
                assert (await client.answer()).body == b"second"  # a POST is no probe
                await client.ask("/", method="DELETE")
                await until(lambda: len(first.seen) == 2)
            await until(lambda: is_in(node, first.url, "down"))
            first.handler = plain(b"first", NO_STORE)
            assert (await get(node.port, "/")).body == b"first"

    run(scenario())


def test_a_sole_upstream_that_hangs_is_not_waited_for_by_everyone() -> None:
    async def scenario() -> None:
        limits = {"first_byte_timeout": 0.2, "breaker_failures": 2, "breaker_rest": 9.0}
        async with origin(silence) as up, edge(up.url, **limits) as node:
            for _ in range(2):
                answer = await get(node.port, "/")
                assert answer.headers["x-headrace-error"] == "upstream-first-byte-timeout"
            began = time.monotonic()
            for _ in range(20):
                answer = await get(node.port, "/")
                assert answer.status == 504
                assert answer.headers["x-headrace-error"] == "upstream-down"
            assert time.monotonic() - began < 2
            assert len(up.seen) == 2

    run(scenario())


def test_flapping_is_not_seen_by_clients_and_takes_it_down() -> None:
    async def scenario() -> None:
        async with (
            origin(statuses("503 a", OK)) as first,
            origin(plain(b"200 OK", NO_STORE)) as second,
            edge(first.url, second.url, breaker_volume=10, retry_burst=100.0) as node,
        ):
            for number in range(12):
                assert (await get(node.port, f"/{number}")).body == b"200 OK"
            assert is_in(node, first.url, "down")
            assert failures(node, first.url, "upstream-bad-status") == 6  # of eleven
            assert len(second.seen) > 5

    run(scenario())


def test_the_budget_bounds_what_a_dying_upstream_costs_the_others() -> None:
    async def scenario() -> None:
        limits = {"retry_share": 0.2, "retry_burst": 3.0}
        limits |= {"breaker_failures": NEVER, "breaker_volume": NEVER}
        async with (
            origin(statuses("503 a")) as first,
            origin(plain(b"good", NO_STORE)) as second,
            edge(first.url, second.url, **limits) as node,
        ):
            got = [(await get(node.port, f"/{number}")).status for number in range(50)]
            good = got.count(200)
            assert got[:3] == [200] * 3 and 3 + 9 <= good <= 3 + 10
            assert len(second.seen) == good == node.count("upstream_retries_total")
            assert got.count(503) == 50 - good == node.count("upstream_retries_refused_total")

    run(scenario())


def test_all_tries_together_have_a_deadline() -> None:
    async def scenario() -> None:
        limits = {"first_byte_timeout": 0.5, "upstream_deadline": 0.8}
        async with (
            origin(silence) as a,
            origin(silence) as b,
            origin(silence) as c,
            edge(a.url, b.url, c.url, **limits) as node,
        ):
            began = time.monotonic()
            assert (await get(node.port, "/")).status == 504
            assert 0.7 < time.monotonic() - began < 1.3
            assert [len(up.seen) for up in (a, b, c)] == [1, 1, 0]

    run(scenario())


def test_a_kept_connection_that_was_closed_is_no_failure() -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        await exchange.respond(seen.target.encode(), NO_STORE)
        exchange.writer.transport.abort()

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url, breaker_failures=1) as node:
            for number in range(5):
                assert (await get(node.port, f"/{number}")).body == b"/%d" % number
            assert is_in(node, up.url, "up") and node.count("upstream_retries_total") == 0

    run(scenario())


def test_a_kept_connection_that_hangs_up_is_replaced_once() -> None:
    """The first answer of each connection is good, then the request is read and dropped."""

    async def scenario() -> None:
        served: set[object] = set()

        async def handler(seen: Seen, exchange: Exchange) -> None:
            if exchange.writer in served or seen.target == "/bad":
                exchange.cut()
                return
            served.add(exchange.writer)
            await exchange.respond(seen.target.encode(), NO_STORE)

        async with origin(handler) as up, edge(up.url) as node:
            for target in ("/1", "/2"):
                assert (await get(node.port, target)).body == target.encode()
            assert failures(node, up.url, "upstream-closed") == 0
            assert len(up.seen) == 3 and up.connections == 2
            assert (await get(node.port, "/bad")).status == 502
            assert failures(node, up.url, "upstream-closed") == 1
            assert len(up.seen) == 5  # on the kept one, on a fresh one, and that is all

    run(scenario())


def test_more_connections_than_allowed_go_to_the_next() -> None:
    async def scenario() -> None:
        go = asyncio.Event()

        async def waits(_seen: Seen, exchange: Exchange) -> None:
            await go.wait()
            await exchange.respond(b"first", NO_STORE)

        async with (
            origin(waits) as first,
            origin(plain(b"second", NO_STORE)) as second,
            edge(first.url, second.url, upstream_connections=1) as node,
        ):
            held = asyncio.create_task(get(node.port, "/held"))
            await until(lambda: first.seen)
            herd = [get(node.port, f"/{number}") for number in range(8)]
            answers = await asyncio.gather(*herd)
            assert first.connections == second.connections == 1
            assert {answer.status for answer in answers} == {200, 503}
            busy = failures(node, first.url, "upstream-busy")
            assert busy == 8 and is_in(node, first.url, "up")
            go.set()
            assert (await held).body == b"first"
            async with connect(node.port) as client:  # needs a new one, and there is an idle
                await client.ask("/", "Content-Length: 1", method="POST", body=b"x")
                assert (await client.answer()).body == b"first"
            assert first.connections == 2

    run(scenario())


# Connections.


def test_idle_connections_are_closed_in_time() -> None:
    async def scenario() -> None:
        closed = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            try:
                assert await reader.read() == b""
            except ConnectionError:
                pass
            closed.set()
            writer.close()

        async with raw(serve) as url, edge(url, pool_idle=0.2) as node:
            assert (await get(node.port, "/")).status == 200
            await closed.wait()

    run(scenario())


@asynccontextmanager
async def raw(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def test_bytes_that_nobody_asked_for_end_an_idle_connection() -> None:
    async def scenario() -> None:
        lost = asyncio.Event()
        connections = 0
        poison = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
            await writer.drain()
            if connections == 1:
                await sent.wait()
                writer.write(poison)
                try:
                    assert await reader.read() == b""
                except ConnectionError:
                    pass
                lost.set()
            writer.close()

        sent = asyncio.Event()
        async with raw(serve) as url, edge(url) as node:
            assert (await get(node.port, "/1")).body == b"good"
            sent.set()
            await lost.wait()
            assert (await get(node.port, "/2")).body == b"good"
            assert connections == 2

    run(scenario())


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
FRAMINGS = {
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\nbody", False),
    "HTTP/1.0 with a length": (b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbody", False),
    "HTTP/1.0 kept": (
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nbody",
        True,
    ),
    "close": (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody",
        False,
    ),
    "until the end": (b"HTTP/1.1 200 OK\r\n\r\nbody", False),
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", True),
    "a trailer": (CHUNKED + b"4\r\nbody\r\n0\r\nX-Sum: 1\r\n\r\n", True),
}


@pytest.mark.parametrize(("response", "kept"), FRAMINGS.values(), ids=FRAMINGS)
def test_framings(response: bytes, kept: bool) -> None:
    async def scenario() -> None:
        connections = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            try:
                while await reader.readuntil(b"\r\n\r\n"):
                    writer.write(response)
                    if not kept:
                        writer.close()
                        return
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        async with raw(serve) as url, edge(url) as node:
            for number in range(2):
                answer = await get(node.port, f"/{number}")
                assert answer.body == b"body" and "x-sum" not in answer.headers
            assert connections == (1 if kept else 2)

    run(scenario())


def test_an_answer_before_the_body_is_an_answer() -> None:
    async def scenario() -> None:
        connections = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(8 << 20)
            writer.close()

        async with raw(serve) as url, edge(url) as node, connect(node.port) as client:
            await client.ask("/", f"Content-Length: {8 << 20}", method="PUT", body=b"x" * 1000)
            answer = await client.answer()
            assert (answer.status, answer.body) == (413, b"no")
            assert connections == 1

    run(scenario())


def test_a_socket_in_the_file_system(tmp_path: Path) -> None:
    async def scenario() -> None:
        seen: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nunix")
            writer.close()

        path = tmp_path / "s"
        server = await asyncio.start_unix_server(serve, path)
        async with edge(f"unix://{path}") as node:
            assert (await get(node.port, "/")).body == b"unix"
            assert b"\r\nHost: localhost\r\n" in seen[0]
        server.close()

    run(scenario())


# Shields.


def echoes(name: str) -> Handler:
    async def handler(_seen: Seen, exchange: Exchange) -> None:
        await exchange.respond(name.encode(), NO_STORE)

    return handler


def test_shields_have_their_keys_whatever_the_token() -> None:
    async def scenario() -> None:
        async with (
            origin(echoes("0")) as a,
            origin(echoes("1")) as b,
            origin(echoes("2")) as c,
            origin(echoes("origin")) as up,
        ):
            urls = [a.url, b.url, f"{c.url}|2"]
            ring = Ring([Address.parse(url) for url in urls])
            async with edge(up.url, shields=tuple(urls)) as node, connect(node.port) as client:
                for number in range(60):
                    order = ring.order(route_key(b"/%d" % number, ()))
                    for token in ("", "?token=1", "?hdnts=exp=2~hmac=3"):
                        answer = await client.get(f"/{number}{token}")
                        assert answer.body == b"%d" % order[0]
                assert up.seen == [] and a.seen and b.seen and c.seen
                assert any("token=1" in seen.target for seen in a.seen)  # it is passed on

    run(scenario())


def test_the_keys_of_a_shield_that_is_down_go_to_their_second() -> None:
    async def scenario() -> None:
        with refusing() as dead:
            async with (
                origin(echoes("1")) as b,
                origin(echoes("2")) as c,
                origin(echoes("origin")) as up,
            ):
                urls = (dead, b.url, c.url)
                ring = Ring([Address.parse(url) for url in urls])
                async with edge(up.url, shields=urls) as node, connect(node.port) as client:
                    for number in range(60):
                        order = ring.order(b"/%d" % number)
                        found = order[1] if order[0] == 0 else order[0]
                        assert (await client.get(f"/{number}")).body == b"%d" % found
                    assert is_in(node, dead, "down")
                assert up.seen == []

    run(scenario())


def test_without_shields_the_origin_is_asked() -> None:
    async def scenario() -> None:
        with refusing() as one, refusing() as two, refusing() as three:
            shields = (one, two, three)
            async with origin(echoes("origin")) as up, edge(up.url, shields=shields) as node:
                for number in range(20):
                    assert (await get(node.port, f"/{number}")).body == b"origin"
                lines = await node.logged(20)
                assert {line["tries"] for line in lines[:2]} == {3}  # two shields at most
                assert lines[-1]["tries"] == 1  # all of them are known to be down

    run(scenario())


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_loop_is_no_failure_and_costs_no_budget(method: str) -> None:
    async def scenario() -> None:
        async with (
            origin(statuses("508 Loop Detected")) as shield,
            origin(echoes("origin")) as up,
            edge(up.url, shields=(shield.url,), retry_burst=1.0, retry_share=0.0) as node,
            connect(node.port) as client,
        ):
            for number in range(10):
                answer = await client.get(f"/{number}", "Content-Length: 0", method=method)
                assert answer.body == b"origin"
            assert len(shield.seen) == 10 and is_in(node, shield.url, "up")

    run(scenario())


def test_a_loop_answer_to_a_body_is_passed_on() -> None:
    async def scenario() -> None:
        async with (
            origin(statuses("508 Loop Detected")) as shield,
            origin(echoes("origin")) as up,
            edge(up.url, shields=(shield.url,)) as node,
            connect(node.port) as client,
        ):
            await client.ask("/", "Content-Length: 1", method="POST", body=b"x")
            assert (await client.answer()).status == 508
            assert up.seen == []

    run(scenario())


# Health checks.


def test_health_checks_take_an_upstream_out_and_in_again() -> None:
    async def scenario() -> None:
        is_well = True

        async def handler(seen: Seen, exchange: Exchange) -> None:
            if seen.target == "/health":
                status = OK if is_well else "503 ill"
                await exchange.respond(b"", NO_STORE, status=status)
            else:
                await exchange.respond(b"first", NO_STORE)

        limits = {"health": "/health", "health_interval": 0.05, "health_timeout": 0.5}
        async with (
            origin(handler) as first,
            origin(plain(b"second", NO_STORE)) as second,
            edge(first.url, second.url, **limits) as node,
        ):
            assert (await get(node.port, "/")).body == b"first"
            is_well = False
            await until(lambda: is_in(node, first.url, "down"))
            assert node.count("upstream_health_checks_total", first.url, "failed") >= 3
            assert (await get(node.port, "/")).body == b"second"
            is_well = True
            await until(lambda: is_in(node, first.url, "up"))
            assert (await get(node.port, "/")).body == b"first"

    run(scenario())


@pytest.mark.parametrize("handler", [silence, garbage, closes, statuses("404 Not Found")])
def test_a_health_check_that_fails_everywhere_stops_nobody(handler: Handler) -> None:
    """A path that does not exist must not be the end of the service."""

    async def scenario() -> None:
        async def served(seen: Seen, exchange: Exchange) -> None:
            await (handler if seen.target == "/health" else echoes("good"))(seen, exchange)

        limits = {"health": "/health", "health_interval": 0.05, "health_timeout": 0.1}
        async with origin(served) as up, edge(up.url, **limits) as node:
            await until(lambda: is_in(node, up.url, "down"))
            assert (await get(node.port, "/")).body == b"good"

    run(scenario())


def test_a_time_out_for_want_of_time_is_nobodys_fault() -> None:
    async def scenario() -> None:
        limits = {"first_byte_timeout": 0.3, "upstream_deadline": 0.4, "breaker_failures": 1}
        async with (
            origin(silence) as first,
            origin(silence) as second,
            edge(first.url, second.url, **limits) as node,
        ):
            assert (await get(node.port, "/")).status == 504
            assert len(second.seen) == 1
            assert is_in(node, first.url, "down") and is_in(node, second.url, "up")

    run(scenario())
