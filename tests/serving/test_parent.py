"""The life of a parent and its workers, with real processes."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.serving.conftest import PROGRAM, Program, Start
from tests.support.processes import children, free_port, is_alive, run
from tests.support.waiting import until


def test_ready_line_is_printed_once_and_alone(program: Start) -> None:
    with program("--workers", 3) as server:
        assert len(server.workers()) == 3
        assert int(server.get("/pid").body) in server.workers()
        assert server.running.stop() == 0, server.running.stderr()
        assert server.running.rest == b""


def test_a_killed_worker_is_replaced_and_its_counts_stay(program: Start) -> None:
    with program("--workers", 2) as server:
        for _ in range(10):
            server.get("/pid")
        until(lambda: server.metric("test_seconds_count") == 10)
        before = server.workers()
        os.kill(before[0], signal.SIGKILL)
        until(lambda: len(set(server.workers()) - {before[0]}) == 2)
        until(lambda: server.metric("headrace_workers") == 2)
        assert before[1] in server.workers()
        assert server.metric('test_requests_total{path="pid"}') == 10
        assert server.metric("headrace_worker_restarts_total") == 1
        assert "was killed by SIGKILL" in server.running.stderr()


def test_gauges_of_a_dead_worker_start_again(program: Start) -> None:
    with program() as server:
        server.get("/pid")
        until(lambda: server.metric("test_open") == 1)
        os.kill(server.workers()[0], signal.SIGKILL)
        until(lambda: server.metric("headrace_worker_restarts_total") == 1)
        assert server.metric("test_open") == 0
        assert server.metric('test_requests_total{path="pid"}') == 1


def test_a_worker_that_dies_at_once_is_started_again_ever_later(
    program: Start, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    with program("--fail", "restart", "--marks", marks) as server:
        os.kill(server.workers()[0], signal.SIGKILL)
        until(lambda: len(marks.read_text().splitlines()) == 4)
        notes = server.running.stderr()
        for pause in ("0.1 s", "0.2 s", "0.4 s"):
            assert f"started again in {pause}" in notes
        assert server.running.stop() == 0, server.running.stderr()


def test_the_first_start_failing_ends_all_with_one_line() -> None:
    result = run([sys.executable, PROGRAM, "--workers", "2", "--fail", "start"])
    assert result.returncode == 1
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("test program: worker 1: ValueError: no such setting (program.py:")


def test_address_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run([sys.executable, PROGRAM, "--port", str(port)])
    assert result.returncode == 2
    assert result.stderr == f"127.0.0.1:{port}: Address already in use\n"


def test_sigterm_lets_a_response_finish(program: Start, tmp_path: Path) -> None:
    marks = tmp_path / "go"
    with program("--workers", 2, "--marks", marks) as server:
        bodies: list[bytes] = []
        reader = threading.Thread(target=lambda: bodies.append(server.get("/until").body))
        reader.start()
        until(marks.with_suffix(".begun").exists)
        busy = server.workers()
        server.running.process.send_signal(signal.SIGTERM)
        until(lambda: sum(map(is_alive, busy)) == 1)  # the other one had nothing to finish
        until(lambda: not accepts(server.port))
        assert server.admin("/readyz").body == b"draining\n"
        assert server.admin("/healthz").status == 200
        marks.touch()
        assert server.running.wait() == 0
        reader.join()
        assert bodies == [b"finished"]
        assert not any(map(is_alive, busy))


@pytest.mark.parametrize("second", [None, signal.SIGINT], ids=["limit", "second Ctrl-C"])
def test_what_does_not_finish_is_killed(
    program: Start, tmp_path: Path, second: signal.Signals | None
) -> None:
    marks, limit = tmp_path / "never", 0.5 if second is None else 60
    with (
        program("--marks", marks, "--drain", limit) as server,
        socket.create_connection(("127.0.0.1", server.port)) as client,
    ):
        client.sendall(b"GET /until HTTP/1.1\r\n\r\n")
        until(marks.with_suffix(".begun").exists)
        begun = time.monotonic()
        server.running.process.send_signal(signal.SIGINT)
        until(lambda: not accepts(server.port))
        if second is not None:
            server.running.process.send_signal(second)
        assert server.running.wait() == 0
        assert time.monotonic() - begun < 10


def test_workers_leave_when_the_parent_is_killed(program: Start) -> None:
    port = free_port()
    with program("--workers", 2, "--port", port) as server:
        orphans = server.workers()
        assert len(orphans) == 2
        assert server.running.stop(signal.SIGKILL) == -signal.SIGKILL
        with program("--port", port) as successor:  # without waiting: it serves at once
            assert int(successor.get("/pid").body) in successor.workers()
        until(lambda: not any(map(is_alive, orphans)))


def test_a_parent_leaves_when_its_lifeline_ends(program: Start) -> None:
    # The descriptor is passed on by being inheritable: 0 is, in every child.
    reading, writing = os.pipe()
    saved = os.dup(0)
    os.dup2(reading, 0)
    try:
        with program(env={"HEADRACE_LIFELINE": "0"}) as server:
            assert server.get("/pid").status == 200
            os.close(writing)
            assert server.running.wait() == 0
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(reading)


def test_sighup_reaches_every_worker(program: Start) -> None:
    with program("--workers", 2) as server:
        for count in (1, 2):
            server.running.process.send_signal(signal.SIGHUP)
            wanted = f'{{"reload":{count}}}'
            until(lambda wanted=wanted: server.running.stderr().count(wanted) == 2)
        assert server.running.stop() == 0, server.running.stderr()


def test_metrics_sum_over_workers(program: Start) -> None:
    with program("--workers", 2) as server:
        for pid in until(lambda: seen_by_all(server)):
            assert pid in server.workers()
        asked = server.metric('test_requests_total{path="pid"}')
        server.get("/pid")
        until(lambda: server.metric('test_requests_total{path="pid"}') == asked + 1)
        assert server.metric('test_seconds_bucket{le="+Inf"}') == asked + 1
        assert server.metric("headrace_workers") == 2
        started = server.metric("headrace_start_time_seconds")
        assert started is not None
        assert abs(started - time.time()) < 60


def seen_by_all(server: Program) -> set[int] | None:
    """The workers that have answered, once both have."""
    connections = [
        socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(20)
    ]
    pids = set()
    for connection in connections:
        connection.sendall(b"GET /pid HTTP/1.1\r\n\r\n")
    for connection in connections:
        with connection, connection.makefile("rb") as answer:
            pids.add(int(answer.read().split(b"\r\n\r\n")[1]))
    return pids if len(pids) == 2 else None


def test_a_blocked_log_blocks_nothing(program: Start) -> None:
    reading, writing = os.pipe()
    try:
        with program("--workers", 1, stderr=writing) as server:
            assert os.get_blocking(writing)  # the flag is for everybody who has the pipe
            for _ in range(5):
                server.get("/chatter")  # 4 MB each, into a pipe of 64 KiB that nobody reads
                assert server.get("/pid").status == 200
            dropped = server.metric("headrace_log_lines_dropped_total")
            assert dropped is not None
            assert dropped > 10_000
            os.kill(server.workers()[0], signal.SIGKILL)  # the parent is not held either
            until(lambda: server.metric("headrace_worker_restarts_total") == 1)
            assert server.running.stop() == 0, server.running.stderr()
    finally:
        os.close(reading)
        os.close(writing)


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except (ConnectionError, TimeoutError):
        return False
    return True


def test_children_are_found() -> None:
    others = children(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert set(children(os.getpid())) - set(others) == {child.pid}
    finally:
        child.communicate(b"\n", timeout=10)
    assert child.pid not in children(os.getpid())
