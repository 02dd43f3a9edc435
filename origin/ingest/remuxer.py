"""The process that remuxes one file, seen from ingest: how it is started, limited and heard."""

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_SILENCE = 120
"""Seconds without progress until the process is killed."""

_LONGEST_LINE = 1 << 20
_ROOT = Path(__file__).parents[2]
"""Where ``origin`` is imported from."""


class NotRemuxed(Exception):
    """The message is the reason."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of the process."""

    cpu_seconds: int
    memory: int
    """Bytes of its address space."""

    output: int
    """Bytes of the MP4."""


def limits_of(size: int) -> Limits:
    """By the bytes of the file, so that a hostile one costs no more than an error.

    An MP4 repeats the access units and has at most some 40 bytes in its tables of each, which
    is more than the smallest units of sound are long themselves.
    """
    return Limits(cpu_seconds=60 + (size >> 21), memory=3 << 30, output=(64 << 20) + 4 * size)


def run(source: int, target: int, progress: Callable[[int], None]) -> dict[str, Any]:
    """What the process says at the end.  Raises ``NotRemuxed`` and ``OSError``."""
    limits = limits_of(os.fstat(source).st_size)
    numbers = (source, target, limits.cpu_seconds, limits.memory, limits.output)
    with subprocess.Popen(
        [sys.executable, "-m", "origin.ingest.remuxing", *map(str, numbers)],
        cwd=_ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(source, target),
    ) as process:
        try:
            said = _listen(process, progress)
        except BaseException:
            process.kill()
            raise
    if "left_out" in said and process.returncode == 0:
        return said
    raise NotRemuxed(said.get("refused") or _end(process.returncode))


def _listen(
    process: "subprocess.Popen[bytes]", progress: Callable[[int], None]
) -> dict[str, Any]:
    said: dict[str, Any] = {}
    known = 0
    for line in _lines(process.stdout):
        said = json.loads(line)
        if "read" in said:
            progress(said["read"] - known)
            known = said["read"]
    return said


def _lines(pipe: IO[bytes] | None) -> Iterator[bytes]:
    """Raises ``NotRemuxed`` where none comes for too long."""
    if pipe is None:
        return
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if not selector.select(_SILENCE):
                raise NotRemuxed(f"no progress in {_SILENCE} s")
            data = os.read(pipe.fileno(), 1 << 16)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > _LONGEST_LINE:
                raise NotRemuxed("the remuxing process says too much")
            yield from lines


def _end(status: int) -> str:
    if status == -signal.SIGXCPU:
        return "remuxing it takes more time than its size allows"
    if status < 0:
        return f"remuxing it ended with {signal.Signals(-status).name}"
    return f"remuxing it failed (exit {status})"
