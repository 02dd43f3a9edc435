"""Edges whose disk is full, and one whose disk cannot be read: clients do not notice.

A disk is full by the limit on the size of a file, everywhere; and by a file system of memory,
where one may be mounted.  It cannot be read by way of strace, which lets every read of the
volumes end with EIO.
"""

import asyncio
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.edge_cache.support.client import get
from tests.edge_cache.support.edge import run
from tests.edge_cache.support.objects import body_of, serve, target_of
from tests.edge_cache.support.origin import Origin, origin
from tests.support.edge_process import EdgeProcess
from tests.support.needs import need
from tests.support.processes import children, free_port, started

SIZES = (1, 900, 70_000, 400_000, 2_500_000)
CLIENTS = 4
MOUNTED = 24 << 20

MOUNT = f'mount -t tmpfs -o size={MOUNTED} none "$0" && exec "$@"'
READS = "pread64,preadv,preadv2,sendfile"


@contextmanager
def edge(upstream: Origin, cache: Path, *before: str | Path) -> Iterator[EdgeProcess]:
    """An edge with its disk in *cache*, started by the command *before*."""
    admin = free_port()
    options = ("--upstream", upstream.url, "--port", "0", "--admin-port", str(admin))
    command = [*before, sys.executable, "-m", "headrace", "edge", *options]
    # Little RAM, so that what is asked for twice comes from the disk.
    disk = ("--cache-dir", cache, "--disk", "64M", "--ram", "4M")
    with started([str(part) for part in (*command, *disk)]) as process:
        yield EdgeProcess(process, admin)


async def ask_all(port: int, targets: Sequence[str]) -> int:
    """Ask for *targets* at once; how many are hits.  No answer may be wrong, or cut."""
    waiting = list(targets)
    hits = 0

    async def client() -> None:
        nonlocal hits
        while waiting:
            target = waiting.pop()
            answer = await get(port, target)
            assert answer.status == 200 and answer.body == body_of(target), target
            hits += answer.cache.startswith("headrace; hit")

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return hits


async def told(node: EdgeProcess, metric: str) -> None:
    """Wait until *metric* counts something: the disk is looked after every second."""
    while not node.metric(metric):  # noqa: ASYNC110
        await asyncio.sleep(0.1)


def targets_of(numbers: range) -> list[str]:
    return [target_of(number, size) for number in numbers for size in SIZES]


class Disk(NamedTuple):
    before: tuple[str | Path, ...]
    """The command that the edge is started by."""
    fill: Callable[[EdgeProcess], None]
    clear: Callable[[EdgeProcess], None]


def limited(_cache: Path) -> Disk:
    def limit(size: int) -> Callable[[EdgeProcess], None]:
        def change(edge: EdgeProcess) -> None:
            for worker in children(edge.running.pid):
                sizes = (size, resource.RLIM_INFINITY)
                resource.prlimit(worker, resource.RLIMIT_FSIZE, sizes)

        return change

    return Disk((), limit(200_000), limit(resource.RLIM_INFINITY))


def mounted(cache: Path) -> Disk:
    unshare = need("unshare")
    probe = [unshare, "-m", "sh", "-c", MOUNT, cache, "true"]
    told = subprocess.run(probe, check=False, capture_output=True, text=True)
    if told.returncode:
        pytest.skip(f"may not mount: {told.stderr.strip()}")

    def ballast(edge: EdgeProcess) -> Path:
        return Path(f"/proc/{edge.running.pid}/root{cache}/ballast")

    def fill(edge: EdgeProcess) -> None:
        ballast(edge).write_bytes(bytes(MOUNTED - (8 << 20)))

    before = (unshare, "-m", "sh", "-c", MOUNT, cache)
    return Disk(before, fill, lambda edge: ballast(edge).unlink())


@pytest.mark.parametrize("made", [limited, mounted])
def test_a_disk_that_is_full_and_then_has_room_again(
    tmp_path: Path, made: Callable[[Path], Disk]
) -> None:
    disk = made(tmp_path)

    async def scenario() -> None:
        async with origin(serve) as upstream:
            with edge(upstream, tmp_path, *disk.before) as node:
                await ask_all(node.port, targets_of(range(2)))
                disk.fill(node)
                for _ in range(2):
                    await ask_all(node.port, targets_of(range(2, 14)))
                await told(node, 'headrace_edge_disk_failures_total{reason="disk-full"}')
                assert node.metric("headrace_edge_disk_resting") == 1
                disk.clear(node)
                while node.metric("headrace_edge_disk_resting"):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
                new = targets_of(range(20, 22))
                await ask_all(node.port, new)
                while await ask_all(node.port, new) < len(new):  # they are on their way
                    pass
                while node.metric("headrace_edge_disk_objects") <= len(new):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
                assert node.running.stop() == 0

    run(scenario(), 120)


@pytest.mark.parametrize("which", ["all", "some"])
def test_a_disk_that_cannot_be_read(tmp_path: Path, which: str) -> None:
    """What is there cannot be found, or cannot be read to its end: then a client that has had
    some of it is cut, and gets it from the origin when it asks again."""
    strace = need("strace")
    targets = targets_of(range(8))

    async def read_in_the_end(port: int, target: str) -> int:
        for cuts in range(20):
            try:
                await ask_all(port, [target])
            except (asyncio.IncompleteReadError, ConnectionError):
                continue
            return cuts
        raise AssertionError(f"{target} is cut again and again")

    async def scenario() -> None:
        async with origin(serve) as upstream:
            with edge(upstream, tmp_path) as node:
                await ask_all(node.port, targets)
                assert node.running.stop() == 0
            asked = len(upstream.seen)
            volumes = [("-P", path) for path in (tmp_path / "volumes").iterdir()]
            fault = f"inject={READS}:error=EIO" + ("" if which == "all" else ":when=4+4")
            before = (
                strace,
                "-D",
                "-f",
                "-o",
                "/dev/null",
                "-e",
                f"trace={READS}",
                "-e",
                fault,
            )
            paths = [part for pair in volumes for part in pair]
            with edge(upstream, tmp_path, *before, *paths) as node:
                if which == "all":
                    assert await ask_all(node.port, targets) == 0
                    assert len(upstream.seen) >= asked + len(targets)
                else:
                    for target in targets:
                        await read_in_the_end(node.port, target)
                await told(node, "headrace_edge_disk_failures_total")
                assert node.running.stop() == 0

    if subprocess.run([strace, "-o", "/dev/null", "true"], check=False).returncode:
        pytest.skip("may not trace")
    run(scenario(), 120)
