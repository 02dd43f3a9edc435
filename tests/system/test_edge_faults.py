"""An edge as it runs, before an origin that does what it should not, and before herds.

Whatever happens on either side, a client gets right bytes, an error or a cut connection; what
comes next is right; and nothing of it stays behind in the process.
"""

import asyncio
import random
import resource
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cache

import pytest

from tests.edge_cache.support.client import Answer, connect, get
from tests.edge_cache.support.edge import run, until
from tests.edge_cache.support.origin import Exchange, Origin, Seen, origin
from tests.support.edge_process import EdgeProcess, descriptors, edge_process, memory
from tests.support.herds import Herd

FRESH = "Cache-Control: max-age=60"
HERD = 500
SIZE = 4 << 20
HALF = SIZE // 2
FOLLOWERS = 10
ROUNDS = 4
"""Less than takes an upstream down."""

_GROWTH = 5 << 20
"""Bytes; less than the halves of bodies that the rounds after the first have read."""


@cache
def body_of(target: str, size: int = SIZE) -> bytes:
    return random.Random(target).randbytes(size)


async def serve(seen: Seen, exchange: Exchange) -> None:
    """As it should be."""
    await exchange.respond(body_of(seen.target), FRESH)


# What a client saw.


@dataclass(slots=True)
class Got:
    head: Answer | None = None
    data: bytearray = field(default_factory=bytearray)
    """What came of the body, chunks as they were framed."""
    is_ended: bool = False
    """By an orderly end of the connection."""

    @property
    def status(self) -> int:
        return self.head.status if self.head else 0

    @property
    def is_chunked(self) -> bool:
        return self.head is not None and "transfer-encoding" in self.head.headers

    @property
    def body(self) -> bytes:
        return _unchunked(self.data) if self.is_chunked else bytes(self.data)

    @property
    def is_whole(self) -> bool:
        if self.head is None or not self.is_ended:
            return False
        if self.is_chunked:
            return self.data.endswith(b"\r\n0\r\n\r\n")
        return len(self.data) == int(self.head.headers["content-length"])


async def follow(port: int, target: str, got: Got) -> None:
    """Ask on a connection that ends after the answer, and read it as it comes into *got*."""
    async with connect(port) as client:
        await client.ask(target, "Connection: close")
        try:
            got.head = await client.head()
            while piece := await client.reader.read(1 << 18):
                got.data += piece
            got.is_ended = True
        except (ConnectionError, asyncio.IncompleteReadError):
            pass


