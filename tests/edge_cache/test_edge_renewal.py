"""What is often asked for is renewed before it is stale: by one request, behind the hits."""

import asyncio
from dataclasses import replace

import pytest

from edge_cache.purging.names import Kind
from tests.edge_cache.support.client import Client, connect
from tests.edge_cache.support.edge import Edge, edge, run, until
from tests.edge_cache.support.origin import Exchange, Handler, Seen, origin

KEY = (b"/", ())
FRESH = ("Cache-Control: max-age=60", 'ETag: "v1"')
HOT = 3
"""Hits that make an object hot."""


def then(*lines: str, status: str, held: asyncio.Event | None = None) -> Handler:
    """An origin of one response, and of another from then on, once *held* is set."""
    asked = 0

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            await exchange.respond(b"one", *FRESH)
            return
        if held is not None:
            await held.wait()
        if status.startswith("304"):
            await exchange.head(*lines, status=status)
        else:
            await exchange.respond(b"two", *lines, status=status)

    return handler


async def grow_old(client: Client, node: Edge) -> None:
    """Have it stored, and let the last part of its freshness begin."""
    await client.get("/")
    entry = node.tier.get(KEY)
    assert entry is not None
    assert node.tier.put(KEY, (), replace(entry, renew_from=entry.born))


async def hit(client: Client, times: int, body: bytes = b"one") -> None:
    for _ in range(times):
        answer = await client.get("/")
        assert answer.body == body and "; hit; ttl=" in answer.cache


def test_hits_go_on_while_one_request_renews() -> None:
    async def scenario() -> None:
        held = asyncio.Event()
        up_handler = then(*FRESH, "X-Build: 2", status="304 Not Modified", held=held)
        async with (
            origin(up_handler) as up,
            edge(up.url) as node,
            connect(node.port) as client,
        ):
            await grow_old(client, node)
            await hit(client, HOT)
            await until(lambda: len(up.seen) == 2)
            await hit(client, 20)
            held.set()
            while "x-build" not in (await client.get("/")).headers:
                pass
            await hit(client, 20)
            assert [seen.headers.get("if-none-match") for seen in up.seen] == [None, '"v1"']
            assert node.count("requests_total", "miss") == 1

    run(scenario())


def test_what_is_asked_for_less_often_is_left_alone() -> None:
    async def scenario() -> None:
        async with (
            origin(then(*FRESH, status="304 Not Modified")) as up,
            edge(up.url) as node,
            connect(node.port) as client,
        ):
            await grow_old(client, node)
            await hit(client, HOT - 1)
            await client.get("/other")  # what went upstream for "/" would be there first
            assert [seen.target for seen in up.seen] == ["/", "/other"]

    run(scenario())


AFTER: dict[str, tuple[str, tuple[str, ...]]] = {
    "an error of the upstream": ("503 Service Unavailable", ()),
    "an error that is not cached": ("500 Internal Server Error", ("Cache-Control: no-store",)),
    "a refusal of that one request": ("403 Forbidden", ()),
    "too many requests": ("429 Too Many Requests", ("Cache-Control: no-store",)),
}


@pytest.mark.parametrize(("status", "lines"), AFTER.values(), ids=AFTER)
def test_a_renewal_that_fails_changes_nothing_and_is_not_repeated_at_once(
    status: str, lines: tuple[str, ...]
) -> None:
    async def scenario() -> None:
        async with (
            origin(then(*lines, status=status)) as up,
            edge(up.url, refresh_rest=60, failover_statuses=()) as node,
            connect(node.port) as client,
        ):
            await grow_old(client, node)
            await hit(client, HOT)
            await until(lambda: node.count("fills_total") == 2 and not node.count("fills"))
            await hit(client, 20)
            assert len(up.seen) == 2

    run(scenario())


GONE: dict[str, tuple[str, tuple[str, ...]]] = {
    "it is gone": ("410 Gone", ()),
    "it is not there, and that is cached": ("404 Not Found", ("Cache-Control: max-age=9",)),
    "it must not be stored any more": ("200 OK", ("Cache-Control: no-store",)),
    "it has changed": ("200 OK", FRESH),
}


@pytest.mark.parametrize(("status", "lines"), GONE.values(), ids=GONE)
def test_a_renewal_that_brings_another_answer_replaces_it(
    status: str, lines: tuple[str, ...]
) -> None:
    async def scenario() -> None:
        async with (
            origin(then(*lines, status=status)) as up,
            edge(up.url) as node,
            connect(node.port) as client,
        ):
            await grow_old(client, node)
            await hit(client, HOT)
            while (answer := await client.get("/")).body == b"one":
                pass
            assert (answer.status, answer.body) == (int(status[:3]), b"two")

    run(scenario())


@pytest.mark.parametrize("soft", [False, True])
def test_what_is_purged_is_not_renewed(soft: bool) -> None:
    async def scenario() -> None:
        async with (
            origin(then(*FRESH, status="200 OK")) as up,
            edge(up.url) as node,
            connect(node.port) as client,
        ):
            await grow_old(client, node)
            await hit(client, HOT - 1)
            await node.purges.purge([(Kind.URL, b"/")], soft=soft)
            await client.get("/other")
            assert [seen.target for seen in up.seen] == ["/", "/other"]
            answer = await client.get("/")
            assert answer.body == b"two" and "fwd=" in answer.cache

    run(scenario())


def test_by_the_clock() -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        lines = ("Cache-Control: max-age=3", 'ETag: "v1"')
        if "if-none-match" in seen.headers:
            await exchange.head(*lines, status="304 Not Modified")
        else:
            await exchange.respond(b"one", *lines)

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node, connect(node.port) as client:
            await client.get("/")
            while len(up.seen) == 1:
                await hit(client, 1)
                await asyncio.sleep(0.01)  # a client's pace
            await hit(client, 10)
            assert node.count("requests_total", "hit") > HOT
            assert node.count("requests_total", "stale") == 0

    run(scenario())
