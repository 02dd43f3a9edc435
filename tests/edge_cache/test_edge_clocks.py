"""Edges whose wall clock is set while they run, and while they do not."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.edge_cache.support.client import Answer, get
from tests.edge_cache.support.edge import run, until
from tests.edge_cache.support.origin import Origin, origin, plain
from tests.edge_cache.test_edge_disk_processes import is_answered, is_hit, kill
from tests.support.edge_process import EdgeProcess, edge_process
from tests.support.needs import need
from tests.support.processes import children

LIBRARY = "*/faketime/libfaketimeMT.so.1"
"""Below /usr/lib, of Debian's package faketime."""

HOUR = 3600
SMALL, LARGE = "/small", "/large"
BODIES = {SMALL: b"small", LARGE: b"large" * 20_000}
RECORDS = {SMALL: 1, LARGE: 2}
"""On the disk: a head, and a body that does not lie beside it."""


@contextmanager
def edge(upstream: Origin, folder: Path) -> Iterator[EdgeProcess]:
    """An edge that reads its wall clock through the file ``clock``."""
    need("faketime")
    clock = {
        "LD_PRELOAD": str(next(Path("/usr/lib").glob(LIBRARY))),
        "FAKETIME_TIMESTAMP_FILE": str(folder / "clock"),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    cache = {"cache_dir": str(folder / "cache"), "disk": 64 << 20}
    with edge_process(upstream.url, env=clock, **cache) as process:
        yield process


def set_clock(folder: Path, seconds: int) -> None:
    """At once: a reader must not find half of it."""
    (folder / "next").write_text(f"{seconds:+d}s\n")
    (folder / "next").rename(folder / "clock")


async def ask(edge: EdgeProcess, target: str) -> Answer:
    answer = await get(edge.port, target)
    assert answer.status == 200 and answer.body == BODIES[target]
    return answer


async def fill(edge: EdgeProcess, target: str) -> None:
    """Ask for *target*, and wait until all of it is on the disk, and known to be."""
    await ask(edge, target)
    await until(lambda: edge.metric("headrace_edge_disk_objects") >= RECORDS[target])


@pytest.mark.parametrize("step", [HOUR, -HOUR])
@pytest.mark.parametrize("target", BODIES)
def test_what_is_fresh_stays_so(tmp_path: Path, step: int, target: str) -> None:
    """In RAM, on the disk for another worker, and after a restart and a kill of all."""

    async def scenario() -> None:
        set_clock(tmp_path, 0)
        async with origin(plain(BODIES[target], "Cache-Control: max-age=60")) as upstream:
            with edge(upstream, tmp_path) as first:
                await fill(first, target)
                set_clock(tmp_path, step)
                assert is_hit(await ask(first, target))
                for worker in children(first.running.pid):
                    os.kill(worker, signal.SIGKILL)
                await is_answered(first.port)
                assert is_hit(await ask(first, target))
                kill(first.running)
            for seconds in 0, step:
                set_clock(tmp_path, seconds)
                with edge(upstream, tmp_path) as again:
                    answer = await ask(again, target)
                    assert is_hit(answer)
                    assert int(answer.headers["age"]) < 60
            assert [seen.target for seen in upstream.seen].count(target) == 1

    run(scenario(), 60)


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_what_becomes_stale_does(tmp_path: Path, step: int) -> None:
    """Time passes as ever behind a step, in RAM and on the disk."""

    async def scenario() -> None:
        set_clock(tmp_path, 0)
        async with origin(plain(BODIES[SMALL], "Cache-Control: max-age=3")) as upstream:
            with edge(upstream, tmp_path) as first:
                await fill(first, SMALL)
                set_clock(tmp_path, step)
                await asyncio.sleep(3.1)  # its lifetime
                assert "fwd=stale" in (await ask(first, SMALL)).cache
                again_fresh = await ask(first, SMALL)
                assert is_hit(again_fresh), again_fresh.headers
            await asyncio.sleep(3.1)
            with edge(upstream, tmp_path) as again:
                assert "fwd=stale" in (await ask(again, SMALL)).cache

    run(scenario(), 60)
