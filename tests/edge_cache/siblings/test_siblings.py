"""Workers that ask one another, each at a port of its own in the test's own loop."""

from tests.edge_cache.siblings.support import owned_by, workers
from tests.edge_cache.support.client import get
from tests.edge_cache.support.edge import run
from tests.edge_cache.support.origin import origin, plain

FRESH = "Cache-Control: max-age=60"


def test_what_one_worker_has_none_fetches_again() -> None:
    async def scenario() -> None:
        async with (
            origin(plain(b"hello", FRESH, 'ETag: "1"')) as up,
            workers(3, up.url) as node,
        ):
            target = owned_by(1, 3)
            first = await get(node[0].port, target)
            assert first.body == b"hello"
            assert first.cache == "headrace; fwd=uri-miss; fwd-status=200; stored"
            second = await get(node[2].port, target)
            assert second.body == b"hello"
            assert second.cache.startswith("headrace; hit; ttl=")
            assert second.headers["via"] == first.headers["via"] == "1.1 headrace"
            assert "x-headrace-told" not in {**first.headers, **second.headers}
            for each in node.all:
                assert "hit" in (await get(each.port, target)).cache
            assert len(up.seen) == 1
            assert up.seen[0].headers["via"] == "1.1 headrace"
            assert node.count("sibling_asked_total", "answered") == 2
            assert node.count("sibling_served_total") == 2
            assert node.count("requests_total", "hit") == 4
            assert node.count("requests_total", "miss") == 1

    run(scenario())
