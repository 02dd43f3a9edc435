"""Entries one after the other: their own segments, in manifests with discontinuities."""

import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin
from xml.etree import ElementTree

import m3u8
import pytest

from origin.config import OriginConfig
from origin.sequences.matching import matched, wanted_params
from tests.origin.contract.test_replies import row
from tests.origin.inside import Origin, running, take
from tests.packager.dash.test_mpd import judge
from tests.support.clips import make_clip

FIRST, SECOND, LIST, SILENT = "0_first001", "0_second01", "0_playlist", "0_silent01"
MPD = "{urn:mpeg:dash:schema:mpd:2011}"
BASE = "p/101/sp/10100/serveFlavor/entryId"


@pytest.fixture(scope="module")
def origin(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    """``FIRST`` of 14 s in three flavors, ``SECOND`` of 5 s in one."""
    data = tmp_path_factory.mktemp("data")
    files = sorted(clips.glob("*.mp4"))
    taken = take(data, *files, entry=FIRST)
    short = make_clip(data / "short.mp4", width=64, height=64, seconds=5)
    take(data, short, entry=SECOND)
    silent = make_clip(data / "silent.mp4", width=64, height=64, seconds=3, sound=False)
    take(data, silent, entry=SILENT)
    take(data, make_clip(data / "x.mp4", width=32, height=32, seconds=2), entry=LIST)
    with sqlite3.connect(data / "headrace.db") as database:
        change = "UPDATE entry SET type = 5, playlist = ? WHERE id = ?"
        database.execute(change, (f"{SECOND},{FIRST},{SECOND}", LIST))
        database.execute("UPDATE flavor_asset SET flavor_params_id = NULL")
    database.close()
    with running(OriginConfig(data=data, local_root=None)) as serving:
        serving.flavors = [one["flavor"] for one in taken]
        yield serving


def folder(origin: Origin, before: str = SECOND) -> str:
    ids = ",".join(origin.flavors)
    return f"{BASE}/{FIRST}/sequence/{before}/flavorIds/{ids}/name/a.mp4"


def decoded(origin: Origin, address: str) -> int:
    """Pictures, as ffmpeg decodes them without an error."""
    host = "{}:{}".format(*origin.address)
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", "-i", f"http://{host}{address}", "-map", "0:v:0",
         "-f", "framemd5", "-"],
        capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    return sum(1 for line in done.stdout.splitlines() if not line.startswith(b"#"))


@pytest.mark.parametrize("protocol", ["hls", "hls/container/fmp4", "cmaf"])
def test_hls(origin: Origin, protocol: str) -> None:
    base = f"/{protocol}/{folder(origin)}"
    master = m3u8.loads(origin.text(f"{base}/master.m3u8"))
    assert [one.stream_info.resolution for one in master.playlists] == [
        (96, 54), (128, 72), (160, 90),
    ]  # fmt: skip
    media = [one.uri for one in master.media]
    assert len(media) == (0 if protocol == "hls" else 1)
    for name in [*(one.uri for one in master.playlists), *media]:
        playlist = m3u8.loads(origin.text(f"{base}/{name}"))
        assert [one.discontinuity for one in playlist.segments] == [False, True, False, False]
        assert 18.9 < sum(one.duration for one in playlist.segments) < 19.2
        urls = [urljoin(f"{base}/{name}", one.uri) for one in playlist.segments]
        assert f"/entryId/{SECOND}/v/1/" in urls[0]
        assert all(f"/entryId/{FIRST}/v/1/flavorId/" in url for url in urls[1:])
        for url in urls:
            assert origin.ask(url).headers["cache-control"].endswith("immutable")
        maps = [one.init_section for one in playlist.segments]
        if protocol != "hls":
            found = [urljoin(f"{base}/{name}", one.uri) for one in maps]
            assert [f"/entryId/{SECOND}/" in one for one in found] == [True, *[False] * 3]
    if protocol == "hls":  # of fMP4 FFmpeg reads one init segment only
        assert decoded(origin, f"{base}/{master.playlists[2].uri}") == 19 * 25


@pytest.mark.parametrize("protocol", ["dash", "cmaf"])
def test_dash(origin: Origin, protocol: str, dash_xsd: Path) -> None:
    url = f"/{protocol}/{folder(origin)}/manifest.mpd"
    text = origin.text(url)
    judge(dash_xsd, text)
    document = ElementTree.fromstring(text)
    periods = list(document.iter(f"{MPD}Period"))
    assert [one.get("id") for one in periods] == ["1", "2"]
    assert periods[1].get("start") == periods[0].get("duration")
    for period, entry in zip(periods, (SECOND, FIRST), strict=True):
        for template in period.iter(f"{MPD}SegmentTemplate"):
            address = urljoin(url, template.get("initialization"))
            assert f"/entryId/{entry}/" in address
            assert origin.ask(address).status == 200


def test_a_playlist_plays_its_entries(origin: Origin) -> None:
    url = f"/hls/{BASE}/{LIST}/flavorIds/{origin.flavors[1]}/name/a.mp4/index-f1-v1-a1.m3u8"
    playlist = m3u8.loads(origin.text(url))
    assert [one.discontinuity for one in playlist.segments].count(True) == 2
    assert decoded(origin, url) == (5 + 14 + 5) * 25


