"""JSON lines for a log that may be slow, from an event loop that must not be.

Lines are collected and written together, at most every 0.2 s or 64 KiB.  Where the reader does
not keep up they wait in a bounded buffer; past it they are dropped and counted.
"""

import asyncio
import logging
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress

import msgspec

from serving.sink import open_sink

FLUSH_DELAY = 0.2
"""Seconds a line may wait for company."""
FLUSH_SIZE = 64 * 1024
BUFFER_LIMIT = 1024 * 1024
"""Bytes that wait for a reader that is behind: some seconds of a busy worker."""
CLOSE_LIMIT = 1.0
"""Seconds that the end of a worker waits for the reader."""


class AccessLog:
    """The lines of one worker.  For the thread of the event loop only."""

    def __init__(
        self, fd: int = 2, *, dropped: Callable[[int], None] = lambda _lines: None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._sink = open_sink(fd)
        self._dropped = dropped
        self._buffer = bytearray()
        self._limit = BUFFER_LIMIT  # 0 once it is closed
        self._encode_into = msgspec.json.Encoder().encode_into
        self._timer: asyncio.TimerHandle | None = None
        self._waiting = False  # for the descriptor to take more
        self._empty = asyncio.Event()
        self._empty.set()

    def write(self, record: Mapping[str, object] | bytes) -> None:
        """Add a line: a mapping, or one JSON text without its line end.  Never waits."""
        buffer = self._buffer
        if len(buffer) >= self._limit:
            self._dropped(1)
            return
        if type(record) is bytes:
            buffer += record
        else:
            self._encode(record)
        buffer += b"\n"
        if self._waiting:
            return
        if len(buffer) >= FLUSH_SIZE:
            self.flush()
        elif self._timer is None:
            self._empty.clear()
            self._timer = self._loop.call_later(FLUSH_DELAY, self.flush)

    def _encode(self, record: object) -> None:
        size = len(self._buffer)
        try:
            self._encode_into(record, self._buffer, -1)
        except BaseException:  # half a record may be there, and memory that was never set
            del self._buffer[size:]
            raise

    def flush(self) -> None:
        """Write what the descriptor takes now; the rest follows when it takes more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            self._push()
        except BlockingIOError:
            self._wait(True)
        except OSError:  # nobody reads any more, or the disk is full
            self._drop_all()

    def fileno(self) -> int:
        """What the lines are written to; it does not wait."""
        return self._sink.fd

    async def close(self) -> None:
        """Write the last lines, within a limit, and let the descriptor go."""
        self._limit = 0
        self.flush()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_LIMIT):
                await self._empty.wait()
        self._drop_all()
        self._sink.close()

    def _push(self) -> None:
        buffer, written = self._buffer, 0
        try:
            while written < len(buffer):
                # A copy: what a view exports stays locked as long as an error's traceback.
                written += self._sink.write(buffer[written : self._end(written)])
        finally:
            del buffer[:written]
        self._wait(False)
        self._empty.set()

    def _end(self, start: int) -> int:
        """Where a write from *start* ends: whole lines, so that workers do not mix theirs."""
        stop = start + self._sink.atomic
        if stop >= len(self._buffer):
            return len(self._buffer)
        return self._buffer.rfind(b"\n", start, stop) + 1 or self._buffer.find(b"\n", stop) + 1

    def _wait(self, wait: bool) -> None:
        if wait and not self._waiting:
            self._loop.add_writer(self._sink.fd, self.flush)
            self._empty.clear()
        elif self._waiting and not wait:
            self._loop.remove_writer(self._sink.fd)
        self._waiting = wait

    def _drop_all(self) -> None:
        self._dropped(self._buffer.count(b"\n"))
        self._buffer.clear()
        self._wait(False)
        self._empty.set()


class LineHandler(logging.Handler):
    """Sends the records of ``logging`` the same way, so that they do not wait either."""

    def __init__(self, log: AccessLog) -> None:
        super().__init__()
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        line = describe(record)
        if threading.get_ident() == self._thread:
            self._log.write(line)
        else:
            with suppress(RuntimeError):  # the loop has ended, and the log with it
                self._loop.call_soon_threadsafe(self._log.write, line)


def describe(record: logging.LogRecord) -> dict[str, object]:
    """A log record as the fields of a line."""
    line: dict[str, object] = {
        "time": round(record.created, 3),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
    }
    if record.exc_info and record.exc_info[0]:
        line["traceback"] = "".join(traceback.format_exception(*record.exc_info))
    return line
