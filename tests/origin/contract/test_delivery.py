"""playManifest and serveFlavor as players and caches see them."""

import io
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest

from origin.config import OriginConfig
from tests.origin.inside import SECOND, Origin, running, take
from tests.packager.matroska.generated import made
from tests.support.clips import make_clip
from tests.support.http import Answer

Start = Callable[..., Origin]
ENTRY = "0_abcd1234"
BASE = f"/p/101/sp/10100/playManifest/entryId/{ENTRY}"
NOW = time.time_ns() // SECOND * SECOND


class Site:
    """An origin with one entry, and its database."""

    def __init__(self, origin: Origin, data: Path, flavors: list[str]) -> None:
        self.origin = origin
        self.flavors = flavors
        self._data = data

    def change(self, statement: str) -> None:
        """The catalog, so that the origin knows at once."""
        with sqlite3.connect(self._data / "headrace.db") as database:
            database.execute(statement)
        database.close()
        self.origin.notice()

    def ask(self, rest: str, *lines: str, method: str = "GET") -> Answer:
        return self.origin.ask(f"{BASE}/{rest}", *lines, method=method)

    def refused(self, rest: str, number: int, cache: str = "public, max-age=60") -> None:
        answer = self.ask(rest)
        assert (answer.status, answer.headers.get("x-kaltura")) == (404, f"error-{number}")
        assert answer.headers["x-kaltura-app"].startswith(f"exiting on error {number} - ")
        assert answer.headers["cache-control"] == cache
        assert answer.headers["access-control-allow-origin"] == "*"


