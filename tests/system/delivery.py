"""What the tests of origin and edge as processes share."""

import hashlib
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support.http import get
from tests.support.processes import Running, headrace
from tests.support.waiting import LIMIT, until

ENTRY = "0_abcd1234"


def ingest(data: Path, *files: Path, entry: str = ENTRY) -> None:
    done = headrace("ingest", *files, "--entry", entry, "--data", data)
    assert (done.returncode, done.stderr) == (0, "")


def log_of(server: Running) -> list[dict[str, Any]]:
    """The lines of its access log so far."""
    lines = []
    for line in server.stderr().splitlines():
        with suppress(json.JSONDecodeError):  # the last one may be half there
            lines.append(json.loads(line))
    return [line for line in lines if "target" in line]


def requests_for(server: Running, target: str) -> list[dict[str, Any]]:
    return [line for line in log_of(server) if line["target"] == target]


def names_in(url: str) -> list[str]:
    """Addresses of what a playlist or an MPD names: one of each kind at least."""
    text = get(url).body.decode()
    folder = url.rpartition("/")[0]
    if text.startswith("#EXTM3U"):
        uris = re.findall(r'URI="([^"]+)"', text)
        uris += [line for line in text.splitlines() if line and line[0] != "#"]
    else:
        uris = re.findall(r'initialization="([^"]+)"', text)
        uris += [m.replace("$Number$", "1") for m in re.findall(r'media="([^"]+)"', text)]
    return [f"{folder}/{uri}" for uri in uris]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Gate:
    """A server between an edge and an origin that lets *first* bytes of each answer pass and
    holds the rest until it is opened."""

    def __init__(self, upstream: tuple[str, int], first: int) -> None:
        self._upstream = upstream
        self._first = first
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = threading.Event()
        self.connections = 0
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def open(self) -> None:
        self._open.set()

    def close(self) -> None:
        self._open.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(LIMIT)
            assert not thread.is_alive()
        for end in self._sockets:
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._upstream, LIMIT)
                self._sockets += [client, server]
                self.connections += 1
                for source, sink, first in (
                    (client, server, None),
                    (server, client, self._first),
                ):
                    source.settimeout(LIMIT)
                    pump = threading.Thread(target=self._pump, args=(source, sink, first))
                    self._threads.append(pump)
                    pump.start()

    def _pump(self, source: socket.socket, sink: socket.socket, first: int | None) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(65536 if first is None else 8192):
                if first is not None and passed >= first:
                    self._open.wait(LIMIT)
                sink.sendall(data)
                passed += len(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def gate(upstream: tuple[str, int], first: int) -> Iterator[Gate]:
    opened = Gate(upstream, first)
    try:
        yield opened
    finally:
        opened.close()


def memory(pid: int, field: str = "RssAnon") -> int:
    """Bytes: ``RssAnon`` is what a process has now of its own."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) << 10
    raise AssertionError(f"no {field} of {pid}")


def wait_for_log(server: Running, target: str) -> list[dict[str, Any]]:
    return until(lambda: requests_for(server, target))
