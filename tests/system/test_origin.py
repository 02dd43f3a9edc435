"""An origin as it runs: processes, signals, copies, readers that pause."""

import os
import selectors
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.http import Answer, Client, get
from tests.support.processes import Running, children, free_port, headrace, is_alive, running
from tests.support.waiting import LIMIT, until
from tests.system.delivery import (
    ENTRY,
    digest,
    ingest,
    log_of,
    memory,
    names_in,
    requests_for,
)

_PER_READER = 7 << 19
"""Bytes: a window that was read, the same as transport stream, and what makes it."""

BIG_CMAF = f"/cmaf/e/{ENTRY}/seg-1-f3-v1.m4s"
BIG_TS = f"/hls/e/{ENTRY}/seg-1-f3-v1-a1.ts"


@pytest.fixture(scope="module")
def data(clips: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("origin") / "data"
    ingest(data, *clips)
    return data


@pytest.fixture
def origin(data: Path) -> Iterator[Running]:
    with running("origin", "--data", data, "--port", "0") as origin:
        yield origin


def test_two_origins_over_copies_agree(clips: list[Path], tmp_path: Path) -> None:
    """Other times, another hash seed, another time zone, another order of ingest."""
    urls = []
    origins = []
    for number, zone in enumerate(("UTC", "Asia/Kathmandu")):
        folder = tmp_path / str(number)
        folder.mkdir()
        copies = [Path(shutil.copy(clip, folder)) for clip in clips]
        for position, copy in enumerate(copies):
            os.utime(copy, (0, 10**9 * (number + 1) + position))
        ingest(folder / "data", *(copies if number else reversed(copies)))
        env = {"PYTHONHASHSEED": str(number + 1), "TZ": zone}
        options = ("--data", folder / "data", "--local-root", folder, "--port", "0")
        origins.append(running("origin", *options, env=env))
    with origins[0] as one, origins[1] as two:
        for source in (f"e/{ENTRY}", "local/,a,b,c,.mp4.urlset", "local/c.mp4"):
            for protocol, name in (
                ("hls", "master.m3u8"), ("hls", "index-f1-v1-a1.m3u8"), ("cmaf", "master.m3u8"),
                ("cmaf", "index-f1-v1.m3u8"), ("cmaf", "manifest.mpd"),
                ("dash", "manifest.mpd"), ("hls/container/fmp4", "index-f1-a1.m3u8"),
            ):  # fmt: skip
                path = f"/{protocol}/{source}/{name}"
                urls += [path, *(n.removeprefix(one.url) for n in names_in(one.url + path))]
        assert len(set(urls)) > 60
        for url in dict.fromkeys(urls):
            first, second = get(one.url + url), get(two.url + url)
            assert first.status == 200, url
            assert first.body == second.body, url
            assert first.headers["etag"] == second.headers["etag"]


def read_slowly(readers: dict[Client, Answer], piece: int) -> list[bytes]:
    """The bodies, read a *piece* at a time in turn."""
    bodies = {client: bytearray() for client in readers}
    with selectors.DefaultSelector() as selector:
        for client, head in readers.items():
            bodies[client] += client.taken()
            if len(bodies[client]) < int(head.headers["content-length"]):
                selector.register(client.socket, selectors.EVENT_READ, client)
        while selector.get_map():
            ready = selector.select(LIMIT)
            assert ready, "nobody sends any more"
            for key, _ in ready:
                client: Client = key.data
                more = client.socket.recv(piece)
                assert more, "cut"
                bodies[client] += more
                if len(bodies[client]) >= int(readers[client].headers["content-length"]):
                    selector.unregister(client.socket)
    return [bytes(bodies[client]) for client in readers]


@pytest.mark.parametrize("path", [BIG_CMAF, BIG_TS], ids=["cmaf", "ts"])
def test_throttled_readers_beside_fast_ones(origin: Running, path: str) -> None:
    """50 that do not read at first, and fast ones meanwhile: right bytes, bounded memory."""
    whole = get(origin.url + path).body
    assert len(whole) > 6 << 20
    [worker] = children(origin.pid)
    before = memory(worker)
    limit = 50 * _PER_READER + (32 << 20)
    with ExitStack() as stack:
        readers = {}
        for _ in range(50):
            client = stack.enter_context(Client(origin.address, receive=16 << 10))
            client.send(path)
            readers[client] = client.head()
        for _ in range(10):
            assert digest(get(origin.url + path).body) == digest(whole)
        grown = memory(worker) - before
        assert grown < limit < 50 * len(whole) * 2 // 3, f"{grown >> 20} MiB"
        for body in read_slowly(readers, 64 << 10):
            assert digest(body) == digest(whole)
    assert memory(worker) - before < limit


def test_throttled_readers_of_different_parts(origin: Running) -> None:
    """50 that read another part each, of both containers, while fast ones have buffers used
    again: each body is the one that was sent when it was asked for alone."""
    paths = (BIG_CMAF, BIG_TS)
    size = min(len(get(origin.url + path).body) for path in paths)
    asked = [
        (paths[number % 2], f"Range: bytes={number * 40_009}-{size - 1 - number * 20_011}")
        for number in range(50)
    ]
    asked[:2] = [(path, "Accept: */*") for path in paths]
    with Client(origin.address) as client:
        alone = {one: client.ask(*one) for one in asked}
    assert {answer.status for answer in alone.values()} == {200, 206}
    with ExitStack() as stack:
        readers = {}
        for one in asked:
            client = stack.enter_context(Client(origin.address, receive=16 << 10))
            client.send(*one)
            readers[client] = client.head()
        fast = stack.enter_context(Client(origin.address))
        for one in asked[::5]:
            assert digest(fast.ask(*one).body) == digest(alone[one].body)
        for one, body in zip(asked, read_slowly(readers, 64 << 10), strict=True):
            assert digest(body) == digest(alone[one].body), one


def test_killed_during_traffic(data: Path) -> None:
    """Nothing that was ingested is lost, and the next process serves at once."""
    port = free_port()
    options = ("origin", "--data", data, "--port", port)
    stop = threading.Event()
    seen: set[str] = set()
    cut: list[str] = []

    def play() -> None:
        while not stop.is_set():
            try:
                seen.add(digest(get(f"http://127.0.0.1:{port}{BIG_CMAF}").body))
            except Exception as error:
                cut.append(type(error).__name__)
                stop.wait(0.01)

    with running(*options) as origin:
        players = [threading.Thread(target=play) for _ in range(4)]
        for player in players:
            player.start()
        try:
            until(lambda: seen)
            for worker in [*children(origin.pid), origin.pid]:
                os.kill(worker, signal.SIGKILL)
            assert origin.wait() == -signal.SIGKILL
            until(lambda: cut)
            seen_before = set(seen)
            with running(*options) as again:
                assert get(again.url + f"/hls/e/{ENTRY}/master.m3u8").status == 200
                until(lambda: any(line["status"] == 200 for line in log_of(again)))
        finally:
            stop.set()
            for player in players:
                player.join(LIMIT)
    assert seen == seen_before and len(seen) == 1


def test_term_finishes_a_slow_response(data: Path) -> None:
    with running("origin", "--data", data, "--port", "0") as origin:
        whole = get(origin.url + BIG_CMAF).body
        with Client(origin.address, receive=16 << 10) as slow, Client(origin.address) as idle:
            playlist = f"/hls/e/{ENTRY}/master.m3u8"
            assert idle.ask(playlist).status == 200
            slow.send(BIG_CMAF)
            head = slow.head()
            origin.process.send_signal(signal.SIGTERM)
            until(lambda: not _accepts(origin.address))
            assert is_alive(origin.pid)
            assert slow.body(head) == whole
            assert origin.wait() == 0
        log = requests_for(origin, BIG_CMAF)
        assert [(line["status"], line["bytes"]) for line in log] == [(200, len(whole))] * 2


def _accepts(address: tuple[str, int]) -> bool:
    try:
        Client(address).close()
    except OSError:
        return False
    return True


def test_two_workers_and_one_that_dies(data: Path) -> None:
    options = ("--data", data, "--port", "0", "--workers", "2")
    with running("origin", *options) as origin:
        workers = children(origin.pid)
        assert len(workers) == 2
        whole = get(origin.url + BIG_CMAF).body
        os.kill(workers[0], signal.SIGKILL)
        assert get(origin.url + BIG_CMAF).body == whole  # the other one serves
        until(lambda: len(children(origin.pid)) == 2 and workers[0] not in children(origin.pid))
        for _ in range(8):
            assert get(origin.url + BIG_CMAF).body == whole
        assert origin.stop() == 0


def test_counters_and_health(data: Path) -> None:
    port = free_port()
    options = ("--data", data, "--port", "0", "--admin-port", port)
    with running("origin", *options) as origin:
        admin = f"http://127.0.0.1:{port}"
        assert get(f"{admin}/healthz", "Connection: close").status == 200
        assert get(f"{admin}/readyz", "Connection: close").status == 200
        body = get(origin.url + BIG_CMAF).body
        get(f"{origin.url}/nothing")

        def metric(name: str) -> float:
            text = get(f"{admin}/metrics", "Connection: close").body.decode()
            return sum(
                float(line.rpartition(" ")[2])
                for line in text.splitlines()
                if line.startswith(name)
            )

        assert metric('headrace_origin_requests_total{status="2xx"}') == 1
        assert metric('headrace_origin_requests_total{status="4xx"}') == 1
        assert metric("headrace_origin_bytes_total") >= len(body)
        until(lambda: metric("headrace_origin_database_questions_total") >= 2)
        with Client(origin.address, receive=4096) as client:
            client.send(BIG_CMAF)
            client.head()
        until(lambda: metric('headrace_origin_requests_total{status="aborted"}') == 1)
        assert metric('headrace_origin_requests_total{status="2xx"}') == 1


def test_the_log_is_json_lines(origin: Running) -> None:
    path = f"/hls/e/{ENTRY}/master.m3u8"
    answer = get(origin.url + path, "X-Request-Id: my-request-1")
    [line] = until(lambda: requests_for(origin, path))
    assert line["id"] == "my-request-1" == answer.headers["x-request-id"]
    assert (line["method"], line["status"], line["bytes"]) == ("GET", 200, len(answer.body))
    assert 0 <= line["first_ms"] <= line["ms"]
    get(f"{origin.url}/hls/e/0_zzzzzzzz/master.m3u8")
    missing = until(lambda: requests_for(origin, "/hls/e/0_zzzzzzzz/master.m3u8"))
    assert missing[0]["reason"] == "no such entry"


def test_an_address_in_use(data: Path, origin: Running) -> None:
    second = headrace("origin", "--data", data, "--port", str(origin.address[1]))
    assert second.returncode == 2
    assert second.stdout == "" and second.stderr.count("\n") == 1
