"""A variant that is missing: the upstream may say that another answers too."""

import asyncio

from edge_cache.purging.names import Kind
from tests.edge_cache.support.client import get
from tests.edge_cache.support.edge import edge, run, until
from tests.edge_cache.support.origin import Exchange, Seen, origin

FRESH = ("Cache-Control: max-age=60", "Vary: Foo")
A, B = 'ETag: "a"', 'ETag: "b"'


async def two_bodies(seen: Seen, exchange: Exchange) -> None:
    """Foo: 1 is one body, all else the other."""
    body, tag = (b"one", '"a"') if seen.headers.get("foo") == "1" else (b"other", '"b"')
    lines = (*FRESH, f"ETag: {tag}")
    if tag in seen.headers.get("if-none-match", "").split(", "):
        await exchange.head(*lines, "X-Said: again", status="304 Not Modified")
    else:
        await exchange.respond(body, *lines)


def test_a_304_tells_which() -> None:
    async def scenario() -> None:
        async with origin(two_bodies) as up, edge(up.url) as node:
            for value, body in ((1, b"one"), (2, b"other")):
                assert (await get(node.port, "/", f"Foo: {value}")).body == body
            for value in (3, 4):
                answer = await get(node.port, "/", f"Foo: {value}")
                assert (answer.body, answer.headers["etag"]) == (b"other", '"b"')
                assert answer.headers["x-said"] == "again"
                assert answer.cache == "headrace; fwd=vary-miss; fwd-status=304; stored"
                again = await get(node.port, "/", f"Foo: {value}")
                assert again.body == b"other" and "; hit; " in again.cache
            assert (await get(node.port, "/", "Foo: 1")).body == b"one"
            sent = [seen.headers.get("if-none-match") for seen in up.seen]
            assert [sent[0], sent[1]] == [None, '"a"']
            assert [set((one or "").split(", ")) for one in sent[2:]] == [{'"a"', '"b"'}] * 2

    run(scenario())


def test_a_304_of_what_was_not_offered_is_asked_again_without() -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        if "if-none-match" in seen.headers:
            tag = "" if seen.headers["foo"] == "2" else B
            await exchange.head(*FRESH, *([tag] if tag else []), status="304 Not Modified")
        else:
            await exchange.respond(seen.headers["foo"].encode(), *FRESH, A)

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            for value in (1, 2, 3):
                assert (await get(node.port, "/", f"Foo: {value}")).body == b"%d" % value
                assert (await get(node.port, "/", f"Foo: {value}")).body == b"%d" % value
            # Of the third nothing was offered: by then two bodies had the same tag.
            conditions = [seen.headers.get("if-none-match") for seen in up.seen]
            assert conditions == [None, '"a"', None, None]

    run(scenario())


def test_what_is_purged_meanwhile_is_not_stored_anew() -> None:
    async def scenario() -> None:
        asked, go_on = asyncio.Event(), asyncio.Event()

        async def handler(seen: Seen, exchange: Exchange) -> None:
            if "if-none-match" in seen.headers:
                asked.set()
                await go_on.wait()
            await two_bodies(seen, exchange)

        async with origin(handler) as up, edge(up.url) as node:
            await get(node.port, "/", "Foo: 2")
            waiting = asyncio.create_task(get(node.port, "/", "Foo: 3"))
            await asked.wait()
            await node.purges.purge([(Kind.URL, b"/")], soft=False)
            go_on.set()
            assert (await waiting).body == b"other"  # which was asked for before the purge
            await until(lambda: node.count("ram_objects") == 0)
            answer = await get(node.port, "/", "Foo: 3")
            assert "if-none-match" not in up.seen[-1].headers and "fwd=" in answer.cache

    run(scenario())
