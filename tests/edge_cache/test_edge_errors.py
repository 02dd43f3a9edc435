"""Errors that are kept: for as long as is said, and in turn with what is no error."""

import asyncio

import pytest

from tests.edge_cache.support.client import Answer, connect, get
from tests.edge_cache.support.edge import edge, run
from tests.edge_cache.support.origin import Exchange, Seen, origin

TTL = {404: 60.0, 410: 60.0}
BRIEF = {"negative_ttl": {404: 1.0}, "early_refresh": 0}
SECOND = ("Cache-Control: max-age=1", 'ETag: "v1"')
MISSING = "404 Not Found"


class Changing:
    """An origin whose answer a test changes."""

    def __init__(self, status: str, *lines: str) -> None:
        self.status, self.lines = status, lines

    async def __call__(self, _seen: Seen, exchange: Exchange) -> None:
        await exchange.respond(self.status.encode(), *self.lines, status=self.status)


async def next_answer(port: int) -> Answer:
    """What comes once the second of freshness is over."""
    async with connect(port) as client:
        answer = await client.get("/")
        while "; hit; " in answer.cache:
            await asyncio.sleep(0.02)  # a client's pace
            answer = await client.get("/")
        return answer


async def cut(_seen: Seen, exchange: Exchange) -> None:
    exchange.cut()


KEPT = {
    "by its status": (MISSING, (), True),
    "by another status": ("410 Gone", (), True),
    "not of those": ("403 Forbidden", (), False),
    "it says itself that it is not": (MISSING, ("Cache-Control: no-store",), False),
    "it says itself for how long": ("403 Forbidden", ("Cache-Control: max-age=9",), True),
}


@pytest.mark.parametrize(("status", "lines", "kept"), KEPT.values(), ids=KEPT)
def test_an_error_is_kept_if_that_is_said(
    status: str, lines: tuple[str, ...], kept: bool
) -> None:
    async def scenario() -> None:
        async with (
            origin(Changing(status, *lines)) as up,
            edge(up.url, negative_ttl=TTL) as node,
        ):
            for _ in range(3):
                answer = await get(node.port, "/")
                assert (answer.status, answer.body) == (int(status[:3]), status.encode())
            assert len(up.seen) == (1 if kept else 3)

    run(scenario())


def test_what_exists_now_takes_the_place_of_a_stale_404_and_the_other_way_round() -> None:
    async def scenario() -> None:
        answers = Changing(MISSING)
        async with origin(answers) as up, edge(up.url, **BRIEF) as node:
            assert (await get(node.port, "/")).status == 404
            answers.status, answers.lines = "200 OK", SECOND
            assert (await get(node.port, "/")).status == 404  # for its second
            found = await next_answer(node.port)
            assert (found.status, found.body) == (200, b"200 OK")
            answers.status, answers.lines = MISSING, ()
            gone = await next_answer(node.port)
            assert (gone.status, gone.body) == (404, b"404 Not Found")
            assert up.seen[-1].headers["if-none-match"] == '"v1"'
            assert "; hit; " in (await get(node.port, "/")).cache
            assert len(up.seen) == 3

    run(scenario())


def test_a_stale_404_is_not_served_when_no_upstream_can_be_reached() -> None:
    async def scenario() -> None:
        async with origin(Changing(MISSING)) as up, edge(up.url, **BRIEF) as node:
            assert (await get(node.port, "/")).status == 404
            up.handler = cut
            assert (await next_answer(node.port)).status == 502

    run(scenario())
