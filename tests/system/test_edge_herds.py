"""An edge as it runs, before herds of clients, and clients that do not read."""

import asyncio
import resource
import time
from collections.abc import Iterator

import pytest

from tests.edge_cache.support.client import connect, get
from tests.edge_cache.support.edge import run, until
from tests.edge_cache.support.origin import Exchange, Seen, origin
from tests.support.edge_process import edge_process, memory
from tests.support.followers import Got, body_of, follow
from tests.support.herds import Herd

FRESH = "Cache-Control: max-age=60"
HERD = 500
FOLLOWERS = 10
SIZE = 4 << 20
HALF = SIZE // 2


async def serve(seen: Seen, exchange: Exchange) -> None:
    await exchange.respond(body_of(seen.target, SIZE), FRESH)


@pytest.fixture
def many_files() -> Iterator[None]:
    """Enough descriptors for both ends of a herd, here and in the edge."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * HERD)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


_QUICK = 0.05
"""Seconds between the first client's first byte and the last one's..."""
_TRIES = 10
"""...in the quietest of so many rounds, for the machine has other work."""


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
                spreads = [_QUICK]
                while min(spreads) >= _QUICK and len(spreads) <= _TRIES:
                    target = f"/slow/{len(spreads)}"
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
                assert min(spreads) < _QUICK, spreads
                assert edge.metric("headrace_edge_fills_total") == len(spreads)

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
        body = body_of(seen.target, SIZE)
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
                assert all(got.is_whole and got.body == body_of("/left", SIZE) for got in found)
                assert "hit" in (await get(edge.port, "/left")).cache and len(up.seen) == 1

    run(scenario())


STALLED = 100
LARGE = 20 << 20
_SHARED = 64 << 20
"""Bytes that they may cost together where one body serves them all..."""
_PASSING = STALLED << 20
"""...and where each has its own: two buffers of 256 KiB, and what they exceed that by."""


@pytest.mark.parametrize("kind", ["stored", "on its way", "not kept"])
def test_stalled_readers(kind: str) -> None:
    """Of one body that is shared, and of one each that only passes."""
    control = "Cache-Control: no-store" if kind == "not kept" else FRESH

    async def handler(seen: Seen, exchange: Exchange) -> None:
        await exchange.respond(body_of(seen.target, LARGE), control)

    async def scenario() -> None:
        async with origin(handler) as up:
            with edge_process(up.url) as edge:
                if kind == "stored":
                    await get(edge.port, "/large")
                else:  # what one body costs in any case
                    await get(edge.port, "/other")
                before = memory(edge.worker)
                with Herd(edge.port, STALLED, receive=4096) as herd:
                    herd.ask("/large")
                    await asyncio.to_thread(herd.await_first_bytes)
                    whole = await get(edge.port, "/large")  # beside them
                    assert whole.body == body_of("/large", LARGE)
                    own = LARGE if kind == "on its way" else 0
                    grown = memory(edge.worker) - before - own
                    limit = _PASSING if kind == "not kept" else _SHARED
                    assert grown < limit, f"{grown >> 20} MiB"
                await until(lambda: edge.metric("headrace_edge_connections") == 0)
                asked = [seen.target for seen in up.seen].count("/large")
                assert asked == (STALLED + 1 if kind == "not kept" else 1)

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
                    assert taken == body_of("/paced", SIZE)

    run(scenario())
