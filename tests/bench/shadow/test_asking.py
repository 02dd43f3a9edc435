"""Servers that answer badly, on real sockets: bounded in bytes and in time, and told."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from bench.errors import BenchError
from bench.shadow import asking
from bench.shadow.asking import NoAnswer, Side
from tests.support.processes import free_port
from tests.support.waiting import LIMIT

Serve = Callable[[socket.socket], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture
def server() -> Iterator[Callable[[Serve], Side]]:
    """A side whose connections go through a function, one after the other."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []
    sides: list[Side] = []

    def start(serve: Serve) -> Side:
        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    connection.settimeout(LIMIT)
                    with connection, suppress(OSError):
                        serve(connection)

        threads.append(threading.Thread(target=accept))
        threads[0].start()
        sides.append(Side("--peer", f"http://127.0.0.1:{listener.getsockname()[1]}"))
        return sides[0]

    yield start
    sides[0].close()
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in threads:
        thread.join(LIMIT)
        assert not thread.is_alive()


def sending(*pieces: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        for piece in pieces:
            connection.sendall(piece)

    return serve


def trickle(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b".")
        time.sleep(0.02)


def silence(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


HEAD = b"HTTP/1.1 200 OK\r\n"
BAD = {
    "cut": (sending(HEAD + b"Content-Length: 50\r\n\r\nhello"), "the body ends early"),
    "cut in a chunk": (
        sending(HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\nhello"),
        "the body ends early",
    ),
    "no answer": (sending(), "closed connection without response"),
    "not HTTP": (sending(b"hello\r\n\r\n"), "hello"),
    "a line without an end": (sending(HEAD + b"a" * 100_000), "header line"),
    "a byte now and then": (trickle, "took more than 0.5 s"),
    "silence": (silence, "0.5 s"),
    "too long": (
        sending(HEAD + b"Content-Length: 9000000\r\n\r\n", bytes(9_000_000)),
        "longer than 2 MiB",
    ),
}


@pytest.mark.parametrize(("serve", "reason"), BAD.values(), ids=BAD)
def test_a_bad_answer_is_told(
    server: Callable[[Serve], Side], serve: Serve, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "TIMEOUT", 0.5)
    monkeypatch.setattr(asking, "MAX_BODY", 2 << 20)
    with pytest.raises(NoAnswer, match=reason):
        server(serve).ask("GET", "/a")


def test_a_connection_is_kept_and_made_anew(server: Callable[[Serve], Side]) -> None:
    made: list[list[bytes]] = []

    def twice(connection: socket.socket) -> None:
        made.append([])
        for _ in range(2):
            if asked := connection.recv(65536):
                made[-1].append(asked.splitlines()[0])
                connection.sendall(OK)

    side = server(twice)
    for number in range(3):
        assert side.ask("GET", f"/{number}?a=%2F&b=é").body == b"hello"
    lines = [line for one in made for line in one]
    assert lines == [b"GET /%d?a=%%2F&b=%%C3%%A9 HTTP/1.1" % number for number in range(3)]
    assert len(made[0]) == 2


def test_a_head_has_no_body(server: Callable[[Serve], Side]) -> None:
    answer = server(sending(HEAD + b"Content-Length: 50\r\n\r\n")).ask("HEAD", "/a")
    assert (answer.status, answer.body) == (200, b"")


def test_nobody_there() -> None:
    port = free_port()
    with pytest.raises(BenchError, match=f"http://127.0.0.1:{port}: Connection refused"):
        Side("--peer", f"http://127.0.0.1:{port}").reach()


@pytest.mark.parametrize(
    "url", ["", "host:1", "ftp://h", "http://", "http://u:p@h", "http://h/a", "http://h:99999"]
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="--peer: "):
        Side("--peer", url)
