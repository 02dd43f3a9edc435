"""A running edge between a real client and a real origin: what is stored, served and passed."""

import asyncio

import pytest

from tests.edge_cache.support.client import connect, get
from tests.edge_cache.support.edge import edge, run, until
from tests.edge_cache.support.origin import Exchange, Seen, origin, plain

BODY = bytes(range(256)) * 40
TAGGED = ("Cache-Control: max-age=60", 'ETag: "v1"', "Content-Type: video/mp4")


def test_a_second_request_is_a_hit() -> None:
    async def scenario() -> None:
        async with origin(plain(BODY, *TAGGED, "Age: 5")) as up, edge(up.url) as node:
            first, second = await get(node.port, "/a?b=1"), await get(node.port, "/a?b=1")
            assert first.body == second.body == BODY
            assert first.cache == "headrace; fwd=uri-miss; fwd-status=200; stored"
            assert second.cache.startswith("headrace; hit; ttl=5")
            assert second.headers["age"] == "5" and second.headers["etag"] == '"v1"'
            assert second.headers["via"] == "1.1 headrace"
            assert [seen.target for seen in up.seen] == ["/a?b=1"]
            assert up.seen[0].headers["host"] == f"127.0.0.1:{up.port}"
            assert node.count("requests_total", "hit") == 1

    run(scenario())


def test_the_query_is_part_of_the_key_and_absolute_form_is_not() -> None:
    async def scenario() -> None:
        async with origin(plain()) as up, edge(up.url) as node:
            await get(node.port, "/a?b=1")
            await get(node.port, "/a?b=2")
            answer = await get(node.port, "http://example.org/a?b=1")
            assert "hit" in answer.cache and len(up.seen) == 2

    run(scenario())


def test_an_upstream_cache_status_stays_in_front() -> None:
    async def scenario() -> None:
        lines = ("Cache-Control: max-age=60", "Cache-Status: shield; hit")
        async with origin(plain(b"x", *lines)) as up, edge(up.url) as node:
            await get(node.port, "/")
            answer = await get(node.port, "/")
            assert answer.cache.startswith("shield; hit, headrace; hit; ttl=")

    run(scenario())


def test_no_date_of_our_own_over_the_stored_one() -> None:
    async def scenario() -> None:
        date = "Sun, 06 Nov 1994 08:49:37 GMT"
        lines = ("Cache-Control: max-age=9999999999", f"Date: {date}")
        async with origin(plain(b"x", *lines)) as up, edge(up.url) as node:
            await get(node.port, "/")
            answer = await get(node.port, "/")
            assert answer.headers["date"] == date and int(answer.headers["age"]) > 10**8

    run(scenario())


FIRST = "bytes=0-1048575"
RANGES = {
    "first bytes": ("bytes=0-9", 206, slice(0, 10), FIRST),
    "last bytes": ("bytes=-5", 206, slice(len(BODY) - 5, None), "bytes=-5"),
    "all the rest": ("bytes=100-", 206, slice(100, None), FIRST),
    "beyond the end": (f"bytes={len(BODY)}-", 416, slice(0, 0), FIRST),
    "malformed": ("bytes=a-b", 200, slice(None), None),
    "two ranges": ("bytes=0-1,4-5", 200, slice(None), None),
}


@pytest.mark.parametrize(("header", "status", "part", "asked"), RANGES.values(), ids=RANGES)
def test_ranges_of_an_origin_that_knows_none(
    header: str, status: int, part: slice, asked: str | None
) -> None:
    async def scenario() -> None:
        async with origin(plain(BODY, *TAGGED)) as up, edge(up.url) as node:
            for _ in range(2):
                answer = await get(node.port, "/a", f"Range: {header}")
                assert (answer.status, answer.body) == (status, BODY[part])
            start, stop, _ = part.indices(len(BODY))
            expected = {
                206: f"bytes {start}-{stop - 1}/{len(BODY)}",
                416: f"bytes */{len(BODY)}",
            }
            assert answer.headers.get("content-range") == expected.get(status)
            assert [seen.headers.get("range") for seen in up.seen] == [asked]

    run(scenario())


@pytest.mark.parametrize(("tag", "status"), [('"v1"', 206), ('"v2"', 200), ('W/"v1"', 200)])
def test_if_range(tag: str, status: int) -> None:
    async def scenario() -> None:
        async with origin(plain(BODY, *TAGGED)) as up, edge(up.url) as node:
            for _ in range(2):
                lines = ("Range: bytes=0-0", f"If-Range: {tag}")
                assert (await get(node.port, "/a", *lines)).status == status

    run(scenario())


