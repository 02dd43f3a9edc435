"""Filtered manifests of real media: what they list, name and refuse, and what caches share."""

import os
import re
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest

from metadata.engine import open_writer
from metadata.filter_sets import FilterSetRecord, delete_filter_set, put_filter_set
from metadata.sessions import writing
from origin.config import OriginConfig
from tests.origin.inside import Origin, running, take
from tests.support.clips import make_clip
from tests.support.needs import need
from tests.support.waiting import until

ENTRY = "0_abcd1234"
QUERY = "?aws.manifestfilter="
BASE = f"/p/101/sp/10100/playManifest/entryId/{ENTRY}/format"
Start = Callable[..., Origin]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    """Heights of 54, 72 and 90, as an entry and below ``local/``."""
    media, data = tmp_path_factory.mktemp("media"), tmp_path_factory.mktemp("data")
    for name, width, height in (("a", 96, 54), ("b", 128, 72), ("c", 160, 90)):
        make_clip(media / f"{name}.mp4", width=width, height=height, seconds=5)
    flavors = take(data, *sorted(media.glob("*.mp4")), entry=ENTRY)
    put(data, FilterSetRecord("phone", None, "video_height:1-60"))
    put(data, FilterSetRecord("tv", 101, "video_height:80-100"))
    with running(OriginConfig(data=data, local_root=media)) as origin:
        origin.entry = ENTRY
        origin.flavors = [one["flavor"] for one in flavors]
        yield origin


def put(data: Path, record: FilterSetRecord | None, name: str = "") -> None:
    """Store a filter set, or delete the one of all partners by that *name*."""
    engine = open_writer(data)
    with writing(engine) as session:
        if record is None:
            assert delete_filter_set(session, name, None)
        else:
            put_filter_set(session, record, now=1)
    engine.dispose()


def listed(text: str) -> list[str]:
    """Addresses in a master playlist, or representations of an MPD."""
    if text.startswith("#EXTM3U"):
        found = [line for line in text.splitlines() if line and line[0] != "#"]
        return found + re.findall(r'URI="([^"]+)"', text)
    return re.findall(r'<Representation id="([^"]+)"', text)


def index(*flavors: int, tail: str = "-v1-a1") -> list[str]:
    return [f"index-f{n}{tail}.m3u8" for n in flavors]


E = f"e/{ENTRY}"
NAMED: list[tuple[str, list[str]]] = [
    (f"/hls/{E}/master.m3u8", index(1, 2, 3)),
    (f"/hls/{E}/master-f1-f3.m3u8", index(1, 3)),
    (f"/hls/{E}/master-f2-v1.m3u8", index(2, tail="-v1")),
    (f"/hls/{E}/master-f2-v1-a0.m3u8", index(2, tail="-v1")),
    (f"/hls/{E}/master-a0.m3u8", index(1, 2, 3, tail="-v1")),
    (f"/hls/{E}/master-f3-a1.m3u8", index(3, tail="-a1")),
    (f"/hls/{E}/master-lund.m3u8", index(1, 2, 3)),
    (f"/hls/{E}/master-f1-f9.m3u8", index(1)),
    (f"/hls/container/fmp4/{E}/master-f2.m3u8", ["index-f2-v1.m3u8", "index-f2-a1.m3u8"]),
    (f"/cmaf/{E}/master-f2-v1.m3u8", ["index-f2-v1.m3u8"]),
    (f"/dash/{E}/manifest-f1-v1-a0.mpd", ["f1-v1"]),
    (f"/dash/{E}/manifest-f2-f3.mpd", ["f2-v1", "f3-v1", "f3-a1"]),
    (f"/cmaf/{E}/manifest-v0.mpd", ["f3-a1"]),
    ("/hls/local/,a,b,.mp4.urlset/master-f2.m3u8", index(2)),
]


@pytest.mark.parametrize(("url", "expected"), NAMED, ids=[url for url, _ in NAMED])
def test_selectors(site: Origin, url: str, expected: list[str]) -> None:
    found = listed(site.text(url))
    if url.startswith(("/dash", "/cmaf")):  # which sound is best is not ours
        assert [re.sub("f[123]-a1", "f3-a1", one) for one in found] == expected
    else:
        assert found == expected


