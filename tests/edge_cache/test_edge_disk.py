"""The disk tier: what is found again, what is not, and what a failing disk does to clients."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from edge_cache import spool
from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.files import File
from edge_cache.disk.writer import Writer
from edge_cache.purging.names import url_name
from edge_cache.tiers import tiered
from tests.edge_cache.support.client import Answer, connect, get
from tests.edge_cache.support.edge import Edge, edge, run, until
from tests.edge_cache.support.objects import body_of, serve, target_of
from tests.edge_cache.support.origin import Exchange, Origin, Seen, origin, plain

SMALL, LARGE, HUGE = 2_000, 300_000, 3_000_000
CAPACITY = 64 << 20


@asynccontextmanager
async def disk_edge(upstream: Origin, folder: Path, **limits: Any) -> AsyncIterator[Edge]:
    limits = {"disk": CAPACITY, "cache_dir": str(folder / "cache"), **limits}
    async with edge(upstream.url, **limits) as node:
        yield node


def is_hit(answer: Answer) -> bool:
    return answer.cache.startswith("headrace; hit")


def is_right(answer: Answer, target: str, start: int = 0, stop: int | None = None) -> bool:
    """Not written out where it is asked: pytest would show two bodies."""
    return answer.body == body_of(target)[start:stop]


@pytest.mark.parametrize("size", [0, 1, SMALL, LARGE, HUGE])
def test_what_is_stored_is_found_after_a_restart(tmp_path: Path, size: int) -> None:
    target = target_of(1, size)

    async def scenario() -> None:
        async with origin(serve) as upstream:
            async with disk_edge(upstream, tmp_path) as node:
                assert is_right(await get(node.port, target), target)
            async with disk_edge(upstream, tmp_path) as node:
                answer = await get(node.port, target)
                assert is_hit(answer) and is_right(answer, target)
                assert answer.headers["etag"] == f'"{target}"'
                if size >= 100:
                    part = await get(node.port, target, "Range: bytes=10-99")
                    assert is_hit(part) and is_right(part, target, 10, 100)
                assert (await node.logged(1))[0]["tier"] == "disk"
            assert len(upstream.seen) == 1

    run(scenario())


@pytest.mark.parametrize("size", [SMALL, LARGE, HUGE])
def test_what_is_on_its_way_to_the_disk_is_a_hit(tmp_path: Path, size: int) -> None:
    """The next client need not know how long the disk takes."""
    target = target_of(1, size)

    async def scenario() -> None:
        async with origin(serve) as upstream, disk_edge(upstream, tmp_path) as node:
            answers = [await get(node.port, target) for _ in range(3)]
            assert [is_hit(answer) for answer in answers] == [False, True, True]
            assert all(is_right(answer, target) for answer in answers)
            assert len(upstream.seen) == 1

    run(scenario())


def test_a_small_body_is_in_ram_once_it_was_found(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with origin(serve) as upstream:
            for size, tiers in (SMALL, ["disk", "ram"]), (LARGE, ["disk", "disk"]):
                target = target_of(1, size)
                async with disk_edge(upstream, tmp_path) as node:
                    await get(node.port, target)
                async with disk_edge(upstream, tmp_path) as node:
                    for _ in tiers:
                        assert is_hit(await get(node.port, target))
                    assert [line["tier"] for line in await node.logged(2)] == tiers

    run(scenario())


def make_cold(folder: Path) -> None:
    """Have the page cache forget the volumes."""
    for path in (folder / "cache").rglob("volumes/*"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def can_tell(folder: Path) -> bool:
    """Whether the file system says what is not in the page cache."""
    probe = folder / "probe"
    probe.write_bytes(b"x")
    with probe.open("rb") as file:
        try:
            os.preadv(file.fileno(), (bytearray(1),), 0, os.RWF_NOWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
    return True


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_the_loop_does_not_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    if not can_tell(tmp_path):
        pytest.skip("the file system of the temporary folder cannot tell what is cached")
    target, real = target_of(1, size), os.pread
    readers: list[threading.Thread] = []

    def pread(fd: int, size: int, offset: int) -> bytes:
        readers.append(threading.current_thread())
        return real(fd, size, offset)

    async def scenario() -> None:
        async with origin(serve) as upstream:
            async with disk_edge(upstream, tmp_path) as node:
                await get(node.port, target)
            async with disk_edge(upstream, tmp_path) as node:
                make_cold(tmp_path)
                monkeypatch.setattr(os, "pread", pread)
                answer = await get(node.port, target)
                assert is_hit(answer) and is_right(answer, target)
                assert (await node.logged(1))[0]["tier"] == "disk"
            assert readers and threading.main_thread() not in readers
            assert len(upstream.seen) == 1

    run(scenario())


def test_a_disk_that_hangs_is_a_miss_and_hinders_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiered, "_PATIENCE", 0.2)
    asked = [target_of(number, SMALL) for number in range(40)]
    other = target_of(40, SMALL)
    hangs = threading.Event()

    def pread(self: File, size: int, offset: int, *, waits: bool = True) -> bytes:
        if not waits:
            raise BlockingIOError
        assert threading.current_thread() is not threading.main_thread()
        hangs.wait(20)
        raise DiskError(Reason.FAILED)

    async def scenario() -> None:
        async with origin(serve) as upstream:
            async with disk_edge(upstream, tmp_path) as node:
                for one in asked:
                    await get(node.port, one)
            async with disk_edge(upstream, tmp_path) as node:
                await get(node.port, other)
                monkeypatch.setattr(File, "pread", pread)
                waiting = [asyncio.create_task(get(node.port, one)) for one in asked]
                assert is_hit(await get(node.port, other))
                for one, answer in zip(asked, await asyncio.gather(*waiting), strict=True):
                    assert not is_hit(answer) and is_right(answer, one)
                await asyncio.to_thread(int)  # as metrics are made
                hangs.set()
                monkeypatch.undo()

    run(scenario())


def test_age_and_lifetime_go_on_while_nobody_runs(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with origin(plain(b"x", "Cache-Control: max-age=60", "Age: 40")) as upstream:
            async with disk_edge(upstream, tmp_path) as node:
                await get(node.port, "/")
            began = time.monotonic()
            await asyncio.sleep(1.1)
            async with disk_edge(upstream, tmp_path) as node:
                answer = await get(node.port, "/")
                passed = time.monotonic() - began
                assert 41 <= int(answer.headers["age"]) <= 41 + passed
                assert is_hit(answer)

    run(scenario())


def test_variants_are_found_again(tmp_path: Path) -> None:
    async def handler(seen: Seen, exchange: Exchange) -> None:
        body = seen.headers.get("foo", "none").encode()
        await exchange.respond(body, "Cache-Control: max-age=60", "Vary: Foo")

    async def scenario() -> None:
        async with origin(handler) as upstream:
            async with disk_edge(upstream, tmp_path) as node:
                for value in "ab":
                    await get(node.port, "/", f"Foo: {value}")
            async with disk_edge(upstream, tmp_path) as node:
                for value in "ab":
                    answer = await get(node.port, "/", f"Foo: {value}")
                    assert is_hit(answer) and answer.body == value.encode()
                assert (await get(node.port, "/", "Foo: c")).body == b"c"
            assert len(upstream.seen) == 3

    run(scenario())


def test_blocks_are_found_again_and_completed(tmp_path: Path) -> None:
    target = target_of(1, HUGE)

    async def scenario() -> None:
        async with origin(serve) as upstream:
            for first, last, asked in (1_500_000, 1_600_000, 1), (1_100_000, 2_200_000, 1):
                before = len(upstream.seen)
                async with disk_edge(upstream, tmp_path) as node:
                    for _ in range(2):
                        answer = await get(node.port, target, f"Range: bytes={first}-{last}")
                        assert is_right(answer, target, first, last + 1)
                    assert is_hit(answer)
                assert len(upstream.seen) - before == asked
                assert "range" in upstream.seen[-1].headers

    run(scenario())


def test_a_304_renews_what_is_on_the_disk(tmp_path: Path) -> None:
    target = target_of(1, LARGE)

    async def handler(seen: Seen, exchange: Exchange) -> None:
        lines = ("Cache-Control: max-age=60", 'ETag: "x"', "X-Said: second")
        if "if-none-match" in seen.headers:
            await exchange.head(*lines, status="304 Not Modified")
        else:
            await exchange.respond(body_of(target), "Cache-Control: max-age=0", 'ETag: "x"')

    async def scenario() -> None:
        async with origin(handler) as upstream:
            for asked in 1, 2, 2:
                async with disk_edge(upstream, tmp_path) as node:
                    answer = await get(node.port, target)
                    assert is_right(answer, target)
                assert len(upstream.seen) == asked
            assert is_hit(answer) and answer.headers["x-said"] == "second"

    run(scenario())


def test_what_an_unsafe_request_drops_does_not_come_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with origin(serve) as upstream:
            for size in SMALL, LARGE:
                target = target_of(1, size)
                async with disk_edge(upstream, tmp_path) as node:
                    await get(node.port, target)
                    await get(node.port, target, method="DELETE")
                async with disk_edge(upstream, tmp_path) as node:
                    assert not is_hit(await get(node.port, target))

    run(scenario())


def test_a_body_that_is_found_damaged_is_cut_and_fetched_anew(tmp_path: Path) -> None:
    target = target_of(1, LARGE)

    async def scenario() -> None:
        async with origin(serve) as upstream:
            async with disk_edge(upstream, tmp_path) as node:
                await get(node.port, target)
            cache = tmp_path / "cache"
            (cache / "clean").unlink()
            for volume in (cache / "volumes").iterdir():
                data, part = volume.read_bytes(), body_of(target)[100_000:100_064]
                volume.write_bytes(data.replace(part, bytes(len(part))))
            async with disk_edge(upstream, tmp_path) as node:
                # What the index does not know is read while the edge is in use.
                await until(lambda: node.tier.find(target.encode(), ()) is not None)
                with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                    await get(node.port, target)
                await until(lambda: node.tier.find(target.encode(), ()) is None)
                answer = await get(node.port, target)
                assert not is_hit(answer) and is_right(answer, target)
                assert is_right(await get(node.port, target), target)
            assert len(upstream.seen) == 2

    run(scenario())


def test_readers_that_fall_behind_read_from_the_file(tmp_path: Path) -> None:
    size = 24 << 20
    target = target_of(1, size)

    async def scenario() -> None:
        async with (
            origin(serve) as upstream,
            disk_edge(upstream, tmp_path, disk=256 << 20, ram=1 << 20) as node,
        ):
            async with connect(node.port, small=True) as slow:
                await slow.ask(target)
                head = await slow.head()
                fast = await get(node.port, target)
                assert is_right(fast, target)
                head.body = await slow.body(head.headers)
                assert is_right(head, target)
            assert is_hit(await get(node.port, target))
        assert len(upstream.seen) == 1

    run(scenario())


def test_a_body_that_is_cut_is_not_stored(tmp_path: Path) -> None:
    cut = True

    async def handler(seen: Seen, exchange: Exchange) -> None:
        body = body_of(seen.target)
        if not cut:
            await serve(seen, exchange)
            return
        await exchange.head("Cache-Control: max-age=60", f"Content-Length: {len(body)}")
        await exchange.send(body[: len(body) // 2])
        exchange.cut()

    async def scenario() -> None:
        nonlocal cut
        target = target_of(1, HUGE)
        async with origin(handler) as upstream:
            async with disk_edge(upstream, tmp_path) as node:
                with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                    await get(node.port, target)
            cut = False
            async with disk_edge(upstream, tmp_path) as node:
                answer = await get(node.port, target)
                assert not is_hit(answer) and is_right(answer, target)

    run(scenario())


def test_a_folder_that_is_gone_costs_clients_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with origin(serve) as upstream, disk_edge(upstream, tmp_path) as node:
            await get(node.port, target_of(0, SMALL))
            (tmp_path / "cache" / "volumes").rename(tmp_path / "away")
            for number, size in enumerate((SMALL, LARGE, 5_000_000, 20_000_000), 1):
                target = target_of(number, size)
                for _ in range(2):
                    answer = await get(node.port, target)
                    assert answer.status == 200 and is_right(answer, target)
            await until(lambda: node.count("disk_failures_total", "disk-missing"))

    run(scenario())


def test_a_purge_is_kept_until_the_disk_has_turned_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiered, "TICK", 0.02)
    monkeypatch.setattr(tiered, "SETTLED", 0.1)
    target = target_of(0, SMALL)

    async def scenario() -> None:
        async with (
            origin(serve) as upstream,
            disk_edge(upstream, tmp_path, disk=8 << 20, ram=1 << 20) as node,
        ):
            await get(node.port, target)
            await until(lambda: node.count("disk_objects"))
            await node.purges.purge([url_name(target)], soft=False)
            await until(lambda: node.tier.is_clean)
            await asyncio.sleep(0.5)  # ten times what it takes to forget
            assert len(node.purges.rules) == 1
            assert not is_hit(await get(node.port, target))
            for number in range(1, 200):
                await get(node.port, target_of(number, 60_000))
            await until(lambda: not len(node.purges.rules))

    run(scenario())


def test_pipelined_parts_of_a_file_need_no_stack(tmp_path: Path) -> None:
    """They wait behind a miss, and then each is sent at once."""
    target, miss, count = target_of(1, LARGE), target_of(2, 10), 1000

    async def scenario() -> None:
        async with origin(serve) as upstream, disk_edge(upstream, tmp_path) as node:
            await get(node.port, target)
            async with connect(node.port) as client:
                asked = [
                    (miss, ""),
                    *((target, f"Range: bytes={n}-{n + 5}\r\n") for n in range(count)),
                ]
                heads = (
                    f"GET {what} HTTP/1.1\r\nHost: e\r\n{line}\r\n" for what, line in asked
                )
                await client.send("".join(heads).encode())
                assert is_right(await client.answer(), miss)
                for start in range(count):
                    assert is_right(await client.answer(), target, start, start + 6)

    run(scenario())


def test_a_body_that_turns_out_too_large_does_not_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 0
    append, write = spool.Spool.append, spool._append

    def note(self: spool.Spool, piece: bytes) -> None:
        nonlocal most
        append(self, piece)
        most = max(most, self._waiting)

    def slowly(writer: Writer, batch: list[bytes]) -> None:
        time.sleep(0.1)
        write(writer, batch)

    monkeypatch.setattr(spool.Spool, "append", note)
    monkeypatch.setattr(spool, "_append", slowly)
    target, limit = target_of(1, 16 << 20), 2 << 20

    async def handler(seen: Seen, exchange: Exchange) -> None:
        body = body_of(seen.target)
        await exchange.head("Cache-Control: max-age=60", "Transfer-Encoding: chunked")
        for start in range(0, len(body), 1 << 20):
            await exchange.chunk(body[start : start + (1 << 20)])
        await exchange.chunk(b"")

    async def scenario() -> None:
        async with (
            origin(handler) as upstream,
            disk_edge(upstream, tmp_path, max_object=4 << 20, spool_limit=limit) as node,
        ):
            assert is_right(await get(node.port, target), target)
        assert most <= limit + (1 << 20)

    run(scenario())


def test_a_disk_that_hangs_keeps_no_turn_upstream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()
    monkeypatch.setattr(spool, "_PATIENCE", 0.1)
    monkeypatch.setattr(spool, "_append", lambda _writer, _batch: goes_on.wait())
    limits = {"max_upstream": 2, "upstream_patience": 1.0}

    async def scenario() -> None:
        async with origin(serve) as upstream, disk_edge(upstream, tmp_path, **limits) as node:
            try:
                for number in range(8):
                    target = target_of(number, LARGE)
                    assert is_right(await get(node.port, target), target)
            finally:
                goes_on.set()

    run(scenario())


def test_a_client_that_leaves_amid_parts_of_a_file_is_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What it has sent beyond its request waits, so that nobody reads the end."""
    target, block = target_of(1, 24 << 20), 8 << 20

    async def scenario() -> None:
        limits = {"block": block, "ram": 64 << 20, "disk": 64 << 20}
        async with origin(serve) as upstream, disk_edge(upstream, tmp_path, **limits) as node:
            await get(node.port, target, f"Range: bytes=0-{block - 1}")
            await until(lambda: is_in_file(node, target))
            async with connect(node.port, small=True) as client:
                line = f"Range: bytes=0-{block - 1}"
                await client.ask(target, line)
                await client.ask(target, line)
                await client.head()
            lines = await node.logged(2)
            assert lines[1]["detail"] == "client-left"
        assert not caplog.records

    def is_in_file(node: Edge, target: str) -> bool:
        entry = node.tier.find(target.encode(), ())
        return entry is not None and entry.is_on_disk

    run(scenario())