@pytest.fixture(scope="module")
def site(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data = tmp_path_factory.mktemp("data")
    taken = take(data, *sorted(clips.glob("*.mp4")), entry=ENTRY, name="Été: one/two")
    with running(OriginConfig(data=data, local_root=None)) as origin:
        origin.still = NOW
        yield Site(origin, data, [one["flavor"] for one in taken])


@pytest.fixture
def own(files: list[Path], start: Start, tmp_path: Path) -> Site:
    """One that a test may change."""
    data = tmp_path / "data"
    taken = take(data, *files, entry=ENTRY)
    origin = start()
    origin.still = NOW
    return Site(origin, data, [one["flavor"] for one in taken])


def lines(playlist: bytes) -> list[str]:
    return [line for line in playlist.decode().splitlines() if not line.startswith("#")]


# -- HLS


@pytest.mark.parametrize("form", ["applehttp", "hls"])
def test_a_master_playlist_that_plays(site: Site, form: str) -> None:
    answer = site.ask(f"format/{form}/protocol/https/a.m3u8")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["timing-allow-origin"] == "*"
    variants = lines(answer.body)
    assert len(variants) == 3
    for variant in variants:
        assert variant.startswith(f"/hls/p/101/sp/10100/serveFlavor/entryId/{ENTRY}/v/1/")
        segments = site.origin.media_names(variant)
        assert site.origin.get(segments[0])[0] == 0x47
        cached = site.origin.ask(segments[0]).headers["cache-control"]
        assert cached.endswith("immutable")


def test_it_lists_what_was_chosen(site: Site) -> None:
    one = site.flavors[1]
    variants = lines(site.ask(f"format/applehttp/flavorIds/{one}/a.m3u8").body)
    assert len(variants) == 1 and f"/flavorId/{one}/name/a.mp4/index-f1" in variants[0]
    assert ".urlset" not in variants[0]  # trap: one flavor is no set
    tail = f"{site.flavors[0]},{site.flavors[2]}"
    assert len(lines(site.ask(f"format/applehttp/flavorIds/{tail}/a.m3u8").body)) == 2
    # trap: ids that match nothing fall to tags
    assert len(lines(site.ask("format/applehttp/flavorIds/0_zzzzzzzz/a.m3u8").body)) == 3


def test_the_preferred_one_is_first_and_media_is_shared(site: Site) -> None:
    usual = lines(site.ask("format/applehttp/a.m3u8").body)
    for wish, first in ((1, usual[0]), (99999, usual[-1])):
        found = lines(site.ask(f"format/applehttp/preferredBitrate/{wish}/a.m3u8").body)
        assert found[0] == first and sorted(found) == sorted(usual)


def test_a_head_and_a_condition(site: Site) -> None:
    got = site.ask("format/applehttp/a.m3u8")
    asked = site.ask("format/applehttp/a.m3u8", method="HEAD")
    assert asked.headers["content-length"] == str(len(got.body))
    again = site.ask("format/applehttp/a.m3u8", f"If-None-Match: {got.headers['etag']}")
    assert again.status == 304
    assert again.headers["cache-control"] == "public, max-age=60"


def test_the_query_counts_and_the_path_wins(site: Site) -> None:
    assert len(lines(site.ask("a.m3u8?format=applehttp").body)) == 3
    assert site.ask("format/applehttp/a.m3u8?format=mpegdash").status == 200
    assert len(lines(site.ask(f"a.m3u8?f=hls&fs={site.flavors[0]}").body)) == 1


# -- redirects and JSON


def test_dash_is_a_redirect_to_the_mpd(site: Site) -> None:
    answer = site.ask("format/mpegdash/a.mpd")
    assert (answer.status, answer.body) == (302, b"")
    assert answer.headers["cache-control"] == "public, max-age=60"
    location = answer.headers["location"]
    assert location.startswith("/dash/p/101/") and location.endswith(".urlset/manifest.mpd")
    assert site.origin.text(location).count("<Representation") == 3 + 1
    assert site.ask("format/mpegdash/a.mpd", method="HEAD").headers["location"] == location


def test_hls_as_a_redirect(site: Site) -> None:
    location = site.ask("format/applehttp/responseFormat/redirect/a.m3u8").headers["location"]
    assert len(lines(site.origin.get(location))) == 3


def test_a_part_is_in_every_address(site: Site) -> None:
    for line in (
        site.ask("format/applehttp/seekFrom/7000/clipTo/9000/a.m3u8").body.decode().split()
    ):
        if not line.startswith("#"):
            folder = f"serveFlavor/entryId/{ENTRY}/clipTo/9000/clipFrom/7000/v/1/flavorId/"
            assert folder in line
            assert "#EXT-X-MEDIA-SEQUENCE:2\n" in site.origin.text(line)
    answer = site.ask("format/mpegdash/seekFrom/7000/a.mpd")
    location = answer.headers["location"]
    assert f"/entryId/{ENTRY}/clipFrom/7000/v/1/flavorId/" in location
    assert 'startNumber="2"' in site.origin.text(location)


def test_a_url_is_a_redirect_to_the_best_file(site: Site, clips: Path) -> None:
    answer = site.ask("format/url/protocol/http/a.mp4")
    assert answer.status == 302
    location = answer.headers["location"]
    assert "/v/1/flavorId/" in location
    assert site.origin.get(location) in [file.read_bytes() for file in clips.glob("*.mp4")]
    low = site.ask("format/url/preferredBitrate/1/a.mp4").headers["location"]
    assert low != location


def test_a_download_has_a_name(site: Site) -> None:
    location = site.ask("format/download/a.mp4").headers["location"]
    assert "/fileName/%C3%89t%C3%A9__one_two.mp4/" in location
    disposition = site.origin.ask(location).headers["content-disposition"]
    assert disposition == (
        "attachment; filename=\"_t___one_two.mp4\"; filename*=UTF-8''%C3%89t%C3%A9__one_two.mp4"
    )
    location = location.replace("%C3%89t%C3%A9", "").split("/fileName/")
    plain, name = location[0], location[1].partition("/")[2]
    disposition = site.origin.ask(f"{plain}/{name}?fileName=a%5C").headers[
        "content-disposition"
    ]
    assert disposition == "attachment; filename=\"a_\"; filename*=UTF-8''a%5C"


def test_json(site: Site) -> None:
    answer = site.ask("format/url/responseFormat/json/a.mp4")
    assert answer.headers["content-type"] == "application/json"
    said = json.loads(answer.body)
    assert (said["entryId"], said["duration"], said["baseUrl"]) == (ENTRY, 14, "")
    (one,) = said["flavors"]
    assert (one["width"], one["height"]) == (160, 90) and "/serveFlavor/" in one["url"]
    said = json.loads(site.ask("format/mpegdash/responseFormat/json").body)
    assert said["flavors"][0]["url"].endswith("/manifest.mpd")
    called = site.ask("format/url/responseFormat/jsonp/callback/my.fn")
    assert called.body.startswith(b"my.fn({") and called.body.endswith(b"});")
    assert called.headers["content-type"].startswith("text/javascript")


# -- costs


def test_what_is_known_asks_nothing(own: Site) -> None:
    rests = ("format/applehttp/a.m3u8", "format/mpegdash/a.mpd", "format/url/a.mp4")
    own.ask(rests[0])
    asked = own.origin.database.questions
    # its content, its partner's terms, headers and blocks of its flavors
    assert asked == 1 + 1 + 1
    for _ in range(3):
        for rest in rests:
            assert own.ask(rest).status in (200, 302)
    own.ask("format/applehttp/tags/web/playSessionId/1/a.m3u8")
    assert own.origin.database.questions == asked


def test_what_is_not_there_is_asked_for_once(own: Site) -> None:
    for _ in range(3):
        assert own.origin.ask("/p/101/playManifest/entryId/0_zzzzzzzz/f/hls").status == 404
    assert own.origin.database.questions == 1


def test_rows_without_a_change_make_the_same(own: Site) -> None:
    first = own.ask("format/applehttp/a.m3u8")
    asked = own.origin.database.questions
    own.change("UPDATE entry SET name = name")
    again = own.ask("format/applehttp/a.m3u8")
    assert (again.body, again.headers["etag"]) == (first.body, first.headers["etag"])
    assert own.origin.database.questions == asked + 1  # the row, and no index


# -- refusals


def test_errors_of_a_request(site: Site) -> None:
    site.refused("format/applehttp/maxBitrate/x/a.m3u8", 19)
    site.refused("format/applehttp/minBitrate/0/a.m3u8", 49)
    site.refused("format/applehttp/tags/nothing/a.m3u8", 6)
    site.refused("format/hds/a.f4m", 18)
    site.refused("format/url/responseFormat/f4m", 18)
    site.refused("format/url/expiry/1700000000/a.mp4", 28)
    unknown = site.origin.ask("/p/101/playManifest/entryId/0_zzzzzzzz/format/url/a.mp4")
    assert (unknown.status, unknown.headers["x-kaltura"]) == (404, "error-1")
    other = site.origin.ask(f"/p/102/playManifest/entryId/{ENTRY}/format/url/a.mp4")
    assert (other.status, other.headers["x-kaltura"]) == (404, "error-1")


def test_paths_that_do_not_parse(site: Site) -> None:
    for rest in ("../a.mp4", "%2e%2e/a.mp4", "tags/a%00/a.mp4", "format", "tags/..%2f..%2fx"):
        answer = site.ask(rest)
        assert (answer.status, answer.headers["cache-control"]) == (400, "no-store"), rest
    assert site.origin.ask("/p/101/sp/10100/raw/entry_id/x").status == 400


STATES = {
    "status = 3": 9,
    "moderation_status = 3": 9,
    "moderation_status = 1": 13,
    "status = 5": 13,
    "status = 6": 13,
    "status = 0": 1,
    "status = 7": 1,
    "type = 7": 12,
    "type = 5": 12,
}


def test_entries_that_nobody_may_see(own: Site) -> None:
    rest = "format/applehttp/a.m3u8"
    file = own.ask("format/url/a.mp4").headers["location"]
    for change, number in STATES.items():
        own.change(f"UPDATE entry SET {change}")
        own.refused(rest, number)
        assert own.origin.ask(file).headers["x-kaltura"] == f"error-{number}"
        own.change("UPDATE entry SET status = 2, moderation_status = 6, type = 1")
        assert own.ask(rest).status == 200, change
    own.change("UPDATE partner SET status = 2")
    own.refused(rest, 15)


def test_an_entry_with_rules(own: Site) -> None:
    own.change(
        "INSERT INTO access_control (id, name, rules) VALUES (1, 'some', '[{\"a\": 1}]')"
    )
    own.change("INSERT INTO access_control (id, name, rules) VALUES (2, 'none', '[]')")
    own.change("UPDATE entry SET access_control_id = 1")
    own.refused("format/applehttp/a.m3u8", 3, "no-store")  # trap: not kept
    own.change("UPDATE entry SET access_control_id = 2")
    assert own.ask("format/applehttp/a.m3u8").status == 200


def test_a_schedule(own: Site) -> None:
    rest, origin = "format/url/a.mp4", own.origin
    own.change(
        f"UPDATE entry SET start_at = {NOW + 100 * SECOND}, end_at = {NOW + 200 * SECOND}"
    )
    own.refused(rest, 2)
    origin.still = NOW + 95 * SECOND
    own.refused(rest, 2, "public, max-age=5")
    origin.still = NOW + 100 * SECOND
    assert own.ask(rest).headers["cache-control"] == "public, max-age=60"
    origin.still = NOW + 190 * SECOND
    assert own.ask(rest).headers["cache-control"] == "public, max-age=10"
    origin.still = NOW + 200 * SECOND - 1
    assert own.ask(rest).headers["cache-control"] == "no-store"
    origin.still = NOW + 200 * SECOND
    own.refused(rest, 2)


def test_a_url_with_an_end(site: Site) -> None:
    assert site.origin.still is not None
    soon = site.origin.still // SECOND + 30
    answer = site.ask(f"format/url/expiry/{soon}/a.mp4")
    assert (answer.status, answer.headers["cache-control"]) == (302, "public, max-age=30")


def test_no_database(start: Start) -> None:
    answer = start().ask(f"{BASE}/format/url/a.mp4")
    assert answer.status == 503 and "retry-after" in answer.headers


# -- cache versions


def test_cache_versions(own: Site) -> None:
    own.change("UPDATE entry SET cache_version = 4")
    own.change("UPDATE partner SET cache_version = 3")
    location = own.ask("format/url/a.mp4").headers["location"]
    assert "/v/1/pv/3/ev/4/flavorId/" in location
    assert own.origin.ask(location).status == 200
    assert all("/v/1/pv/3/ev/4/" in name for name in lines(own.ask("format/hls").body))


def test_a_flavor_that_is_replaced(own: Site, tmp_path: Path) -> None:
    before = own.ask(f"format/url/flavorId/{own.flavors[2]}/a.mp4").headers["location"]
    old = own.origin.get(before)
    new = make_clip(tmp_path / "new.mp4", width=64, height=64)
    take(tmp_path / "data", new, entry=ENTRY, replace=own.flavors[2])
    own.origin.notice()
    after = own.ask(f"format/url/flavorId/{own.flavors[2]}/a.mp4").headers["location"]
    assert "/v/1/" in before and "/v/2/" in after
    assert own.origin.get(after) == new.read_bytes()
    assert own.origin.get(before) == old  # a day long


# -- serveFlavor


def test_a_file_and_its_ranges(site: Site, clips: Path) -> None:
    path = f"/p/101/sp/10100/serveFlavor/entryId/{ENTRY}/v/1/flavorId/{site.flavors[0]}"
    path += "/name/a.mp4"
    whole = site.origin.ask(path)
    data = (clips / "a.mp4").read_bytes()
    assert (whole.status, whole.body) == (200, data)
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["cache-control"].endswith("immutable")
    head = site.origin.ask(path, method="HEAD")
    assert head.headers["content-length"] == str(len(data))
    part = site.origin.ask(path, "Range: bytes=100-299")
    assert (part.status, part.body) == (206, data[100:300])
    assert part.headers["content-range"] == f"bytes 100-299/{len(data)}"
    last = site.origin.ask(path, "Range: bytes=-50", f"If-Range: {whole.headers['etag']}")
    assert last.body == data[-50:]
    assert site.origin.ask(path, f"Range: bytes={len(data)}-").status == 416
    again = site.origin.ask(path, f"If-None-Match: {whole.headers['etag']}")
    assert again.status == 304


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("avc_aac.mkv", "video/x-matroska"),
        ("flac.mkv", "audio/x-matroska"),
        ("vp8_opus.webm", "video/webm"),
    ],
)
def test_what_is_said_of_a_file(start: Start, tmp_path: Path, name: str, kind: str) -> None:
    """The type of what is stored, and of a part that is written anew."""
    stored = tmp_path / name
    stored.write_bytes(made(name))
    [taken] = take(tmp_path / "data", stored, entry=ENTRY)
    origin, path = start(), f"/p/101/serveFlavor/entryId/{ENTRY}"
    whole = origin.ask(f"{path}/flavorId/{taken['flavor']}/name/a.mp4")
    assert (whole.body, whole.headers["content-type"]) == (stored.read_bytes(), kind)
    part = origin.ask(f"{path}/clipTo/2000/flavorId/{taken['flavor']}/name/a.mp4")
    assert part.headers["content-type"] == f"{kind.partition('/')[0]}/mp4"
    assert part.body[4:8] == b"ftyp"


