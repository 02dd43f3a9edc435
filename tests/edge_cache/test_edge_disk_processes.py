"""The disk tier of real edges that are killed, starved of disk, or found damaged."""

import asyncio
import os
import resource
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import Random

import pytest

from tests.edge_cache.support.client import Answer, connect, get
from tests.edge_cache.support.edge import run
from tests.edge_cache.support.objects import body_of, serve, target_of
from tests.edge_cache.support.origin import Exchange, Origin, Seen, origin
from tests.support.processes import Running, children, headrace, is_alive, running

ROUNDS = int(os.environ.get("HEADRACE_TEST_KILLS", "24"))
CUT = (asyncio.IncompleteReadError, ConnectionError)
SIZES = (1, 900, 70_000, 400_000, 2_500_000)


@contextmanager
def disk_edge(upstream: Origin, folder: Path, *options: str) -> Iterator[Running]:
    cache = ("--cache-dir", str(folder / "cache"), "--admin-port", "0")
    size = () if "--disk" in options else ("--disk", "64M")
    with running(
        "edge", "--upstream", upstream.url, "--port", "0", *cache, *size, *options
    ) as e:
        yield e


@asynccontextmanager
async def readers(
    port: list[int], seed: int, count: int = 6, numbers: int = 40
) -> AsyncIterator[list[str]]:
    """Clients that read at the edge on *port* as fast as they can, and what was wrong."""
    wrong: list[str] = []

    async def read(random: Random) -> None:
        while True:
            target = target_of(random.randrange(numbers), random.choice(SIZES))
            try:
                await _check(port[0], target, random, wrong)
            except (*CUT, OSError):  # it was killed
                await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(read(Random(seed * 1000 + n))) for n in range(count)]
    try:
        yield wrong
        for task in tasks:
            assert not task.done(), task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _check(port: int, target: str, random: Random, wrong: list[str]) -> None:
    body = body_of(target)
    if random.random() < 0.3 and len(body) > 1:
        start = random.randrange(len(body) - 1)
        stop = random.randrange(start + 1, len(body))
        answer = await get(port, target, f"Range: bytes={start}-{stop - 1}")
        body = body[start:stop]
    else:
        answer = await get(port, target)
    if answer.status in (200, 206) and answer.body != body:
        wrong.append(f"{target}: {len(answer.body)} bytes, {answer.headers}")
    elif answer.status not in (200, 206):
        wrong.append(f"{target}: {answer.status} {answer.headers}")


def is_hit(answer: Answer) -> bool:
    return answer.cache.startswith("headrace; hit")


def kill(edge: Running) -> None:
    """All of a node at once."""
    workers = children(edge.pid)
    edge.stop(signal.SIGKILL)
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    while any(map(is_alive, workers)):
        time.sleep(0.001)  # the kernel takes its time, and tells only their parent


async def is_answered(port: int) -> None:
    """Wait until somebody answers on *port*."""
    while True:
        try:
            await get(port, target_of(0, 1))
        except (*CUT, OSError):
            await asyncio.sleep(0.01)
        else:
            return


