"""What every kind of response has in common: length, parts, conditions, headers."""

import gzip

import pytest

from tests.origin.inside import Origin, names_in, token_of
from tests.support.http import Answer

YEAR = "public, max-age=31536000, immutable"
SHORT = "public, max-age=10"
MANIFEST = "public, max-age=10, stale-while-revalidate=60"
KINDS = {  # path below the protocol's source, and what it is
    "hls master": ("hls", "master.m3u8", "application/vnd.apple.mpegurl"),
    "hls index": ("hls", "index-f2-v1-a1.m3u8", "application/vnd.apple.mpegurl"),
    "ts": ("hls", "seg-2-f2-v1-a1-x{}.ts", "video/mp2t"),
    "ts, sound alone": ("hls", "seg-2-f1-a1-x{}.ts", "video/mp2t"),
    "cmaf master": ("cmaf", "master.m3u8", "application/vnd.apple.mpegurl"),
    "cmaf index": ("cmaf", "index-f1-a1.m3u8", "application/vnd.apple.mpegurl"),
    "cmaf manifest": ("cmaf", "manifest.mpd", "application/dash+xml"),
    "cmaf init": ("cmaf", "init-f1-v1-x{}.mp4", "video/mp4"),
    "cmaf picture": ("cmaf", "seg-1-f3-v1-x{}.m4s", "video/mp4"),
    "cmaf sound": ("cmaf", "seg-3-f1-a1-x{}.m4s", "audio/mp4"),
    "dash manifest": ("dash", "manifest.mpd", "application/dash+xml"),
    "dash init": ("dash", "init-f1-a1-x{}.mp4", "audio/mp4"),
    "dash fragment": ("dash", "fragment-2-f1-v1-x{}.m4s", "video/mp4"),
}


@pytest.fixture(params=["entry", "local"])
def source(shared: Origin, request: pytest.FixtureRequest) -> str:
    return f"e/{shared.entry}" if request.param == "entry" else "local/,a,b,c,.mp4.urlset"


def token(origin: Origin, source: str) -> str:
    return token_of(origin.media_names(f"/hls/{source}/index-f1-v1-a1.m3u8")[0])


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def resource(shared: Origin, source: str, request: pytest.FixtureRequest) -> tuple[str, str]:
    """A path and its content type."""
    protocol, name, kind = request.param
    return f"/{protocol}/{source}/{name.format(token(shared, source))}", kind


def whole(origin: Origin, path: str, *lines: str) -> Answer:
    answer = origin.ask(path, *lines)
    assert answer.status == 200
    return answer


def test_head_get_and_joined_ranges_agree(shared: Origin, resource: tuple[str, str]) -> None:
    path, kind = resource
    with shared.connect() as client:
        answer = client.ask(path)
        head = client.ask(path, method="HEAD")
        assert (answer.status, head.status) == (200, 200)
        for name in set(answer.headers) - {"date", "x-request-id"}:
            assert head.headers[name] == answer.headers[name], name
        assert answer.headers["content-type"] == kind
        assert answer.headers["accept-ranges"] == "bytes"
        size = len(answer.body)
        joined, start = b"", 0
        for share in (0.0, 0.001, 0.3, 0.31, 0.9, 1.0):
            stop = max(start + 1, round(size * share))
            part = client.ask(path, f"Range: bytes={start}-{stop - 1}")
            assert part.status == 206
            assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
            assert part.headers["etag"] == answer.headers["etag"]
            joined, start = joined + part.body, stop
        assert joined == answer.body
        tail = client.ask(path, "Range: bytes=-7")
        assert tail.body == answer.body[-7:]
        part_head = client.ask(path, "Range: bytes=5-9", method="HEAD")
        assert (part_head.status, part_head.headers["content-length"]) == (206, "5")


def test_conditions(shared: Origin, resource: tuple[str, str]) -> None:
    path, _ = resource
    with shared.connect() as client:
        known = client.ask(path)
        etag = known.headers["etag"]
        assert etag.startswith('"')
        for tags in (etag, f'"other", {etag}', f"W/{etag}", "*"):
            fresh = client.ask(path, f"If-None-Match: {tags}")
            assert fresh.status == 304, tags
            assert fresh.headers["etag"] == etag
            assert fresh.headers["cache-control"] == known.headers["cache-control"]
            assert fresh.headers.get("vary") == known.headers.get("vary")
            assert "content-length" not in fresh.headers
        assert client.ask(path, 'If-None-Match: "other"').body == known.body
        # a 304 wins over a range, and a range over nothing that has changed
        assert client.ask(path, f"If-None-Match: {etag}", "Range: bytes=0-3").status == 304
        same = client.ask(path, f"If-Range: {etag}", "Range: bytes=0-3")
        assert (same.status, same.body) == (206, known.body[:4])
        other = client.ask(path, 'If-Range: "other"', "Range: bytes=0-3")
        assert (other.status, other.body) == (200, known.body)
        weak = client.ask(path, f"If-Range: W/{etag}", "Range: bytes=0-3")
        assert weak.status == 200


def test_a_range_past_the_end(shared: Origin, resource: tuple[str, str]) -> None:
    path, _ = resource
    size = len(whole(shared, path).body)
    answer = shared.ask(path, f"Range: bytes={size}-")
    assert answer.status == 416
    assert answer.headers["content-range"] == f"bytes */{size}"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("lines", ["bytes=0-1,3-4", "bytes=a-b", "chunks=0-1", "bytes=5-2"])