@pytest.mark.parametrize("folder", ["in RAM", "on the disk"])
def test_what_is_stored_goes_to_a_client_that_sends_no_more(
    tmp_path: Path, folder: str
) -> None:
    target = target_of(1, 12_000_000)
    limits = {"cache_dir": None, "ram": 64 << 20} if folder == "in RAM" else {}

    async def scenario() -> None:
        async with origin(serve) as upstream, disk_edge(upstream, tmp_path, **limits) as node:
            await get(node.port, target)
            await until(lambda: node.tier.find(target.encode(), ()))  # its fill has ended
            async with connect(node.port, small=True) as client:
                await client.ask(target)
                client.writer.write_eof()
                assert is_right(await client.answer(), target)
                assert await client.is_closed()

    run(scenario())


def test_a_growing_body_is_not_ended_by_a_client_that_sends_no_more(tmp_path: Path) -> None:
    """An HTTP/1.0 client would take what it has for the whole."""
    goes_on = asyncio.Event()

    async def handler(_seen: Seen, exchange: Exchange) -> None:
        await exchange.head("Cache-Control: max-age=60", "Transfer-Encoding: chunked")
        await exchange.chunk(b"x")
        await goes_on.wait()

    async def scenario() -> None:
        async with origin(handler) as upstream, disk_edge(upstream, tmp_path) as node:
            async with connect(node.port) as client:
                await client.send(b"GET / HTTP/1.0\r\n\r\n")
                await client.reader.readuntil(b"\r\n\r\nx")
                client.writer.write_eof()
                with pytest.raises(ConnectionResetError):
                    await client.reader.read()
            goes_on.set()

    run(scenario())
