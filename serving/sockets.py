"""Listening sockets, made before the fork and shared by all workers."""

import errno
import socket
import time

BACKLOG = 4096
"""Connections that may wait to be accepted; the kernel lowers it to net.core.somaxconn.

Event loops call listen() once more on a socket they are given, with a backlog of their own:
pass this one, or the queue shrinks to theirs.
"""

_PATIENCE = 0.5
"""Seconds that a taken address is tried again: the workers of a parent that was killed let
go of it within a turn of their loops, and its successor must not fail for that."""

_PAUSE = 0.02


class ListenError(Exception):
    """The address cannot be listened on; the message names it and says why."""


def listen(host: str, port: int) -> socket.socket:
    """A non-blocking socket that listens on *host* (name or address) and *port* (0: free)."""
    family, sockaddr = _resolve(host, port)
    give_up = time.monotonic() + _PATIENCE
    while True:
        try:
            return _bind(family, sockaddr)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > give_up:
                raise ListenError(f"{_show(host, port)}: {error.strerror}") from error
        time.sleep(_PAUSE)


def address(sock: socket.socket) -> str:
    """The URL of a listening socket, ``http://127.0.0.1:8081``."""
    host, port = sock.getsockname()[:2]
    return f"http://{_show(host, port)}"


def _resolve(host: str, port: int) -> tuple[int, tuple[object, ...]]:
    if not 0 <= port <= 65535:
        raise ListenError(f"{_show(host, port)}: the port is not in 0 to 65535")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:  # a label over 63 bytes is a UnicodeError
        reason = error.strerror if isinstance(error, OSError) else "not a host name"
        raise ListenError(f"{_show(host, port)}: {reason}") from error
    family, _, _, _, sockaddr = found[0]
    return family, sockaddr


def _bind(family: int, sockaddr: tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(sockaddr)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def _show(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
