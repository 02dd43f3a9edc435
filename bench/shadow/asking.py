"""What is asked of each side, and what it answers: bounded in bytes and in time.

A target goes to the peer as it was logged.  To us goes the same, its prefix rewritten and the
token taken out of its name: ours names bytes by them, the peer does not know them, or knows
those of its own.
"""

import http.client
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from bench.errors import BenchError

MAX_BODY = 64 << 20
"""Bytes of a response that are read; a longer one is not compared."""

TIMEOUT = 30.0
"""Seconds for one response."""

_PIECE = 256 << 10
_TOKEN = re.compile(r"-x(?:[0-9a-f]{8}){1,2}(?=\.[a-z0-9]+$)")
_OF_SEGMENT = re.compile(r"(?:seg|fragment)-[0-9]+((?:-[a-wyz][0-9]*)*)(?:-x[0-9a-f]+)?\.m4s$")
_SAFE = "/%?&=,:@!$'()*+;~"


class NoAnswer(Exception):
    """A side gave none that can be compared; the message says how."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A prefix of the peer's paths, and what it is with us."""

    old: str
    new: str


def parse_rewrite(text: str) -> Rewrite:
    """``OLD=NEW``.  Raises ``ValueError``."""
    old, equals, new = text.partition("=")
    if not equals or not old.startswith("/") or not new.startswith("/"):
        raise ValueError(f"--rewrite: {text!r} is not /OLD=/NEW")
    return Rewrite(old, new)


def our_target(target: str, rewrites: Sequence[Rewrite]) -> str:
    """
    >>> our_target("/vod/a.mp4/seg-1-v1-x0011aabb.ts?k=1", [Rewrite("/vod/", "/hls/local/")])
    '/hls/local/a.mp4/seg-1-v1.ts?k=1'
    """
    path, mark, query = target.partition("?")
    for one in rewrites:
        if path.startswith(one.old):
            path = one.new + path.removeprefix(one.old)
            break
    return _TOKEN.sub("", path) + mark + query


def init_target(target: str) -> str | None:
    """Of the init segment that goes with the segment *target*; None where it needs none."""
    path, mark, query = target.partition("?")
    named = _OF_SEGMENT.sub(r"init\1.mp4", path)
    return None if named == path else named + mark + query


class Side:
    """One server, with a connection for each thread that asks."""

    def __init__(self, name: str, url: str) -> None:
        """*url* is ``http://host:port`` or ``https://…``; *name* is the option that gave it.
        Raises ``ValueError``."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"{name}: {url}: {error}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError(f"{name}: {url} is not http://host:port")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError(f"{name}: {url} has more than a host and a port")
        self.url = url.rstrip("/")
        self._host, self._port = parts.hostname, port
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._of_thread = threading.local()
        self._all: list[http.client.HTTPConnection] = []

    def close(self) -> None:
        """When no thread asks any more."""
        for connection in self._all:
            connection.close()

    def reach(self) -> None:
        """Raises ``BenchError`` where nobody listens."""
        connection = self._new()
        try:
            connection.connect()
        except OSError as error:
            raise BenchError(f"{self.url}: {error.strerror or error}") from None
        finally:
            connection.close()

    def ask(self, method: str, target: str) -> Answer:
        """Raises ``NoAnswer``."""
        for kept in (True, False):
            connection, fresh = self._connection(kept=kept)
            try:
                return self._ask(connection, method, target)
            except (http.client.HTTPException, OSError) as error:
                connection.close()
                if fresh or isinstance(error, TimeoutError):  # a kept one may have been closed
                    raise NoAnswer(_reason(error)) from None
            except BaseException:
                connection.close()
                raise
        raise NoAnswer("closed twice")

    def _ask(self, connection: http.client.HTTPConnection, method: str, target: str) -> Answer:
        head = {"Accept-Encoding": "identity", "User-Agent": "headrace-shadow"}
        with _deadline(connection):
            connection.request(method, quote(target, safe=_SAFE), headers=head)
            with connection.getresponse() as response:
                return Answer(response.status, _body(response))

    def _connection(self, *, kept: bool) -> tuple[http.client.HTTPConnection, bool]:
        """With whether it is new."""
        found = getattr(self._of_thread, "connection", None)
        if kept and found is not None and found.sock is not None:
            return found, False
        if found is not None:
            self._all.remove(found)
            found.close()
        self._of_thread.connection = made = self._new()
        self._all.append(made)
        return made, True

    def _new(self) -> http.client.HTTPConnection:
        where = self._host, self._port
        if self._tls is None:
            return http.client.HTTPConnection(*where, timeout=TIMEOUT)
        return http.client.HTTPSConnection(*where, timeout=TIMEOUT, context=self._tls)


@contextmanager
def _deadline(connection: http.client.HTTPConnection) -> Iterator[None]:
    """A server that sends a byte now and then would never run into a time-out of the socket."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        if connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(TIMEOUT, cut)
    timer.start()
    try:
        yield
    except (http.client.HTTPException, OSError):
        if late.is_set():
            raise NoAnswer(f"took more than {TIMEOUT:g} s") from None
        raise
    finally:
        timer.cancel()


def _body(response: http.client.HTTPResponse) -> bytes:
    pieces, size = [], 0
    while piece := response.read(_PIECE):
        size += len(piece)
        pieces.append(piece)
        if size > MAX_BODY:
            raise NoAnswer(f"longer than {MAX_BODY >> 20} MiB")
    if response.length:  # http.client tells the end of a body by its length, and no early one
        raise http.client.IncompleteRead(b"", response.length)
    return b"".join(pieces)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"nothing for {TIMEOUT:g} s"
    if isinstance(error, http.client.IncompleteRead):
        return "the body ends early"
    return str(error) or type(error).__name__
