"""What is read of a log, and what is asked for."""

import gzip
import io
import json
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.shadow.asking import Rewrite, init_target, our_target, parse_rewrite
from bench.shadow.logs import MAX_LINE, Logged, open_log, parse_line, read_lines
from bench.shadow.program import Order, Summary, choose

INDEX = "/hls/a.mp4/index.m3u8"
LINES = {
    "combined": (
        '::1 - - [23/Nov/2026] "GET /hls/a.mp4/seg-1.ts HTTP/1.1" 200 "https://p/?/x" "GET"',
        Logged("GET", "/hls/a.mp4/seg-1.ts", 200),
    ),
    "a query": (
        '- "GET /a.m3u8?t=1&u=%2F HTTP/2.0" 304',
        Logged("GET", "/a.m3u8?t=1&u=%2F", 304),
    ),
    "another method": ('- "OPTIONS /a HTTP/1.1" 204 0', Logged("OPTIONS", "/a", 204)),
    "what nginx escapes": (
        r'- "GET /a\xC3\xA9\x22 HTTP/1.1" 200',
        Logged("GET", "/a%C3%A9%22", 200),
    ),
    "a proxy's": ('- "GET http://h:80/a?b HTTP/1.1" 200', Logged("GET", "/a?b", 200)),
    "JSON, ours": (
        json.dumps({"time": 1, "method": "GET", "target": INDEX, "status": 200}),
        Logged("GET", INDEX, 200),
    ),
    "JSON, a request": (
        json.dumps({"request": f"HEAD {INDEX}?a HTTP/1.1", "status": "404"}),
        Logged("HEAD", f"{INDEX}?a", 404),
    ),
    "JSON, its parts": (
        json.dumps({"request_method": "GET", "uri": INDEX, "args": "a=1", "status": 200}),
        Logged("GET", f"{INDEX}?a=1", 200),
    ),
    "a path": (f"{INDEX} 200 0.01", Logged("GET", INDEX)),
    "a method and a path": (f"HEAD {INDEX}", Logged("HEAD", INDEX)),
    "an address": ("https://h/a?b#c", Logged("GET", "/a?b")),
    "no path": ('- "GET * HTTP/1.1" 200', None),
    "no request": ('- "-" 400 0', None),
    "a word": ("started", None),
    "JSON of something else": ('{"event": "ready"}', None),
    "JSON that ends early": ('{"target": "/a', None),
    "JSON with a number": ('{"target": 5}', None),
    "a port that is none": ("http://[::1/a", None),
    "a control character": ('{"target": "/a\\u0000b"}', None),
}


@pytest.mark.parametrize(("line", "logged"), LINES.values(), ids=LINES)
def test_a_line(line: str, logged: Logged | None) -> None:
    assert parse_line(line) == logged


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_file(tmp_path: Path, packed: bool) -> None:
    data = b"/a\n\n" + b"/" + b"x" * (3 * MAX_LINE) + b"\n/b\xff\n/c"
    path = tmp_path / "log"
    path.write_bytes(gzip.compress(data) if packed else data)
    with open_log(str(path)) as log:
        lines = [line.strip() for line in read_lines(log)]
    assert lines == ["/a", "(too long)", "/b�", "/c"]


def test_gzip_that_ends_early_is_told(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(bytes(range(256)) * 50)[:-20])
    with pytest.raises(BenchError, match="the log cannot be read"), open_log(str(path)) as log:
        list(read_lines(log))


REWRITES = [Rewrite("/vod/hls/", "/hls/local/"), Rewrite("/vod/", "/hls/mapped/")]
OURS = {
    "/vod/hls/a.mp4/index.m3u8": "/hls/local/a.mp4/index.m3u8",
    "/vod/x/master.m3u8?t=/vod/": "/hls/mapped/x/master.m3u8?t=/vod/",
    "/p/1/seg-3-f2-v1-a1.ts": "/p/1/seg-3-f2-v1-a1.ts",
    "/p/1/seg-3-f2-v1-a1-x9f2c41aa.ts?k": "/p/1/seg-3-f2-v1-a1.ts?k",
    "/p/1/seg-3-s1-x9f2c41aa00112233.vtt": "/p/1/seg-3-s1.vtt",
    "/p/film-xdeadbeef.mp4/index.m3u8": "/p/film-xdeadbeef.mp4/index.m3u8",
}


@pytest.mark.parametrize(("theirs", "ours"), OURS.items())
def test_our_target(theirs: str, ours: str) -> None:
    assert our_target(theirs, REWRITES) == ours


@pytest.mark.parametrize("text", ["", "/a", "a=/b", "/a=b"])
def test_a_rewrite_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="--rewrite"):
        parse_rewrite(text)


INITS = {
    "/d/a/fragment-3-f1-v1.m4s?k": "/d/a/init-f1-v1.mp4?k",
    "/h/a/seg-12-v1-a1-x9f2c41aa.m4s": "/h/a/init-v1-a1.mp4",
    "/h/a/seg-1.m4s": "/h/a/init.mp4",
    "/h/a/chunk-1.m4s": None,
    "/h/a/seg-1-v1.ts": None,
}


@pytest.mark.parametrize(("segment", "init"), INITS.items())
def test_which_init_segment(segment: str, init: str | None) -> None:
    assert init_target(segment) == init


def chosen(order: Order, *lines: str) -> tuple[list[str], dict[str, int]]:
    summary = Summary()
    found = [one.target for one in choose(map(parse_line, lines), order, summary)]
    return found, dict(summary.skipped)


def test_what_is_not_asked_is_counted() -> None:
    order = Order(log="-")
    lines = ("/a", '"POST /a HTTP/1.1" 200', "what", "/a", '"HEAD /a HTTP/1.1" 200', "/a?b")
    assert chosen(order, *lines) == (
        ["/a", "/a", "/a?b"],
        {"another method": 1, "not readable": 1, "asked for already": 1},
    )


def test_a_limit_and_a_sample() -> None:
    lines = [f"/{number}" for number in range(1000)]
    assert chosen(Order(log="-", limit=3), *lines)[0] == lines[:3]
    order = Order(log="-", sample=10)
    found, skipped = chosen(order, *lines)
    assert 50 < len(found) < 150
    assert found == chosen(order, *lines)[0]
    assert skipped == {"not in the sample": 1000 - len(found)}


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO(gzip.compress(b"/a\n"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(packed)))  # type: ignore[arg-type]
    with open_log("-") as log:
        assert list(read_lines(log)) == ["/a\n"]
