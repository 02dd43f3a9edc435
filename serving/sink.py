"""A descriptor that is written to without ever waiting.

Standard error is shared with the parent, the other workers and often with the shell that
started us, so O_NONBLOCK must not simply be set on it: they would all get EAGAIN.
"""

import os
import select
import socket
import stat
from collections.abc import Callable
from dataclasses import dataclass

_UNLIMITED = 1 << 20


@dataclass(frozen=True, slots=True)
class Sink:
    fd: int
    """Ours to close, and to wait on until it takes more."""
    write: Callable[[bytes | bytearray], int]
    """Takes what fits and returns how much; BlockingIOError when nothing does."""
    atomic: int
    """Bytes that one write does not mix with the writes of other processes."""
    close: Callable[[], None]


def open_sink(fd: int) -> Sink:
    """A sink for what *fd* is open on; *fd* itself stays as it is."""
    mode = os.fstat(fd).st_mode
    if stat.S_ISSOCK(mode):  # the journal of systemd
        return _socket_sink(fd)
    if stat.S_ISFIFO(mode) or os.isatty(fd):
        return _descriptor_sink(_reopen(fd), select.PIPE_BUF)
    return _descriptor_sink(os.dup(fd), _UNLIMITED)  # files do not block in this sense


def _socket_sink(fd: int) -> Sink:
    sock = socket.socket(fileno=os.dup(fd))
    return Sink(
        sock.fileno(),
        lambda data: sock.send(data, socket.MSG_DONTWAIT),
        _UNLIMITED,
        sock.close,
    )


def _descriptor_sink(fd: int, atomic: int) -> Sink:
    return Sink(fd, lambda data: os.write(fd, data), atomic, lambda: os.close(fd))


def _reopen(fd: int) -> int:
    """The same pipe or terminal by an open file of our own, so that O_NONBLOCK is ours too."""
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(f"/dev/fd/{fd}", flags)
    except OSError:  # made by another user, or nobody reads: then the flag goes on what we have
        copy = os.dup(fd)
        os.set_blocking(copy, False)
        return copy
