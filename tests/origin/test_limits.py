"""What a worker admits, and clients that take more than their share."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from origin.config import OriginConfig
from origin.server import MAX_BUFFER
from tests.origin.inside import Origin
from tests.support.clips import make_clip
from tests.support.http import Cut
from tests.support.waiting import until

Start = Callable[..., Origin]
PLAYLIST = "/hls/local/a.mp4/index-f1-v1-a1.m3u8"


@pytest.fixture
def big(tmp_path: Path) -> str:
    """A media segment of some megabytes, more than sockets hold."""
    (tmp_path / "media").mkdir()
    make_clip(tmp_path / "media" / "big.mp4", width=320, height=180, seconds=6, quantizer=24)
    return "/cmaf/local/big.mp4/seg-1-f1-v1.m4s"


def test_past_the_admitted_requests(files: list[Path], start: Start) -> None:
    origin = start(requests=2)
    origin.get(PLAYLIST)
    gate = asyncio.Event()
    real = origin.site.find

    async def wait(path: str) -> object:
        await gate.wait()
        return await real(path)

    origin.site.find = wait
    with origin.connect() as one, origin.connect() as two:
        one.send(PLAYLIST)
        two.send(PLAYLIST)
        until(lambda: origin.site.in_flight == 2)
        refused = origin.ask(PLAYLIST)
        assert (refused.status, refused.headers["retry-after"]) == (503, "2")
        assert refused.headers["cache-control"] == "no-store"
        assert "too many requests" in refused.headers["x-headrace-error"]
        origin.loop.call_soon_threadsafe(gate.set)
        assert (one.answer().status, two.answer().status) == (200, 200)
    origin.site.find = real
    until(lambda: origin.site.in_flight == 0)
    assert origin.ask(PLAYLIST).status == 200


def test_past_the_connections(files: list[Path], start: Start) -> None:
    origin = start(connections=2)
    with origin.connect() as one, origin.connect() as two:
        assert (one.ask(PLAYLIST).status, two.ask(PLAYLIST).status) == (200, 200)
        with origin.connect() as three:
            assert three.is_closed()
        assert one.ask(PLAYLIST).status == 200
    until(lambda: origin.server.connections == 0)
    assert origin.ask(PLAYLIST).status == 200


def test_more_segments_than_may_be_built(files: list[Path], start: Start) -> None:
    """Local files are not known to hold 4-byte lengths only: TS is built whole."""
    origin = start(built_bytes=1000)
    refused = origin.ask("/hls/local/a.mp4/seg-1-f1-v1-a1.ts")
    assert (refused.status, refused.headers["retry-after"]) == (503, "2")
    assert origin.ask("/cmaf/local/a.mp4/seg-1-f1-v1.m4s").status == 200


def test_a_segment_that_is_built_takes_its_room_until_it_is_sent(
    big: str, start: Start
) -> None:
    path = "/hls/local/big.mp4/seg-1-f1-v1-a1.ts"
    size = len(start().get(path))
    origin = start(built_bytes=size * 2, patience=60)
    with ExitStack() as stack:
        slow = [stack.enter_context(origin.connect(receive=4096)) for _ in range(2)]
        for client in slow:
            client.send(path)
            client.head()
        assert origin.ask(path).status == 503
    until(lambda: origin.site.in_flight == 0)
    for lines, status in (((), 200), (("If-None-Match: *",), 304), (("Range: bytes=9-",), 206)):
        for _ in range(3):
            assert origin.ask(path, *lines).status == status
    until(lambda: origin.media._room.free == size * 2)


@pytest.mark.parametrize("window", [16 << 10, 1 << 20])
def test_a_client_that_does_not_read_is_let_go(big: str, start: Start, window: int) -> None:
    origin = start(patience=0.2, minimum_rate=1 << 30, send_window=window)
    with origin.connect(receive=4096) as client:
        client.send(big)
        head = client.head()
        record = until(lambda: origin.records)[-1]
        assert (record["reason"], record["aborted"]) == ("client too slow", True)
        assert record["bytes"] < int(head.headers["content-length"])
        with pytest.raises(Cut):
            client.body(head)
    until(lambda: origin.site.in_flight == 0)


def test_a_client_that_does_not_read_a_playlist_is_let_go(
    files: list[Path], start: Start
) -> None:
    """Short answers go out in one write, and wait for nobody either."""
    origin = start(patience=0.2, minimum_rate=1 << 30)
    with origin.connect(receive=4096) as client:
        request = f"GET {PLAYLIST} HTTP/1.1\r\nHost: origin\r\n\r\n".encode()
        client.socket.sendall(request * 4000)
        until(lambda: any("reason" in record for record in origin.records))
    assert {r.get("reason") for r in origin.records} <= {None, "client too slow", "client left"}
    until(lambda: origin.site.in_flight == 0)


def test_a_client_that_is_slow_but_fast_enough(big: str, start: Start) -> None:
    origin = start(patience=5, send_window=64 << 10)
    whole = origin.get(big)
    with origin.connect(receive=8192) as client:
        client.send(big)
        assert client.body(client.head()) == whole


def test_a_client_that_leaves_takes_its_response_with_it(big: str, start: Start) -> None:
    origin = start(patience=60)
    for _ in range(20):
        with origin.connect(receive=4096) as client:
            client.send(big)
            client.head()
    until(lambda: len(origin.records) == 20)
    assert {record["reason"] for record in origin.records} == {"client left"}
    until(lambda: origin.site.in_flight == 0 and origin.server.connections == 0)
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    with origin.connect(receive=4096) as client:
        client.send(big)
        client.head()
    until(lambda: len(origin.records) == 21)
    assert len(list(Path("/proc/self/fd").iterdir())) <= descriptors


def test_a_client_that_sends_without_end(big: str, start: Start) -> None:
    """What follows a request is not read into memory without a bound."""
    origin = start(patience=60)
    with origin.connect(receive=4096) as client:
        client.send(big)
        client.head()
        client.socket.settimeout(0.5)
        sent = 0
        try:
            while sent < 64 << 20:
                sent += client.socket.send(b"x" * 65536)
        except (TimeoutError, ConnectionError):
            pass
        else:
            pytest.fail("all of it was taken")
        held = sum(c.stream._read_buffer_size for c in origin.server._connections)
        assert held <= 2 * MAX_BUFFER
    until(lambda: origin.site.in_flight == 0)


def test_heads_and_bodies_are_bounded(files: list[Path], start: Start) -> None:
    origin = start()
    with origin.connect() as client:
        client.socket.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nA: ")
        try:
            client.socket.sendall(b"a" * (1 << 20))
        except ConnectionError:
            pass
        assert client.is_closed()
    with origin.connect() as client:
        head = b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"
        client.socket.sendall(head)
        assert client.socket.recv(12) in (b"HTTP/1.1 400", b"HTTP/1.1 413", b"")
    assert origin.ask(PLAYLIST).status == 200


def test_few_open_files(files: list[Path], start: Start) -> None:
    origin = start(open_files=1)
    paths = [f"/cmaf/local/{name}.mp4/seg-{k}-f1-v1.m4s" for name in "abc" for k in (1, 2)]
    bodies = {path: origin.get(path) for path in paths}
    with ThreadPoolExecutor(6) as pool:
        for path, body in zip(paths * 4, pool.map(origin.get, paths * 4), strict=True):
            assert body == bodies[path]
    folder = files[0].parent
    opened = [one for one in Path("/proc/self/fd").iterdir() if _target(one).parent == folder]
    assert len(opened) <= 2


def _target(descriptor: Path) -> Path:
    try:
        return descriptor.readlink()
    except OSError:
        return descriptor


def test_fast_readers_beside_one_that_pauses(big: str, start: Start) -> None:
    origin = start()
    whole = origin.get(big)
    with origin.connect(receive=4096) as slow, ThreadPoolExecutor(4) as pool:
        slow.send(big)
        head = slow.head()
        assert set(pool.map(origin.get, [big] * 12)) == {whole}
        assert slow.body(head) == whole


def test_pipelined_requests_are_answered_in_order(files: list[Path], start: Start) -> None:
    origin = start()
    names = origin.media_names(PLAYLIST)
    with origin.connect() as client:
        for name in names:
            client.send(name)
        assert [client.answer().body for _ in names] == [origin.get(name) for name in names]


def test_a_configuration_is_checked(tmp_path: Path) -> None:
    for options, name in (
        ({"port": 65536}, "port"),
        ({"admin_port": -1}, "admin_port"),
        ({"workers": 0}, "workers"),
        ({"requests": 0}, "requests"),
        ({"local_root": tmp_path / "nothing"}, "local_root"),
    ):
        with pytest.raises(ValueError, match=f"^{name}: "):
            OriginConfig(data=tmp_path, **options)  # type: ignore[arg-type]
