"""``headrace edge`` as a process: its line, its administration, its end."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.edge_cache.support.client import get
from tests.edge_cache.support.origin import Exchange, Seen, origin
from tests.support.processes import Running, free_port, running
from tests.support.waiting import until


async def _handler(seen: Seen, exchange: Exchange) -> None:
    await exchange.respond(seen.target.encode(), "Cache-Control: max-age=60")


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    """The URL of an origin in a thread of its own."""
    loop, ready, end = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    urls: list[str] = []

    async def serve() -> None:
        async with origin(_handler) as running_origin:
            urls.append(running_origin.url)
            ready.set()
            await end.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(20)
    yield urls[0]
    loop.call_soon_threadsafe(end.set)
    thread.join(20)
    loop.close()


def fetch(edge: Running, target: str) -> str:
    """The Cache-Status of an answer whose body is what was asked for."""
    answer = asyncio.run(get(edge.address[1], target))
    assert answer.status == 200 and answer.body == target.encode()
    return answer.cache


def test_it_serves_tells_and_ends(upstream: str) -> None:
    admin = free_port()
    options = ("--upstream", upstream, "--port", "0", "--admin-port", str(admin))
    with running("edge", *options) as edge:
        assert edge.ready_line == f"headrace edge ready {edge.url}"
        assert "fwd=uri-miss" in fetch(edge, "/metrics")  # no path of its own
        assert "hit" in fetch(edge, "/metrics")
        for path in ("healthz", "readyz"):
            with urlopen(f"http://127.0.0.1:{admin}/{path}", timeout=20) as response:
                assert response.status == 200
        with urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=20) as response:
            text = response.read().decode()
        assert 'headrace_edge_requests_total{verdict="hit"} 1.0' in text
        assert "headrace_edge_ram_objects 1.0" in text
        until(lambda: '"cache":"hit"' in edge.stderr())
        assert edge.stop() == 0


def test_a_killed_edge_serves_again_at_once(upstream: str) -> None:
    options = ("--upstream", upstream, "--port")
    with running("edge", *options, "0") as edge:
        fetch(edge, "/a")
        port = edge.address[1]
        edge.stop(signal.SIGKILL)
        with running("edge", *options, str(port)) as again:
            assert "fwd=uri-miss" in fetch(again, "/a")


def test_an_origin_that_is_gone_is_told(upstream: str) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    with running("edge", "--upstream", gone, "--port", "0") as edge:
        with pytest.raises(HTTPError) as told:
            urlopen(f"{edge.url}/a", timeout=20)
        told.value.close()
        assert told.value.code == 502
        assert told.value.headers["X-Headrace-Error"] == "upstream-connect"
