"""What the programs measure with: the floor, the clients, the kernel's accounting."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import wrk
from bench.client import Address, Client
from bench.crowd import Crowd
from bench.errors import BadResponse
from bench.figures import Figure, figure, ratio
from bench.measure import closed_loop
from bench.processes import children, cpu_seconds, listeners, memory, reads
from bench.servers import Server, bare_tornado, floor
from bench.upstream import upstream
from tests.support.waiting import until

SIZE = 3_000_000


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("floor") / "file"
    path.write_bytes(random.Random(1).randbytes(SIZE))
    return path


@pytest.fixture(scope="module")
def base(file: Path) -> Iterator[Server]:
    with floor(file) as server:
        yield server


@pytest.mark.parametrize(
    ("offset", "length"), [(0, 1), (0, SIZE), (1, SIZE - 1), (70_001, 2_000_000), (5, 0)]
)
def test_the_floor_sends_the_region(base: Server, file: Path, offset: int, length: int) -> None:
    with Client(base.address) as client:
        head, body = client.fetch(f"/{offset}/{length}")
        assert head.status == 200
        assert body == file.read_bytes()[offset : offset + length]
        assert client.get(f"/{offset}/{length}").length == length


def test_the_floor_has_nothing_behind_the_end(base: Server) -> None:
    with Client(base.address) as client:
        assert client.fetch(f"/1/{SIZE}")[0].status == 404
        with pytest.raises(BadResponse, match="status 404"):
            client.get(f"/1/{SIZE}")


def test_the_bare_delegate_sends_as_many_bytes() -> None:
    with bare_tornado() as server, Client(server.address) as client:
        for size in (0, 1, 5000):
            assert client.get(f"/{size}").length == size


def test_a_closed_loop_counts_what_it_did(base: Server) -> None:
    run = closed_loop(base, ["/0/1000", "/0/3000"], 0.05)
    assert run.requests >= 2
    assert 0 < run.server_cpu < run.seconds * 1.5
    assert 1000 <= run.size / run.requests <= 3000
    assert 0 < run.first_byte <= run.whole


def test_a_crowd_hashes_and_counts(file: Path) -> None:
    with upstream() as url:
        crowd = Crowd(Address("127.0.0.1", int(url.rpartition(":")[2])), 5, hashed=True)
        try:
            outcome = crowd.once("/2000000")
            again = crowd.keep_asking(["/10", "/20"], 0.05)
        finally:
            crowd.close()
    assert [answer.size for answer in outcome.answers] == [2_000_000] * 5
    assert len({answer.digest for answer in outcome.answers}) == 1
    assert len(again.answers) >= 5
    assert {answer.size for answer in again.answers} <= {10, 20}


BUSY = """
import time
import threading
done, end = threading.Event(), threading.Event()
def work():
    while time.thread_time() < 0.3: sum(range(1000))
    done.set()
    end.wait()  # a thread that ends takes its time with it; a server's do not end
thread = threading.Thread(target=work)
thread.start()
while time.thread_time() < 0.3: sum(range(1000))
done.wait()
print(time.process_time(), flush=True)
input()
end.set()
"""


def test_cpu_is_what_the_process_says_itself() -> None:
    command = [sys.executable, "-c", BUSY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        before = cpu_seconds([os.getpid()])
        used = float(process.stdout.readline())
        assert cpu_seconds([process.pid]) == pytest.approx(used, rel=0.2)
        assert process.pid in children(os.getpid())
        assert memory(process.pid).proportional <= memory(process.pid).resident
        process.communicate(b"\n")
        assert cpu_seconds([os.getpid()]) >= before


def test_reads_are_counted(file: Path) -> None:
    before = reads(os.getpid())
    with file.open("rb", buffering=0) as stream:
        stream.read(100_000)
    done = reads(os.getpid()) - before
    assert done.size >= 100_000
    assert done.calls >= 1


def test_a_server_is_found_by_its_port(base: Server) -> None:
    assert listeners(base.address.port) == base.pids


def test_a_server_ends_with_the_bench(file: Path) -> None:
    """Also where the bench is killed and can end nothing."""
    program = (
        "import sys, time; from pathlib import Path; from bench.servers import floor\n"
        "with floor(Path(sys.argv[1])) as server:\n"
        "    print(server.pids[0], flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()
    until(lambda: not Path(f"/proc/{pid}").exists() or _is_zombie(pid))


def _is_zombie(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


WRK = """#!/bin/sh
cat <<'END'
Running 1s test @ http://127.0.0.1/
  1 threads and 3 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   250.00us    1.00ms  12.00ms   99.00%
  Latency Distribution
     50%  120.00us
     75%  200.00us
     90%  300.00us
     99%    1.50ms
  4321 requests in 1.00s, 9.00MB read
Requests/sec:   4321.00
END
"""


def test_what_wrk_says(base: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "wrk"
    program.write_text(WRK)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    run, times = wrk.load(base, "/0/2048", 3, 1)
    assert (run.requests, run.size) == (4321, 4321 * 2048)
    assert times == {"p50": pytest.approx(0.12), "p99": 1.5}
    program.write_text(WRK.replace("Requests/sec", "Non-2xx or 3xx responses: 3\nRequests/sec"))
    with pytest.raises(BadResponse):
        wrk.load(base, "/0/2048", 3, 1)


def test_a_figure_and_its_line() -> None:
    one = figure("ms", [3, 1, 2], at_most=2.5)
    assert (one.median, one.verdict, str(one)) == (2, "met", "2.00 (1.00-3.00)")
    assert Figure.from_json(one.as_json()) == one
    assert ratio("times", [2, 9], [1, 3]).runs == (2, 3)
    assert figure("ms", [3], at_most=2).verdict == "missed"
    assert str(figure("ms", [0.5])) == "0.50"
