"""Flavors that are here, in an object store and on an HTTP server, played together."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import boto3
import pytest

from metadata.records import ContentRecord
from origin.contract.access import Access, Asker, decide
from origin.contract.terms import Terms
from tests.origin.inside import Origin, names_in, take
from tests.support.http import Answer
from tests.support.s3 import BUCKET, ObjectServer, object_server

ENTRY = "0_abcd1234"
BASE = f"/p/101/sp/10100/playManifest/entryId/{ENTRY}"
FILES = f"/p/101/sp/10100/serveFlavor/entryId/{ENTRY}/flavorId"
OBJECTS, SERVER = 17, 18
S3_PROTOCOL, OTHER_DC = 6, 0
READY, PURGED = 2, 4
DISABLED, ENABLED = 1, 2

Start = Callable[..., Origin]


class Site:
    """An entry of three flavors: the first is here, the others are in one storage, the last is
    in another one as well."""

    def __init__(
        self, data: Path, files: list[Path], server: ObjectServer, most: int = OBJECTS
    ) -> None:
        self.data, self.files, self.server = data, files, server
        self.flavors = [one["flavor"] for one in take(data, *files, entry=ENTRY)]
        self.contents = [file.read_bytes() for file in files]
        host = server.url.removeprefix("http://")
        self.access = {
            "object_stores": (f"s3://{BUCKET}/films",),
            "remote_hosts": (host,),
            "remote_private": True,
        }
        self.storage(OBJECTS, S3_PROTOCOL, "s3.example", f"/{BUCKET}/films/")
        self.storage(SERVER, OTHER_DC, f"{server.url}/{BUCKET}", "/web")
        self.most, self.other = most, OBJECTS + SERVER - most
        for number, name in ((1, "b one.mp4"), (2, "c.mp4")):
            server.put(f"films/{name}", files[number])
            share(server, f"web/{name}", files[number])
            self.copy(number, 0, str(files[number]), PURGED)
            self.copy(number, self.most, f"/{name}", READY)
            files[number].unlink()
        self.copy(2, self.other, "c.mp4", READY)
        server.requests()

    def storage(self, id_: int, protocol: int, url: str, folder: str) -> None:
        self.run(
            "INSERT INTO storage_profile (id, partner_id, protocol, url, base_dir, settings)"
            " VALUES (?, 101, ?, ?, ?, '{}')",
            *(id_, protocol, url, folder),
        )

    def copy(self, number: int, dc: int, path: str, status: int) -> None:
        self.run(
            "INSERT INTO file_sync (object_type, object_id, version, object_sub_type, dc,"
            " file_path, status, updated_at) VALUES (4, ?, 1, 1, ?, ?, ?, 1)",
            *(self.flavors[number], dc, path, status),
        )

    def run(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.data / "headrace.db")) as database, database:
            database.execute(statement, values)

    def disable(self, origin: Origin, id_: int) -> None:
        self.run("UPDATE storage_profile SET status = ? WHERE id = ?", DISABLED, id_)
        origin.notice()

    def set(self, origin: Origin, settings: str) -> None:
        self.run("UPDATE partner SET settings = ?", settings)
        origin.notice()


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectServer]:
    with object_server() as one:
        yield one


@pytest.fixture(params=[OBJECTS, SERVER], ids=["S3", "HTTP"])
def site(
    request: pytest.FixtureRequest,
    files: list[Path],
    server: ObjectServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Site:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return Site(tmp_path / "data", files, server, request.param)


def share(server: ObjectServer, key: str, file: Path) -> None:
    """Give it to whoever asks by plain HTTP."""
    client = boto3.client(
        "s3",
        endpoint_url=server.url,
        aws_access_key_id="someone",
        aws_secret_access_key="not-told-to-anyone",
        region_name="us-east-1",
    )
    client.put_object(Bucket=BUCKET, Key=key, Body=file.read_bytes(), ACL="public-read")


def variants(answer: Answer) -> list[str]:
    assert answer.status == 200, answer
    return [line for line in answer.body.decode().splitlines() if not line.startswith("#")]


def listed(origin: Origin, rest: str = "format/hls") -> list[str]:
    return variants(origin.ask(f"{BASE}/{rest}/a.m3u8"))


def refused(origin: Origin, rest: str) -> str | None:
    answer = origin.ask(f"{BASE}/{rest}")
    assert answer.status == 404
    return answer.headers.get("x-kaltura")


def test_a_player_gets_all(site: Site, start: Start, tmp_path: Path) -> None:
    origin = start(**site.access)
    there = listed(origin)
    assert len(there) == 3
    local = tmp_path / "media" / "again"
    local.mkdir()
    for number, content in enumerate(site.contents):
        (local / f"{number}.mp4").write_bytes(content)
    for number, variant in enumerate(there):
        segments = origin.media_names(variant)
        same = f"/hls/local/again/{number}.mp4/index-f1-v1-a1.m3u8"
        expected = origin.media_names(same)
        assert len(segments) == len(expected) > 1
        for one, other in zip(segments, expected, strict=True):
            assert origin.get(one) == origin.get(other)
    assert len(variants(origin.ask(f"/hls/e/{ENTRY}/master.m3u8"))) == 3
    mpd = origin.ask(f"{BASE}/format/mpegdash").headers["location"]
    assert origin.text(mpd).count("<Representation") == 3 + 1
    assert origin.indexes.parsed <= 3 + 2  # the local ones, and what has another stamp
    asked = {path.partition("?")[0] for _, path in site.server.requests()}
    folder = "films" if site.most == OBJECTS else "web"
    assert asked == {f"/{BUCKET}/{folder}/{name}" for name in ("b%20one.mp4", "c.mp4")}


def test_a_file_with_ranges(site: Site, start: Start) -> None:
    origin = start(**site.access)
    for flavor, content in zip(site.flavors, site.contents, strict=True):
        path = f"{FILES}/{flavor}/name/a.mp4"
        assert origin.get(path) == content
        part = origin.ask(path, "Range: bytes=1000-1999")
        assert (part.status, part.body) == (206, content[1000:2000])


def test_without_an_index_it_is_parsed_on_first_use(site: Site, start: Start) -> None:
    site.run("DELETE FROM flavor_index_block")
    site.run("DELETE FROM flavor_index")
    origin = start(**site.access)
    for variant in listed(origin):
        assert origin.get(origin.media_names(variant)[0])[0] == 0x47
    assert origin.indexes.parsed == 3


def test_a_storage_that_is_disabled(site: Site, start: Start) -> None:
    origin = start(**site.access)
    before = f"/hls/e/{ENTRY}/index-f1-v1-a1.m3u8"
    playing = origin.media_names(before)
    site.disable(origin, site.most)
    assert len(listed(origin)) == 2
    assert len(variants(origin.ask(f"/hls/e/{ENTRY}/master.m3u8"))) == 2
    site.disable(origin, site.other)
    there = listed(origin)
    assert len(there) == 1 and site.flavors[0] in there[0]
    for flavor, status in zip(site.flavors, (200, 404, 404), strict=True):
        assert origin.ask(f"{FILES}/{flavor}/name/a.mp4").status == status
    assert names_in(before, origin.text(before)) != playing
    for segment in playing:  # of a player that began before
        assert origin.ask(segment).status == 200


@pytest.mark.parametrize(
    ("priority", "numbers"),
    [(1, [0]), (2, [0, 1, 2]), (3, [0, 1, 2]), (4, [1, 2])],
)
def test_priorities(site: Site, start: Start, priority: int, numbers: list[int]) -> None:
    origin = start(**site.access)
    site.set(origin, f'{{"storageServePriority": {priority}}}')
    found = listed(origin)
    assert len(found) == len(numbers)
    asked = [origin.ask(f"{BASE}/format/url/flavorId/{one}").status for one in site.flavors]
    assert asked == [302 if number in numbers else 404 for number in range(3)]


def test_the_other_first(site: Site, start: Start) -> None:
    site.server.put("films/a.mp4", site.files[0])
    share(site.server, "web/a.mp4", site.files[0])
    site.copy(0, site.most, "a.mp4", READY)
    origin = start(**site.access)
    path = f"{FILES}/{site.flavors[0]}/name/a.mp4"
    site.server.requests()
    assert origin.get(path) == site.contents[0]
    assert site.server.requests() == []  # it is here as well
    site.set(origin, '{"storageServePriority": 3}')
    assert origin.get(path) == site.contents[0]
    assert site.server.requests() != []


def test_a_priority_that_is_none(site: Site, start: Start) -> None:
    origin = start(**site.access)
    site.set(origin, '{"storageServePriority": 5}')
    answer = origin.ask(f"{BASE}/format/hls")
    assert answer.status == 502
    assert "storageServePriority is not 1 to 4" in answer.headers["x-headrace-error"]


def test_the_one_that_is_asked_for(site: Site, start: Start) -> None:
    site.server.put("films/a.mp4", site.files[0])
    site.copy(0, OBJECTS, "a.mp4", READY)
    origin = start(**site.access)
    first, *_ = there = listed(origin, f"format/hls/storageId/{OBJECTS}")
    assert len(there) == (3 if site.most == OBJECTS else 2)
    assert f"/preferredStorageId/{OBJECTS}/" in first
    site.server.requests()
    segments = origin.media_names(first)
    assert origin.get(segments[0])[0] == 0x47
    assert ("GET", f"/{BUCKET}/films/a.mp4") in site.server.requests()
    location = origin.ask(f"{BASE}/format/url/si/{SERVER}").headers["location"]
    assert site.flavors[2] in location and origin.get(location) == site.contents[2]
    assert refused(origin, "format/hls/storageId/99") == "error-50"
    site.disable(origin, OBJECTS)
    assert refused(origin, f"format/hls/storageId/{OBJECTS}") == "error-50"


def test_only_what_the_operator_allows_is_read(site: Site, start: Start) -> None:
    for lacking in ("object_stores", "remote_hosts"):
        origin = start(**{**site.access, lacking: ()})
        refuses = (lacking == "object_stores") == (site.most == OBJECTS)
        status = 503 if refuses else 200
        assert origin.ask(f"{FILES}/{site.flavors[1]}/name/a.mp4").status == status
        assert origin.ask(f"{FILES}/{site.flavors[0]}/name/a.mp4").status == 200
    origin = start(**site.access | {"remote_private": False})
    status = 200 if site.most == OBJECTS else 503
    assert origin.ask(f"{FILES}/{site.flavors[1]}/name/a.mp4").status == status


def test_how_many_questions(site: Site, start: Start) -> None:
    origin = start(**site.access)
    path = f"/hls/e/{ENTRY}/master.m3u8"
    origin.get(path)
    assert origin.database.questions == 3  # the entry, indexes, and once the partner's terms
    origin.get(path)
    listed(origin)
    seen = origin.database.questions
    listed(origin)
    origin.get(path)
    assert origin.database.questions == seen
    site.run("UPDATE file_sync SET status = 3 WHERE dc = ?", site.most)
    origin.notice()
    assert len(variants(origin.ask(path))) == 2
    assert origin.database.questions == seen + 1


def test_rows_say_languages_in_every_manifest(site: Site, start: Start) -> None:
    origin = start(**site.access)
    segments = origin.media_names(f"/hls/e/{ENTRY}/index-f1-v1-a1.m3u8")
    site.run("UPDATE flavor_asset SET language = 'fra', label = 'Français'")
    origin.notice()
    mpd = origin.ask(f"{BASE}/format/mpegdash").headers["location"]
    for path in (mpd, f"/dash/e/{ENTRY}/manifest.mpd", f"/cmaf/e/{ENTRY}/manifest.mpd"):
        assert 'lang="fr"' in origin.text(path), path
    cmaf = origin.text(f"/cmaf/e/{ENTRY}/master.m3u8")
    assert 'LANGUAGE="fr"' in cmaf and 'NAME="Français"' in cmaf
    assert origin.media_names(f"/hls/e/{ENTRY}/index-f1-v1-a1.m3u8") == segments


def test_a_session_in_a_header(
    site: Site, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    askers: list[Asker] = []

    def decided(content: ContentRecord, asker: Asker, terms: Terms) -> Access:
        askers.append(asker)
        return decide(content, asker, terms)

    monkeypatch.setattr("origin.delivery.decide", decided)
    origin = start(**site.access)
    for rest, header in (
        ("ks/djJ8cGFyYW0=/format/url", "djJ8aGVhZGVy"),
        ("format/url?ks=djJ8cGFyYW0=", "djJ8aGVhZGVy"),
        ("ks/djJ8cGFyYW0=/format/url", "no session"),
        ("format/url", ""),
    ):
        assert origin.ask(f"{BASE}/{rest}", f"X-Kaltura-Ks: {header}").status == 302
    assert [one.session for one in askers] == ["djJ8aGVhZGVy"] * 2 + ["djJ8cGFyYW0=", ""]


def test_a_link_is_what_it_points_at(site: Site, start: Start) -> None:
    origin = start(**site.access)
    site.run("DELETE FROM file_sync WHERE dc = ?", site.other)
    found = "dc = ? AND object_id = ?"
    last = (site.most, site.flavors[2])
    site.run(f"UPDATE file_sync SET object_id = '0_other123' WHERE {found}", *last)
    origin.notice()
    assert len(listed(origin)) == 2
    site.run(
        "INSERT INTO file_sync (object_type, object_id, version, object_sub_type, dc, status,"
        " file_type, linked_id, updated_at) SELECT 4, ?, 1, 1, dc, 2, 2, id, 1 FROM file_sync"
        " WHERE object_id = '0_other123'",
        site.flavors[2],
    )
    origin.notice()
    assert len(listed(origin)) == 3
    assert origin.get(f"{FILES}/{site.flavors[2]}/name/a.mp4") == site.contents[2]
    site.run("UPDATE file_sync SET status = -1 WHERE object_id = '0_other123'")
    origin.notice()
    assert len(listed(origin)) == 2


def test_a_path_that_leads_elsewhere(site: Site, start: Start) -> None:
    site.run("UPDATE file_sync SET file_path = '/../secret.mp4' WHERE dc = ?", site.most)
    origin = start(**site.access)
    answer = origin.ask(f"/hls/e/{ENTRY}/master.m3u8")
    assert answer.status == 502
    assert answer.headers["x-headrace-error"].endswith("file_path has dots")