def test_a_selector_by_the_id_of_a_flavor(site: Origin) -> None:
    assert listed(site.text(f"/hls/{E}/master-s{site.flavors[1]}.m3u8")) == index(2)
    assert site.ask(f"/hls/{E}/master-s0_zzzzzzzz.m3u8").status == 400


RULES: list[tuple[str, list[int]]] = [
    ("video_height:60-90", [2, 3]),
    ("video_height:54,90", [1, 3]),
    ("video_height:60-90;video_codec:h264", [2, 3]),
    ("video_bitrate:0-2147483647", [1, 2, 3]),
    ("video_framerate:25", [1, 2, 3]),
    ("video_framerate:24.9-25.1;video_dynamic_range:sdr;audio_codec:aacl", [1, 2, 3]),
    ("audio_channels:2;audio_sample_rate:48000;audio_language:und", [1, 2, 3]),
    ("trickplay_type:none;trickplay_height:100;subtitle_language:en", [1, 2, 3]),
]
PROTOCOLS = ("hls", "hls/container/fmp4", "cmaf", "dash")


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("rules", "flavors"), RULES)
def test_rules_in_query_and_path(
    site: Origin, protocol: str, rules: str, flavors: list[int]
) -> None:
    name = "manifest.mpd" if protocol == "dash" else "master.m3u8"
    by_query = site.text(f"/{protocol}/{E}/{name}{QUERY}{rules}")
    by_path = site.text(f"/{protocol}/{E}/filter/{rules}/{name}")
    found = {int(one) for one in re.findall(r"f([123])-v1", " ".join(listed(by_query)))}
    assert found == set(flavors)
    # the same manifest, but that what it names is two folders up
    assert by_query != by_path and by_query == by_path.replace("../../", "")


def test_the_lines_of_a_filtered_master_are_those_of_the_whole(site: Origin) -> None:
    whole = site.text(f"/hls/{E}/master.m3u8").splitlines()
    some = site.text(f"/hls/{E}/master.m3u8{QUERY}video_height:60-90").splitlines()
    assert some == [line for line in some if line in whole] and len(some) == len(whole) - 2


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_media_is_shared(site: Origin, protocol: str) -> None:
    """What a filtered manifest names is, once a client has resolved it, what the whole one
    names: the same objects in every cache."""
    name = "manifest.mpd" if protocol == "dash" else "master.m3u8"
    base = f"/{protocol}/{E}/{name}"

    def names(url: str) -> set[str]:
        text = site.text(url)
        found = re.findall(r'(?:media|initialization)="([^"]+)"', text) or listed(text)
        return {urljoin(url, one).replace("$Number$", "1") for one in found}

    whole = names(base)
    for url in (
        f"/{protocol}/{E}/filter/video_height:54/{name}",
        f"/{protocol}/{E}/filter/@phone/{name}",
        f"{base}{QUERY}video_height:54",
        f"/{protocol}/{E}/{name.replace('.', '-f1.')}",
    ):
        some = names(url)
        assert some < whole or "-f1-a1" in str(some)
        for one in some:
            assert site.ask(one).status == 200


def test_sound_that_loses_its_pictures_is_apart(site: Origin) -> None:
    """Sound of flavor 1 for all pictures: a filter takes no picture along."""
    text = site.text(f"/hls/{E}/master-f1-f2-v1-f3-v1.m3u8")
    assert listed(text) == ["index-f1-v1.m3u8", "index-f2-v1.m3u8", "index-f3-v1.m3u8",
                            "index-f1-a1.m3u8"]  # fmt: skip
    assert site.media_names(f"/hls/{E}/index-f1-a1.m3u8")


REFUSED = [
    (f"/hls/{E}/master-f9.m3u8", "leaves neither video nor audio"),
    (f"/hls/{E}/master-leng-v0.m3u8", "doubled or out of order"),
    (f"/hls/{E}/master-v0-leng.m3u8", "leaves neither video nor audio"),
    (f"/hls/{E}/master-f1-more.m3u8", "-more is not known"),
    (f"/dash/{E}/manifest.mpd{QUERY}video_height:4320;audio_channels:6", "leaves neither"),
    (f"/cmaf/{E}/manifest.mpd{QUERY}donut_type:rhododendron", "'donut_type' is not the name"),
    (f"/hls/{E}/master.m3u8{QUERY}a:1&aws.manifestfilter=b:1", "is doubled"),
    (f"/hls/{E}/filter/@unknown/master.m3u8", "there is no filter set unknown"),
    ("/hls/local/a.mp4/filter/@tv/master.m3u8", "there is no filter set tv"),
    (f"/hls/{E}/filter/video_height:54/index-f1-v1-a1.m3u8", "only manifests have one"),
    (f"{BASE}/applehttp/filter/x:1/a.m3u8", "'x' is not"),
    (f"{BASE}/applehttp/filterSet/-/a.m3u8", "'-' is not"),
    (f"{BASE}/applehttp/filterSet/no/a.m3u8",
     "there is no filter set no"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "reason"), REFUSED, ids=range(len(REFUSED)))