def test_conditional_requests_are_answered_from_cache() -> None:
    async def scenario() -> None:
        async with origin(plain(BODY, *TAGGED)) as up, edge(up.url) as node:
            for _ in range(2):
                answer = await get(node.port, "/a", 'If-None-Match: W/"v1"')
                assert answer.status == 304 and answer.headers["etag"] == '"v1"'
                assert "content-type" not in answer.headers
            assert (await get(node.port, "/a", 'If-None-Match: "v2"')).status == 200
            assert len(up.seen) == 1 and "if-none-match" not in up.seen[0].headers

    run(scenario())


def test_head_is_answered_from_what_get_has_stored() -> None:
    async def scenario() -> None:
        async with origin(plain(BODY, *TAGGED)) as up, edge(up.url) as node:
            await get(node.port, "/a")
            async with connect(node.port) as client:
                for _ in range(2):
                    answer = await client.get("/a", method="HEAD")
                    assert answer.headers["content-length"] == str(len(BODY))
                assert (await client.get("/a")).body == BODY
            assert len(up.seen) == 1

    run(scenario())


def test_head_without_a_stored_response_goes_through() -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        await exchange.respond(
            b"" if seen.method == "HEAD" else BODY, *TAGGED, length=len(BODY)
        )

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node, connect(node.port) as client:
            for _ in range(2):
                answer = await client.get("/a", method="HEAD")
                assert answer.headers["content-length"] == str(len(BODY))
            assert [seen.method for seen in up.seen] == ["HEAD", "HEAD"]
            assert up.connections == 1
            assert (await client.get("/a")).body == BODY

    run(scenario())


REFUSED = {
    "no-store": (("Cache-Control: no-store",), "no-store"),
    "private": (("Cache-Control: private, max-age=60",), "private"),
    "no lifetime": (('ETag: "v1"',), "no-lifetime"),
    "set-cookie": (("Cache-Control: max-age=60", "Set-Cookie: a=1"), "set-cookie"),
    "vary star": (("Cache-Control: max-age=60", "Vary: *"), "vary-any"),
}


@pytest.mark.parametrize(("lines", "reason"), REFUSED.values(), ids=REFUSED)
def test_every_refusal_has_a_name(lines: tuple[str, ...], reason: str) -> None:
    async def scenario() -> None:
        async with origin(plain(b"x", *lines)) as up, edge(up.url) as node:
            assert (await get(node.port, "/")).cache.endswith(
                f"fwd-status=200; detail={reason}"
            )
            assert (await get(node.port, "/")).cache.endswith("detail=hit-for-miss")
            assert len(up.seen) == 2 and len(node.tier) == 0
            assert [line["detail"] for line in await node.logged(2)] == [reason, "hit-for-miss"]

    run(scenario())


def test_authorization_is_apart_unless_the_response_allows() -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        control = "public, max-age=60" if seen.target == "/public" else "max-age=60"
        body = seen.headers.get("authorization", "nobody").encode()
        await exchange.respond(body, f"Cache-Control: {control}")

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            for target, expected in (
                ("/private", [b"a", b"b", b"nobody", b"c"]),
                ("/public", [b"a", b"a", b"a", b"a"]),
            ):
                found = [
                    (
                        await get(
                            node.port, target, *([f"Authorization: {who}"] if who else [])
                        )
                    ).body
                    for who in ("a", "b", "", "c")
                ]
                assert found == expected
            assert len(up.seen) == 5

    run(scenario())


def test_gzip_and_plain_are_separate_objects() -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        coding = seen.headers["accept-encoding"]
        await exchange.respond(
            coding.encode(), "Cache-Control: max-age=60", "Vary: Accept-Encoding"
        )

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            asked = ["gzip, br", "identity", "br, gzip;q=0.5", "", "deflate"]
            found = [
                (await get(node.port, "/m", *([f"Accept-Encoding: {one}"] if one else []))).body
                for one in asked
            ]
            assert found == [b"gzip", b"identity", b"gzip", b"identity", b"identity"]
            assert len(up.seen) == 2 and len(node.tier) == 2

    run(scenario())