def test_a_range_that_is_not_served_is_ignored(shared: Origin, lines: str) -> None:
    path = f"/hls/e/{shared.entry}/master.m3u8"
    answer = whole(shared, path, f"Range: {lines}")
    assert answer.body == shared.get(path)


def test_cache_control_follows_what_the_url_says(
    shared: Origin, source: str, resource: tuple[str, str]
) -> None:
    path, _ = resource
    answer = whole(shared, path)
    if path.endswith((".m3u8", ".mpd")):
        assert answer.headers["cache-control"] == MANIFEST
        return
    assert answer.headers["cache-control"] == YEAR
    bare = whole(shared, path.replace(f"-x{token(shared, source)}", ""))
    assert bare.headers["cache-control"] == SHORT
    assert bare.body == answer.body
    assert bare.headers["etag"] == answer.headers["etag"]


def test_gzip_is_another_representation(shared: Origin, source: str) -> None:
    for path in (f"/hls/{source}/master.m3u8", f"/dash/{source}/manifest.mpd"):
        plain = whole(shared, path)
        packed = whole(shared, path, "Accept-Encoding: br, gzip;q=0.8")
        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
        assert gzip.decompress(packed.body) == plain.body
        assert plain.headers["etag"] != packed.headers["etag"]
        condition = f"If-None-Match: {plain.headers['etag']}"
        assert shared.ask(path, condition, "Accept-Encoding: gzip").status == 200
        refused = whole(shared, path, "Accept-Encoding: gzip;q=0")
        assert refused.body == plain.body
        size = len(packed.body)
        part = shared.ask(path, "Accept-Encoding: gzip", f"Range: bytes=10-{size - 1}")
        assert part.body == packed.body[10:]


def test_media_is_never_packed(shared: Origin, source: str) -> None:
    path = f"/hls/{source}/seg-1-f1-v1-a1-x{token(shared, source)}.ts"
    answer = whole(shared, path, "Accept-Encoding: gzip")
    assert {"content-encoding", "vary"}.isdisjoint(answer.headers)


def test_scripts_of_other_sites_may_read(shared: Origin) -> None:
    path = f"/hls/e/{shared.entry}/master.m3u8"
    for answer in (
        shared.ask(path),
        shared.ask("/nothing"),
        shared.ask(path, "Range: bytes=900000-"),
        shared.ask(path, "If-None-Match: *"),
        shared.ask(path, method="POST"),
    ):
        assert answer.headers["access-control-allow-origin"] == "*"
        exposed = answer.headers["access-control-expose-headers"]
        assert {"Cache-Status", "X-Request-Id"} <= set(exposed.split(", "))
    preflight = shared.ask(path, "Origin: http://page", method="OPTIONS")
    assert preflight.status == 204
    assert "GET" in preflight.headers["access-control-allow-methods"]
    assert preflight.headers["access-control-allow-headers"] == "*"


def test_one_object_serves_both_protocols(shared: Origin, source: str) -> None:
    playlist = shared.media_names(f"/cmaf/{source}/index-f1-v1.m3u8")
    mpd = shared.text(f"/cmaf/{source}/manifest.mpd")
    stem = f"-f1-v1-x{token_of(playlist[0])}"
    assert f"seg-$Number${stem}.m4s" in mpd and f"init{stem}.mp4" in mpd
    assert playlist[1].endswith(f"seg-1{stem}.m4s")
    fragment = playlist[1].replace("/cmaf/", "/dash/").replace("seg-1", "fragment-1")
    assert shared.get(fragment) == shared.get(playlist[1])


def test_every_name_of_a_manifest_is_there(shared: Origin, source: str) -> None:
    master = f"/hls/{source}/master.m3u8"
    indexes = names_in(master, shared.text(master))
    assert len(indexes) == 3
    for index in indexes:
        assert [shared.ask(name, method="HEAD").status for name in shared.media_names(index)]


def test_request_ids(shared: Origin) -> None:
    path = f"/hls/e/{shared.entry}/master.m3u8"
    answer = shared.ask(path, "X-Request-Id: abc-DEF_123")
    assert answer.headers["x-request-id"] == "abc-DEF_123"
    for bad in ("short", "has space inside", "x" * 65, 'quote"quote'):
        made = shared.ask(path, f"X-Request-Id: {bad}").headers["x-request-id"]
        assert made != bad and len(made) == 16


def test_head_and_errors_keep_the_connection(shared: Origin) -> None:
    path = f"/hls/e/{shared.entry}/master.m3u8"
    with shared.connect() as client:
        for target, method, status in (
            (path, "HEAD", 200),
            ("/nothing", "GET", 400),
            ("/nothing", "HEAD", 400),
            (path, "DELETE", 405),
            (path, "OPTIONS", 204),
            ("*", "OPTIONS", 204),
            (path, "GET", 200),
        ):
            assert client.ask(target, method=method).status == status


def test_the_absolute_form_of_a_target(shared: Origin) -> None:
    """RFC 9112 §3.2.2: a server takes it."""
    path = f"/hls/e/{shared.entry}/master.m3u8"
    assert shared.get(f"http://origin{path}") == shared.get(path)
    assert shared.ask("http://origin", method="GET").status == 400


def test_the_query_names_nothing(shared: Origin) -> None:
    path = f"/hls/e/{shared.entry}/master.m3u8"
    assert shared.get(f"{path}?CMCD=bl%3D2100&x=../..") == shared.get(path)
