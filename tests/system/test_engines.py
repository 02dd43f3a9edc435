"""Other caches before our origin, and our edge before another server: what one says the other
understands.  The caches run with the samples of ``deploy/``."""

import asyncio
import gzip
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex

import pytest

from tests.edge_cache.support.client import Answer
from tests.edge_cache.support.client import get as get_async
from tests.support.clips import make_clip
from tests.support.engines import ENGINES, Engine, nginx, nginx_cache
from tests.support.herds import Herd
from tests.support.http import get
from tests.support.processes import Running, children, running
from tests.support.waiting import until
from tests.system.delivery import ENTRY, ingest, log_of, names_in, requests_for

MPD = f"/cmaf/e/{ENTRY}/manifest.mpd"
TOLD = (
    "cache-control", "content-type", "accept-ranges", "access-control-allow-origin",
    "access-control-expose-headers",
)  # fmt: skip
"""Headers that a cache must hand on as they are; and of media, which nobody packs: """
OF_BYTES = ("etag", "content-length")

_LIFETIME = 10.0
"""Seconds for which the origin lets manifests and 404s be kept."""


def ask(port: int, target: str, *lines: str, method: str = "GET") -> Answer:
    return asyncio.run(get_async(port, target, *lines, method=method))


@pytest.fixture(scope="module")
def data(clips: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("engines") / "data"
    ingest(data, *clips)
    return data


@pytest.fixture(scope="module")
def origin(data: Path) -> Iterator[Running]:
    with running("origin", "--data", data, "--port", "0") as origin:
        yield origin


def authority(origin: Running) -> str:
    return origin.url.removeprefix("http://")


@pytest.fixture(scope="module", params=ENGINES)
def engine(
    request: pytest.FixtureRequest, origin: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp(request.param)
    with ENGINES[request.param](authority(origin), folder) as engine:
        yield engine


def asked(origin: Running) -> Counter[str]:
    """How often it has been asked for what by GET; its log is a while behind."""
    last = f"/last/{token_hex(8)}"
    get(origin.url + last)
    until(lambda: requests_for(origin, last))
    return Counter(line["target"] for line in log_of(origin) if line["method"] == "GET")


def paths_of(origin: Running) -> list[str]:
    """Manifests, and an init segment and a media segment of each kind."""
    manifests = [MPD]
    manifests += [f"/cmaf/e/{ENTRY}/{name}.m3u8" for name in ("master", "index-f1-v1")]
    manifests += [f"/hls/e/{ENTRY}/{name}.m3u8" for name in ("master", "index-f1-v1-a1")]
    media = [names_in(origin.url + path)[:2] for path in (MPD, *manifests[2::2])]
    found = [name.removeprefix(origin.url) for names in media for name in names]
    return [*manifests, *dict.fromkeys(found)]


def segment(origin: Running, number: int) -> str:
    """A media segment of some megabytes in the third flavor."""
    [*_, name] = names_in(f"{origin.url}/cmaf/e/{ENTRY}/index-f3-v1.m3u8")[: number + 1]
    return name.removeprefix(origin.url)


def test_the_second_is_a_hit_and_equal(origin: Running, engine: Engine) -> None:
    paths = paths_of(origin)
    assert len(paths) >= 9
    for bare in paths:
        path = f"{bare}?{engine.port}"
        first, second = ask(engine.port, path), ask(engine.port, path)
        assert not engine.is_hit(first.headers) and engine.is_hit(second.headers), path
        ours = get(origin.url + bare)
        is_media = ours.headers["content-type"].startswith("video/")
        for answer in (first, second):
            assert (answer.status, answer.body) == (200, ours.body), path
            for name in (*TOLD, *(OF_BYTES if is_media else ())):
                assert answer.headers.get(name) == ours.headers[name], (path, name)
    counts = asked(origin)
    assert {counts[f"{path}?{engine.port}"] for path in paths} == {1}


def test_ranges_and_heads_of_what_is_kept(origin: Running, engine: Engine) -> None:
    path = segment(origin, 1)
    whole = ask(engine.port, path)
    size = len(whole.body)
    before = asked(origin)[path]
    for field, start, stop in (
        ("0-0", 0, 1), ("100-299", 100, 300), (f"{size - 1}-", size - 1, size),
        ("-7", size - 7, size), (f"5-{size + 99}", 5, size),
    ):  # fmt: skip
        part = ask(engine.port, path, f"Range: bytes={field}")
        assert (part.status, part.body) == (206, whole.body[start:stop]), field
        assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
        assert engine.is_hit(part.headers)
    assert ask(engine.port, path, f"Range: bytes={size}-").status == 416
    head = ask(engine.port, path, method="HEAD")
    assert (head.status, head.headers["content-length"]) == (200, str(size))
    assert engine.is_hit(head.headers)
    assert asked(origin)[path] == before


def test_a_range_of_what_is_not_kept(origin: Running, engine: Engine) -> None:
    path = f"{segment(origin, 1)}?new"
    part = ask(engine.port, path, "Range: bytes=1000-1999")
    whole = ask(engine.port, path)
    assert (part.status, part.body) == (206, whole.body[1000:2000])
    assert (whole.status, whole.body) == (200, get(origin.url + path).body)


def test_conditions(origin: Running, engine: Engine) -> None:
    for path in (MPD, segment(origin, 1)):
        etag = ask(engine.port, path).headers["etag"]
        same = ask(engine.port, path, f"If-None-Match: {etag}")
        assert (same.status, same.body, same.headers["etag"]) == (304, b"", etag)
        other = ask(engine.port, path, 'If-None-Match: "other"')
        assert other.status == 200 and other.body


@pytest.mark.parametrize("first", ["gzip", "identity"])
def test_gzip_and_plain_are_kept_apart(origin: Running, engine: Engine, first: str) -> None:
    path = f"{MPD}?{first}"
    plain = get(origin.url + path).body
    order = ["gzip", "identity"] if first == "gzip" else ["identity", "gzip"]
    for number, coding in enumerate([*order, *order, "gzip, deflate, br", "br", "gzip;q=0"]):
        answer = ask(engine.port, path, f"Accept-Encoding: {coding}")
        is_gzip = coding.startswith("gzip") and not coding.endswith("q=0")
        assert answer.headers.get("content-encoding", "") == ("gzip" if is_gzip else ""), coding
        body = gzip.decompress(answer.body) if is_gzip else answer.body
        assert body == plain
        assert "Accept-Encoding" in answer.headers["vary"]
        if number in (2, 3):
            assert engine.is_hit(answer.headers)


def test_cors(origin: Running, engine: Engine) -> None:
    page = "Origin: https://page.example"
    for path in (MPD, segment(origin, 1)):
        for _ in range(2):
            answer = ask(engine.port, path, page)
            assert answer.headers["access-control-allow-origin"] == "*"
    preflight = "Access-Control-Request-Method: GET"
    told = ask(engine.port, MPD, page, preflight, method="OPTIONS")
    assert told.status == 204
    assert "GET" in told.headers["access-control-allow-methods"]


def test_a_503_is_not_kept(data: Path, origin: Running, engine: Engine, tmp_path: Path) -> None:
    entry = f"0_{engine.port:08d}"
    clip = make_clip(tmp_path / "lost.mp4", width=96, height=54, seconds=2, sound=False)
    ingest(data, clip, entry=entry)
    path = f"/cmaf/e/{entry}/seg-1-f1-v1.m4s"
    away = clip.rename(tmp_path / "away.mp4")
    for _ in range(2):
        answer = ask(engine.port, path)
        assert answer.status == 503 and "retry-after" in answer.headers
        assert not engine.is_hit(answer.headers)
    away.rename(clip)
    assert ask(engine.port, path).status == 200


def test_what_changes_something_goes_no_further(origin: Running, engine: Engine) -> None:
    path = f"{segment(origin, 1)}?{engine.port}"
    ask(engine.port, path)
    for method in ("PURGE", "POST", "PUT", "DELETE"):
        answer = ask(engine.port, path, "Content-Length: 0", method=method)
        assert answer.status in (403, 405), method
    assert engine.is_hit(ask(engine.port, path).headers)
    assert asked(origin)[path] == 1
    assert {line["method"] for line in requests_for(origin, path)} == {"GET"}


def test_a_herd_is_one_request(origin: Running, engine: Engine) -> None:
    path = f"{segment(origin, 1)}?herd{engine.port}"
    with Herd(engine.port, 30) as herd:
        herd.ask(path)
        assert set(herd.bodies()) == {get(origin.url + segment(origin, 1)).body}
    assert asked(origin)[path] == 1


def test_a_404_ends_in_time_and_what_is_kept_outlives_the_origin(
    data: Path, tmp_path: Path
) -> None:
    """All engines at once, since the time that passes is the lifetime itself."""
    missing = "/hls/e/0_zzzzzzzz/master.m3u8"
    with running("origin", "--data", data, "--port", "0") as origin, ExitStack() as stack:
        engines = {}
        for name, make in ENGINES.items():
            (tmp_path / name).mkdir()
            engines[name] = stack.enter_context(make(authority(origin), tmp_path / name))
        kept = {path: get(origin.url + path).body for path in (MPD, segment(origin, 1))}
        for engine in engines.values():
            for path, body in kept.items():
                assert ask(engine.port, path).body == body
            assert ask(engine.port, missing).status == 404
        for engine in engines.values():
            again = ask(engine.port, missing)
            assert again.status == 404 and engine.is_hit(again.headers)
        assert asked(origin)[missing] == len(engines)
        time.sleep(_LIFETIME + 1.5)  # caches count in whole seconds
        for name, engine in engines.items():
            assert ask(engine.port, missing).status == 404, name
        assert asked(origin)[missing] == 2 * len(engines)
        for pid in (*children(origin.pid), origin.pid):
            os.kill(pid, signal.SIGKILL)
        origin.wait()
        for name, engine in engines.items():
            for path, body in kept.items():
                answer = ask(engine.port, path)
                assert (answer.status, answer.body) == (200, body), (name, path)


# Our edge before nginx.

_FILES = """
server {
    listen 127.0.0.1:PORT;
    root ROOT;
    gzip on;
    gzip_vary on;
    gzip_proxied any;
    gzip_types text/plain;
    gzip_min_length 100;
    location / { add_header Cache-Control "no-cache"; }
    location /kept/ { add_header Cache-Control "max-age=60"; }
    location /silent/ { }
}
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for name in ("kept", "silent"):
        (root / name).mkdir(parents=True)
    text = "\n".join(f"line {number}" for number in range(1000))
    for folder in (root, root / "kept", root / "silent"):
        (folder / "a.txt").write_text(text)
        (folder / "a.mp4").write_bytes(os.urandom(3 << 20))
    return root


@pytest.fixture
def before_files(files: Path, tmp_path: Path) -> Iterator[int]:
    """The port of an edge before nginx, which serves files."""
    with (
        nginx(_FILES.replace("ROOT", str(files)), tmp_path) as upstream,
        running("edge", "--upstream", f"http://127.0.0.1:{upstream}", "--port", "0") as edge,
    ):
        yield edge.address[1]


def test_the_edge_revalidates_files_of_nginx(files: Path, before_files: int) -> None:
    first = ask(before_files, "/a.mp4")
    assert first.status == 200 and first.body == (files / "a.mp4").read_bytes()
    assert {"etag", "last-modified"} <= first.headers.keys()
    second = ask(before_files, "/a.mp4")
    assert "fwd=stale; fwd-status=304" in second.cache and second.body == first.body
    for condition in (
        f"If-None-Match: {first.headers['etag']}",
        f"If-Modified-Since: {first.headers['last-modified']}",
    ):
        assert ask(before_files, "/a.mp4", condition).status == 304
    (files / "a.mp4").write_bytes(b"another" * 1000)
    changed = ask(before_files, "/a.mp4")
    assert "fwd-status=200" in changed.cache and changed.body == b"another" * 1000
    assert ask(before_files, "/a.mp4", f"If-None-Match: {first.headers['etag']}").status == 200


def test_the_edge_keeps_ranges_of_nginx(files: Path, before_files: int) -> None:
    whole = (files / "kept" / "a.mp4").read_bytes()
    for _ in range(2):
        part = ask(before_files, "/kept/a.mp4", "Range: bytes=1500000-1500099")
        assert (part.status, part.body) == (206, whole[1500000:1500100])
    assert "hit" in part.cache
    assert ask(before_files, "/kept/a.mp4").body == whole
    last = ask(before_files, "/kept/a.mp4", "Range: bytes=-5")
    assert "hit" in last.cache and last.body == whole[-5:]


def test_the_edge_keeps_gzip_of_nginx_apart(files: Path, before_files: int) -> None:
    text = (files / "kept" / "a.txt").read_bytes()
    for number in range(2):
        packed = ask(before_files, "/kept/a.txt", "Accept-Encoding: gzip, br")
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.headers["etag"].startswith("W/")  # nginx packs as it sends
        assert gzip.decompress(packed.body) == text
        plain = ask(before_files, "/kept/a.txt")
        assert "content-encoding" not in plain.headers and plain.body == text
        assert ("hit" in packed.cache, "hit" in plain.cache) == (number == 1,) * 2


def test_the_edge_keeps_nothing_that_nginx_gives_no_lifetime(before_files: int) -> None:
    for reason in ("no-lifetime", "hit-for-miss"):
        answer = ask(before_files, "/silent/a.txt")
        assert answer.status == 200 and answer.cache.endswith(f"detail={reason}")


def test_the_edge_before_nginx_before_the_origin(origin: Running, tmp_path: Path) -> None:
    """Every path through both, then without either of the two behind the edge."""
    with ExitStack() as stack:
        cache = stack.enter_context(ExitStack())
        engine = cache.enter_context(nginx_cache(authority(origin), tmp_path))
        options = ("--upstream", engine.url, "--port", "0")
        port = stack.enter_context(running("edge", *options)).address[1]
        paths = [f"{path}?through" for path in paths_of(origin)]
        expected = {}
        for path in paths:
            ours = get(origin.url + path.removesuffix("?through")).body
            first, second = ask(port, path), ask(port, path)
            assert first.body == second.body == ours
            assert "fwd=uri-miss" in first.cache and "hit" in second.cache
            packed = ask(port, path, "Accept-Encoding: gzip")
            if "content-encoding" in packed.headers:
                assert gzip.decompress(packed.body) == ours
            expected[path] = 2 if "vary" in packed.headers else 1
        counts = asked(origin)
        assert {path: counts[path] for path in paths} == expected
        cache.close()
        for path in paths:
            assert "hit" in ask(port, path).cache