def test_a_mixed_herd_gets_what_each_can_read() -> None:
    go = asyncio.Event()

    async def handler(seen: Seen, exchange: Exchange) -> None:
        await go.wait()
        coding = seen.headers["accept-encoding"]
        await exchange.respond(
            coding.encode(), "Cache-Control: max-age=60", "Vary: Accept-Encoding"
        )

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            herd = [
                asyncio.create_task(get(node.port, "/m", f"Accept-Encoding: {coding}"))
                for coding in ("gzip", "identity") * 20
            ]
            await until(lambda: up.seen)
            go.set()
            answers = await asyncio.gather(*herd)
            assert [answer.body for answer in answers] == [b"gzip", b"identity"] * 20
            assert len(up.seen) == 2

    run(scenario())


def test_stale_while_revalidate_serves_at_once_and_refreshes_once() -> None:
    versions = 0
    go = asyncio.Event()

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        nonlocal versions
        versions += 1
        version = versions
        if version > 1:
            await go.wait()
        await exchange.respond(
            b"%d" % version,
            f"Cache-Control: max-age={0 if version == 1 else 60}, stale-while-revalidate=60",
        )

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            await get(node.port, "/")
            stale = [await get(node.port, "/") for _ in range(5)]
            assert [answer.body for answer in stale] == [b"1"] * 5
            assert "hit; ttl=-1" in stale[0].cache or "hit; ttl=0" in stale[0].cache
            assert node.count("requests_total", "stale") == 5
            go.set()
            await until(lambda: node.count("fills") == 0)
            assert (await get(node.port, "/")).body == b"2"
            assert len(up.seen) == 2

    run(scenario())


def test_a_failed_refresh_rests_and_the_stale_answer_goes_on() -> None:
    calls = 0

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            await exchange.respond(b"1", "Cache-Control: max-age=0, stale-while-revalidate=60")
        else:
            exchange.cut()

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url, refresh_rest=60) as node:
            await get(node.port, "/")
            assert (await get(node.port, "/")).body == b"1"
            await until(lambda: node.count("upstream_errors_total", "upstream-closed"))
            seen = len(up.seen)
            for _ in range(5):
                assert (await get(node.port, "/")).body == b"1"
            assert len(up.seen) == seen

    run(scenario())


def test_revalidation_updates_the_stored_headers() -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        if seen.headers.get("if-none-match") == '"v1"':
            lines = ('ETag: "v1"', "Cache-Control: max-age=60", "X-Build: 2")
            await exchange.head(*lines, status="304 Not Modified")
        else:
            lines = ('ETag: "v1"', "Cache-Control: max-age=1", "X-Build: 1")
            await exchange.respond(BODY, *lines, "Age: 0")

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            await get(node.port, "/")
            await asyncio.sleep(1.05)  # the smallest lifetime there is
            answer = await get(node.port, "/")
            assert answer.body == BODY and answer.headers["x-build"] == "2"
            assert answer.cache == "headrace; fwd=stale; fwd-status=304; stored"
            again = await get(node.port, "/")
            assert again.headers["x-build"] == "2" and "hit; ttl=" in again.cache
            assert len(up.seen) == 2

    run(scenario())


def test_other_methods_pass_and_forget_what_was_stored() -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        await exchange.respond(seen.method.encode() + seen.body, "Cache-Control: max-age=60")

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node, connect(node.port) as client:
            await client.get("/a")
            await client.ask("/a", "Content-Length: 5", method="POST", body=b"12345")
            answer = await client.answer()
            assert answer.body == b"POST12345" and "fwd=method" in answer.cache
            chunked = b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
            await client.ask("/a", "Transfer-Encoding: chunked", method="PUT", body=chunked)
            assert (await client.answer()).body == b"PUTabcde"
            assert (await client.get("/a", method="OPTIONS")).body == b"OPTIONS"
            assert "fwd=uri-miss" in (await client.get("/a")).cache
            assert "hit" in (await client.get("/a")).cache
            assert [seen.method for seen in up.seen] == ["GET", "POST", "PUT", "OPTIONS", "GET"]

    run(scenario())


def test_interim_responses_pass_and_are_not_merged() -> None:
    async def handler(_seen: Seen, exchange: Exchange) -> None:
        await exchange.head("Link: </a.css>; rel=preload", status="103 Early Hints")
        await exchange.respond(b"x", "Cache-Control: no-store")

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node, connect(node.port) as client:
            await client.ask("/a", method="OPTIONS")
            early = await client.head()
            assert (early.status, early.headers) == (103, {"link": "</a.css>; rel=preload"})
            final = await client.answer()
            assert final.status == 200 and "link" not in final.headers

    run(scenario())