def _unchunked(data: bytes) -> bytes:
    """What there is of a chunked body, a cut chunk included."""
    body, at = b"", 0
    while (end := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:end], 16)
        body += data[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
    return body


# Faults: what the origin does once everyone waits, and what that is for a client.

Act = Callable[[Exchange, bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    act: Act
    status: int = 200
    half: str | None = None
    """The framing under which half of the body is sent before; None for nothing at all."""
    asked: Collection[int] = (1,)
    """Requests upstream for the whole herd."""


_EACH = (1 + FOLLOWERS,)
_AGAIN = (1, 2)
"""A kept connection that is closed without a byte may just have been idle for too long."""

_LENGTH, _CHUNKED = f"Content-Length: {SIZE}", "Transfer-Encoding: chunked"


async def garbage(exchange: Exchange, _rest: bytes) -> None:
    await exchange.send(b"this is no HTTP\r\n\r\n")


async def close(exchange: Exchange, _rest: bytes) -> None:
    exchange.cut()


async def reset(exchange: Exchange, _rest: bytes) -> None:
    exchange.writer.transport.abort()


async def stay_silent(_exchange: Exchange, _rest: bytes) -> None:
    await asyncio.Event().wait()


async def endless_head(exchange: Exchange, _rest: bytes) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not exchange.writer.is_closing():
        await exchange.send(b"x" * 16384)


async def fail(exchange: Exchange, _rest: bytes) -> None:
    await exchange.respond(b"", "Cache-Control: no-store", status="500 Oops")


async def be_busy(exchange: Exchange, _rest: bytes) -> None:
    lines = ("Cache-Control: no-store", "Retry-After: 1")
    await exchange.respond(b"", *lines, status="503 Busy")


async def close_after_head(exchange: Exchange, _rest: bytes) -> None:
    await exchange.head(FRESH, _LENGTH)
    exchange.cut()


async def promise_too_much(exchange: Exchange, rest: bytes) -> None:
    await exchange.send(rest)
    exchange.cut()


async def end_without_last_chunk(exchange: Exchange, rest: bytes) -> None:
    await exchange.chunk(rest)
    exchange.cut()


async def break_in_chunk(exchange: Exchange, rest: bytes) -> None:
    await exchange.send(b"%x\r\n%b" % (len(rest), rest[:-1]))
    exchange.cut()


async def garble_chunk_size(exchange: Exchange, _rest: bytes) -> None:
    await exchange.send(b"not a size\r\n")
    await stay_silent(exchange, b"")


FAULTS = {
    "garbage": Fault(garbage, 502),
    "closes": Fault(close, 502, asked=_AGAIN),
    "resets": Fault(reset, 502, asked=_AGAIN),
    "never answers": Fault(stay_silent, 504),
    "an endless head": Fault(endless_head, 502),
    "500": Fault(fail, 500, asked=_EACH),
    "503": Fault(be_busy, 503, asked=_EACH),
    "closes after the head": Fault(close_after_head),
    "closes midway": Fault(close, half=_LENGTH),
    "resets midway": Fault(reset, half=_LENGTH),
    "silent midway": Fault(stay_silent, half=_LENGTH),
    "a length too long": Fault(promise_too_much, half=f"Content-Length: {SIZE + 1}"),
    "closes between chunks": Fault(close, half=_CHUNKED),
    "no last chunk": Fault(end_without_last_chunk, half=_CHUNKED),
    "closes inside a chunk": Fault(break_in_chunk, half=_CHUNKED),
    "a chunk size that is none": Fault(garble_chunk_size, half=_CHUNKED),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_before_a_herd(fault: Fault) -> None:
    target, body, go, is_broken = "/faulty", body_of("/faulty"), asyncio.Event(), True

    async def handler(seen: Seen, exchange: Exchange) -> None:
        if seen.target != target or not is_broken:
            await serve(seen, exchange)
            return
        if fault.half is not None:
            await exchange.head(FRESH, fault.half)
            send = exchange.chunk if fault.half is _CHUNKED else exchange.send
            await send(body[:HALF])
        await go.wait()
        await fault.act(exchange, body[HALF:])

    async def herd(up: Origin, edge: EdgeProcess) -> None:
        go.clear()
        up.seen.clear()
        found = [Got() for _ in range(1 + FOLLOWERS)]
        tasks = [asyncio.create_task(follow(edge.port, target, got)) for got in found]
        await until(lambda: up.seen)
        assert (await get(edge.port, "/other")).status == 200  # by now all have been heard
        if fault.half is not None:
            await until(lambda: all(len(got.data) >= HALF for got in found))
        go.set()
        await asyncio.gather(*tasks)
        assert [seen.target for seen in up.seen].count(target) in fault.asked
        for got in found:
            if fault.status == 200:
                assert got.status in (200, 0)  # a reset may overtake the head
                assert not got.is_whole and body.startswith(got.body)
            else:
                assert (got.status, got.is_whole, got.body) == (fault.status, True, b"")

    async def scenario() -> None:
        nonlocal is_broken
        limits = {"first_byte_timeout": 0.4, "read_timeout": 0.4, "pool_idle": 0.3}
        async with origin(handler) as up:
            with edge_process(up.url, **limits) as edge:
                worker = edge.worker
                open_before = descriptors(worker)
                assert (await get(edge.port, "/other")).status == 200
                await herd(up, edge)
                held = memory(worker)
                for _ in range(ROUNDS - 1):
                    await herd(up, edge)
                assert memory(worker) - held < _GROWTH
                is_broken = False
                first, second = await get(edge.port, target), await get(edge.port, target)
                assert first.status == 200 and first.body == second.body == body
                assert "hit" not in first.cache and "hit" in second.cache
                await until(lambda: descriptors(worker) <= open_before)
                assert edge.metric("headrace_edge_fills") == 0
                assert edge.metric("headrace_edge_connections") == 0
                assert edge.worker == worker

    run(scenario())


# Herds and readers that do not read.


@pytest.fixture
def many_files() -> Iterator[None]:
    """Enough descriptors for both ends of a herd, here and in the edge."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * HERD)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_herd_on_a_slow_object(many_files: None) -> None:
    """One request upstream; nobody waits for the end, nor for one another."""
    size, first = 64 << 10, 2 << 10
    go, rest = asyncio.Event(), asyncio.Event()

    async def handler(seen: Seen, exchange: Exchange) -> None:
        if seen.target == "/other":
            await serve(seen, exchange)
            return
        body = body_of(seen.target, size)
        await go.wait()
        await exchange.head(FRESH, f"Content-Length: {size}")
        await exchange.send(body[:first])
        await rest.wait()
        for at in range(first, size, first):
            await exchange.send(body[at : at + first])

    async def scenario() -> None:
        async with origin(handler) as up:
            with edge_process(up.url) as edge, Herd(edge.port, HERD) as herd:
                spreads = []
                for number in range(3):
                    target = f"/slow/{number}"
                    go.clear()
                    rest.clear()
                    herd.ask(target)
                    await get(edge.port, "/other")  # by now all have been heard
                    waiting = asyncio.create_task(asyncio.to_thread(herd.await_first_bytes))
                    go.set()
                    spreads.append(await waiting)
                    rest.set()
                    bodies = await asyncio.to_thread(herd.bodies)
                    assert set(bodies) == {body_of(target, size)}
                    assert [seen.target for seen in up.seen].count(target) == 1
                assert min(spreads) < 0.05  # the quietest, for the machine has other work
                assert edge.metric("headrace_edge_fills_total") == 4

    run(scenario())


def test_a_herd_on_what_may_not_be_kept(many_files: None) -> None:
    """It goes upstream side by side: in the time of two answers, not of five hundred."""
    together, is_there = 0, asyncio.Event()
    answer_time = 0.5

    async def handler(seen: Seen, exchange: Exchange) -> None:
        nonlocal together
        together += 1
        if together == HERD:
            is_there.set()
        if together > 1:  # the first is alone: nobody knows yet that it may not be kept
            await is_there.wait()
        await asyncio.sleep(answer_time)
        await exchange.respond(seen.headers["x-request-id"].encode(), "Cache-Control: no-store")

    async def scenario() -> None:
        async with origin(handler) as up:
            with edge_process(up.url) as edge, Herd(edge.port, HERD) as herd:
                started = time.monotonic()
                herd.ask("/live")
                bodies = await asyncio.to_thread(herd.bodies)
                assert time.monotonic() - started < 10 * answer_time
                assert len(set(bodies)) == len(up.seen) == HERD  # each has its own

    run(scenario())


def test_a_leader_that_leaves() -> None:
    go = asyncio.Event()

    async def handler(seen: Seen, exchange: Exchange) -> None:
        body = body_of(seen.target)
        await exchange.head(FRESH, f"Content-Length: {SIZE}")
        await exchange.send(body[:HALF])
        await go.wait()
        await exchange.send(body[HALF:])

    async def scenario() -> None:
        async with origin(handler) as up:
            with edge_process(up.url) as edge:
                async with connect(edge.port) as leader:
                    await leader.ask("/left")
                    await leader.reader.readexactly(HALF)
                    found = [Got() for _ in range(FOLLOWERS)]
                    herd = [asyncio.create_task(follow(edge.port, "/left", g)) for g in found]
                    await until(lambda: all(len(got.data) >= HALF for got in found))
                await until(lambda: edge.metric("headrace_edge_connections") == FOLLOWERS)
                go.set()
                await asyncio.gather(*herd)
                assert all(got.is_whole and got.body == body_of("/left") for got in found)
                assert "hit" in (await get(edge.port, "/left")).cache and len(up.seen) == 1

    run(scenario())


STALLED = 100
LARGE = 20 << 20
_HELD = 64 << 20
"""Bytes that they may cost together, less than a third of what one body each would be."""


@pytest.mark.parametrize("when", ["stored", "on its way"])
def test_stalled_readers(when: str) -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        await exchange.respond(body_of(seen.target, LARGE), FRESH)

    async def scenario() -> None:
        async with origin(handler) as up:
            with edge_process(up.url) as edge:
                assert len((await get(edge.port, "/warm")).body) == LARGE
                if when == "stored":
                    await get(edge.port, "/large")
                before = memory(edge.worker)
                with Herd(edge.port, STALLED, receive=4096) as herd:
                    herd.ask("/large")
                    await asyncio.to_thread(herd.await_first_bytes)
                    await until(lambda: edge.metric("headrace_edge_ram_objects") == 2)
                    whole = await get(edge.port, "/large")  # beside them
                    assert whole.body == body_of("/large", LARGE) and "hit" in whole.cache
                    grown = memory(edge.worker) - before
                    own = 0 if when == "stored" else LARGE
                    assert grown - own < _HELD, f"{grown >> 20} MiB"
                await until(lambda: edge.metric("headrace_edge_connections") == 0)
                assert len(up.seen) == 2

    run(scenario())


def test_who_reads_too_slowly_is_let_go() -> None:
    """A reader below the rate is reset; one above it gets all, however long it takes."""

    async def scenario() -> None:
        async with origin(serve) as up:
            with edge_process(up.url, send_rate_window=1.0) as edge:
                async with connect(edge.port, small=True) as steady:
                    await steady.ask("/paced")
                    head = await steady.head()
                    with Herd(edge.port, FOLLOWERS, receive=4096) as stalled:
                        stalled.ask("/paced")
                        taken = await steady.reader.readexactly(HALF)
                        while edge.metric("headrace_edge_connections") > 1:
                            taken += await steady.reader.readexactly(16 << 10)
                            await asyncio.sleep(0.05)  # 320 KiB a second: far above the rate
                    assert edge.metric("headrace_edge_aborted_total") == FOLLOWERS
                    left = int(head.headers["content-length"]) - len(taken)
                    assert left > 0, "it was too fast to tell"
                    taken += await steady.reader.readexactly(left)
                    assert taken == body_of("/paced")

    run(scenario())
