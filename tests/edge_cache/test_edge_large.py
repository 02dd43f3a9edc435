"""Large bodies from RAM, which go below the transport: whole, in order, whatever happens."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from typing import cast

import pytest

from tests.edge_cache.support.client import Client, connect, get
from tests.edge_cache.support.edge import Edge, edge, run, until
from tests.edge_cache.support.objects import body_of, serve, target_of
from tests.edge_cache.support.origin import Exchange, Origin, Seen, origin

LARGE = 5 << 20
"""More than the kernel takes for a client that does not read."""
RAM = 32 << 20
READERS = 64
LIMIT = 60.0


class Versions:
    """An origin whose one object changes with each POST; everything else stays."""

    def __init__(self) -> None:
        self.number = 0

    @property
    def body(self) -> bytes:
        return body_of(target_of(self.number, LARGE))

    async def serve(self, seen: Seen, exchange: Exchange) -> None:
        if seen.target != "/film":
            await serve(seen, exchange)
        elif seen.method == "POST":
            self.number += 1
            await exchange.respond()
        else:
            await exchange.respond(
                self.body, "Cache-Control: max-age=60", f'ETag: "{self.number}"'
            )


@asynccontextmanager
async def ram_edge(upstream: Origin) -> AsyncIterator[Edge]:
    async with edge(upstream.url, ram=RAM) as node:
        yield node


async def hash_of_rest(client: Client) -> str:
    digest, left = sha256(), LARGE
    while left:
        piece = await client.reader.read(min(left, 1 << 16))
        assert piece
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest()


def pause(client: Client) -> None:
    cast(asyncio.Transport, client.writer.transport).pause_reading()


def resume(client: Client) -> None:
    cast(asyncio.Transport, client.writer.transport).resume_reading()


def stalled(node: Edge) -> int:
    """Connections that wait for a client in the middle of a body."""
    return sum(connection._direct.is_busy for connection in node.server._connections)


def test_slow_readers_have_one_version_while_it_is_replaced_and_evicted() -> None:
    async def scenario() -> None:
        versions = Versions()
        async with origin(versions.serve) as upstream, ram_edge(upstream) as node:
            expected = sha256(versions.body).hexdigest()
            await get(node.port, "/film")
            async with AsyncExitStack() as stack:
                slow = [
                    await stack.enter_async_context(connect(node.port, small=True))
                    for _ in range(READERS)
                ]
                for client in slow:
                    await client.ask("/film")
                    assert "hit" in (await client.head()).cache
                    pause(client)
                await until(lambda: stalled(node) == READERS)
                await get(node.port, "/film", method="POST")
                answer = await get(node.port, "/film")
                assert sha256(answer.body).digest() == sha256(versions.body).digest()
                before = node.count("evictions_total")
                for number in range(1, 12):
                    await get(node.port, target_of(number, LARGE))
                assert node.count("evictions_total") > before
                assert node.tier.size <= RAM
                for client in slow:
                    resume(client)
                hashes = await asyncio.gather(*map(hash_of_rest, slow))
                assert set(hashes) == {expected}

    run(scenario(), LIMIT)


def test_pipelined_requests_for_parts_wholes_and_heads() -> None:
    target = target_of(1, LARGE)
    whole = body_of(target)

    async def scenario() -> None:
        async with origin(serve) as upstream, ram_edge(upstream) as node:
            await get(node.port, target)
            async with connect(node.port, small=True) as client:
                asked = (
                    ("GET", "Range: bytes=1-4000000", slice(1, 4_000_001)),
                    ("HEAD", "", slice(0)),
                    ("GET", "Range: bytes=5-9", slice(5, 10)),
                    ("GET", "", slice(None)),
                    ("GET", "Range: bytes=-3000000", slice(-3_000_000, None)),
                )
                for method, line, _ in asked:
                    await client.ask(target, *filter(None, [line]), method=method)
                for method, _, part in asked:
                    answer = await client.answer(method=method)
                    assert "hit" in answer.cache
                    assert sha256(answer.body).digest() == sha256(whole[part]).digest()
            log = await node.logged(1 + len(asked))
            assert [line["bytes"] for line in log[1:]] == [4_000_000, 0, 5, LARGE, 3_000_000]
            assert {line["tier"] for line in log[1:]} == {"ram"}

    run(scenario(), LIMIT)


def test_what_a_client_that_leaves_has_had_is_counted() -> None:
    async def scenario() -> None:
        async with origin(serve) as upstream, ram_edge(upstream) as node:
            target = target_of(1, LARGE)
            await get(node.port, target)
            async with connect(node.port, small=True) as client:
                await client.ask(target)
                await client.head()
                pause(client)
                await until(lambda: stalled(node) == 1)
            cut = (await node.logged(2))[1]
            assert cut["detail"] == "client-left"
            assert 0 < cut["bytes"] < LARGE

    run(scenario())


def test_too_many_open_files_cost_speed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def dup(_number: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    target = target_of(1, LARGE)

    async def scenario() -> None:
        async with origin(serve) as upstream, ram_edge(upstream) as node:
            await get(node.port, target)
            monkeypatch.setattr(os, "dup", dup)
            async with connect(node.port, small=True) as client:
                for _ in range(2):
                    answer = await client.get(target)
                    assert "hit" in answer.cache
                    assert sha256(answer.body).digest() == sha256(body_of(target)).digest()

    run(scenario())
