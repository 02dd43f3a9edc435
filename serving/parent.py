"""The parent: holds the sockets, forks workers, replaces those that die, ends them in order.

It serves nothing and runs no event loop, so a fork copies no half-done work.  It sleeps in one
``select``: a signal, news from a worker or a time that has come wakes it.

    starting --all ready--> serving --SIGTERM, SIGINT--> draining --all ended--> exit 0
        |                                                   ^
        +---------- a worker ended before it was ready -----+ (exit 1)
"""

import gc
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

import msgspec

from serving.counters import Counter, Counters, Gauge, Metric
from serving.sink import open_sink
from serving.worker import COUNTERS as WORKER_COUNTERS
from serving.worker import READY, REASON_LIMIT, Main, Seat, become_worker

START_LIMIT = 60.0
"""Seconds that a worker may take to become ready before it is killed."""
QUICK = 1.0
"""Seconds: a worker that lived no longer has died at once, and the next one waits."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0

LIFELINE = "HEADRACE_LIFELINE"
"""Variable: a descriptor whose end means that whoever started us is gone; taken as SIGTERM."""

_ALIVE = "headrace_workers"
_STARTED = "headrace_start_time_seconds"
_RESTARTS = "headrace_worker_restarts_total"
_COUNTERS = (
    Gauge(_ALIVE, "Workers that accept connections."),
    Gauge(_STARTED, "When the parent started, in seconds since 1970."),
    Counter(_RESTARTS, "Workers that were started in place of one that died."),
)
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def run(
    program: str,
    main: Main,
    *,
    listener: socket.socket,
    admin: socket.socket | None,
    workers: int,
    counters: Sequence[Metric],
    drain: float,
    ready_line: str,
) -> int:
    """Serve until SIGTERM or SIGINT; the exit status.

    *program* is how messages call it (``headrace edge``).  *ready_line* is printed once, when
    all workers are ready.  *drain* is how many seconds they have to finish their responses.
    """
    shared = Counters((*_COUNTERS, *WORKER_COUNTERS, *counters), workers)
    with _Parent(program, main, listener, admin, shared, drain, ready_line) as parent:
        return parent.run(workers)


@dataclass(slots=True)
class _Child:
    """A worker as the parent sees it."""

    number: int
    pid: int = 0
    """0 while it does not run."""
    news: int = -1
    said: bytes = b""
    """READY, or the reason why it could not start."""
    started: float = 0
    failures: int = 0
    """How often in a row it died at once."""
    due: float | None = 0
    """When it is to be started."""

    @property
    def is_ready(self) -> bool:
        return bool(self.pid) and self.said == READY


class _Parent:
    def __init__(
        self,
        program: str,
        main: Main,
        listener: socket.socket,
        admin: socket.socket | None,
        counters: Counters,
        drain: float,
        ready_line: str,
    ) -> None:
        self._program = program
        self._main = main
        self._sockets = [listener, admin]
        self._counters = counters
        self._row = counters.parent_row()
        self._drain = drain
        self._ready_line = ready_line
        self._children: list[_Child] = []
        self._announced = False
        self._killing_at: float | None = None
        """When workers that still drain are killed; None unless they drain."""
        self._status = 0

    def __enter__(self) -> "_Parent":
        self._selector = selectors.DefaultSelector()
        self._life, self._life_end = os.pipe()
        self._wakeup, wake = socket.socketpair()
        self._wakeup.setblocking(False)
        wake.setblocking(False)
        self._wake = wake
        for number in _SIGNALS:
            signal.signal(number, _only_wake)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        self._watch(self._wakeup.fileno(), self._on_signals)
        self._watch_lifeline()
        self._log = open_sink(2)
        return self

    def __exit__(self, *_error: object) -> None:
        signal.set_wakeup_fd(-1)
        self._selector.close()
        self._wakeup.close()
        self._wake.close()
        os.close(self._life)
        os.close(self._life_end)
        self._log.close()

    def run(self, workers: int) -> int:
        self._row.set(_STARTED, to=round(time.time(), 3))
        self._children = [_Child(number) for number in range(workers)]
        gc.freeze()  # what the workers share is not touched, and so not copied, by their GC
        gc.enable()
        while not self._is_over():
            self._on_time(time.monotonic())
            for key, _ in self._selector.select(self._patience()):
                key.data()
        return self._status

    def _is_over(self) -> bool:
        return self._killing_at is not None and not any(child.pid for child in self._children)

    # Time.

    def _on_time(self, now: float) -> None:
        for child in self._children:
            if child.due is not None and child.due <= now:
                self._start(child)
            elif child.pid and not child.is_ready and now >= child.started + START_LIMIT:
                os.kill(child.pid, signal.SIGKILL)
        if self._killing_at is not None and now >= self._killing_at:
            self._signal_all(signal.SIGKILL)

    def _patience(self) -> float | None:
        """Seconds until the next thing to do without being told; None if there is none."""
        times = [child.due for child in self._children if child.due is not None]
        waiting = [c for c in self._children if c.pid and not c.is_ready]
        times += [child.started + START_LIMIT for child in waiting]
        if self._killing_at is not None:
            times.append(self._killing_at)
        # After a kill the time is past, and SIGCHLD is on its way: look again, but do not spin.
        return max(0.05, min(times) - time.monotonic()) if times else None

    # Workers.

    def _start(self, child: _Child) -> None:
        child.due, child.said, child.started = None, b"", time.monotonic()
        news, tell = os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                os.close(news)
                self._become(child.number, tell)
        except OSError as error:  # no more processes: try again like one that died
            os.close(news)
            os.close(tell)
            child.said = str(error).encode()
            return self._on_end(child, str(error))
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.close(tell)
        child.pid, child.news = pid, news
        self._watch(news, lambda: self._on_news(child))
        return None

    def _become(self, number: int, tell: int) -> NoReturn:
        """The rest of a worker's life.  Signals stay blocked until it handles them."""
        status = 1
        try:
            os.close(self._life_end)  # or the workers would keep each other's pipe open
            self._selector.close()
            os.dup2(2, 1)  # standard output is for the one line of the parent
            seat = Seat(number, self._counters, self._drain, tell, self._life)
            listener, admin = self._sockets
            assert listener is not None
            status = become_worker(seat, self._main, listener, admin, _SIGNALS)
        except BaseException as error:  # a traceback here would be the parent's stack too
            self._note("error", f"worker {number}: {type(error).__name__}: {error}")
        finally:
            os._exit(status)

    def _on_news(self, child: _Child) -> None:
        """A worker is ready, says why it cannot be, or has closed the pipe by ending."""
        if child.news < 0:
            return  # read already, when SIGCHLD came in the same turn
        child.said = os.read(child.news, REASON_LIMIT)
        self._selector.unregister(child.news)
        os.close(child.news)
        child.news = -1
        self._count_ready()
        if not self._announced and self._killing_at is None:
            self._announce()

    def _announce(self) -> None:
        self._announced = all(child.is_ready for child in self._children)
        if self._announced:
            with suppress(BrokenPipeError):
                print(self._ready_line, flush=True)  # noqa: T201 - the one line

    def _count_ready(self) -> None:
        self._row.set(_ALIVE, to=sum(child.is_ready for child in self._children))

    def _reap(self) -> None:
        for child in self._children:
            if not child.pid:
                continue
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                self._on_end(child, _how(os.waitstatus_to_exitcode(status)))

    def _on_end(self, child: _Child, how: str) -> None:
        self._on_news(child)  # what it said last may still be in the pipe
        pid, was_ready, child.pid = child.pid, child.is_ready, 0
        self._count_ready()
        if self._killing_at is not None:
            return
        if not self._announced:
            self._give_up(child, how)
            return
        pause = self._pause(child, was_ready)
        child.due = time.monotonic() + pause
        self._row.add(_RESTARTS)
        again = f"started again in {pause:.1f} s"
        self._note("error", f"worker {child.number} (pid {pid}) {how}; {again}")

    def _pause(self, child: _Child, was_ready: bool) -> float:
        """Seconds before the next start: none, unless it died at once."""
        if was_ready and time.monotonic() - child.started > QUICK:
            child.failures = 0
            return 0
        child.failures += 1
        return float(min(_FIRST_PAUSE * 2 ** min(child.failures - 1, 16), _LONGEST_PAUSE))

    def _give_up(self, child: _Child, how: str) -> None:
        """The first start failed: what is wrong will be wrong again."""
        said = child.said.decode(errors="replace")
        reason = said if said and child.said != READY else how
        print(f"{self._program}: worker {child.number}: {reason}", file=sys.stderr)  # noqa: T201
        self._status = 1
        self._stop()

    # Signals.

    def _on_signals(self) -> None:
        numbers = set(self._wakeup.recv(4096))
        if signal.SIGCHLD in numbers:
            self._reap()
        if signal.SIGHUP in numbers:
            self._signal_all(signal.SIGHUP)
        if signal.SIGINT in numbers and self._killing_at is not None:
            self._killing_at = 0  # a second Ctrl-C: somebody is waiting
        elif numbers & {signal.SIGTERM, signal.SIGINT}:
            self._stop()

    def _stop(self) -> None:
        """Accept no more, and let the workers finish."""
        if self._killing_at is not None:
            return
        self._killing_at = time.monotonic() + self._drain
        for sock in filter(None, self._sockets):
            sock.close()
        for child in self._children:
            child.due = None
        self._signal_all(signal.SIGTERM)

    def _signal_all(self, number: signal.Signals) -> None:
        for child in self._children:
            if child.pid:  # not reaped, so the number is still its own
                os.kill(child.pid, number)

    def _watch_lifeline(self) -> None:
        descriptor = os.environ.get(LIFELINE, "")
        if descriptor.isdecimal():
            with suppress(OSError):  # not open: it was meant for another process
                self._watch(int(descriptor), lambda: self._on_lifeline(int(descriptor)))

    def _on_lifeline(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        self._stop()

    def _watch(self, descriptor: int, callback: Callable[[], None]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, callback)

    def _note(self, level: str, message: str) -> None:
        """A line in the log; lost if its reader is behind, for workers come first."""
        line = {"time": round(time.time(), 3), "level": level, "logger": self._program}
        with suppress(OSError):
            self._log.write(msgspec.json.encode(line | {"message": message}) + b"\n")


def _only_wake(_number: int, _frame: object) -> None:
    """The wakeup descriptor tells the loop; Python just needs some handler."""


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with status {code}"
    return f"was killed by {signal.Signals(-code).name}"
