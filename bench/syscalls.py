"""System calls per request, counted by ``strace -c`` where it is installed and may look."""

import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.client import Client
from bench.errors import NotThere
from bench.servers import Server

_ROW = re.compile(r"^ *[0-9.]+ +[0-9.]+ +[0-9]+ +([0-9]+) +(?:[0-9]+ +)?([a-z0-9_]+)$")
_LIMIT = 10.0
"""Seconds."""


def count_calls(server: Server, paths: Sequence[str]) -> dict[str, float]:
    """How often each system call is made per request, the most frequent first."""
    program = shutil.which("strace")
    if program is None:
        raise NotThere("strace is not installed (Debian: apt-get install strace)")
    with Client(server.address) as client, tempfile.TemporaryDirectory() as folder:
        for path in paths:
            client.get(path)
        counts = Path(folder) / "counts"
        targets = [word for pid in server.pids for word in ("-p", str(pid))]
        strace = subprocess.Popen(
            [program, "-f", "-c", "-o", str(counts), *targets],
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            _wait_until_attached(strace, server.pids)
            for path in paths:
                client.get(path)
            _wait_until_asleep(server.pids)
        finally:
            strace.send_signal(signal.SIGINT)
            _, said = strace.communicate()
        if not counts.exists():
            raise NotThere(f"strace: {said.strip()[-200:]}")
        return _parse(counts.read_text(), len(paths))


def _wait_until_attached(strace: "subprocess.Popen[str]", pids: Sequence[int]) -> None:
    give_up = time.monotonic() + _LIMIT
    while strace.poll() is None and time.monotonic() < give_up:
        if all(_is_traced(thread) for pid in pids for thread in _threads(pid)):
            time.sleep(0.05)  # the calls that attaching interrupted are made again
            return
        time.sleep(0.01)
    raise NotThere("strace may not look at the server")


def _wait_until_asleep(pids: Sequence[int]) -> None:
    """A call is counted when it returns, and a client has its answer before ``send`` does."""
    give_up, quiet = time.monotonic() + _LIMIT, 0
    while quiet < 3 and time.monotonic() < give_up:
        time.sleep(0.01)
        asleep = all(_state(thread) == "S" for pid in pids for thread in _threads(pid))
        quiet = quiet + 1 if asleep else 0


def _state(thread: Path) -> str:
    """``R`` running, ``S`` asleep, ``t`` held by a tracer (proc_pid_stat(5))."""
    return (thread / "stat").read_text().rpartition(") ")[2][0]


def _threads(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").iterdir())


def _is_traced(thread: Path) -> bool:
    return "TracerPid:\t0\n" not in (thread / "status").read_text()


def _parse(table: str, requests: int) -> dict[str, float]:
    rows = [match for line in table.splitlines() if (match := _ROW.match(line))]
    calls = {row[2]: int(row[1]) / requests for row in rows if row[2] != "total"}
    return dict(sorted(calls.items(), key=lambda one: -one[1]))
