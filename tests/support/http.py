"""A client that sends exactly what it is given and reads answers strictly, on a socket."""

import socket
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.support.waiting import LIMIT


@dataclass
class Answer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    """Names in lower case; several lines joined by a comma."""
    body: bytes = b""


class Cut(Exception):
    """The connection ended inside an answer; ``got`` is what came of its body."""

    def __init__(self, answer: Answer, got: bytes) -> None:
        super().__init__(f"{len(got)} bytes of {answer.headers.get('content-length')}")
        self.answer = answer
        self.got = got


class Client:
    """One connection; *receive* is the size of its kernel's buffer, so how much it takes
    without being read."""

    def __init__(self, address: tuple[str, int], *, receive: int | None = None) -> None:
        self.socket = socket.socket()
        if receive is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        self.socket.settimeout(LIMIT)
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise
        self._read = b""

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
        self.socket.close()

    def send(self, target: str, *lines: str, method: str = "GET") -> None:
        head = "\r\n".join([f"{method} {target} HTTP/1.1", "Host: origin", *lines, "", ""])
        self.socket.sendall(head.encode("latin-1"))

    def ask(self, target: str, *lines: str, method: str = "GET") -> Answer:
        self.send(target, *lines, method=method)
        return self.answer(method)

    def answer(self, method: str = "GET") -> Answer:
        answer = self.head()
        if method != "HEAD" and answer.status not in (204, 304):
            answer.body = self.body(answer)
        return answer

    def head(self) -> Answer:
        while b"\r\n\r\n" not in self._read:
            more = self.socket.recv(65536)
            if not more:
                raise Cut(Answer(0), self._read)
            self._read += more
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        answer = Answer(int(first.split(" ", 2)[1]))
        for line in lines:
            name, value = line.split(": ", 1)
            known = answer.headers.get(name.lower())
            answer.headers[name.lower()] = value if known is None else f"{known}, {value}"
        return answer

    def body(self, answer: Answer) -> bytes:
        length = int(answer.headers["content-length"])
        body = bytearray(self._read[:length])
        self._read = self._read[length:]
        while len(body) < length:
            try:
                more = self.socket.recv(min(1 << 16, length - len(body)))
            except ConnectionResetError:
                more = b""
            if not more:
                raise Cut(answer, bytes(body))
            body += more
        return bytes(body)

    def taken(self) -> bytes:
        """What was read behind the last head, handed over."""
        taken, self._read = self._read, b""
        return taken

    def is_closed(self) -> bool:
        """Wait for the end: whether it came without another byte."""
        try:
            return not self._read and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def ask(address: tuple[str, int], target: str, *lines: str, method: str = "GET") -> Answer:
    with Client(address) as client:
        return client.ask(target, *lines, method=method)


def get(url: str, *lines: str) -> Answer:
    """The same for a whole address."""
    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.rpartition(":")
    return ask((name, int(port)), f"/{path}", *lines)
