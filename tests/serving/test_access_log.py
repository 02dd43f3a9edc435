"""Lines arrive whole and in order, or are dropped and counted."""

import asyncio
import json
import logging
import os
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import uvloop

from serving import access_log
from serving.access_log import BUFFER_LIMIT, AccessLog, LineHandler


def in_loop(scenario: Callable[[], Awaitable[None]]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())  # type: ignore[arg-type]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


def test_lines_are_written_together_after_a_while(pipe: tuple[int, int]) -> None:
    async def scenario() -> None:
        log = AccessLog(pipe[1])
        log.write({"path": "/a", "status": 200})
        log.write(b'{"made":"elsewhere"}')
        os.set_blocking(pipe[0], False)
        with pytest.raises(BlockingIOError):
            os.read(pipe[0], 1)
        await asyncio.sleep(access_log.FLUSH_DELAY * 2)
        lines = os.read(pipe[0], 1000).splitlines()
        assert list(map(json.loads, lines)) == [
            {"path": "/a", "status": 200},
            {"made": "elsewhere"},
        ]
        await log.close()

    in_loop(scenario)


def test_closing_writes_the_last_lines(tmp_path: Path) -> None:
    async def scenario() -> None:
        with (tmp_path / "log").open("wb") as file:
            file.write(b"before\n")
            file.flush()
            log = AccessLog(file.fileno())
            log.write({"last": True})
            await log.close()
            file.write(b"after\n")

    in_loop(scenario)
    assert (tmp_path / "log").read_bytes() == b'before\n{"last":true}\nafter\n'


def test_a_socket_takes_lines_too() -> None:
    async def scenario() -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            log = AccessLog(ours.fileno())
            log.write({"n": 1})
            await log.close()
            assert theirs.recv(100) == b'{"n":1}\n'
            assert ours.getblocking()

    in_loop(scenario)


def test_a_reader_that_is_behind_gets_the_first_and_the_rest_is_counted(
    pipe: tuple[int, int],
) -> None:
    dropped = 0

    def count(lines: int) -> None:
        nonlocal dropped
        dropped += lines

    async def scenario() -> None:
        log = AccessLog(pipe[1], dropped=count)
        for number in range(3000):
            log.write({"number": number, "filler": "x" * 1000})
        assert dropped > 3000 - 2 * BUFFER_LIMIT / 1000
        reader = asyncio.create_task(asyncio.to_thread(read_all, pipe[0], 3000 - dropped))
        await log.close()
        numbers = [json.loads(line)["number"] for line in await reader]
        assert numbers == list(range(3000 - dropped))

    in_loop(scenario)


def read_all(descriptor: int, lines: int) -> list[bytes]:
    found = b""
    while found.count(b"\n") < lines:
        found += os.read(descriptor, 65536)
    return found.splitlines()


def test_lines_of_two_writers_do_not_mix(pipe: tuple[int, int]) -> None:
    async def scenario() -> None:
        logs = [AccessLog(pipe[1]) for _ in range(2)]
        reader = asyncio.create_task(asyncio.to_thread(read_all, pipe[0], 2000))
        for number in range(1000):
            for log in logs:
                log.write({"number": number, "filler": "x" * (number % 3000)})
            await asyncio.sleep(0)
        for log in logs:
            await log.close()
        assert sorted(json.loads(line)["number"] for line in await reader) == sorted(
            [*range(1000), *range(1000)]
        )

    in_loop(scenario)


def test_a_reader_that_left_hurts_nobody() -> None:
    dropped: list[int] = []

    async def scenario() -> None:
        reading, writing = os.pipe()
        log = AccessLog(writing, dropped=dropped.append)
        os.close(reading)
        log.write({"n": 1})
        log.flush()
        log.write({"n": 2})
        await log.close()
        os.close(writing)

    in_loop(scenario)
    assert sum(dropped) == 2


def test_a_record_that_cannot_be_encoded_leaves_nothing_behind(pipe: tuple[int, int]) -> None:
    async def scenario() -> None:
        log = AccessLog(pipe[1])
        log.write({"n": 1})
        with pytest.raises(TypeError):
            log.write({"n": 2, "bad": object()})
        log.write({"n": 3})
        await log.close()
        assert os.read(pipe[0], 1000) == b'{"n":1}\n{"n":3}\n'

    in_loop(scenario)


def test_logging_goes_the_same_way_from_any_thread(pipe: tuple[int, int]) -> None:
    async def scenario() -> None:
        log = AccessLog(pipe[1])
        logger = logging.Logger("test")
        logger.addHandler(LineHandler(log))
        logger.warning("here %d", 1)
        try:
            raise ValueError("a secret\nof two lines")
        except ValueError as error:
            await asyncio.to_thread(logger.exception, "there", exc_info=error)
        await asyncio.sleep(0)
        await log.close()
        first, second = map(msgspec.json.decode, os.read(pipe[0], 9000).splitlines())
        assert (first["message"], first["level"]) == ("here 1", "warning")
        assert "ValueError: a secret" in second["traceback"]

    in_loop(scenario)


def test_threads_may_log_after_the_end(pipe: tuple[int, int]) -> None:
    handlers: list[LineHandler] = []

    async def scenario() -> None:
        log = AccessLog(pipe[1])
        handlers.append(LineHandler(log))
        await log.close()
        log.write({"too": "late"})
        await asyncio.sleep(access_log.FLUSH_DELAY * 2)
        os.set_blocking(pipe[0], False)
        with pytest.raises(BlockingIOError):
            os.read(pipe[0], 1)

    in_loop(scenario)
    record = logging.LogRecord("test", logging.INFO, "", 0, "late", (), None)
    thread = threading.Thread(target=handlers[0].emit, args=(record,))
    thread.start()
    thread.join()  # an exception in it would be a warning, and so an error
