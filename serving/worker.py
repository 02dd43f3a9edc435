"""One worker: what a program's main function is given, and how a forked process becomes one."""

import asyncio
import logging
import os
import signal
import socket
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from serving.access_log import AccessLog, LineHandler
from serving.counters import Counter, Counters

READY = b"+"
"""What a worker tells the parent when it accepts; anything else is why it could not start."""
REASON_LIMIT = 2000
"""Bytes of such a reason: they must fit in a pipe that nobody may be reading."""

DROPPED = "headrace_log_lines_dropped_total"
COUNTERS = (Counter(DROPPED, "Log lines that were dropped because the reader is behind."),)

_log = logging.getLogger("serving")


@dataclass(frozen=True, slots=True)
class Seat:
    """What a worker inherits from the parent, beside the sockets of the program."""

    number: int
    counters: Counters
    drain: float
    news: int
    """Pipe to the parent: tells that the worker is ready."""
    life: int
    """Pipe from the parent: its end means that the parent is gone."""


class Worker:
    """A worker as its program sees it."""

    def __init__(
        self, seat: Seat, listener: socket.socket, admin: socket.socket | None, log: AccessLog
    ) -> None:
        self.number = seat.number
        self.listener = listener
        self.admin = admin
        """Where ``admin.serve`` listens; None if administration is off."""
        self.counters = seat.counters
        """Of all workers, to be read."""
        self.row = seat.counters.row(seat.number)
        """Of this worker, to be written."""
        self.log = log
        self.drain_limit = seat.drain
        """Seconds from the start of draining until the parent kills."""
        self._news = seat.news
        self._draining = asyncio.Event()
        self._on_reload: list[Callable[[], None]] = []
        self._on_orphaned: list[Callable[[], None]] = []

    def ready(self) -> None:
        """Tell the parent that this worker accepts connections."""
        self._tell(READY)

    async def draining(self) -> None:
        """Wait until this worker must stop accepting and finish what it has."""
        await self._draining.wait()

    @property
    def is_draining(self) -> bool:
        return self._draining.is_set()

    def on_reload(self, callback: Callable[[], None]) -> None:
        """Call *callback* on SIGHUP.

        A worker that replaces another starts from what the parent read at its own start:
        main must itself read what a reload may change.
        """
        self._on_reload.append(callback)

    def on_orphaned(self, callback: Callable[[], None]) -> None:
        """Call *callback* when the parent is gone: its successor wants our addresses."""
        self._on_orphaned.append(callback)

    def _tell(self, news: bytes) -> None:
        if self._news < 0:
            return
        try:
            os.write(self._news, news)
        except BrokenPipeError:
            pass  # the parent is gone, and we are about to hear of it
        os.close(self._news)
        self._news = -1

    def _drain(self) -> None:
        self._draining.set()

    def _reload(self) -> None:
        for callback in self._on_reload:
            _call(callback)

    def _orphaned(self, life: int) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(life)
        loop.call_later(self.drain_limit, os._exit, 1)  # nobody else would end us
        for callback in self._on_orphaned:
            _call(callback)
        self._drain()


Main = Callable[[Worker], Awaitable[None]]
"""A program: listens, calls ``ready``, awaits ``draining``, finishes its responses, returns."""


def become_worker(
    seat: Seat,
    main: Main,
    listener: socket.socket,
    admin: socket.socket | None,
    blocked: Sequence[signal.Signals],
) -> int:
    """Run *main* in a process just forked, where the signals *blocked* are; its exit status."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent tells us
    seat.counters.row(seat.number).clear_gauges()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(seat, main, listener, admin, blocked))


async def _serve(
    seat: Seat,
    main: Main,
    listener: socket.socket,
    admin: socket.socket | None,
    blocked: Sequence[signal.Signals],
) -> int:
    row = seat.counters.row(seat.number)
    dropped = row.index(DROPPED)

    def count_dropped(lines: int) -> None:
        row.cells[dropped] += lines

    log = AccessLog(dropped=count_dropped)
    _log_without_waiting(log)
    worker = Worker(seat, listener, admin, log)
    _listen_to_parent(worker, seat.life)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, blocked)
    try:
        return await _run(worker, main)
    finally:
        await log.close()


def _log_without_waiting(log: AccessLog) -> None:
    """Let nothing in this process wait for the reader of standard error."""
    logging.basicConfig(handlers=[LineHandler(log)], level=logging.INFO, force=True)
    logging.captureWarnings(True)
    os.dup2(log.fileno(), 2)  # what is printed in spite of that is lost rather than waited for


def _listen_to_parent(worker: Worker, life: int) -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, worker._drain)
    loop.add_signal_handler(signal.SIGHUP, worker._reload)
    loop.add_reader(life, worker._orphaned, life)


async def _run(worker: Worker, main: Main) -> int:
    try:
        await main(worker)
    except Exception as error:
        if worker._news >= 0:  # not ready yet: the parent prints it, in one line
            worker._tell(_reason(error))
        else:
            _log.exception("worker %d failed", worker.number)
        return 1
    return 0


def _reason(error: Exception) -> bytes:
    last = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(f"{type(error).__name__}: {error}".split())
    place = f" ({Path(last.filename).name}:{last.lineno})"
    return text.encode(errors="replace")[: REASON_LIMIT - len(place)] + place.encode()


def _call(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:
        _log.exception("a callback failed")
