"""Ranges of what is not stored whole: only what is wanted is fetched, of one version, once."""

import asyncio
from collections.abc import Callable

import pytest

from edge_cache.http.ranges import parse_range
from tests.edge_cache.support.client import Answer, connect, get
from tests.edge_cache.support.edge import edge, run, until
from tests.edge_cache.support.origin import Exchange, Handler, Origin, Seen, origin

KIB = 1 << 10
BLOCK = 64 * KIB
LIMITS = {"block": BLOCK, "max_object": 4 * BLOCK}
LARGE = bytes(n % 251 for n in range(20 * BLOCK + 5))
"""Five times what the tier takes of one body."""

FRESH = "Cache-Control: max-age=60"
TAGGED = (FRESH, 'ETag: "v1"')


def ranged(body: bytes, *lines: str) -> Handler:
    """An origin that knows ranges, If-Range and If-None-Match."""

    async def handler(seen: Seen, exchange: Exchange) -> None:
        await serve_range(seen, exchange, body, *(lines or TAGGED))

    return handler


async def serve_range(seen: Seen, exchange: Exchange, body: bytes, *lines: str) -> None:
    tag = next((line[6:] for line in lines if line.startswith("ETag: ")), None)
    if tag is not None and seen.headers.get("if-none-match") == tag:
        await exchange.head(*lines, status="304 Not Modified")
        return
    applies = seen.headers.get("if-range", tag) == tag
    part = parse_range(seen.headers.get("range"), len(body)) if applies else None
    if part is None:
        await exchange.respond(body, *lines)
        return
    told = f"Content-Range: {part.content_range(len(body))}"
    status = "206 Partial Content"
    await exchange.respond(body[part.start : part.stop], *lines, told, status=status)


def asked(upstream: Origin) -> list[str | None]:
    return [seen.headers.get("range") for seen in upstream.seen]


def block(number: int) -> str:
    return f"bytes={number * BLOCK}-{(number + 1) * BLOCK - 1}"


def is_part(answer: Answer, start: int, stop: int, body: bytes = LARGE) -> bool:
    told = f"bytes {start}-{stop - 1}/{len(body)}"
    is_told = (answer.status, answer.headers.get("content-range")) == (206, told)
    return is_told and answer.body == body[start:stop]


def test_the_first_range_of_a_large_body_fetches_its_block_alone() -> None:
    async def scenario() -> None:
        async with origin(ranged(LARGE)) as up, edge(up.url, **LIMITS) as node:
            first = await get(node.port, "/", f"Range: bytes={5 * BLOCK + 7}-{5 * BLOCK + 9}")
            assert is_part(first, 5 * BLOCK + 7, 5 * BLOCK + 10)
            assert first.cache == "headrace; fwd=uri-miss; fwd-status=206; stored"
            again = await get(node.port, "/", f"Range: bytes={5 * BLOCK}-{6 * BLOCK - 1}")
            assert is_part(again, 5 * BLOCK, 6 * BLOCK)
            assert again.cache.startswith("headrace; hit; ttl=")
            assert asked(up) == [block(5)]

    run(scenario())


def test_blocks_that_are_missing_are_fetched_and_the_others_are_not() -> None:
    async def scenario() -> None:
        async with origin(ranged(LARGE)) as up, edge(up.url, **LIMITS) as node:
            await get(node.port, "/", f"Range: bytes={BLOCK}-{BLOCK}")
            answer = await get(node.port, "/", f"Range: bytes={BLOCK - 3}-{2 * BLOCK + 2}")
            assert is_part(answer, BLOCK - 3, 2 * BLOCK + 3)
            assert "fwd=partial" in answer.cache
            assert asked(up) == [block(1), block(0), block(2)]
            assert [seen.headers.get("if-range") for seen in up.seen] == [None, '"v1"', '"v1"']

    run(scenario())


