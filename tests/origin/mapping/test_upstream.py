"""Mappings from an upstream: what it may do, what goes wrong with it, and who asks it."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.origin.inside import SECOND, Origin
from tests.support.waiting import LIMIT

Start = Callable[..., Origin]
MASTER = "/hls/mapped/films/a/master.m3u8"


class Upstream:
    """Mappings of all names alike, and what a server may do besides."""

    def __init__(self, body: bytes) -> None:
        self.good = self.body = body
        self.status = 200
        self.fields: dict[str, str] = {}
        self.length: int | None = None
        """That is promised, where it is not that of the body."""
        self.pause = threading.Event()
        self.pause.set()
        self.asked: list[str] = []
        self.ports: set[int] = set()
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                upstream.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self.url = f"http://{self.host}/maps"
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        self.ports.add(request.client_address[1])
        self.pause.wait(LIMIT)
        request.send_response(self.status)
        for name, value in self.fields.items():
            request.send_header(name, value)
        length = len(self.body) if self.length is None else self.length
        request.send_header("Content-Length", str(length))
        request.end_headers()
        request.wfile.write(self.body)
        if length != len(self.body):
            request.close_connection = True

    def repair(self) -> None:
        self.status, self.body, self.fields, self.length = 200, self.good, {}, None
        self.pause.set()

    def close(self) -> None:
        self.pause.set()
        self.server.shutdown()
        self._thread.join(LIMIT)
        self.server.server_close()


@pytest.fixture
def upstream(files: list[Path]) -> Iterator[Upstream]:
    clips = [{"type": "source", "path": str(files[0])}]
    found = Upstream(json.dumps({"sequences": [{"clips": clips}]}).encode())
    yield found
    found.close()


@pytest.fixture
def origin(upstream: Upstream, start: Start) -> Origin:
    return start(mapping_upstream=upstream.url)


def test_the_path_goes_behind_the_address(upstream: Upstream, start: Start) -> None:
    origin = start(mapping_upstream=f"{upstream.url}/?pathOnly=1&key=%2F", mapped_default=True)
    for path in ("mapped/films/a%20%C3%A9,b", "films/%2561%3Fx%23y"):
        origin.get(f"/hls/{path}/master.m3u8")
    assert upstream.asked == [
        "/maps/films/a%20%C3%A9,b?pathOnly=1&key=%2F",
        "/maps/films/%2561%3Fx%23y?pathOnly=1&key=%2F",
    ]


def test_one_request_for_all_who_ask_at_once(upstream: Upstream, origin: Origin) -> None:
    origin.still = origin.now()
    upstream.pause.clear()
    with ThreadPoolExecutor(24) as pool:
        bodies = [pool.submit(origin.get, MASTER) for _ in range(24)]
        upstream.pause.set()
        assert len({body.result(LIMIT) for body in bodies}) == 1
    assert upstream.asked == ["/maps/films/a"]
    for second in range(1, 4):
        origin.still += 11 * SECOND
        origin.get(MASTER)
        origin.get(MASTER)
        assert len(upstream.asked) == 1 + second
    assert len(upstream.ports) == 1  # kept alive


def test_a_multi_url_asks_for_each(upstream: Upstream, origin: Origin) -> None:
    origin.get("/hls/mapped/f_,a,b,.urlset/master.m3u8")
    assert sorted(upstream.asked) == ["/maps/f_a", "/maps/f_b"]


FAULTS = {
    "500": {"status": 500},
    "403": {"status": 403},
    "400": {"status": 400},
    "206": {"status": 206},
    "huge": {"body": b" " * (300 << 10)},
    "cut": {"length": 10_000},
    "garbage": {"body": b"<html>Internal error</html>"},
    "half a mapping": {"body": b'{"sequences":[{"clips":[{"type":'},
    "zipped": {"fields": {"Content-Encoding": "gzip"}},
    "in a circle": {"status": 302, "fields": {"Location": "/maps/films/a"}},
    "to a file": {"status": 302, "fields": {"Location": "file:///etc/passwd"}},
    "elsewhere": {"status": 302, "fields": {"Location": "http://other.example/"}},
    "to metadata": {"status": 302, "fields": {"Location": "http://169.254.169.254/latest/"}},
    "to nowhere": {"status": 302},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_faults(fault: dict[str, object], upstream: Upstream, origin: Origin) -> None:
    """Without a mapping 503, soon asked again; with one it stays as long as they last."""
    for name, value in fault.items():
        setattr(upstream, name, value)
    answer = origin.ask(MASTER)
    assert (answer.status, answer.headers["retry-after"]) == (503, "2"), answer
    told = answer.headers["x-headrace-error"]
    assert upstream.host not in told and "films" not in told and "169" not in told
    asked = len(upstream.asked)
    assert origin.ask(MASTER).status == 503
    assert len(upstream.asked) == asked  # not at once
    upstream.repair()
    origin.clock_offset += 3 * SECOND
    good = origin.get(MASTER)
    for name, value in fault.items():
        setattr(upstream, name, value)
    for _ in range(3):
        origin.clock_offset += 3600 * SECOND
        assert origin.get(MASTER) == good
    upstream.repair()
    upstream.status = 404
    origin.clock_offset += 3 * SECOND
    assert origin.ask(MASTER).status == 404


@pytest.mark.parametrize("status", [404, 410, 204])
def test_what_is_not_there(status: int, upstream: Upstream, origin: Origin) -> None:
    upstream.status, upstream.body = status, b""
    assert origin.ask(MASTER).status == 404
    upstream.repair()
    assert origin.ask(MASTER).status == 404  # for ten seconds
    origin.clock_offset += 11 * SECOND
    assert origin.ask(MASTER).status == 200


def test_an_empty_answer(upstream: Upstream, origin: Origin) -> None:
    upstream.body = b""
    assert origin.ask(MASTER).status == 404


def test_what_is_refused_is_no_fault(upstream: Upstream, origin: Origin) -> None:
    """It may mean that the old mapping must not be played any more."""
    origin.get(MASTER)
    upstream.body = b'{"sequences":[],"playlistType":"live"}'
    origin.clock_offset += 11 * SECOND
    answer = origin.ask(MASTER)
    assert answer.status == 503 and "sequences" in answer.headers["x-headrace-error"]


def test_an_upstream_that_says_nothing(
    upstream: Upstream, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("origin.mapping.fetching.LIMIT", 0.3)
    origin = start(mapping_upstream=upstream.url)
    good = origin.get(MASTER)
    upstream.pause.clear()
    origin.clock_offset += 11 * SECOND
    assert origin.get(MASTER) == good
    answer = origin.ask("/hls/mapped/other/master.m3u8")
    assert answer.status == 503 and "late" in answer.headers["x-headrace-error"]


def test_an_upstream_that_is_away(files: list[Path], start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    origin = start(mapping_upstream=f"http://127.0.0.1:{port}")
    answer = origin.ask(MASTER)
    assert answer.status == 503 and str(port) not in answer.headers["x-headrace-error"]


def test_redirects_within_the_upstream(upstream: Upstream, origin: Origin) -> None:
    asked = upstream.answer

    def answer(request: BaseHTTPRequestHandler) -> None:
        upstream.status = 200 if request.path == "/moved" else 307
        upstream.fields = {} if request.path == "/moved" else {"Location": "/moved"}
        asked(request)

    upstream.answer = answer  # type: ignore[method-assign]
    assert origin.ask(MASTER).status == 200
    assert upstream.asked == ["/maps/films/a", "/moved"]


def test_an_answer_that_is_a_path(upstream: Upstream, files: list[Path], start: Start) -> None:
    origin = start(
        mapping_upstream=upstream.url, mapping_path_prefix="path=", mapping_path_postfix=";"
    )
    upstream.body = f"path={files[1]};\n".encode()
    assert "RESOLUTION=128x72" in origin.text(MASTER)
    upstream.body = upstream.good
    assert "RESOLUTION=96x54" in origin.text(MASTER.replace("films/a", "films/b"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_media_at_private_addresses_that_are_allowed(
    host: str, upstream: Upstream, start: Start
) -> None:
    """So that what is refused below would have been reached."""
    place = f"{host}:{upstream.host.rpartition(':')[2]}"
    clips = [{"type": "source", "path": f"http://{place}/maps/a.mp4"}]
    upstream.body = json.dumps({"sequences": [{"clips": clips}]}).encode()
    origin = start(mapping_upstream=upstream.url, remote_hosts=(place,), remote_private=True)
    assert origin.ask(MASTER).status == 503  # it knows no ranges
    assert upstream.asked == ["/maps/films/a", "/maps/a.mp4"]


PRIVATE = [
    "127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_media_at_private_addresses(host: str, upstream: Upstream, start: Start) -> None:
    """However they are written, and although the host is one that is allowed: what counts is
    the address that is connected to.  The upstream of mappings is trusted only with those."""
    port = upstream.host.rpartition(":")[2]
    address = f"http://{host}:{port}/maps/a.mp4"
    mapping = {"sequences": [{"clips": [{"type": "source", "path": address}]}]}
    upstream.body = json.dumps(mapping).encode()
    origin = start(mapping_upstream=upstream.url, remote_hosts=(f"{host.strip('[]')}:{port}",))
    answer = origin.ask(MASTER)
    assert answer.status == 503, answer
    assert answer.headers["x-headrace-error"] == "the server cannot be reached"
    assert upstream.asked == ["/maps/films/a"]
