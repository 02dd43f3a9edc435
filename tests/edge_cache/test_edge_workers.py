"""A node of several workers, as processes: which of them a connection meets is chance."""

import asyncio
import http.client
import json
import os
import signal
import time
from asyncio import IncompleteReadError
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from edge_cache.siblings.owner import owner_of
from tests.edge_cache.support.client import Answer, Client, connect, get
from tests.edge_cache.support.edge import run, until
from tests.edge_cache.support.origin import Exchange, Handler, Seen, origin
from tests.support.edge_process import EdgeProcess, edge_process, memory
from tests.support.herds import Herd
from tests.support.processes import children, is_alive
from tests.support.waiting import until as wait_until

FRESH = "Cache-Control: max-age=60"
HERD = 500
MANY = 32
"""Connections: that four workers leave one of them out has a chance of 1 : 2000."""
TOKEN = "open-sesame"
LATE = 0.5
"""Seconds from the first byte of the herd's first to that of its last, in the quietest of three
rounds.  It takes a tenth of that, but not where workers, herd and other tests share two cores.
"""


def workers_of(edge: EdgeProcess) -> list[int]:
    return children(edge.running.pid)


@asynccontextmanager
async def clients(edge: EdgeProcess, count: int = MANY) -> AsyncIterator[list[Client]]:
    async with AsyncExitStack() as stack:
        connections = [connect(edge.port) for _ in range(count)]
        yield [await stack.enter_async_context(one) for one in connections]


async def ask_all(all_of_them: list[Client], target: str, *lines: str) -> list[Answer]:
    return await asyncio.gather(*(client.get(target, *lines) for client in all_of_them))


def counting(*lines: str) -> Handler:
    """A handler whose bodies are numbered by target."""
    counts: dict[str, int] = {}

    async def handler(seen: Seen, exchange: Exchange) -> None:
        counts[seen.target] = counts.get(seen.target, 0) + 1
        await exchange.respond(b"%d" % counts[seen.target], *(lines or (FRESH,)))

    return handler


