"""An edge as it runs, and what comes from the system: signals, a killed worker, a clock that is
set."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.edge_cache.support.client import connect, get
from tests.edge_cache.support.edge import run, until
from tests.edge_cache.support.origin import Exchange, Seen, origin
from tests.support.edge_process import EdgeProcess, edge_process
from tests.support.followers import Got, body_of, follow
from tests.support.needs import missing, need
from tests.support.processes import children, is_alive
from tests.system.delivery import requests_for

FRESH = "Cache-Control: max-age=60"
SIZE = 256 << 10
PLAYERS = 8
TARGETS = [f"/{number}" for number in range(20)]


async def serve(seen: Seen, exchange: Exchange) -> None:
    lines = (FRESH, f"Date: {formatdate(usegmt=True)}")
    await exchange.respond(body_of(seen.target, SIZE), *lines)


class Load:
    """Players that ask for one object after the other until they are told to stop."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._is_over = False
        self.whole = 0
        self.cut = 0
        self._tasks = [asyncio.create_task(self._play(n)) for n in range(PLAYERS)]

    async def stop(self) -> None:
        self._is_over = True
        await asyncio.gather(*self._tasks)

    async def _play(self, number: int) -> None:
        while not self._is_over:
            target, got = TARGETS[number % len(TARGETS)], Got()
            number += 7
            try:
                await follow(self._port, target, got)
            except ConnectionError:  # nobody listens any more
                self.cut += 1
                await asyncio.sleep(0.01)
                continue
            assert got.status in (200, 0), got.status
            if got.is_whole:
                assert got.body == body_of(target, SIZE)
                self.whole += 1
            else:
                assert body_of(target, SIZE).startswith(got.body)
                self.cut += 1


def test_term_under_load_finishes_what_has_begun() -> None:
    go = asyncio.Event()

    async def handler(seen: Seen, exchange: Exchange) -> None:
        if seen.target != "/slow":
            await serve(seen, exchange)
            return
        body = body_of(seen.target, SIZE)
        await exchange.head(FRESH, f"Content-Length: {SIZE}")
        await exchange.send(body[: SIZE // 2])
        await go.wait()
        await exchange.send(body[SIZE // 2 :])

    async def scenario() -> None:
        async with origin(handler) as up:
            with edge_process(up.url) as edge:
                load = Load(edge.port)
                slow = [Got() for _ in range(10)]
                tasks = [asyncio.create_task(follow(edge.port, "/slow", got)) for got in slow]
                await until(lambda: all(got.data for got in slow) and load.whole > PLAYERS)
                async with connect(edge.port) as idle:
                    await idle.get("/0")
                    edge.running.process.send_signal(signal.SIGTERM)
                    assert await idle.is_closed()
                before = load.cut
                await until(lambda: load.cut > before + PLAYERS)  # it takes no more
                await load.stop()
                assert is_alive(edge.running.pid)
                go.set()
                await asyncio.gather(*tasks)
                assert all(got.is_whole and got.body == body_of("/slow", SIZE) for got in slow)
                assert await asyncio.to_thread(edge.running.wait) == 0

    run(scenario())


def test_term_does_not_wait_for_ever() -> None:
    """What has not finished within the time for it is cut, and seen to be."""

    async def handler(seen: Seen, exchange: Exchange) -> None:
        await exchange.head(FRESH, f"Content-Length: {SIZE}")
        await exchange.send(body_of(seen.target, SIZE)[: SIZE // 2])
        await asyncio.Event().wait()

    async def scenario() -> None:
        async with origin(handler) as up:
            with edge_process(up.url, drain_timeout=2.0) as edge:
                got = Got()
                task = asyncio.create_task(follow(edge.port, "/endless", got))
                await until(lambda: len(got.data) == SIZE // 2)
                status = await asyncio.to_thread(edge.running.stop, limit=5.0)
                await task
                assert status == 0 and not got.is_ended

    run(scenario())


def test_a_worker_that_is_killed_under_load() -> None:
    async def scenario() -> None:
        async with origin(serve) as up:
            with edge_process(up.url) as edge:
                load = Load(edge.port)
                for _ in range(3):
                    before, worker = load.whole, edge.worker
                    await until(lambda before=before: load.whole > before + 2 * PLAYERS)
                    os.kill(worker, signal.SIGKILL)
                    await until(lambda w=worker: is_replaced(edge, w))
                before = load.whole
                await until(lambda: load.whole > before + 2 * PLAYERS)
                await load.stop()
                assert load.cut  # it was hit while it answered
                assert edge.metric("headrace_worker_restarts_total") == 3
                assert await asyncio.to_thread(edge.running.stop) == 0

    run(scenario())


def is_replaced(edge: EdgeProcess, worker: int) -> bool:
    found = children(edge.running.pid)
    return bool(found) and worker not in found


def test_hup_ends_nothing() -> None:
    async def scenario() -> None:
        async with origin(serve) as up:
            with edge_process(up.url) as edge:
                load, worker = Load(edge.port), edge.worker
                for _ in range(3):
                    before = load.whole
                    edge.running.process.send_signal(signal.SIGHUP)
                    await until(lambda before=before: load.whole > before + PLAYERS)
                await load.stop()
                assert load.cut == 0 and edge.worker == worker

    run(scenario())


# Clocks.


class Clock:
    """The wall clock of a process: moved by what stands in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set("+0")

    def set(self, offset: str) -> None:
        """``+1d``, ``-1d``, ...; at once, since the file is read for each question."""
        new = self._file.with_suffix(".new")
        new.write_text(offset)
        new.replace(self._file)

    @property
    def env(self) -> dict[str, str]:
        need("faketime")
        libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        if not libraries:
            missing("libfaketime is not installed: apt-get install faketime")
        return {
            "LD_PRELOAD": str(libraries[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[Clock]:
    yield Clock(tmp_path / "offset")


_DAYS = {"+1d": 1, "-1d": -1, "+0": 0}


def is_logged_at(edge: EdgeProcess, target: str, days: int) -> bool:
    """Whether the edge says that it was asked for *target* so many days from now."""
    lines = requests_for(edge.running, target)
    return any(round((line["time"] - time.time()) / 86400) == days for line in lines)


@pytest.mark.parametrize("steps", [("+1d", "-1d"), ("-1d", "+1d")], ids=["forward", "backward"])
def test_a_clock_that_is_set(clock: Clock, steps: tuple[str, str]) -> None:
    """What is stored lives as long as it was to, by a clock that nobody sets."""

    async def scenario() -> None:
        async with origin(serve) as up:
            with edge_process(up.url, env=clock.env) as edge:
                assert (await get(edge.port, "/old")).status == 200
                for step in (*steps, "+0"):
                    clock.set(step)
                    hit = await get(edge.port, "/old")
                    assert "hit" in hit.cache and 0 <= int(hit.headers["age"]) < 20
                    assert hit.body == body_of("/old", SIZE)
                    new = f"/{step}"
                    for _ in range(2):
                        answer = await get(edge.port, new)
                        assert answer.status == 200 and answer.body == body_of(new, SIZE)
                    # By a clock that is a day ahead what is new looks a day old (RFC 9111
                    # §4.2.3), and goes through; by any other it is kept.
                    is_kept = answer.cache.startswith("headrace; hit")
                    assert is_kept == (step != "+1d"), answer.cache
                    await until(lambda n=new, s=step: is_logged_at(edge, n, _DAYS[s]))
                assert [seen.target for seen in up.seen].count("/old") == 1

    run(scenario())
