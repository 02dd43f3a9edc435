"""``headrace demo``: samples, their entry, an origin and an edge as one foreground process.

The origin and the edge are processes of their own, started by the command that a user would
type.  Each holds the end of a pipe (its *lifeline*), so that they leave even when the demo is
killed.  They have a session of their own: Ctrl-C reaches the demo alone, which ends the edge
first, or its last requests would meet no origin.
"""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import NoReturn

from headrace import FAILED, Misuse, say

HERE = Path(__file__).absolute().parent
PLAYERS = HERE / "node_modules"
_PLAYER_PACKAGES = ("hls.js", "shaka-player", "dashjs")

READY_LIMIT = 60.0
"""Seconds that a server may take to get ready."""
STOP_LIMIT = 40.0
"""Seconds that it may take to end; its own limit for responses is below that."""
_LINE_LIMIT = 1000
"""Bytes of a ready line."""

_URL = re.compile(r"http://\S+")


class DemoError(Exception):
    """The demo cannot go on; the message is one line, or empty if a server has said it."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


class _Stop(BaseException):
    """SIGTERM or SIGINT."""


@dataclass(slots=True)
class Server:
    """An origin or an edge that we started."""

    name: str
    process: subprocess.Popen[bytes]
    output: int
    """Its standard output: one line when it is ready, and its end when it has ended."""


def run(data: Path, port: int, seconds: float) -> int:
    """Run the demo until SIGTERM or SIGINT; its exit status."""
    signal.signal(signal.SIGTERM, _raise_stop)
    signal.signal(signal.SIGINT, _raise_stop)
    data = data.absolute()
    try:
        _check_port(port)  # before the minutes of making samples
        entry = _ingest(_samples(data / "samples", seconds), data)
        with _lifeline() as lifeline:
            _serve(entry, data, port, lifeline)
    except _Stop:
        return 0
    except DemoError as error:
        return say("headrace demo", str(error), error.status) if str(error) else error.status


def _raise_stop(_number: int, _frame: object) -> NoReturn:
    raise _Stop


def _check_port(port: int) -> None:
    from serving.sockets import ListenError, listen

    try:
        listen("127.0.0.1", port).close()
    except ListenError as error:
        raise Misuse(f"--port: {error}") from error


# The entry.


def _samples(folder: Path, seconds: float) -> list[Path]:
    """The sample flavors, made unless they are there."""
    try:
        from bench.samples import make_samples
    except ModuleNotFoundError as error:
        if error.name != "av":
            raise
        raise DemoError("PyAV makes the samples: pip install 'headrace[demo]'") from error
    with _progress() as report:
        return make_samples(folder, seconds, report)


@contextmanager
def _progress() -> Iterator[Callable[[str, float], None]]:
    """A bar for each file, on standard error."""
    from rich.console import Console
    from rich.progress import Progress, TaskID

    with Progress(console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def report(name: str, share: float) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=1)
            progress.update(tasks[name], completed=share)

        yield report


def _ingest(files: list[Path], data: Path) -> str:
    """Ingest the samples as a user would; the entry's id.  The same files change nothing."""
    from origin.ingest.program import ingest

    with redirect_stdout(StringIO()) as output:
        status = ingest(tuple(files), data, None, 101, "Headrace demo", None, False)
    printed = output.getvalue().split()
    if status or not printed:
        raise DemoError("the samples were not ingested", status or FAILED)
    return printed[-1]


# The servers.


@contextmanager
def _lifeline() -> Iterator[int]:
    """A descriptor that reads as ended when this process is gone."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)


def _serve(entry: str, data: Path, port: int, lifeline: int) -> NoReturn:
    servers: list[Server] = []
    try:
        origin = [*("--data", str(data), "--port", "0", "--page-entry", entry), *_players()]
        servers.append(_start("origin", origin, lifeline))
        upstream = _wait_until_ready(servers[0])
        edge = ["--upstream", upstream, "--port", str(port)]
        servers.append(_start("edge", edge, lifeline))
        address = _wait_until_ready(servers[1])
        _say_where(address, entry)
        _supervise(servers)
    finally:
        _stop(servers)


def _players() -> list[str]:
    there = all((PLAYERS / package).is_dir() for package in _PLAYER_PACKAGES)
    return ["--players", str(PLAYERS)] if there else []


def _start(name: str, options: list[str], lifeline: int) -> Server:
    process = subprocess.Popen(
        [sys.executable, str(HERE / "headrace.py"), name, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={**os.environ, "HEADRACE_LIFELINE": str(lifeline)},
        pass_fds=[lifeline],
        start_new_session=True,
    )
    assert process.stdout is not None
    return Server(name, process, process.stdout.fileno())


def _wait_until_ready(server: Server) -> str:
    """The address in the ready line of *server*."""
    found = _URL.search(_read_line(server))
    if found is None:
        raise DemoError(f"the {server.name} printed no address")
    return found[0]


def _read_line(server: Server) -> str:
    give_up, line = time.monotonic() + READY_LIMIT, b""
    while not line.endswith(b"\n") and len(line) < _LINE_LIMIT:
        patience = max(0.0, give_up - time.monotonic())
        if not select.select([server.output], [], [], patience)[0]:
            raise DemoError(f"the {server.name} was not ready in {READY_LIMIT:.0f} s")
        piece = os.read(server.output, _LINE_LIMIT)
        if not piece:
            raise DemoError("", _status(server) or FAILED)  # it has said why, in its own line
        line += piece
    return line.decode(errors="replace")


def _say_where(address: str, entry: str) -> None:
    """The ready line, and the addresses themselves where no page can play them."""
    if not _players():
        say("headrace demo", f"the page has no players: npm ci in {HERE.name} gets them", 0)
        for path in ("cmaf/e/{}/master.m3u8", "cmaf/e/{}/manifest.mpd", "hls/e/{}/master.m3u8"):
            print(f"{address}/{path.format(entry)}", file=sys.stderr)  # noqa: T201
    print(f"headrace demo ready {address}/", flush=True)  # noqa: T201


def _supervise(servers: list[Server]) -> NoReturn:
    """Wait for the end of one of them, which nobody wants."""
    by_output = {server.output: server for server in servers}
    ended, _, _ = select.select(list(by_output), [], [])
    server = by_output[ended[0]]
    raise DemoError(f"the {server.name} ended with status {_status(server)}")


def _status(server: Server) -> int:
    """The exit status of a server that has closed its output."""
    try:
        return server.process.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        server.process.kill()
        return server.process.wait()


def _stop(servers: list[Server]) -> None:
    """End the servers, the last first.  A second Ctrl-C is passed on: it shortens the wait."""

    def hurry(number: int, _frame: object) -> None:
        for server in servers:
            server.process.send_signal(number)

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, hurry)
    for server in reversed(servers):
        server.process.terminate()
        _status(server)
        if server.process.stdout is not None:
            server.process.stdout.close()