def test_a_part_of_a_file_and_its_ranges(site: Site) -> None:
    answer = site.ask("format/download/seekFrom/7000/clipTo/9000/a.mp4")
    path = answer.headers["location"]
    assert f"/entryId/{ENTRY}/clipTo/9000/clipFrom/7000/v/1/flavorId/" in path
    whole = site.origin.ask(path)
    assert (whole.status, whole.headers["content-type"]) == (200, "video/mp4")
    assert whole.headers["cache-control"] == "public, max-age=10"
    with av.open(io.BytesIO(whole.body)) as file:
        assert sum(1 for _ in file.decode(video=0)) == 50
        assert file.duration == 2_000_000
    size = len(whole.body)
    assert site.origin.ask(path, method="HEAD").headers["content-length"] == str(size)
    for start, stop in ((0, 1), (100, 300), (2000, size - 7), (size - 50, size)):
        part = site.origin.ask(path, f"Range: bytes={start}-{stop - 1}")
        assert (part.status, part.body) == (206, whole.body[start:stop])
    assert site.origin.ask(path, f"If-None-Match: {whole.headers['etag']}").status == 304
    behind = path.replace("/clipTo/9000/clipFrom/7000/", "/clipFrom/15000/")
    assert site.origin.ask(behind).status == 404
    no_length = path.replace("/clipTo/9000/", "/clipTo/7000/")
    assert site.origin.ask(no_length).status == 400


def test_a_file_without_a_version(site: Site) -> None:
    path = f"/p/101/serveFlavor/entryId/{ENTRY}/flavorId/{site.flavors[0]}/name/a.mp4"
    assert site.origin.ask(path).headers["cache-control"] == "public, max-age=10"


def test_files_that_are_not_there(site: Site) -> None:
    own = f"/p/101/serveFlavor/entryId/{ENTRY}"
    for path, number in {
        f"{own}/flavorId/0_zzzzzzzz/name/a.mp4": 6,
        f"{own}/v/9/flavorId/{site.flavors[0]}/name/a.mp4": 6,
        f"/p/102/serveFlavor/entryId/{ENTRY}/flavorId/{site.flavors[0]}/name/a.mp4": 1,
        f"/p/101/serveFlavor/entryId/0_zzzzzzzz/flavorId/{site.flavors[0]}/name/a.mp4": 1,
    }.items():
        answer = site.origin.ask(path)
        assert (answer.status, answer.headers["x-kaltura"]) == (404, f"error-{number}"), path
    # the mapping may carry keys: it is never on this port
    path = f"{own}/flavorId/{site.flavors[0]}/name/a.mp4?pathOnly=1"
    assert site.origin.ask(path).status == 400