def test_workers_that_are_killed_spoil_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        random = Random(1)
        async with origin(serve) as upstream:
            with disk_edge(upstream, tmp_path) as edge:
                async with readers([edge.address[1]], 1) as wrong:
                    for _ in range(max(1, ROUNDS // 4)):
                        # A second, since what dies at once is started again with a pause.
                        await asyncio.sleep(random.uniform(1, 1.1))
                        for worker in children(edge.pid):
                            os.kill(worker, signal.SIGKILL)
                        await is_answered(edge.address[1])
                assert not wrong

    run(scenario(), 60 + 3 * ROUNDS)


def test_nodes_that_are_killed_spoil_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        random = Random(2)
        async with origin(serve) as upstream:
            port = [0]
            async with readers(port, 2) as wrong:
                for _ in range(ROUNDS):
                    with disk_edge(upstream, tmp_path) as edge:
                        port[0] = edge.address[1]
                        await asyncio.sleep(random.uniform(0, 0.3))
                        kill(edge)
            assert not wrong
            with disk_edge(upstream, tmp_path) as edge:
                before = len(upstream.seen)
                hits = 0
                for number in range(40):
                    target = target_of(number, 900)
                    answer = await get(edge.address[1], target)
                    assert answer.body == body_of(target)
                    hits += is_hit(answer)
                assert hits == 40 - (len(upstream.seen) - before)
                assert hits

    run(scenario(), 60 + 3 * ROUNDS)


def test_a_small_disk_turns_over_under_slow_readers(tmp_path: Path) -> None:
    """64 MB go through a disk of 16 MB while clients read what has long been evicted."""

    async def slow(port: int, target: str) -> None:
        async with connect(port, small=True) as client:
            await client.ask(target)
            answer, body = await client.head(), b""
            while len(body) < int(answer.headers["content-length"]):
                body += await client.reader.read(8192)
                await asyncio.sleep(0.001)
            assert body == body_of(target)

    async def scenario() -> None:
        async with origin(serve) as upstream:
            with disk_edge(upstream, tmp_path, "--disk", "16M", "--ram", "4M") as edge:
                port = edge.address[1]
                for number in range(5):
                    await get(port, target_of(number, 1_000_000))
                held = [
                    asyncio.create_task(slow(port, target_of(number % 5, 1_000_000)))
                    for number in range(10)
                ]
                for number in range(100, 164):
                    target = target_of(number, 1_000_000)
                    assert (await get(port, target)).body == body_of(target)
                await asyncio.gather(*held)
                used = sum(f.stat().st_size for f in (tmp_path / "cache/volumes").iterdir())
                assert used <= 16 << 20

    run(scenario(), 60)


@pytest.mark.parametrize("is_killed", [False, True], ids=["power loss", "after a kill"])
def test_what_is_spoilt_between_two_runs_is_not_served(tmp_path: Path, is_killed: bool) -> None:
    """By a power loss, or by somebody who writes to the files of a node that was killed."""

    async def scenario() -> None:
        random = Random(3)
        async with origin(serve) as upstream:
            targets = [target_of(number, SIZES[number % 5]) for number in range(40)]
            for _ in range(3):
                with disk_edge(upstream, tmp_path) as edge:
                    for target in targets:
                        await get(edge.address[1], target)
                    if is_killed:
                        kill(edge)
                if not is_killed:
                    (tmp_path / "cache" / "clean").unlink()
                files = [*(tmp_path / "cache/volumes").iterdir()]
                files += [*(tmp_path / "cache/index").glob("data.mdb")]
                for path in files:
                    _spoil(path, random)
                with disk_edge(upstream, tmp_path) as edge:
                    for _ in range(2):
                        for target in targets:
                            await _read_in_the_end(edge.address[1], target)

    run(scenario(), 60)


async def _read_in_the_end(port: int, target: str) -> None:
    """It may be cut where it is spoilt, and comes whole from the origin then."""
    for _ in range(4):
        try:
            answer = await get(port, target)
        except CUT:
            continue
        assert answer.status == 200 and answer.body == body_of(target)
        return
    raise AssertionError(f"{target} is cut again and again")


def _spoil(path: Path, random: Random) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        for _ in range(20):
            file.seek(random.randrange(max(size, 1)))
            file.write(random.randbytes(random.choice((1, 512, 4096))))
        file.truncate(size if random.random() < 0.7 else random.randrange(size + 1))


def test_a_disk_that_is_full_is_not_seen_by_clients(tmp_path: Path) -> None:
    """By the limit on the size of a file, since nobody may mount one here."""

    async def scenario() -> None:
        async with origin(serve) as upstream:
            with disk_edge(upstream, tmp_path) as edge:
                for worker in children(edge.pid):
                    _limit_files(worker, 200_000)
                for number in range(20):
                    for size in SIZES:
                        target = target_of(number, size)
                        answer = await get(edge.address[1], target)
                        assert answer.status == 200 and answer.body == body_of(target)

    run(scenario(), 60)


def _limit_files(pid: int, size: int) -> None:
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, size))


def test_what_was_purged_stays_purged(tmp_path: Path) -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        body = body_of(seen.target)
        await exchange.respond(body, "Cache-Control: max-age=600", "Cache-Tag: a")

    async def scenario() -> None:
        token = {"HEADRACE_EDGE_ADMIN_TOKEN": "token"}
        target = target_of(1, 900)
        async with origin(handler) as upstream:
            options = ("--upstream", upstream.url, "--port", "0", "--purge-method")
            cache = ("--cache-dir", str(tmp_path / "cache"), "--disk", "64M")
            for hits, purges in (False, True), (False, False), (True, True), (False, False):
                with running("edge", *options, *cache, env=token) as edge:
                    port = edge.address[1]
                    before = _records(tmp_path / "cache", target)
                    assert is_hit(await get(port, target)) is hits
                    if purges:
                        line = "Authorization: Bearer token"
                        answer = await get(port, target, line, method="PURGE")
                        assert answer.status == 204
                    while _records(tmp_path / "cache", target) < before + (not hits):  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                    kill(edge)

    run(scenario(), 60)