def test_all_of_a_large_body_by_range_is_right_and_bounded() -> None:
    async def scenario() -> None:
        async with origin(ranged(LARGE)) as up, edge(up.url, **LIMITS) as node:
            answer = await get(node.port, "/", "Range: bytes=0-")
            assert is_part(answer, 0, len(LARGE))
            assert asked(up) == [block(n) for n in range(21)]
            assert node.tier.size < LIMITS["max_object"] + BLOCK

    run(scenario())


def test_a_small_body_is_whole_after_its_first_block() -> None:
    async def scenario() -> None:
        async with origin(ranged(LARGE[:1000])) as up, edge(up.url, **LIMITS) as node:
            answer = await get(node.port, "/", "Range: bytes=10-19")
            assert is_part(answer, 10, 20, LARGE[:1000])
            whole = await get(node.port, "/")
            assert (whole.status, whole.body) == (200, LARGE[:1000])
            assert "hit" in whole.cache and "content-range" not in whole.headers
            assert len(up.seen) == 1

    run(scenario())


def test_much_of_a_body_that_fits_is_fetched_whole() -> None:
    body = LARGE[: 3 * BLOCK]

    async def scenario() -> None:
        async with origin(ranged(body)) as up, edge(up.url, **LIMITS) as node:
            answer = await get(node.port, "/", "Range: bytes=5-")
            assert is_part(answer, 5, len(body), body)
            assert asked(up) == [block(0), None]
            assert "hit" in (await get(node.port, "/")).cache

    run(scenario())


def test_a_herd_on_one_block_is_one_request() -> None:
    go = asyncio.Event()

    async def handler(seen: Seen, exchange: Exchange) -> None:
        await go.wait()
        await serve_range(seen, exchange, LARGE, *TAGGED)

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url, **LIMITS) as node:
            herd = [
                asyncio.create_task(get(node.port, "/", f"Range: bytes={n}-{n + 9}"))
                for n in range(50)
            ]
            await until(lambda: up.seen)
            go.set()
            for n, answer in enumerate(await asyncio.gather(*herd)):
                assert is_part(answer, n, n + 10)
            assert asked(up) == [block(0)]

    run(scenario())


def test_blocks_that_arrive_at_once_are_all_kept() -> None:
    go = asyncio.Event()

    async def handler(seen: Seen, exchange: Exchange) -> None:
        if len(up_seen) > 1:
            await go.wait()
        await serve_range(seen, exchange, LARGE, *TAGGED)

    up_seen: list[Seen] = []

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url, **LIMITS) as node:
            up.seen = up_seen
            lines = [f"Range: bytes={n * BLOCK}-{n * BLOCK}" for n in range(4)]
            await get(node.port, "/", lines[0])
            others = [asyncio.create_task(get(node.port, "/", line)) for line in lines[1:]]
            await until(lambda: len(up_seen) == 4)
            go.set()
            await asyncio.gather(*others)
            for line in lines:
                assert "hit" in (await get(node.port, "/", line)).cache
            assert len(up_seen) == 4

    run(scenario())


def test_a_late_block_does_not_take_the_place_of_the_whole() -> None:
    go, body = asyncio.Event(), LARGE[: 3 * BLOCK]

    async def handler(seen: Seen, exchange: Exchange) -> None:
        if "range" in seen.headers:
            await go.wait()
        await serve_range(seen, exchange, body, *TAGGED)

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url, **LIMITS) as node:
            early = asyncio.create_task(get(node.port, "/", "Range: bytes=0-9"))
            await until(lambda: up.seen)
            assert (await get(node.port, "/")).body == body
            go.set()
            assert is_part(await early, 0, 10, body)
            answer = await get(node.port, "/")
            assert "hit" in answer.cache and answer.body == body
            assert len(up.seen) == 2

    run(scenario())


TAILS: dict[str, tuple[str, str]] = {
    "a few": ("bytes=-7", "bytes=-7"),
    "too many for a block": (f"bytes=-{2 * BLOCK}", f"bytes=-{2 * BLOCK}"),
}