def test_play_manifest_of_a_playlist(origin: Origin) -> None:
    url = f"/p/101/sp/10100/playManifest/entryId/{LIST}/format/hls/a.m3u8"
    answer = origin.ask(url)
    location = answer.headers["location"]
    assert answer.status == 302
    assert location.startswith(f"/hls/{BASE}/{LIST}/v/")
    master = m3u8.loads(origin.text(location))
    assert decoded(origin, urljoin(location, master.playlists[0].uri)) == (5 + 14 + 5) * 25


def test_play_manifest_of_a_sequence(origin: Origin) -> None:
    base = f"/p/101/sp/10100/playManifest/entryId/{FIRST}/sequence/{SECOND},{SILENT}"
    location = origin.ask(f"{base}/format/hls/a.m3u8").headers["location"]
    master = m3u8.loads(origin.text(location))
    assert len(master.playlists) == 3
    assert decoded(origin, urljoin(location, master.playlists[2].uri)) == (5 + 3 + 14) * 25
    location = origin.ask(f"{base}/format/mpegdash/a.mpd").headers["location"]
    assert origin.text(location).count("<Period ") == 3


def test_segments_are_those_of_the_entry(origin: Origin) -> None:
    base = f"/hls/{folder(origin)}"
    name = "index-f1-v1-a1.m3u8"
    own = urljoin(f"{base}/{name}", m3u8.loads(origin.text(f"{base}/{name}")).segments[1].uri)
    alone = own.rpartition("/")[0] + "/index-f1-v1-a1.m3u8"
    assert own in origin.media_names(alone)


@pytest.mark.parametrize("name", ["hls/{}/index-f1-v1-a1.m3u8", "dash/{}/manifest.mpd"])
def test_addresses_follow_the_rows(origin: Origin, name: str) -> None:
    path = f"/{name.format(folder(origin))}"
    assert "/ev/" not in origin.text(path)
    for version in (7, 0):
        change = "UPDATE entry SET cache_version = ? WHERE id = ?"
        with sqlite3.connect(Path(origin.config.data) / "headrace.db") as database:
            database.execute(change, (version, SECOND))
        database.close()
        origin.notice()
        assert (f"{SECOND}/v/1/ev/7/" in origin.text(path)) == bool(version)


REFUSED = {
    "/hls/{base}/index-f4-v1-a1.m3u8": 404,
    "/hls/{base}/seg-1-f1-v1-a1.ts": 404,
    "/hls/{base}/index-s1.m3u8": 404,
    "/hls/{base}/clipFrom/1000/master.m3u8": 400,
    "/hls/{base}/master-f1.m3u8": 400,
    f"/hls/{BASE}/{FIRST}/sequence/0_zzzzzzzz/flavorParamIds/1/name/a.mp4/master.m3u8": 404,
    f"/hls/{BASE}/{FIRST}/flavorParamIds/7/name/a.mp4/master.m3u8": 404,
    f"/hls/{BASE}/{FIRST}/flavorParamIds/x/name/a.mp4/master.m3u8": 400,
    f"/hls/{BASE}/{FIRST}/sequence/x/flavorParamIds/1/name/a.mp4/master.m3u8": 400,
    f"/hls/{BASE}/{FIRST}/flavorIds/0_f/flavorParamIds/1/name/a.mp4/master.m3u8": 400,
    "/hls/p/102/serveFlavor/entryId/0_first001/flavorParamIds/1/name/a.mp4/master.m3u8": 404,
    f"/{BASE}/{FIRST}/flavorParamIds/1/name/a.mp4": 400,
}


@pytest.mark.parametrize(("path", "status"), REFUSED.items(), ids=REFUSED)
def test_refused(origin: Origin, path: str, status: int) -> None:
    assert origin.ask(path.format(base=folder(origin))).status == status


def test_an_entry_without_sound(origin: Origin) -> None:
    base = folder(origin, SILENT)
    assert decoded(origin, f"/hls/{base}/index-f3-v1-a1.m3u8") == 17 * 25
    answer = origin.ask(f"/cmaf/{base}/master.m3u8")
    assert answer.status == 404
    assert "has no sound" in answer.headers["x-headrace-error"]


def test_a_flavor_stands_for_the_one_it_is_most_like() -> None:
    wanted = row("0_wanted01", tags="mbr,web", bitrate=900, flavor_params_id=4)
    same = row("0_same0001", tags="other", bitrate=1, flavor_params_id=4)
    tagged = row("0_tagged01", tags="mbr,web", bitrate=10, flavor_params_id=5)
    more = row("0_more0001", tags="mbr,web,ipad", bitrate=900, flavor_params_id=6)
    near = row("0_near0001", tags="mbr,web", bitrate=800, flavor_params_id=None)
    sound = row(
        "0_sound001", tags="mbr,web", bitrate=900, flavor_params_id=4, height=None, width=None
    )
    assert matched(wanted, [tagged, more, same, near, sound]) is same
    assert matched(wanted, [tagged, more, near, sound]) is near
    assert matched(wanted, [tagged, more]) is tagged
    assert matched(wanted, [more]) is more
    assert matched(wanted, [sound]) is None
    assert wanted_params([5, 9, 4], [[same], [tagged, wanted]]) == [tagged, same]
