"""Processes that draw pictures, a few for each worker; each does one job at a time.

They begin with the first job.  One that dies, takes too long or has done many jobs is replaced.
"""

import asyncio
import os
import selectors
import signal
import struct
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from origin.drawing import READY
from origin.errors import Overloaded, SourceUnavailable
from packager.errors import MalformedMedia
from packager.pictures.jobs import Job, encode_job

_SECONDS = 20.0
"""For one job, and for a process to begin."""

_JOBS = 1_000
"""Of a process: what FFmpeg may lose is given back."""

_WAITING = 64
"""Jobs that wait for each process; further ones are refused."""

_MOST = 64 << 20
"""Bytes of a JPEG."""

_LENGTH = struct.Struct(">I")
_ROOT = Path(__file__).parents[1]
"""Where ``origin`` is imported from."""


_NO_PROCESS = "the process that draws pictures does not begin"


class Fatal(MalformedMedia):
    """A job that its process did not survive; at another time one may."""


class _Died(Fatal):
    """By itself."""


class _Slow(Exception):
    """No answer in time."""


class _Process:
    def __init__(self) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "origin.drawing"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._child.stdin is not None and self._child.stdout is not None
        self._into, self._out = self._child.stdin.fileno(), self._child.stdout.fileno()
        os.set_blocking(self._into, False)
        self.left = _JOBS
        try:
            begun = self._exchange(memoryview(b""), 1, time.monotonic() + _SECONDS)
        except (_Slow, OSError):
            begun = b""
        if begun != READY:
            self.end()
            raise SourceUnavailable(_NO_PROCESS)

    def carry_out(self, job: Job, samples: memoryview) -> bytes:
        """The JPEG.  Raises ``MalformedMedia``; ``_Slow`` and ``OSError`` at its end."""
        self.left -= 1
        until = time.monotonic() + _SECONDS
        self._send(memoryview(encode_job(job)), until)
        length = _LENGTH.unpack(self._exchange(samples, _LENGTH.size, until))[0]
        if length:
            if length > _MOST:
                raise OSError("an answer that is too long")
            return self._receive(length, until)
        reason = self._receive(_LENGTH.unpack(self._receive(_LENGTH.size, until))[0], until)
        raise MalformedMedia(f"the picture cannot be decoded: {reason.decode()}")

    def await_end(self) -> None:
        """For a moment: its pipes close before it has a status."""
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(1)

    def kill(self) -> None:
        self._child.kill()

    def end(self) -> int:
        """Its status."""
        self._child.kill()
        status = self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        return status

    def _exchange(self, data: memoryview, size: int, until: float) -> bytes:
        self._send(data, until)
        return self._receive(size, until)

    def _send(self, data: memoryview, until: float) -> None:
        while len(data):
            _wait(self._into, selectors.EVENT_WRITE, until)
            data = data[os.write(self._into, data) :]

    def _receive(self, size: int, until: float) -> bytes:
        found = bytearray()
        while len(found) < size:
            _wait(self._out, selectors.EVENT_READ, until)
            got = os.read(self._out, size - len(found))
            if not got:
                raise BrokenPipeError("the process ended")
            found += got
        return bytes(found)


def _wait(fd: int, event: int, until: float) -> None:
    with selectors.PollSelector() as selector:
        selector.register(fd, event)
        if not selector.select(max(0.0, until - time.monotonic())):
            raise _Slow


class Drawers:
    """At most *count* processes."""

    def __init__(self, count: int) -> None:
        self._most = count * _WAITING
        self._jobs = 0
        self._threads = ThreadPoolExecutor(count, "drawer")
        self._own = threading.local()
        self._all: set[_Process] = set()
        self._closed = False

    async def draw(self, job: Job, samples: memoryview) -> bytes:
        """Raises ``Overloaded``, ``SourceUnavailable`` and ``MalformedMedia``."""
        if self._jobs >= self._most:
            raise Overloaded("too many pictures are being drawn")
        self._jobs += 1
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._draw, job, samples)
        finally:
            self._jobs -= 1

    async def close(self) -> None:
        """Jobs under way end with their processes."""
        self._closed = True
        for one in list(self._all):
            one.kill()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, partial(self._threads.shutdown, cancel_futures=True))
        for one in list(self._all):
            one.end()

    def _draw(self, job: Job, samples: memoryview) -> bytes:
        """In a thread, which has a process of its own: that ends with the thread.

        A process that dies at work which it had done before may have been killed by anyone,
        so another one tries.
        """
        process, begun = self._process()
        try:
            return self._carry_out(process, job, samples)
        except _Died:
            if begun or self._closed:
                raise
        return self._carry_out(self._process()[0], job, samples)

    def _process(self) -> tuple[_Process, bool]:
        """That of this thread, and whether it has just begun.  Raises ``SourceUnavailable``."""
        process: _Process | None = getattr(self._own, "process", None)
        if process is not None and process.left:
            return process, False
        if process is not None:
            self._end(process)
        if self._closed:
            raise SourceUnavailable("the origin ends")
        try:
            process = self._own.process = _Process()
        except OSError:
            raise SourceUnavailable(_NO_PROCESS) from None
        self._all.add(process)
        return process, True

    def _carry_out(self, process: _Process, job: Job, samples: memoryview) -> bytes:
        try:
            return process.carry_out(job, samples)
        except _Slow:
            self._end(process)
            raise Fatal(f"the picture takes longer than {_SECONDS:g} s to decode") from None
        except OSError:
            process.await_end()
            status = self._end(process)
            raise _Died(f"the decoder of the picture ended with {_named(status)}") from None

    def _end(self, process: _Process) -> int:
        self._own.process = None
        self._all.discard(process)
        return process.end()


def _named(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"status {status}"