def _records(cache: Path, text: str) -> int:
    """How often *text* has come to the disk, a target or the mark of a record: a kill may come
    before that."""
    volumes = (path.read_bytes() for path in (cache / "volumes").iterdir())
    return sum(volume.count(text.encode()) for volume in volumes)


def test_a_lost_journal_of_purges_takes_the_store_with_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        target = target_of(1, 900)
        async with origin(serve) as upstream:
            for hits, loses in (False, False), (True, True), (False, False), (True, False):
                with disk_edge(upstream, tmp_path) as edge:
                    assert is_hit(await get(edge.address[1], target)) is hits
                if loses:
                    for path in (tmp_path / "cache" / "purges").iterdir():
                        path.unlink()

    run(scenario(), 60)


def test_a_large_body_takes_little_memory(tmp_path: Path) -> None:
    size = 200_000_000

    async def handler(seen: Seen, exchange: Exchange) -> None:
        await exchange.head("Cache-Control: max-age=600", f"Content-Length: {size}")
        if seen.method == "HEAD":  # it came before the body was on the disk
            return
        piece = bytes(1 << 20)
        for start in range(0, size, len(piece)):
            await exchange.send(piece[: size - start])

    async def read(port: int, highest: list[int], pid: int) -> Answer:
        async with connect(port) as client:
            await client.ask("/large")
            answer, count = await client.head(), 0
            while count < size:
                count += len(await client.reader.read(1 << 20))
                highest[0] = max(highest[0], pss(pid))
            return answer

    async def scenario() -> None:
        async with origin(handler) as upstream:
            with disk_edge(upstream, tmp_path, "--disk", "1G") as edge:
                [worker] = children(edge.pid)
                highest = [0]
                await read(edge.address[1], highest, worker)
                await _is_stored(edge.address[1], "/large")
                assert is_hit(await read(edge.address[1], highest, worker))
                assert [seen.method for seen in upstream.seen].count("GET") == 1
                assert highest[0] < 64 << 20

    run(scenario(), 60)


async def _is_stored(port: int, target: str) -> None:
    """What has just come may be on its way to the disk."""
    while True:
        if is_hit(await get(port, target, method="HEAD")):
            return
        await asyncio.sleep(0.01)


def pss(pid: int) -> int:
    """Bytes of memory that *pid* takes, its share of what it shares included."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) << 10
    raise AssertionError("no Pss")


@pytest.mark.parametrize("is_killed", [False, True], ids=["stopped", "killed"])
def test_warm_at_once(tmp_path: Path, is_killed: bool) -> None:
    count, sample = 10_000, 400

    async def ask_all(port: int, numbers: list[int]) -> int:
        hits = 0
        async with connect(port) as client:
            for number in numbers:
                answer = await client.get(target_of(number, 100))
                assert answer.status == 200
                hits += is_hit(answer)
        return hits

    async def scenario() -> None:
        async with origin(serve) as upstream:
            with disk_edge(upstream, tmp_path) as edge:
                parts = [list(range(n, count, 8)) for n in range(8)]
                await asyncio.gather(*(ask_all(edge.address[1], part) for part in parts))
                if is_killed:
                    while _records(tmp_path / "cache", "hrL1") < count:  # noqa: ASYNC110
                        await asyncio.sleep(0.1)
                    kill(edge)
            with disk_edge(upstream, tmp_path) as edge:
                ready = time.monotonic()
                numbers = Random(4).sample(range(count), sample)
                assert await ask_all(edge.address[1], numbers) >= sample * 0.99
                assert time.monotonic() - ready < 1.0

    run(scenario(), 90)


@pytest.mark.parametrize(("disk", "is_told"), [("64M", True), ("4G", False)])
def test_a_disk_that_bounds_the_size_of_bodies_is_told(
    tmp_path: Path, disk: str, is_told: bool
) -> None:
    cache = ("--cache-dir", tmp_path, "--disk", disk)
    with running("edge", "--upstream", "http://127.0.0.1:1", "--port", "0", *cache) as edge:
        assert edge.stop() == 0
        line = "bodies above 16777216 bytes are not stored: a quarter of --disk"
        assert (line in edge.stderr()) is is_told


@pytest.mark.parametrize("kind", ["file", "other version"])
def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "cache"
    if kind == "file":
        folder.touch()
    else:
        folder.mkdir()
        (folder / "format").write_text("headrace disk store 99\n")
    ended = headrace(
        "edge", "--upstream", "http://127.0.0.1:1", "--port", "0", "--cache-dir", folder
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("headrace edge: --cache-dir: ")
    assert len(ended.stderr.splitlines()) == 1
