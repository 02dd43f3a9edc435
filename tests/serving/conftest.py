"""The test program as a process, and how to ask it."""

import http.client
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.processes import Running, children, started

PROGRAM = Path(__file__).with_name("program.py")


@dataclass
class Answer:
    status: int
    body: bytes
    headers: http.client.HTTPMessage


@dataclass
class Program:
    """A running test program: where it serves and where it is administered."""

    running: Running

    @property
    def port(self) -> int:
        return int(self.running.ready_line.rsplit(":", 1)[1])

    @property
    def admin_port(self) -> int:
        return self.running.address[1]

    def workers(self) -> list[int]:
        return children(self.running.pid)

    def get(self, path: str) -> Answer:
        return ask(self.port, "GET", path)

    def admin(self, path: str, method: str = "GET", **more: object) -> Answer:
        return ask(self.admin_port, method, path, **more)

    def metric(self, series: str) -> float | None:
        """The value of one series in /metrics."""
        for line in self.admin("/metrics").body.decode().splitlines():
            name, _, value = line.rpartition(" ")
            if name == series:
                return float(value)
        return None


def ask(
    port: int, method: str, path: str, body: bytes | None = None, headers: object = None
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, headers or {})  # type: ignore[arg-type]
        response = connection.getresponse()
        return Answer(response.status, response.read(), response.headers)
    finally:
        connection.close()


Start = Callable[..., AbstractContextManager[Program]]


@contextmanager
def start(
    *arguments: object, stderr: int | None = None, env: dict[str, str] | None = None
) -> Iterator[Program]:
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    with started(command, stderr=stderr, env=env) as process:
        yield Program(process)


@pytest.fixture
def program() -> Start:
    return start


@pytest.fixture(scope="module")
def module_program() -> Start:
    """The same, for a process that all tests of a module ask."""
    return start
