"""Servers as processes of their own, on the core that is theirs, for the length of a block."""

import json
import os
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bench.client import Address
from bench.errors import BenchError
from bench.machine import ROOT, server_core
from bench.processes import children, cpu_seconds

READY_LIMIT = 60.0
STOP_LIMIT = 40.0
"""Seconds; a server's own limit for its last responses is below that."""

_URL = re.compile(r"http://\S+")
_LAUNCH = Path(__file__).with_name("launch.py")


@dataclass(slots=True)
class Server:
    """A server that is ready."""

    name: str
    address: Address
    pids: list[int]
    """The processes that serve; none where the server is not on this machine."""
    log: Path | None = None
    """What it wrote to standard error."""
    extra: dict[str, Address] = field(default_factory=dict)

    @property
    def cpu(self) -> float:
        """Seconds that it has used."""
        return cpu_seconds(self.pids)

    @property
    def url(self) -> str:
        return f"http://{self.address.header}"


def address_of(url: str) -> Address:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise BenchError(f"{url}: not http://host:port/…")
    return Address(parts.hostname, parts.port or 80)


def headrace(*arguments: str) -> list[str]:
    """The command line of our own command."""
    return [sys.executable, str(ROOT / "headrace.py"), *arguments]


@contextmanager
def origin(*options: str) -> Iterator[Server]:
    with _started("origin", headrace("origin", "--port", "0", *options)) as server:
        yield _with_workers(server)


@contextmanager
def edge(upstream: str, *options: str) -> Iterator[Server]:
    command = headrace("edge", "--port", "0", "--upstream", upstream, *options)
    with _started("edge", command) as server:
        yield _with_workers(server)


@contextmanager
def floor(file: Path) -> Iterator[Server]:
    with _started("floor", [sys.executable, "-m", "bench.floor", str(file)]) as server:
        yield server


@contextmanager
def bare_tornado() -> Iterator[Server]:
    program = Path(__file__).with_name("peers") / "bare_tornado.py"
    with _started("bare Tornado", [sys.executable, str(program)]) as server:
        yield server


def ingest(files: Sequence[Path], data: Path) -> str:
    """The id of the entry that *files* become."""
    command = headrace("ingest", *map(str, files), "--data", str(data), "--json")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"headrace ingest: {done.stderr.strip()[-300:]}")
    return str(json.loads(done.stdout.splitlines()[0])["entry"])


def _with_workers(server: Server) -> Server:
    """Ours serve by children; the parent only waits."""
    server.pids = children(server.pids[0])
    return server


@contextmanager
def _started(name: str, command: Sequence[str]) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="headrace-bench-") as folder:
        log = Path(folder) / "stderr"
        with launched(command, log) as process:
            assert process.stdout is not None
            line = _read_line(process.stdout.fileno())
            found = _URL.search(line)
            if found is None:
                raise BenchError(f"{name} did not get ready: {last_line(log)}")
            yield Server(name, address_of(found[0]), [process.pid], log)


@contextmanager
def launched(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process on the server's core that ends with the block, or with us."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(_python_path())}
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-IS", str(_LAUNCH), _core(), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches us alone
        )
    try:
        yield process
    finally:
        _stop(process)


def _core() -> str:
    core = server_core()
    return "" if core is None else str(core)


def _python_path() -> list[str]:
    return [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _read_line(descriptor: int) -> str:
    """The first line that comes, or what comes of it before the end or the limit."""
    give_up, line = time.monotonic() + READY_LIMIT, b""
    while not line.endswith(b"\n"):
        patience = max(0.0, give_up - time.monotonic())
        if not select.select([descriptor], [], [], patience)[0]:
            break
        piece = os.read(descriptor, 4096)
        if not piece:
            break
        line += piece
    return line.decode(errors="replace")


def last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1][-300:] if lines else "it said nothing"
