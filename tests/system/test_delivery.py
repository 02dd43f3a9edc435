"""An edge before an origin, as processes: a herd, a request id, a crash."""

import os
import selectors
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.http import Client, Cut, get
from tests.support.processes import Running, children, free_port, running
from tests.support.waiting import LIMIT, until
from tests.system.delivery import ENTRY, digest, gate, ingest, names_in, requests_for

HERD = 200
_PASSED = 64 << 10
"""Bytes that reach the edge before the rest is held back."""


@pytest.fixture(scope="module")
def data(clips: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("delivery") / "data"
    ingest(data, *clips)
    return data


@pytest.fixture
def origin(data: Path) -> Iterator[Running]:
    with running("origin", "--data", data, "--port", "0") as origin:
        yield origin


def segment_of(origin: Running, flavor: int = 3) -> str:
    """The path of a video segment, with its token; the third flavor's is big."""
    names = names_in(f"{origin.url}/cmaf/e/{ENTRY}/index-f{flavor}-v1.m3u8")
    return names[1].removeprefix(origin.url)


def test_a_herd_is_one_request_and_streams(origin: Running) -> None:
    """200 at once for an object that nobody has: one request at the origin, equal bodies, and
    a first byte for everybody while the rest is held back."""
    path = segment_of(origin, 2)
    whole = get(origin.url + path).body
    assert len(whole) > 8 * _PASSED
    with gate(origin.address, _PASSED) as held, ExitStack() as stack:
        edge = stack.enter_context(running("edge", "--upstream", held.url, "--port", "0"))
        clients = [stack.enter_context(Client(edge.address)) for _ in range(HERD)]
        for client in clients:
            client.send(path)
        heads = [client.head() for client in clients]
        assert {head.status for head in heads} == {200}
        first = [client.taken() or client.socket.recv(1024) for client in clients]
        assert all(first)
        held.open()
        bodies = finish(clients, first, len(whole))
        assert {digest(body) for body in bodies} == {digest(whole)}
        assert held.connections == 1
        log = until(lambda: requests_for(origin, path)[1:])
        assert [line["status"] for line in log] == [200]  # beside the one without the edge
        hit = get(edge.url + path)
        assert "hit" in hit.headers["cache-status"] and hit.body == whole
    assert len(requests_for(origin, path)) == 2


def finish(clients: list[Client], first: list[bytes], length: int) -> list[bytes]:
    bodies = [bytearray(part) for part in first]
    with selectors.DefaultSelector() as selector:
        for number, client in enumerate(clients):
            selector.register(client.socket, selectors.EVENT_READ, number)
        while selector.get_map():
            ready = selector.select(LIMIT)
            assert ready, "nobody sends any more"
            for key, _ in ready:
                more = clients[key.data].socket.recv(1 << 18)
                assert more, "cut"
                bodies[key.data] += more
                if len(bodies[key.data]) >= length:
                    selector.unregister(key.fileobj)
    return [bytes(body) for body in bodies]


def test_a_request_id_travels(origin: Running) -> None:
    with running("edge", "--upstream", origin.url, "--port", "0") as edge:
        path = f"/hls/e/{ENTRY}/master.m3u8"
        answer = get(edge.url + path, "X-Request-Id: from-a-player-1")
        assert answer.headers["x-request-id"] == "from-a-player-1"
        [at_origin] = until(lambda: requests_for(origin, path))
        [at_edge] = until(lambda: requests_for(edge, path))
        assert at_origin["id"] == at_edge["id"] == "from-a-player-1"
        other = f"/dash/e/{ENTRY}/manifest.mpd"
        made = get(edge.url + other).headers["x-request-id"]
        [at_origin] = until(lambda: requests_for(origin, other))
        assert at_origin["id"] == made


def test_what_an_edge_keeps_of_an_origin(origin: Running) -> None:
    path = segment_of(origin)
    with running("edge", "--upstream", origin.url, "--port", "0") as edge:
        direct, first, second = (
            get(origin.url + path),
            get(edge.url + path),
            get(edge.url + path),
        )
        assert direct.body == first.body == second.body
        assert "hit" in second.headers["cache-status"]
        for name in ("etag", "cache-control", "content-type", "access-control-allow-origin"):
            assert direct.headers[name] == second.headers[name], name
        part = get(edge.url + path, "Range: bytes=1000-1999")
        assert (part.status, part.body) == (206, direct.body[1000:2000])
        master = f"/hls/e/{ENTRY}/master.m3u8"
        plain, packed = get(edge.url + master), get(edge.url + master, "Accept-Encoding: gzip")
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.headers["etag"] != plain.headers["etag"]
        assert get(edge.url + master).body == plain.body
        assert get(edge.url + f"/hls/e/{ENTRY}/seg-99-f1-v1-a1.ts").status == 404
        assert get(edge.url + "/nothing").status == 400


@pytest.mark.parametrize("victim", ["origin", "edge"])
def test_killed_during_traffic(data: Path, victim: str) -> None:
    """Players go on with the same bytes as soon as a new process stands in its place."""
    ports = {"origin": free_port(), "edge": free_port()}
    upstream = f"http://127.0.0.1:{ports['origin']}"
    commands = {
        "origin": ("origin", "--data", data, "--port", ports["origin"]),
        "edge": ("edge", "--upstream", upstream, "--port", ports["edge"]),
    }
    with ExitStack() as stack:
        servers = {name: stack.enter_context(running(*commands[name])) for name in commands}
        path = segment_of(servers["origin"])
        whole = digest(get(upstream + path).body)
        url = f"{servers['edge'].url}{path}"
        stop = threading.Event()
        seen: set[str] = set()
        good, bad = [0], [0]

        def play(number: int) -> None:
            """Not from the cache: each asks for another URL of the same bytes."""
            turn = 0
            while not stop.is_set():
                turn += 1
                try:
                    answer = get(f"{url}?{number}-{turn}")
                except (Cut, OSError):
                    bad[0] += 1
                    stop.wait(0.02)
                    continue
                if answer.status == 200:
                    seen.add(digest(answer.body))
                    good[0] += 1
                else:
                    assert answer.status in (502, 503, 504)
                    bad[0] += 1
                    stop.wait(0.02)

        players = [threading.Thread(target=play, args=(number,)) for number in range(3)]
        for player in players:
            player.start()
        try:
            until(lambda: good[0] > 3)
            killed = servers[victim]
            for process in [*children(killed.pid), killed.pid]:
                os.kill(process, signal.SIGKILL)
            assert killed.wait() == -signal.SIGKILL
            until(lambda: bad[0] > 0)
            stack.enter_context(running(*commands[victim]))
            reached = good[0]
            until(lambda: good[0] > reached + 3)
        finally:
            stop.set()
            for player in players:
                player.join(LIMIT)
        assert seen == {whole}


def test_an_edge_plays_on_without_its_origin(data: Path) -> None:
    with running("origin", "--data", data, "--port", "0") as origin:
        path = segment_of(origin)
        with running("edge", "--upstream", origin.url, "--port", "0") as edge:
            body = get(edge.url + path).body
            assert origin.stop() == 0
            hit = get(edge.url + path)
            assert (hit.status, hit.body) == (200, body)
            assert get(f"{edge.url}/hls/e/{ENTRY}/master.m3u8").status in (502, 503, 504)
