"""A client that discards: one connection, blocking, one buffer for all bodies.

It asks for as little CPU as a client in Python can, so that the server is the limit.  The
status and the number of bytes of each response are checked; the bytes are not looked at.
"""

import socket
import struct
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bench.errors import BadResponse

BUFFER = 1 << 20
PATIENCE = 60.0
"""Seconds without a byte after which a server is given up."""
_PATIENCE = struct.pack("ll", int(PATIENCE), 0)
_HEAD_LIMIT = 64 << 10


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int

    @property
    def header(self) -> str:
        """Value of ``Host``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def connect(self) -> socket.socket:
        try:
            found = socket.create_connection((self.host, self.port), PATIENCE)
        except OSError as error:
            raise BadResponse(f"{self.header}: {error}") from None
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found.settimeout(None)  # or Python would poll before each call: the kernel waits
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _PATIENCE)
        return found


@dataclass(frozen=True, slots=True)
class Head:
    """Of a response."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""

    @property
    def length(self) -> int | None:
        """Of the body; None where it ends by chunks."""
        value = self.headers.get("content-length")
        return None if value is None else int(value)

    @property
    def closes(self) -> bool:
        return "close" in self.headers.get("connection", "").lower()


def parse_head(data: bytes) -> Head:
    """*data* is a response up to the empty line."""
    first, *lines = data.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdecimal():
        raise BadResponse(f"not an HTTP response: {first[:80]!r}")
    pairs = (line.partition(":") for line in lines if line)
    return Head(int(rest[:3]), {name.lower(): value.strip() for name, _, value in pairs})


def request(address: Address, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {address.header}\r\n\r\n".encode()


@dataclass(frozen=True, slots=True)
class Reply:
    """A response that was received and discarded."""

    length: int
    first_byte: float
    """Seconds from the request."""

    total: float
    """Seconds to the last byte."""


class Client:
    """One keep-alive connection, opened again where the server closes it."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._socket: socket.socket | None = None
        self._buffer = bytearray(BUFFER)
        self._heads: dict[bytes, Head] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def get(self, path: str) -> Reply:
        """Ask for *path*, take 200 and the whole body, keep nothing."""
        began = time.perf_counter()
        head, have, start, first_byte = self._ask(path)
        if head.length is None:
            return self._get_chunked(path, head, have, start, began, first_byte)
        self._check(path, head)
        left = head.length - (have - start)
        connection, buffer = self._connection(), self._buffer
        while left > 0:
            got = connection.recv_into(buffer, min(left, BUFFER))
            if not got:
                raise BadResponse(f"{path}: {left} bytes are missing")
            left -= got
        if left:
            raise BadResponse(f"{path}: {-left} bytes too many")
        if head.closes:
            self.close()
        now = time.perf_counter()
        return Reply(head.length, first_byte - began, now - began)

    def fetch(self, path: str) -> tuple[Head, bytes]:
        """Ask for *path*; the whole response, whatever its status."""
        head, have, start, _ = self._ask(path)
        body = bytearray(self._buffer[start:have])
        if head.length is None:
            body = self._chunks(body)
        else:
            while len(body) < head.length:
                body += self._more(path)
        if head.closes:
            self.close()
        return head, bytes(body)

    def read(self, path: str) -> bytes:
        """The body of *path*, which must be there."""
        head, body = self.fetch(path)
        self._check(path, head)
        return body

    def _check(self, path: str, head: Head) -> None:
        if head.status != 200:
            reason = head.headers.get("x-headrace-error", "")
            raise BadResponse(f"{path}: status {head.status} {reason}".rstrip())

    def _connection(self) -> socket.socket:
        if self._socket is None:
            self._socket = self.address.connect()
        return self._socket

    def _ask(self, path: str) -> tuple[Head, int, int, float]:
        """Send; the head, how many bytes are in the buffer, where the body starts in it, and
        when the first byte came."""
        connection = self._connection()
        connection.sendall(request(self.address, path))
        have, end, first_byte = 0, -1, 0.0
        view = memoryview(self._buffer)
        while end < 0:
            got = connection.recv_into(view[have:])
            if not got:
                raise BadResponse(f"{path}: closed before a response")
            first_byte = first_byte or time.perf_counter()
            have += got
            end = self._buffer.find(b"\r\n\r\n", 0, min(have, _HEAD_LIMIT))
            if end < 0 and have >= _HEAD_LIMIT:
                raise BadResponse(f"{path}: a head without an end")
        return self._parse(bytes(view[:end])), have, end + 4, first_byte

    def _parse(self, data: bytes) -> Head:
        """Most heads are the same again, so parsing them would cost more than the request."""
        head = self._heads.get(data)
        if head is None:
            if len(self._heads) > 256:
                self._heads.clear()
            head = self._heads[data] = parse_head(data)
        return head

    def _more(self, path: str) -> bytes:
        got = self._connection().recv(BUFFER)
        if not got:
            raise BadResponse(f"{path}: the body ends early")
        return got

    def _get_chunked(
        self, path: str, head: Head, have: int, start: int, began: float, first_byte: float
    ) -> Reply:
        self._check(path, head)
        body = self._chunks(bytearray(self._buffer[start:have]))
        if head.closes:
            self.close()
        return Reply(len(body), first_byte - began, time.perf_counter() - began)

    def _chunks(self, data: bytearray) -> bytearray:
        """A chunked body, of which *data* has come (RFC 9112 §7.1); trailers are not taken."""
        body = bytearray()
        while True:
            while (end := data.find(b"\r\n")) < 0:
                data += self._more("chunk")
            size = int(bytes(data[:end]).partition(b";")[0], 16)
            del data[: end + 2]
            while len(data) < size + 2:
                data += self._more("chunk")
            body += data[:size]
            del data[: size + 2]
            if not size:
                return body