@pytest.mark.parametrize(("header", "sent"), TAILS.values(), ids=TAILS)
def test_the_last_bytes(header: str, sent: str) -> None:
    async def scenario() -> None:
        async with origin(ranged(LARGE)) as up, edge(up.url, **LIMITS) as node:
            answer = await get(node.port, "/", f"Range: {header}")
            assert is_part(answer, len(LARGE) - int(header[7:]), len(LARGE))
            assert asked(up) == [sent]

    run(scenario())


def test_the_end_is_known_after_the_first_block() -> None:
    async def scenario() -> None:
        async with origin(ranged(LARGE)) as up, edge(up.url, **LIMITS) as node:
            await get(node.port, "/", "Range: bytes=0-0")
            beyond = await get(node.port, "/", f"Range: bytes={len(LARGE)}-")
            assert beyond.status == 416
            assert beyond.headers["content-range"] == f"bytes */{len(LARGE)}"
            tail = await get(node.port, "/", "Range: bytes=-3")
            assert is_part(tail, len(LARGE) - 3, len(LARGE))
            assert asked(up) == [block(0), block(20)]
            condition = await get(node.port, "/", "Range: bytes=0-0", 'If-None-Match: "v1"')
            assert condition.status == 304

    run(scenario())


def test_a_version_that_changes_between_requests_begins_anew() -> None:
    bodies = {'"v1"': LARGE, '"v2"': LARGE[::-1]}
    now = ['"v1"']

    async def handler(seen: Seen, exchange: Exchange) -> None:
        await serve_range(seen, exchange, bodies[now[0]], FRESH, f"ETag: {now[0]}")

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url, **LIMITS) as node:
            await get(node.port, "/", "Range: bytes=0-0")
            now[0] = '"v2"'
            answer = await get(node.port, "/", f"Range: bytes={BLOCK}-{BLOCK + 9}")
            assert answer.body in (bodies['"v2"'][BLOCK : BLOCK + 10], bodies['"v2"'])
            first = await get(node.port, "/", "Range: bytes=0-9")
            assert first.headers["etag"] == '"v2"'
            assert first.body in (bodies['"v2"'][:10], bodies['"v2"'])
            assert len(up.seen) >= 2

    run(scenario())


def test_a_version_that_changes_within_a_response_cuts_it() -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        is_first = "if-range" not in seen.headers
        body, tag = (LARGE, "v1") if is_first else (LARGE[::-1], "v2")
        await serve_range(seen, exchange, body, FRESH, f'ETag: "{tag}"')

    async def scenario() -> None:
        async with (
            origin(handler) as up,
            edge(up.url, **LIMITS) as node,
            connect(node.port) as client,
        ):
            await client.ask("/", "Range: bytes=0-")
            head = await client.head()
            assert head.headers["etag"] == '"v1"'
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)) as cut:
                await client.body(head.headers)
            if isinstance(cut.value, asyncio.IncompleteReadError):
                assert LARGE.startswith(cut.value.partial)
            assert len(up.seen) == 2

    run(scenario())


UNTAGGED = {
    "no validator": (FRESH,),
    "a weak tag": (FRESH, 'ETag: W/"v1"'),
    "a change of just now": (
        FRESH,
        "Date: Sun, 06 Nov 1994 08:49:37 GMT",
        "Last-Modified: Sun, 06 Nov 1994 08:49:07 GMT",
    ),
}


@pytest.mark.parametrize("lines", UNTAGGED.values(), ids=UNTAGGED)
def test_parts_that_cannot_be_told_apart_are_not_combined(lines: tuple[str, ...]) -> None:
    lines = tuple(line.replace("max-age=60", "max-age=9999999999") for line in lines)

    async def scenario() -> None:
        async with origin(ranged(LARGE, *lines)) as up, edge(up.url, **LIMITS) as node:
            await get(node.port, "/", "Range: bytes=0-9")
            wide = f"bytes=5-{BLOCK + 5}"
            answer = await get(node.port, "/", f"Range: {wide}")
            assert is_part(answer, 5, BLOCK + 6)
            assert asked(up) == [block(0), wide]
            assert answer.cache.endswith("detail=no-validator")

    run(scenario())


