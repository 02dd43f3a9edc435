"""Real processes on free ports: started, waited for, and ended by their number."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.waiting import LIMIT

_URL = re.compile(r"http://\S+")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Running:
    """A process that has printed its ready line."""

    process: subprocess.Popen[bytes]
    ready_line: str
    errors: Path
    """What it has written to standard error, as a file that grows."""
    rest: bytes = field(default=b"")
    """What followed the ready line on standard output, once it has ended."""

    @property
    def url(self) -> str:
        """The address of the ready line, without a slash at its end."""
        found = _URL.search(self.ready_line)
        assert found, self.ready_line
        return found[0].rstrip("/")

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.url.removeprefix("http://").rsplit(":", 1)
        return host.strip("[]"), int(port)

    @property
    def pid(self) -> int:
        return self.process.pid

    def stderr(self) -> str:
        return self.errors.read_text(errors="replace")

    def stop(self, number: signal.Signals = signal.SIGTERM, *, limit: float = LIMIT) -> int:
        """Send a signal and wait for the end; the exit status."""
        self.process.send_signal(number)
        return self.wait(limit)

    def wait(self, limit: float = LIMIT) -> int:
        """Wait for the end; the exit status."""
        assert self.process.stdout is not None
        status = self.process.wait(limit)
        if not self.process.stdout.closed:
            self.rest += _available(self.process.stdout.fileno())
            self.process.stdout.close()
        return status


@contextmanager
def running(
    *arguments: str | Path, env: Mapping[str, str] | None = None, limit: float = LIMIT
) -> Iterator[Running]:
    """``headrace`` with *arguments*, from its ready line to the end of the block."""
    command = [sys.executable, "-m", "headrace", *map(str, arguments)]
    with started(command, env=env, limit=limit) as process:
        yield process


@contextmanager
def started(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    limit: float = LIMIT,
    stderr: int | None = None,
) -> Iterator[Running]:
    """*command*, which prints one line when it is ready, until the end of the block.

    Its standard error goes to a file, which is shown when it does not get ready, or to the
    descriptor *stderr*.
    """
    with tempfile.TemporaryDirectory() as folder:
        errors = Path(folder, "stderr")
        with errors.open("wb") as file:
            process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=file if stderr is None else stderr,
                env={**os.environ, **(env or {})},
            )
        try:
            assert process.stdout is not None
            line = _read_line(process.stdout.fileno(), limit)
            if not line.endswith(b"\n"):
                raise AssertionError(f"{command}: not ready: {line!r} {errors.read_text()}")
            yield Running(process, line.decode().rstrip("\n"), errors)
        finally:
            _end(process)


def run(
    command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, limit: float = LIMIT
) -> subprocess.CompletedProcess[str]:
    """*command* from start to end."""
    return subprocess.run(
        command,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )


def headrace(
    *arguments: str | Path, env: Mapping[str, str] | None = None, limit: float = LIMIT
) -> subprocess.CompletedProcess[str]:
    """``headrace`` with *arguments* from start to end."""
    return run([sys.executable, "-m", "headrace", *arguments], env=env, limit=limit)


def is_alive(pid: int) -> bool:
    """Whether *pid* still runs (one that only waits to be reaped does not)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def children(pid: int) -> list[int]:
    """The processes that *pid* has started and that still run."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [child for child in map(int, found) if is_alive(child)]


def _read_line(descriptor: int, limit: float) -> bytes:
    """One line of a pipe, or what came before its end or the limit."""
    give_up, line = time.monotonic() + limit, b""
    while not line.endswith(b"\n"):
        patience = give_up - time.monotonic()
        if patience <= 0 or not select.select([descriptor], [], [], patience)[0]:
            break
        byte = os.read(descriptor, 1)
        if not byte:
            break
        line += byte
    return line


def _available(descriptor: int) -> bytes:
    """What is in a pipe now."""
    os.set_blocking(descriptor, False)
    found = b""
    try:
        while piece := os.read(descriptor, 65536):
            found += piece
    except BlockingIOError:
        pass
    return found


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    process.terminate()
    try:
        process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(LIMIT)
    process.stdout.close()