def test_nonsense_and_what_leaves_nothing(site: Origin, url: str, reason: str) -> None:
    answer = site.ask(url)
    assert (answer.status, answer.headers["cache-control"]) == (400, "no-store")
    assert reason in answer.headers["x-headrace-error"]


def test_only_this_query_counts_and_only_of_manifests(site: Origin) -> None:
    whole = site.get(f"/hls/{E}/master.m3u8")
    assert site.get(f"/hls/{E}/master.m3u8?session=7&other=1") == whole
    some = site.get(f"/hls/{E}/master.m3u8{QUERY}video_height:54")
    assert site.get(f"/hls/{E}/master.m3u8?s=7&aws.manifestfilter=video_height%3A54") == some
    assert site.get(f"/hls/{E}/master.m3u8{QUERY}") == whole
    playlist = f"/hls/{E}/index-f3-v1-a1.m3u8"
    assert site.get(f"{playlist}{QUERY}video_height:54") == site.get(playlist)
    assert site.get(f"{playlist}{QUERY}nonsense") == site.get(playlist)


def test_tags_and_conditions(site: Origin) -> None:
    url = f"/dash/{E}/manifest.mpd{QUERY}video_height:54"
    first, whole = site.ask(url), site.ask(f"/dash/{E}/manifest.mpd")
    assert first.headers["etag"] != whole.headers["etag"]
    assert first.headers["cache-control"] == whole.headers["cache-control"]
    assert site.ask(url, f"If-None-Match: {first.headers['etag']}").status == 304
    packed = site.ask(url, "Accept-Encoding: gzip")
    assert packed.headers["content-encoding"] == "gzip"


def test_a_filter_behind_a_clip(site: Origin) -> None:
    clip = f"/hls/{E}/clipFrom/2000/clipTo/4000"
    [variant] = listed(site.text(f"{clip}/filter/video_height:54/master.m3u8"))
    assert variant == "../../index-f1-v1-a1.m3u8"
    assert site.text(f"{clip}/{variant[6:]}").count("#EXTINF") == 1
    reverse = f"/hls/{E}/filter/video_height:54/clipFrom/2000/clipTo/4000/master.m3u8"
    assert site.ask(reverse).status == 400


# -- playManifest


@pytest.mark.parametrize(
    ("tail", "flavors"),
    [
        ("a.m3u8?aws.manifestfilter=video_height:54,90", {1, 3}),
        ("filter/video_height:54/a.m3u8", {1}),
        ("filter/video_height:54/a.m3u8?aws.manifestfilter=video_height:90", {1}),
        ("filterSet/phone/a.m3u8", {1}),
        ("a.m3u8?filterSet=tv", {3}),
    ],
)
def test_play_manifest(site: Origin, tail: str, flavors: set[int]) -> None:
    playlist = site.text(f"{BASE}/applehttp/{tail}")
    assert {int(one) for one in re.findall(r"index-f([123])", playlist)} == flavors
    for address in listed(playlist):
        assert address.startswith("/hls/p/101/") and "filter" not in address
        assert site.ask(address).status == 200
    redirect = site.ask(f"{BASE}/mpegdash/{tail.replace('m3u8', 'mpd')}")
    assert redirect.status == 302 and "/filter/" in redirect.headers["location"]
    found = listed(site.text(redirect.headers["location"]))
    assert {int(one) for one in re.findall(r"f([123])-v1", " ".join(found))} == flavors