def test_a_stale_part_is_asked_about_with_its_block() -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        age = 0 if "if-none-match" in seen.headers else 59
        await serve_range(seen, exchange, LARGE, *TAGGED, f"Age: {age}")

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url, **LIMITS) as node:
            assert is_part(await get(node.port, "/", "Range: bytes=0-9"), 0, 10)
            await asyncio.sleep(1.05)  # the smallest lifetime there is
            answer = await get(node.port, "/", f"Range: bytes={BLOCK}-{BLOCK + 9}")
            assert is_part(answer, BLOCK, BLOCK + 10)
            sent = [
                (seen.headers["range"], seen.headers.get("if-none-match")) for seen in up.seen
            ]
            assert sent == [(block(0), None), (block(1), '"v1"'), (block(1), None)]
            assert "hit" in (await get(node.port, "/", "Range: bytes=0-9")).cache

    run(scenario())


LIES: dict[str, tuple[str, int]] = {
    "of other bytes": ("bytes 1-100/200", 100),
    "longer than it says": ("bytes 0-99/100", 200),
    "shorter than it says": ("bytes 0-99/100", 50),
    "beyond its end": ("bytes 0-99/50", 100),
    "without a size": ("bytes 0-99/*", 100),
    "of no range": ("bytes", 100),
}


@pytest.mark.parametrize(("told", "size"), LIES.values(), ids=LIES)
def test_a_part_that_lies_is_not_kept(told: str, size: int) -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        status = "206 Partial Content"
        await exchange.respond(bytes(size), *TAGGED, f"Content-Range: {told}", status=status)

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url, **LIMITS) as node:
            answer = await get(node.port, "/", "Range: bytes=0-99")
            assert (answer.status, answer.headers["content-range"]) == (206, told)
            assert len(answer.body) == size and len(node.tier) == 0
            assert answer.cache.endswith("detail=partial")
            assert asked(up)[-1] == "bytes=0-99"

    run(scenario())


async def _cut(seen: Seen, exchange: Exchange) -> None:
    told = f"Content-Range: bytes 0-{BLOCK - 1}/{len(LARGE)}"
    await exchange.head(*TAGGED, told, f"Content-Length: {BLOCK}", status="206 Partial Content")
    await exchange.send(LARGE[:1000])
    exchange.cut()


async def _unstorable(seen: Seen, exchange: Exchange) -> None:
    await serve_range(seen, exchange, LARGE, "Cache-Control: no-store", 'ETag: "v1"')


async def _missing(seen: Seen, exchange: Exchange) -> None:
    await exchange.respond(b"no", FRESH, status="404 Not Found")


OTHERS: dict[str, tuple[Handler, Callable[[Answer], bool], int]] = {
    "cut within the block": (_cut, lambda answer: answer.status == 502, 0),
    "not to be stored": (_unstorable, lambda answer: is_part(answer, 3, 10), 0),
    "not found": (_missing, lambda answer: (answer.status, answer.body) == (404, b"no"), 1),
}


@pytest.mark.parametrize(("handler", "holds", "stored"), OTHERS.values(), ids=OTHERS)
def test_other_answers_to_a_block(
    handler: Handler, holds: Callable[[Answer], bool], stored: int
) -> None:
    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url, **LIMITS) as node:
            assert holds(await get(node.port, "/", "Range: bytes=3-9"))
            assert len(node.tier) == stored and len(up.seen) <= 2

    run(scenario())


