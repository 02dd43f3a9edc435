"""An edge as it runs, before an origin that does what it should not.

Whatever happens, a client gets right bytes, an error or a cut connection; what comes next is
right; and nothing of it stays behind in the process.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

import pytest

from edge_cache.sockets import reset_on_close
from tests.edge_cache.support.client import get
from tests.edge_cache.support.edge import run, until
from tests.edge_cache.support.origin import Exchange, Origin, Seen, origin
from tests.support.edge_process import EdgeProcess, descriptors, edge_process, memory
from tests.support.followers import Got, body_of, follow

FRESH = "Cache-Control: max-age=60"
SIZE = 4 << 20
HALF = SIZE // 2
FOLLOWERS = 10
ROUNDS = 4
"""Less than takes an upstream down."""

_GROWTH = 5 << 20
"""Bytes; less than the halves of bodies that the rounds after the first have read."""


async def serve(seen: Seen, exchange: Exchange) -> None:
    """As it should be."""
    await exchange.respond(body_of(seen.target, SIZE), FRESH)


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
    reset_on_close(exchange.writer.transport)
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
    "resets, and told no length": Fault(reset, half="Connection: close"),
    "closes between chunks": Fault(close, half=_CHUNKED),
    "no last chunk": Fault(end_without_last_chunk, half=_CHUNKED),
    "closes inside a chunk": Fault(break_in_chunk, half=_CHUNKED),
    "a chunk size that is none": Fault(garble_chunk_size, half=_CHUNKED),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_before_a_herd(fault: Fault) -> None:
    target, body, go, is_broken = "/faulty", body_of("/faulty", SIZE), asyncio.Event(), True

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