def test_both_hold_together(site: Origin) -> None:
    both = f"{BASE}/mpegdash/filterSet/phone/a.mpd?aws.manifestfilter=audio_channels:6"
    location = site.ask(both).headers["location"]
    assert "/filter/@phone/manifest.mpd?aws.manifestfilter=audio_channels:6" in location
    assert listed(site.text(location)) == ["f1-v1"]
    nothing = f"{BASE}/applehttp/filterSet/phone/a.m3u8{QUERY}video_height:90;audio_channels:6"
    assert site.ask(nothing).status == 400


def test_hls_as_a_redirect(site: Origin) -> None:
    url = f"{BASE}/applehttp/responseFormat/redirect/a.m3u8{QUERY}video_height:54"
    location = site.ask(url).headers["location"]
    assert listed(site.text(location)) == ["../../index-f1-v1-a1.m3u8"]


# -- filter sets


@pytest.fixture
def own(files: list[Path], start: Start, tmp_path: Path) -> Origin:
    take(tmp_path / "data", *files, entry=ENTRY)
    put(tmp_path / "data", FilterSetRecord("phone", None, "video_height:1-60"))
    return start()


MASTER = f"/hls/{E}/filter/@phone/master.m3u8"


def test_a_cached_entry_asks_nothing(own: Origin) -> None:
    assert own.text(MASTER).count("index") == 1
    questions = own.database.questions
    for _ in range(3):
        own.get(MASTER)
        own.get(f"/dash/{E}/filter/@phone/manifest.mpd")
    assert own.database.questions == questions


def test_a_set_that_changes_is_seen(own: Origin) -> None:
    data = own.config.data
    assert own.text(MASTER).count("index") == 1
    put(data, FilterSetRecord("phone", None, "video_height:1-80"))
    until(lambda: own.text(MASTER).count("index") == 2)
    put(data, FilterSetRecord("phone", 101, "video_height:1-1000"))  # the partner's own
    until(lambda: own.text(MASTER).count("index") == 3)
    put(data, None, "phone")
    own.notice()
    assert own.text(MASTER).count("index") == 3
    assert own.ask("/hls/local/a.mp4/filter/@phone/master.m3u8").status == 400


def test_rules_that_an_operator_wrote_wrongly(own: Origin) -> None:
    with sqlite3.connect(own.config.data / "headrace.db") as database:
        database.execute("UPDATE filter_set SET rules = 'donut:1'")
    database.close()
    answer = own.ask(MASTER)
    assert answer.status == 502 and "filter_set" in answer.headers["x-headrace-error"]


# -- judged


def test_the_schema_takes_filtered_mpds(site: Origin, tmp_path: Path, dash_xsd: Path) -> None:
    xsd = dash_xsd / "DASH-MPD.xsd" if dash_xsd.is_dir() else dash_xsd
    for number, url in enumerate(
        (
            f"/dash/{E}/filter/video_height:54/manifest.mpd",
            f"/cmaf/{E}/filter/@tv/manifest-a0.mpd",
            f"/cmaf/{E}/manifest-v0.mpd",
        )
    ):
        file = tmp_path / f"{number}.mpd"
        file.write_bytes(site.get(url))
        check = [need("xmllint"), "--nonet", "--noout", "--schema", str(xsd)]
        catalog = {**os.environ, "XML_CATALOG_FILES": str(xsd.parent / "catalog.xml")}
        done = subprocess.run(
            [*check, str(file)], env=catalog, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def decoded(origin: Origin, url: str) -> tuple[int, str]:
    """What ffprobe makes of a manifest over HTTP: how many streams, and the heights."""
    command = [need("ffprobe"), "-v", "error", "-show_entries", "stream=height,codec_type"]
    address = f"http://{origin.address[0]}:{origin.address[1]}{url}"
    done = subprocess.run(
        [*command, "-of", "csv=p=0", address], capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.split() if line.startswith("video")]
    return len(lines), ",".join(sorted({line.split(",")[1] for line in lines}))


@pytest.mark.parametrize(
    "url",
    [
        f"/hls/{E}/filter/video_height:54/master.m3u8",
        f"/hls/container/fmp4/{E}/filter/@phone/master.m3u8",
        f"/cmaf/{E}/filter/@phone/master.m3u8",
        f"/dash/{E}/filter/@phone/manifest.mpd",
        f"/cmaf/{E}/manifest-f1.mpd",
    ],
)
def test_a_player_finds_what_a_filter_leaves(site: Origin, url: str) -> None:
    count, heights = decoded(site, url)
    assert heights == "54" and count >= 1