def test_invalidation_drops_the_parts() -> None:
    async def scenario() -> None:
        async with origin(ranged(LARGE)) as up, edge(up.url, **LIMITS) as node:
            await get(node.port, "/", "Range: bytes=0-0")
            assert len(node.tier) == 1
            await get(node.port, "/", "Content-Length: 0", method="POST")
            assert len(node.tier) == 0
            await get(node.port, "/", "Range: bytes=0-0")
            assert asked(up) == [block(0), None, block(0)]

    run(scenario())


def test_the_next_block_is_under_way_while_one_is_sent() -> None:
    async def scenario() -> None:
        held = asyncio.Event()

        async def handler(seen: Seen, exchange: Exchange) -> None:
            if seen.headers["range"] == block(1):
                await held.wait()
            await serve_range(seen, exchange, LARGE, *TAGGED)

        async with origin(handler) as up, edge(up.url, **LIMITS) as node:
            async with connect(node.port) as client:
                await client.ask("/", f"Range: bytes=0-{3 * BLOCK - 1}")
                await until(lambda: asked(up) == [block(0), block(1)])
                head = await client.head()
                assert await client.reader.readexactly(BLOCK) == LARGE[:BLOCK]
                await get(node.port, "/", "Range: bytes=0-9")
                assert asked(up) == [block(0), block(1)]  # and not the one after
                held.set()
                rest = await client.reader.readexactly(2 * BLOCK)
                assert (head.status, rest) == (206, LARGE[BLOCK : 3 * BLOCK])
            assert asked(up) == [block(0), block(1), block(2)]

    run(scenario())


def test_a_next_block_of_another_version_cuts_the_response() -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        tag = TAGGED[1] if seen.headers["range"] == block(0) else 'ETag: "v2"'
        await serve_range(seen, exchange, LARGE, FRESH, tag)

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url, **LIMITS) as node:
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await get(node.port, "/", f"Range: bytes=0-{3 * BLOCK - 1}")
            assert len(up.seen) == 2

    run(scenario())


def test_all_of_a_body_of_which_one_block_is_missing_fetches_that() -> None:
    body = LARGE[: 2 * BLOCK - 7]

    async def scenario() -> None:
        async with origin(ranged(body)) as up, edge(up.url, **LIMITS) as node:
            await get(node.port, "/", "Range: bytes=0-9")
            whole = await get(node.port, "/")
            assert (whole.status, whole.body) == (200, body)
            assert "content-range" not in whole.headers
            assert whole.cache == "headrace; fwd=partial; fwd-status=206; stored"
            assert asked(up) == [block(0), block(1)]
            assert [seen.headers.get("if-range") for seen in up.seen] == [None, '"v1"']
            assert "; hit; " in (await get(node.port, "/")).cache

    run(scenario())


def test_what_is_missing_is_fetched_whole_if_it_has_changed_meanwhile() -> None:
    body, new = LARGE[: 2 * BLOCK], bytes(2 * BLOCK)

    async def handler(seen: Seen, exchange: Exchange) -> None:
        if seen.headers.get("range") == block(0):
            await serve_range(seen, exchange, body, *TAGGED)
        else:
            await serve_range(seen, exchange, new, FRESH, 'ETag: "v2"')

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url, **LIMITS) as node:
            await get(node.port, "/", "Range: bytes=0-9")
            whole = await get(node.port, "/")
            assert (whole.status, whole.body, whole.headers["etag"]) == (200, new, '"v2"')
            assert (await get(node.port, "/")).body == new

    run(scenario())


def test_only_if_cached_fetches_no_block() -> None:
    async def scenario() -> None:
        async with origin(ranged(LARGE)) as up, edge(up.url, **LIMITS) as node:
            await get(node.port, "/", "Range: bytes=0-9")
            for wanted, status in (("0-99", 206), (f"{BLOCK}-{BLOCK}", 504), ("0-", 504)):
                lines = (f"Range: bytes={wanted}", "Cache-Control: only-if-cached")
                assert (await get(node.port, "/", *lines)).status == status
            assert asked(up) == [block(0)]

    run(scenario())