def test_hop_by_hop_fields_stay_on_their_hop() -> None:
    async def handler(_seen: Seen, exchange: Exchange) -> None:
        lines = ("Connection: X-Secret", "X-Secret: 1", "Keep-Alive: timeout=5", "X-Open: 1")
        await exchange.respond(b"x", "Cache-Control: max-age=60", *lines)

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node:
            asked = ("Connection: X-Mine", "X-Mine: 1", "TE: trailers", "X-Other: 1")
            for _ in range(2):
                answer = await get(node.port, "/", *asked)
                assert "x-secret" not in answer.headers and "keep-alive" not in answer.headers
                assert answer.headers["x-open"] == "1"
            sent = up.seen[0].headers
            assert "x-mine" not in sent and "te" not in sent and sent["x-other"] == "1"
            assert sent["via"] == "1.1 headrace"

    run(scenario())


IDS = {"good": ("abcDEF_-12", True), "short": ("abc", False), "bad": ("abcdefgh;drop", False)}


@pytest.mark.parametrize(("given", "taken"), IDS.values(), ids=IDS)
def test_request_ids_travel(given: str, taken: bool) -> None:
    async def scenario() -> None:
        lines = ("Cache-Control: max-age=60", "X-Request-Id: the-origins-own")
        async with origin(plain(b"x", *lines)) as up, edge(up.url) as node:
            for _ in range(2):
                answer = await get(node.port, "/", f"X-Request-Id: {given}")
                found = answer.headers["x-request-id"]
                assert (found == given) is taken and 8 <= len(found) <= 64
            assert len({line["id"] for line in await node.logged(2)}) == (1 if taken else 2)
            assert up.seen[0].headers["x-request-id"] == node.log[0]["id"]

    run(scenario())


def test_cors_fields_are_stored_and_passed() -> None:
    async def scenario() -> None:
        lines = ("Cache-Control: max-age=60", "Access-Control-Allow-Origin: *", 'ETag: "v1"')
        async with origin(plain(b"x", *lines)) as up, edge(up.url) as node:
            for extra in ((), ("Range: bytes=0-0",), ('If-None-Match: "v1"',)):
                answer = await get(node.port, "/", "Origin: http://page", *extra)
                assert answer.headers["access-control-allow-origin"] == "*"

    run(scenario())


def test_http_1_0_is_answered_and_closed() -> None:
    async def chunked(_seen: Seen, exchange: Exchange) -> None:
        await exchange.head("Transfer-Encoding: chunked", "Cache-Control: max-age=60")
        await exchange.chunk(b"abc")
        await exchange.chunk(b"def")
        await exchange.send(b"0\r\n\r\n")

    async def scenario() -> None:
        async with origin(chunked) as up, edge(up.url) as node:
            for _ in range(2):
                async with connect(node.port) as client:
                    await client.send(b"GET / HTTP/1.0\r\n\r\n")
                    answer = await client.answer()
                    assert (
                        answer.body == b"abcdef" and "transfer-encoding" not in answer.headers
                    )
                    assert answer.headers["connection"] == "close"
                    assert await client.is_closed()
            async with connect(node.port) as client:
                await client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                assert (await client.answer()).headers["connection"] == "keep-alive"
                assert (await client.get("/")).body == b"abcdef"

    run(scenario())


def test_pipelined_requests_are_answered_in_order() -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        await exchange.respond(seen.target.encode(), "Cache-Control: max-age=60")

    async def scenario() -> None:
        async with origin(handler) as up, edge(up.url) as node, connect(node.port) as client:
            await client.get("/warm")
            targets = [f"/{n}" if n % 3 else "/warm" for n in range(300)]
            asked = "".join(f"GET {target} HTTP/1.1\r\nHost: e\r\n\r\n" for target in targets)
            await client.send(asked.encode())
            assert [(await client.answer()).body.decode() for _ in targets] == targets

    run(scenario())


def test_ten_thousand_pipelined_hits_need_no_stack() -> None:
    async def scenario() -> None:
        async with origin(plain()) as up, edge(up.url) as node, connect(node.port) as client:
            await client.get("/")
            sending = asyncio.create_task(
                client.send(b"GET / HTTP/1.1\r\nHost: e\r\n\r\n" * 10_000)
            )
            for _ in range(10_000):
                assert (await client.answer()).body == b"hello"
            await sending

    run(scenario())