@pytest.mark.parametrize("workers", [2, 4])
def test_a_herd_on_a_slow_object(workers: int) -> None:
    """One request upstream for all workers, and nobody waits for the end."""
    size = 64 << 10
    go, rest = asyncio.Event(), asyncio.Event()

    async def handler(seen: Seen, exchange: Exchange) -> None:
        if seen.target == "/other":
            await exchange.respond(b"other", FRESH)
            return
        await go.wait()
        await exchange.head(FRESH, f"Content-Length: {size}")
        await exchange.send(b"a" * (size // 2))
        await rest.wait()
        await exchange.send(b"b" * (size // 2))

    async def scenario() -> None:
        async with origin(handler) as up:
            with edge_process(up.url, workers=workers) as edge, Herd(edge.port, HERD) as herd:
                spreads = []
                for number in range(3):
                    target = f"/slow/{number}"
                    go.clear()
                    rest.clear()
                    herd.ask(target)
                    for _ in range(MANY):
                        await get(edge.port, "/other")  # by now all have been heard
                    waiting = asyncio.create_task(asyncio.to_thread(herd.await_first_bytes))
                    go.set()
                    spreads.append(await waiting)
                    rest.set()
                    bodies = await asyncio.to_thread(herd.bodies)
                    assert set(bodies) == {b"a" * (size // 2) + b"b" * (size // 2)}
                    assert [seen.target for seen in up.seen].count(target) == 1
                assert min(spreads) < LATE
                assert edge.metric("headrace_edge_sibling_served_total") >= 3

    run(scenario())


def test_an_uncacheable_herd_is_not_serialised() -> None:
    together, all_there = 0, asyncio.Event()

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        nonlocal together
        together += 1
        if together == HERD:
            all_there.set()
        if together > 1:  # the first is alone: nobody knows yet that it may not be kept
            await all_there.wait()
        await exchange.respond(b"mine", "Cache-Control: no-store")

    async def scenario() -> None:
        async with origin(handler) as up:
            with edge_process(up.url, workers=4) as edge, Herd(edge.port, HERD) as herd:
                herd.ask("/live")  # ends only if all of them are upstream at once
                assert await asyncio.to_thread(herd.bodies) == [b"mine"] * HERD
                assert len(up.seen) == HERD

    run(scenario())


def order(edge: EdgeProcess, **names: object) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", edge.admin_port, timeout=20)
    try:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        connection.request("POST", "/api/v1/purge", json.dumps(names), headers)
        response = connection.getresponse()
        assert response.status == 200, response.read()
    finally:
        connection.close()


PURGES: dict[str, dict[str, object]] = {
    "url": {"urls": ["/x/a"]},
    "prefix": {"prefixes": ["/x/"]},
    "tag": {"tags": ["red"]},
    "all": {"all": True},
    "soft": {"tags": ["red"], "soft": True},
}


def test_a_purge_is_seen_by_every_worker_before_its_answer() -> None:
    async def scenario() -> None:
        async with origin(counting(FRESH, "Cache-Tag: red")) as up:
            with edge_process(up.url, workers=4, admin_token=TOKEN) as edge:
                async with clients(edge) as everybody:
                    number = 0
                    for purge in PURGES.values():
                        number += 1
                        for _ in range(2):  # every worker has it, and holds it
                            answers = await ask_all(everybody, "/x/a")
                            assert {one.body for one in answers} == {b"%d" % number}
                        await asyncio.to_thread(order, edge, **purge)
                        answers = await ask_all(everybody, "/x/a")
                        assert {one.body for one in answers} == {b"%d" % (number + 1)}
                    assert len(up.seen) == number + 1

    run(scenario())


def test_an_unsafe_request_is_seen_by_every_worker_before_its_answer() -> None:
    async def scenario() -> None:
        async with origin(counting()) as up:
            with edge_process(up.url, workers=4) as edge:
                async with clients(edge) as everybody:
                    await ask_all(everybody, "/a")
                    assert {one.body for one in await ask_all(everybody, "/a")} == {b"1"}
                    await everybody[0].ask("/a", method="DELETE")
                    assert (await everybody[0].answer()).body == b"2"
                    assert {one.body for one in await ask_all(everybody, "/a")} == {b"3"}
                    assert len(up.seen) == 3

    run(scenario())


def asked_of(edge: EdgeProcess, outcome: str) -> float:
    return edge.metric(f'headrace_edge_sibling_asked_total{{outcome="{outcome}"}}')


def test_an_owner_is_killed_in_mid_fill() -> None:
    """Clients of all workers get the body or see it cut; afterwards all is as before."""
    half = 256 << 10

    async def scenario() -> None:
        go = asyncio.Event()
        asked = 0

        async def handler(seen: Seen, exchange: Exchange) -> None:
            nonlocal asked
            asked += 1
            await exchange.head(FRESH, f"Content-Length: {2 * half}")
            await exchange.send(b"a" * half)
            if asked == 1:
                await go.wait()
            await exchange.send(b"b" * half)

        async def read(client: Client) -> bytes | None:
            try:
                return (await client.answer()).body
            except (IncompleteReadError, ConnectionError):
                return None

        whole = b"a" * half + b"b" * half
        async with origin(handler) as up:
            with edge_process(up.url, workers=2) as edge:
                pids = workers_of(edge)
                owner = pids[owner_of(b"/big", 2)]
                async with clients(edge) as everybody:
                    for client in everybody:
                        await client.ask("/big")
                    reading = [asyncio.create_task(read(client)) for client in everybody]
                    await until(lambda: asked == 1)
                    await until(lambda: edge.metric("headrace_edge_fills") == 2)
                    os.kill(owner, signal.SIGKILL)
                    bodies = await asyncio.gather(*reading)
                    assert set(bodies) <= {None, whole}
                    assert None in bodies
                go.set()
                assert (await get(edge.port, "/big")).body == whole
                await until(
                    lambda: len(workers_of(edge)) == 2 and owner not in workers_of(edge)
                )
                await until(lambda: edge.metric("headrace_workers") == 2)
                answered, absent = (asked_of(edge, it) for it in ("answered", "absent"))
                async with clients(edge) as everybody:
                    for number in range(8):
                        answers = await ask_all(everybody, f"/big?{number}")
                        assert {one.body for one in answers} == {whole}
                assert sum(seen.target.startswith("/big?") for seen in up.seen) == 8
                assert asked_of(edge, "answered") > answered  # the new one asks, or is asked
                assert asked_of(edge, "absent") == absent
                assert edge.running.stop() == 0

    run(scenario())


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with edge_process("http://127.0.0.1:9", workers=2, env={"TMPDIR": str(tmp_path)}) as edge:
        [folder] = tmp_path.glob("headrace-edge-*")
        assert folder.stat().st_mode & 0o777 == 0o700
        sockets = sorted(folder.glob("worker-*"))
        assert [one.name for one in sockets] == ["worker-0", "worker-1"]
        assert all(one.is_socket() for one in sockets)
        assert edge.running.stop() == 0
    assert list(tmp_path.iterdir()) == []


def test_a_long_name_of_the_folder_does_not_matter(tmp_path: Path) -> None:
    """A socket's address has 107 bytes (unix(7))."""
    folder = tmp_path.joinpath(*("long" * 20 for _ in range(4)))
    folder.mkdir(parents=True)

    async def scenario() -> None:
        async with origin(counting()) as up:
            with edge_process(up.url, workers=2, env={"TMPDIR": str(folder)}) as edge:
                os.kill(workers_of(edge)[0], signal.SIGKILL)
                await until(lambda: edge.metric("headrace_worker_restarts_total") == 1)
                await until(lambda: edge.metric("headrace_workers") == 2)
                async with clients(edge) as everybody:
                    for number in range(8):
                        answers = await ask_all(everybody, f"/{number}")
                        assert {one.body for one in answers} == {b"1"}
                assert asked_of(edge, "answered") and not asked_of(edge, "absent")
                assert edge.running.stop() == 0

    run(scenario())
    assert list(folder.iterdir()) == []


def test_what_a_killed_node_leaves_behind_is_cleared_up(tmp_path: Path) -> None:
    """And nothing else: not the folder of one that runs, nor what is not ours."""
    env = {"TMPDIR": str(tmp_path)}
    others = [tmp_path / "headrace-edge-run-file", tmp_path / "headrace-edge-another"]
    others[0].touch()
    others[1].mkdir()

    def folders() -> list[Path]:
        return [path for path in tmp_path.glob("headrace-edge-run-*") if path not in others]

    with edge_process("http://127.0.0.1:9", env=env) as first:
        [kept] = folders()
        with edge_process("http://127.0.0.1:9", workers=2, env=env) as second:
            pids = [second.running.pid, *workers_of(second)]
            assert len(folders()) == 2
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            second.running.wait()
            wait_until(lambda: not any(map(is_alive, pids)))
            [left] = set(folders()) - {kept}
        with edge_process("http://127.0.0.1:9", env=env) as third:
            assert kept in folders() and left not in folders() and len(folders()) == 2
            assert third.running.stop() == 0
        assert folders() == [kept]
        assert first.running.stop() == 0
    assert sorted(tmp_path.iterdir()) == sorted(others)


def test_a_stopped_owner_holds_up_nobody_for_long() -> None:
    async def scenario() -> None:
        async with origin(counting()) as up:
            with edge_process(up.url, workers=2, sibling_patience=0.3) as edge:
                pids = workers_of(edge)
                targets = [f"/{number}" for number in range(40)]
                mine = next(one for one in targets if owner_of(one.encode(), 2) == 1)
                async with clients(edge) as everybody:
                    await ask_all(everybody, "/warm")
                    os.kill(pids[1], signal.SIGSTOP)
                    try:
                        asked = [asyncio.create_task(one.get(mine)) for one in everybody]
                        await until(lambda: any(one.done() for one in asked))
                        answered = [one for one in asked if one.done()]
                        assert {one.result().body for one in answered} == {b"1"}
                    finally:
                        os.kill(pids[1], signal.SIGCONT)
                    bodies = {one.body for one in await asyncio.gather(*asked)}
                    assert bodies <= {b"1", b"2"}

    run(scenario())


def test_one_worker_checks_health_for_all() -> None:
    async def scenario() -> None:
        is_well = False

        async def handler(seen: Seen, exchange: Exchange) -> None:
            status = "200 OK" if is_well or seen.target != "/health" else "500 No"
            await exchange.respond(b"", "Cache-Control: no-store", status=status)

        async with origin(handler) as up:
            health = "/health"
            with edge_process(up.url, workers=3, health=health, health_interval=0.1) as edge:
                down = f'headrace_edge_upstream_workers{{state="down",upstream="{up.url}"}}'
                await until(lambda: edge.metric(down) == 3)
                started, before = time.monotonic(), len(up.seen)
                is_well = True
                await until(lambda: edge.metric(down) == 0)
                took = time.monotonic() - started
                assert len(up.seen) - before <= took / 0.1 + 1  # not three times as often

    run(scenario())


BODY = 1 << 20
OBJECTS = 64


async def large(seen: Seen, exchange: Exchange) -> None:
    await exchange.respond(seen.target.encode().ljust(BODY, b"."), FRESH)


async def read_all(everybody: list[Client]) -> None:
    for number in range(OBJECTS):
        answers = await ask_all(everybody, f"/{number}")
        assert {one.body for one in answers} == {f"/{number}".encode().ljust(BODY, b".")}


def test_bodies_on_the_disk_are_there_once(tmp_path: Path) -> None:
    """What four workers hold together is far less than what each of them serves."""

    async def scenario() -> None:
        async with origin(large) as up:
            with edge_process(up.url, workers=4, cache_dir=str(tmp_path)) as edge:
                async with clients(edge, 12) as everybody:
                    await ask_all(everybody, "/warm")
                    before = sum(map(memory, workers_of(edge)))
                    await read_all(everybody)
                    grown = sum(map(memory, workers_of(edge))) - before
                    assert len(up.seen) == 1 + OBJECTS
                    assert grown < OBJECTS * BODY  # and not four times as much
                assert edge.running.stop() == 0

    run(scenario())


def test_the_size_of_ram_is_that_of_the_node() -> None:
    async def scenario() -> None:
        ram = 16 << 20
        async with origin(large) as up:
            with edge_process(up.url, workers=2, ram=ram) as edge:
                async with clients(edge, 12) as everybody:
                    await read_all(everybody)
                assert ram // 4 < edge.metric("headrace_edge_ram_bytes") <= ram

    run(scenario())
