"""The client by itself: a key given per request, the health table, what Retry-After asks."""

import pytest

from edge_cache.errors import Failure
from edge_cache.http.dates import format_date
from edge_cache.upstream.health import HealthCheck, Streak, passes
from edge_cache.upstream.member import MAX_RETRY_AFTER, retry_after
from edge_cache.upstream.pool import Pool
from edge_cache.upstream.response import Response
from edge_cache.upstream.status import described
from tests.edge_cache.support.edge import run, until
from tests.edge_cache.support.origin import origin, plain
from tests.edge_cache.upstream.support import asking, client, whole


def test_a_route_key_chooses_in_place_of_the_target() -> None:
    async def scenario() -> None:
        async with origin(plain(b"a")) as a, origin(plain(b"b")) as b, origin(plain()) as up:
            asked = client(up.url, shields=(a.url, b.url))
            for key in (b"1", b"2", b"3", b"4", b"5"):
                bodies = {
                    await whole(await asked.send(asking(b"/%d" % number, route_key=key)))
                    for number in range(8)
                }
                assert len(bodies) == 1
            asked.close()

    run(scenario())


CHECK = HealthCheck(path="/", interval=1, timeout=1, status=200, down=3, up=2)
STREAKS = {  # results, + or -, and the verdict after each
    "well": ("+++", "+++"),
    "two failures": ("--+--", "+++++"),
    "three failures": ("---", "++-"),
    "a pass starts the count again": ("--+---", "+++++-"),
    "up after two": ("---+-++", "++----+"),
}


@pytest.mark.parametrize(("results", "verdicts"), STREAKS.values(), ids=STREAKS)
def test_streaks(results: str, verdicts: str) -> None:
    streak = Streak(CHECK)
    assert "".join("+" if streak.add(result == "+") else "-" for result in results) == verdicts


def test_a_check_that_finds_no_connection_free_says_nothing_against_it() -> None:
    async def scenario() -> None:
        async with origin(plain(status="503 ill")) as up:
            pool = Pool(up.url, connect_timeout=1, idle_timeout=10, limit=1)
            assert not await passes(pool, CHECK)
            await until(lambda: pool.open == 0)
            await pool.connect()
            assert await passes(pool, CHECK)
            pool.close()

    run(scenario())


NOW = 1_800_000_000.0
RETRY_AFTER = {
    "seconds": (503, b"7", 7),
    "a date": (503, format_date(NOW + 9).encode(), 9),
    "a date that is past": (503, format_date(NOW - 9).encode(), 0),
    "a day": (503, b"86400", MAX_RETRY_AFTER),
    "digits without end": (503, b"9" * 5000, MAX_RETRY_AFTER),
    "a far date": (503, format_date(NOW + 1e6).encode(), MAX_RETRY_AFTER),
    "negative": (503, b"-1", 0),
    "no number": (503, b"soon", 0),
    "digits of another script": (503, "٣".encode(), 0),
    "twice": (503, b"1, 2", 0),
    "another status": (502, b"7", 0),
}


@pytest.mark.parametrize(("status", "value", "seconds"), RETRY_AFTER.values(), ids=RETRY_AFTER)
def test_retry_after(status: int, value: bytes, seconds: float) -> None:
    async def scenario() -> None:
        def nothing() -> None:
            raise AssertionError

        response = Response(
            bodiless=False, interim=None, pause=nothing, resume=nothing, abort=nothing
        )
        response.feed(b"HTTP/1.1 %d X\r\nRetry-After: %b\r\n\r\n" % (status, value))
        assert retry_after(response, NOW) == seconds

    run(scenario())


def test_what_administration_sees() -> None:
    async def scenario() -> None:
        async with origin(plain(b"good")) as up:
            dead = "http://127.0.0.2:9"
            asked = client(up.url, shields=(f"{dead}|3",), breaker_failures=1)
            await whole(await asked.send(asking()))
            first, second = described(asked, NOW)
            assert first["address"] == dead and first["state"] == "down"
            assert (first["failures"], first["last_failure"]) == (1, Failure.CONNECT)
            assert second["address"] == up.url and second["state"] == "up"
            assert (second["failures"], second["connections"]) == (0, 1)
            for seen in (first, second):
                assert NOW - 5 < float(str(seen["since"])) <= NOW
            asked.close()

    run(scenario())
