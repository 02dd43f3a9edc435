"""A large segment of a source on another machine: requests counted, bytes those of the file."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from origin.errors import SourceChanged
from origin.room import Room
from origin.storage.ahead import Ahead
from origin.storage.remote import Limits
from tests.origin.inside import Origin, take
from tests.origin.test_storage_remote import CONTENT, Memory, source_of
from tests.support.clips import make_clip
from tests.support.http import Cut
from tests.support.s3 import BUCKET, object_server
from tests.support.waiting import LIMIT, until

Start = Callable[..., Origin]
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")
LARGE = 4 << 20
WINDOW = 64 << 10


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return make_clip(path, width=256, height=144, seconds=13, quantizer=24)


class Server:
    """One file, its validator, and what was asked for."""

    def __init__(self, path: Path) -> None:
        self.content, self.etag = path.read_bytes(), '"one"'
        self.asked: list[tuple[int, int]] = []
        handler = type("Handler", (_Handler,), {"site": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join(LIMIT)
        self.server.server_close()

    def taken(self) -> list[tuple[int, int]]:
        """Requests since the last call."""
        new, self.asked = self.asked, []
        return new


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Server

    def do_GET(self) -> None:
        wanted = _RANGE.fullmatch(self.headers["Range"])
        assert wanted is not None
        start, stop = int(wanted[1]), int(wanted[2]) + 1
        self.site.asked.append((start, stop))
        changed = self.headers.get("If-Match", self.site.etag) != self.site.etag
        body = b"" if changed else self.site.content[start:stop]
        self.send_response(412 if changed else 206)
        self.send_header("ETag", self.site.etag)
        size = len(self.site.content)
        self.send_header("Content-Range", f"bytes {start}-{start + len(body) - 1}/{size}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(ConnectionError):  # who has left
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(film: Path) -> Iterator[Server]:
    with closing(Server(film)) as one:
        yield one


SEGMENTS = ("/hls/e/{}/seg-1-f1-v1-a1.ts", "/cmaf/e/{}/seg-1-f1-v1.m4s")


@pytest.mark.parametrize("path", SEGMENTS)
@pytest.mark.parametrize("receive", [None, 4096])
def test_a_large_segment_is_one_request(
    server: Server, film: Path, start: Start, tmp_path: Path, path: str, receive: int | None
) -> None:
    address = f"http://{server.host}/film.mp4"
    entry = take(tmp_path / "data", address)[0]["entry"]
    local = take(tmp_path / "plain", film)[0]["entry"]
    whole = start(data=tmp_path / "plain").get(path.format(local))
    assert len(whole) > LARGE
    one = start(remote_hosts=(server.host,), remote_private=True)
    one.get(f"/hls/e/{entry}/index-f1-v1-a1.m3u8")
    server.taken()
    for number in range(2):  # the first time one more looks at what is there
        with one.connect(receive=receive) as client:
            assert client.ask(path.format(entry)).body == whole
        looks = [(a, b) for a, b in server.taken() if b - a > 1]
        assert len(looks) == 1, (number, looks)
    until(lambda: one.site.room.free == one.config.ahead_bytes)


def test_a_large_segment_of_an_object_is_one_request(
    film: Path, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with object_server() as objects:
        for name, value in objects.environment.items():
            monkeypatch.setenv(name, value)
        address = objects.put("film.mp4", film)
        entry = take(tmp_path / "data", address)[0]["entry"]
        one = start(object_stores=(f"s3://{BUCKET}",))
        for number, path in enumerate(SEGMENTS):
            objects.requests()
            assert len(one.get(path.format(entry))) > LARGE
            asked = [method for method, _ in objects.requests()]
            assert asked == (["GET"] if number else ["HEAD", "GET"])


def test_without_room_each_window_is_a_request(
    server: Server, start: Start, tmp_path: Path
) -> None:
    entry = take(tmp_path / "data", f"http://{server.host}/film.mp4")[0]["entry"]
    private = {"remote_hosts": (server.host,), "remote_private": True}
    whole = start(**private).get(SEGMENTS[1].format(entry))
    server.taken()
    one = start(ahead_bytes=1, **private)
    assert one.get(SEGMENTS[1].format(entry)) == whole
    assert len(server.taken()) > LARGE // one.config.send_window


def test_a_client_that_leaves_gives_the_room_back(
    server: Server, start: Start, tmp_path: Path
) -> None:
    entry = take(tmp_path / "data", f"http://{server.host}/film.mp4")[0]["entry"]
    one = start(remote_hosts=(server.host,), remote_private=True)
    with one.connect(receive=4096) as client:
        client.send(SEGMENTS[1].format(entry))
        client.head()
        assert one.site.room.free < one.config.ahead_bytes
    until(lambda: one.site.room.free == one.config.ahead_bytes)


def test_a_file_that_changes_between_two_requests_cuts_the_answer(
    server: Server, start: Start, tmp_path: Path
) -> None:
    """What a batch has read is of one version; the next one meets another."""
    entry = take(tmp_path / "data", f"http://{server.host}/film.mp4")[0]["entry"]
    one = start(
        remote_hosts=(server.host,), remote_private=True, send_window=WINDOW, ahead_bytes=1
    )
    path = SEGMENTS[1].format(entry)
    whole = one.get(path)
    with one.connect(receive=4096) as client:
        client.send(path)
        head = client.head()
        server.content, server.etag = server.content[::-1], '"two"'
        with pytest.raises(Cut) as cut:
            client.body(head)
    assert 0 < len(cut.value.got) < len(whole) and whole.startswith(cut.value.got)


def needs(count: int) -> list[list[tuple[int, int, int]]]:
    return [[(at * 1000, 0, 1000)] for at in range(count)]


async def taken(ahead: Ahead, reads: list[tuple[int, int, int]]) -> bytes:
    buffer = memoryview(bytearray(1000))
    await ahead.read(reads, buffer)
    return bytes(buffer)


@pytest.mark.parametrize(
    ("limit", "room", "requests"), [(10_000, 10_000, 1), (4000, 10_000, 3), (10_000, 10, 9)]
)
def test_windows_come_as_they_were_asked_for(limit: int, room: int, requests: int) -> None:
    async def scenario() -> None:
        server, free = Memory(), Room(room)
        ahead = Ahead(source_of(server, Limits(ahead=limit)), iter(needs(9)), free)
        got = [await taken(ahead, reads) for reads in needs(9)]
        assert b"".join(got) == CONTENT[:9000]
        await ahead.close()
        assert len(server.asked) == requests and free.free == room

    asyncio.run(scenario())


def test_the_first_window_waits_for_no_other() -> None:
    async def scenario() -> None:
        server = Memory(hangs=True)
        server.bend = lambda data: data[:2500]
        ahead = Ahead(source_of(server), iter(needs(9)), Room(10_000))
        assert await taken(ahead, needs(1)[0]) == CONTENT[:1000]
        await ahead.close()
        assert all(answer.closed for answer in server.answers)

    asyncio.run(scenario())


def test_a_failure_behind_what_is_there() -> None:
    async def scenario() -> None:
        server = Memory()
        source = source_of(server, Limits(ahead=4000))
        ahead = Ahead(source, iter(needs(9)), Room(10_000))
        for reads in needs(4):
            await taken(ahead, reads)
        server.validator = "two"
        with pytest.raises(SourceChanged):
            await taken(ahead, needs(5)[4])
        await ahead.close()

    asyncio.run(scenario())
