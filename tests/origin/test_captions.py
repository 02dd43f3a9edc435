"""Captions of an entry: what manifests list, what their URLs are answered with, and when."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from posixpath import normpath

import pytest

from origin.config import OriginConfig
from packager.captions.fmp4 import CODECS, TextForm
from packager.captions.mp4_tracks import read_text_track
from packager.captions.webvtt import parse
from packager.plan import run_reads
from tests.origin.inside import Origin, running, take
from tests.packager.dash.test_mpd import judge
from tests.support.http import Answer

SRT = """\
1
00:00:01,000 --> 00:00:02,500
Hello & <i>you</i>

2
00:00:05,500 --> 00:00:07,000
across
"""
WEBVTT = "WEBVTT\n\nSTYLE\n::cue {}\n\n00:13.000 --> 00:15.000 line:0\nau revoir\n"
BROKEN = "WEBVTT\n\n00:01.000 --> 00:02.500\nHallo\n\n00:03 --> 00:04.000\nWelt\n"
SERVE = "/api_v3/index.php/service/caption_captionasset/action"


@dataclass
class Captioned:
    """An origin with an entry that has captions in English, French and, broken, German."""

    origin: Origin
    folder: Path
    entry: str
    flavors: list[str]

    def ids(self) -> dict[str, str]:
        """Of the assets, by language."""
        return dict(self.ask_database("SELECT language, id FROM caption_asset"))

    def ask_database(self, statement: str) -> list[tuple[str, ...]]:
        with sqlite3.connect(self.folder / "data" / "headrace.db") as database:
            rows = database.execute(statement).fetchall()
        database.close()
        return rows

    def change(self, statement: str) -> None:
        self.ask_database(statement)
        self.origin.notice()

    def ask(self, path: str) -> Answer:
        return self.origin.ask(path.replace("{}", self.entry))

    def text(self, path: str) -> str:
        answer = self.ask(path)
        assert answer.status == 200, (path, answer)
        return answer.body.decode()

    def serve_flavor(self, captions: str) -> str:
        first, second = (one.removeprefix("0_") for one in self.flavors)
        return (
            f"p/101/sp/10100/serveFlavor/entryId/{self.entry}/flavorId/0_,{first},{second},"
            f"{captions}/name/a.mp4.urlset"
        )


@pytest.fixture
def captioned(files: list[Path], tmp_path: Path) -> Iterator[Captioned]:
    for name, content in (("en.srt", SRT), ("fr.vtt", WEBVTT), ("de.vtt", BROKEN)):
        (tmp_path / name).write_text(content if name != "de.vtt" else WEBVTT)
    captions = tuple(
        f"{tmp_path}/{name}"
        for name in ("en.srt:eng:English", "fr.vtt:fre:Français", "de.vtt:ger")
    )
    taken = take(tmp_path / "data", *files[:2], captions=captions)
    (tmp_path / "de.vtt").write_text(BROKEN)
    with running(OriginConfig(data=tmp_path / "data", local_root=None)) as origin:
        yield Captioned(origin, tmp_path, taken[0]["entry"], [one["flavor"] for one in taken])


def names(playlist: str) -> list[str]:
    return re.findall(r"^[^#\n]+$", playlist, re.MULTILINE)


def extinf(playlist: str) -> list[str]:
    return re.findall(r"#EXTINF:([\d.]+),", playlist)


@pytest.mark.parametrize("folder", ["/hls/e/{}", "/hls/container/fmp4/e/{}", "/cmaf/e/{}"])
def test_hls_lists_what_can_be_read(captioned: Captioned, folder: str) -> None:
    master = captioned.text(f"{folder}/master.m3u8")
    found = re.findall(r'TYPE=SUBTITLES.*NAME="(\w+)",LANGUAGE="(\w+)".*URI="(.*)"', master)
    # -s2 is the German file, which cannot be read
    assert found == [
        ("English", "en", "index-s1.m3u8"),
        ("Français", "fr", "index-s2.m3u8"),
    ]
    assert master.count(',SUBTITLES="subs"') == master.count("#EXT-X-STREAM-INF") > 0
    video = captioned.text(f"{folder}/{names(master)[0]}")
    playlist = captioned.text(f"{folder}/index-s1.m3u8")
    assert extinf(playlist) == extinf(video)
    assert len(extinf(playlist)) > 1
    segments = [captioned.text(f"{folder}/{name}") for name in names(playlist)]
    clock = 900_000 if folder.startswith("/hls/e") else 0
    for segment in segments:
        begin = f"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{clock},LOCAL:00:00:00.000\n\n"
        assert segment.startswith(begin)
    cues = [[cue.text for cue in parse(segment.encode()).cues] for segment in segments]
    assert cues[0] == ["Hello &amp; <i>you</i>", "across"]
    assert cues[1] == ["across"]
    [french] = names(captioned.text(f"{folder}/index-s2.m3u8"))[-1:]
    assert "STYLE\n::cue {}" in captioned.text(f"{folder}/{french}")


@pytest.mark.parametrize("folder", ["/dash/e/{}", "/cmaf/e/{}"])
def test_an_mpd_lists_whole_files(captioned: Captioned, folder: str, dash_xsd: Path) -> None:
    found = captioned.text(f"{folder}/manifest.mpd")
    judge(dash_xsd, found)
    english, french = re.findall("<BaseURL>(.*)</BaseURL>", found)
    [cue] = parse(captioned.text(f"{folder}/{french}").encode()).cues
    assert (cue.start, cue.end, cue.settings) == (13_000, 15_000, "line:0")
    answer = captioned.ask(f"{folder}/{english}")
    assert answer.headers["content-type"] == "text/vtt; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("form", TextForm)
@pytest.mark.parametrize("folder", ["/dash/e/{}", "/cmaf/e/{}"])
def test_an_mpd_lists_segments_where_it_is_asked_to(
    captioned: Captioned, folder: str, form: TextForm, dash_xsd: Path
) -> None:
    """S-14, D-11: whatever is played of them is what the file has."""
    asked = f"{folder}/captionsAs/{form}"
    found = captioned.text(f"{asked}/manifest.mpd")
    judge(dash_xsd, found)
    assert f'codecs="{CODECS[form]}" lang="en"' in found
    assert "<BaseURL>" not in found
    names = re.findall(rf'initialization="(\S*{form}-init-s1\S*)" media="(\S*)"', found)
    header, media = names[0]
    data = b""
    for name in (header, *(media.replace("$Number$", str(n)) for n in (1, 2, 3))):
        answer = captioned.ask(normpath(f"{asked}/{name}"))
        assert (answer.status, answer.headers["content-type"]) == (200, "application/mp4")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        data += answer.body
    assert captioned.ask(normpath(f"{asked}/{media.replace('$Number$', '4')}")).status == 404
    read = read_text_track(len(data), 1)
    cues = run_reads(read, lambda one: data[one.offset : one.offset + one.length]).cues
    assert [(cue.start, cue.end, cue.text) for cue in cues] == [
        (1000, 2500, "Hello &amp; <i>you</i>"),
        (5500, 7000, "across"),
    ]
    video = captioned.text(f"{folder}/manifest.mpd")
    assert re.findall(r"(?:fragment|seg)-[^\s\"]*", video)[0] in found, "the media is the same"


def test_a_clip_has_times_of_its_own_in_dash(captioned: Captioned) -> None:
    folder = "/dash/e/{}/clipFrom/7000"
    [english, _] = re.findall(
        "<BaseURL>(.*)</BaseURL>", captioned.text(f"{folder}/manifest.mpd")
    )
    [cue] = parse(captioned.text(f"{folder}/{english}").encode()).cues
    assert (cue.start, cue.end, cue.text) == (0, 1000, "across")
    assert captioned.ask("/dash/e/{}/" + english).status == 404
    hls = captioned.text("/hls/e/{}/clipFrom/7000/index-s1.m3u8")
    whole = captioned.text("/hls/e/{}/index-s1.m3u8")
    assert [name.removeprefix("../../") for name in names(hls)] == names(whole)[1:]


STATUSES = {
    "/hls/e/{}/index-s4.m3u8": (404, "captions 4 of 3"),
    "/hls/e/{}/index-s0.m3u8": (404, "captions 0 of 3"),
    "/hls/e/{}/seg-99-s1.vtt": (404, "segment 99 of "),
    "/hls/e/{}/seg-1-s1-x0000000000000000.vtt": (404, "no such token"),
    "/hls/e/{}/index-s3.m3u8": (502, "captions, line 6: the times of a cue cannot be read"),
    "/cmaf/e/{}/sub-s3.vtt": (502, "line 6"),
}


@pytest.mark.parametrize(("path", "expected"), STATUSES.items(), ids=STATUSES)
def test_statuses(captioned: Captioned, path: str, expected: tuple[int, str]) -> None:
    # the third is the broken one
    captioned.change("UPDATE caption_asset SET language = 'zul' WHERE language = 'ger'")
    answer = captioned.ask(path)
    assert answer.status == expected[0]
    assert expected[1] in answer.headers["x-headrace-error"]
    assert str(captioned.folder) not in answer.body.decode()


def test_a_file_that_is_missing_is_left_out(captioned: Captioned) -> None:
    captioned.text("/hls/e/{}/master.m3u8")
    (captioned.folder / "en.srt").unlink()
    assert "index-s1.m3u8" not in captioned.text("/hls/e/{}/master.m3u8")
    answer = captioned.ask("/hls/e/{}/index-s1.m3u8")
    assert answer.status == 503
    assert answer.headers["retry-after"]


def test_captions_change_and_video_keeps_its_urls(captioned: Captioned) -> None:
    before = names(captioned.text("/hls/e/{}/index-s1.m3u8"))
    video = captioned.text("/hls/e/{}/index-f1-v1-a1.m3u8")
    (captioned.folder / "en.srt").write_text(SRT.replace("across", "over"))
    after = names(captioned.text("/hls/e/{}/index-s1.m3u8"))
    assert not set(before) & set(after)
    assert "over" in captioned.text("/hls/e/{}/" + after[0])
    assert captioned.ask("/hls/e/{}/" + before[1]).status == 404
    assert captioned.text("/hls/e/{}/index-f1-v1-a1.m3u8") == video


def test_others_that_come_first_leave_urls_alone(captioned: Captioned) -> None:
    [name] = names(captioned.text("/hls/e/{}/index-s1.m3u8"))[:1]
    captioned.change("UPDATE caption_asset SET is_default = 1 WHERE language = 'fre'")
    master = captioned.text("/hls/e/{}/master.m3u8")
    assert 'LANGUAGE="fr",DEFAULT=YES,AUTOSELECT=YES,FORCED=NO,URI="index-s1.m3u8"' in master
    assert "across" in captioned.text("/hls/e/{}/" + name)


def test_play_manifest_lists_them(captioned: Captioned) -> None:
    base = "/p/101/sp/10100/playManifest/entryId/{}/format/applehttp"
    master = captioned.text(f"{base}/a.m3u8")
    english = re.findall(r'TYPE=SUBTITLES.*LANGUAGE="en".*URI="(.*)"', master)
    assert re.findall(r"#EXT-X-(\w+)", master).index("MEDIA") < master.index("STREAM-INF")
    [first, *_] = names(captioned.text(english[0]))
    assert "across" in captioned.text(f"{english[0].rpartition('/')[0]}/{first}")
    without = captioned.text(f"{base}/disableCaptions/1/a.m3u8")
    assert "SUBTITLES" not in without

    def media(master: str) -> set[str]:
        """Where the segments of the first variant are."""
        path = names(master)[0]
        folder = path.rpartition("/")[0].split("/")
        found = set()
        for name in names(captioned.text(path)):
            parts = list(folder)
            for part in name.split("/"):
                parts = parts[:-1] if part == ".." else [*parts, part]
            found.add("/".join(parts))
        return found

    assert media(master) == media(without), "captions beside it are no other video"


def test_dash_is_sent_to_an_mpd_with_them_or_without(captioned: Captioned) -> None:
    base = "/p/101/sp/10100/playManifest/entryId/{}/format/mpegdash"
    for more, count in (("", 2), ("/disableCaptions/true", 0)):
        location = captioned.ask(f"{base}{more}/a.mpd").headers["location"]
        assert captioned.text(location).count('mimeType="text/vtt"') == count


@pytest.mark.parametrize(
    ("captions", "languages"),
    [("", []), ("/captions/all", ["en", "fr"]), ("/captions/fra", ["fr"]),
     ("/captions/eng+fre", ["en", "fr"]), ("/captions/ita", [])],
)  # fmt: skip
def test_serve_flavor_lists_what_is_asked_for(
    captioned: Captioned, captions: str, languages: list[str]
) -> None:
    master = captioned.text(f"/hls/{captioned.serve_flavor(captions)}/master.m3u8")
    assert re.findall(r'SUBTITLES.*LANGUAGE="(\w+)"', master) == languages


def test_the_urls_of_a_caption_asset(captioned: Captioned) -> None:
    asset = captioned.ids()["eng"]
    base = f"{SERVE}/serveWebVTT/captionAssetId/{asset}"
    playlist = captioned.text(f"{base}/segmentDuration/6/version/1/a.m3u8")
    first, second, *_ = (captioned.text(name) for name in names(playlist))
    assert first.startswith("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n")
    assert "across" in first and "across" in second and "Hello" not in second
    assert extinf(captioned.text(f"{base}/a.m3u8")) == ["14.000000"]
    assert "Hello" in captioned.text(f"{base}/segmentIndex/1.vtt")
    served = captioned.ask(f"{SERVE}/serve/captionAssetId/{asset}")
    assert (served.body.decode(), served.headers["content-type"]) == (
        SRT,
        "application/x-subrip",
    )


REFUSALS: dict[str, tuple[str, int]] = {
    "serveWebVTT/captionAssetId/0_zzzz9999/a.m3u8": ("x-kaltura", 5),
    "serveWebVTT/captionAssetId/nonsense/a.m3u8": ("x-kaltura", 5),
    "serveWebVTT/captionAssetId/{asset}/version/2/a.m3u8": ("x-kaltura", 5),
    "serveWebVTT/captionAssetId/{asset}/segmentDuration/0/a.m3u8": ("x-kaltura", 50),
    "serveWebVTT/captionAssetId/{asset}/segmentDuration/x/a.m3u8": ("x-kaltura", 50),
    "serveWebVTT/captionAssetId/{asset}/segmentIndex/x.vtt": ("x-kaltura", 50),
    "serveWebVTT/a.m3u8": ("x-kaltura", 20),
}


@pytest.mark.parametrize(("rest", "expected"), REFUSALS.items(), ids=REFUSALS)
def test_caption_assets_are_refused_by_number(
    captioned: Captioned, rest: str, expected: tuple[str, int]
) -> None:
    answer = captioned.ask(f"{SERVE}/{rest.replace('{asset}', captioned.ids()['eng'])}")
    assert (answer.status, answer.headers[expected[0]]) == (404, f"error-{expected[1]}")


@pytest.mark.parametrize("path", ["/api_v3/service/media/action/get", f"{SERVE}/serveAsJson"])
def test_other_services_are_not_there(captioned: Captioned, path: str) -> None:
    assert captioned.ask(path).status == 400


@pytest.mark.parametrize(
    ("change", "number"), [("status = 3", 9), ("moderation_status = 1", 13)]
)
def test_what_must_not_be_shown_has_no_captions(
    captioned: Captioned, change: str, number: int
) -> None:
    asset = captioned.ids()["eng"]
    [segment] = names(captioned.text("/hls/e/{}/index-s1.m3u8"))[:1]
    captioned.text("/hls/e/{}/" + segment)
    captioned.change(f"UPDATE entry SET {change}")
    for rest in ("serveWebVTT", "serve"):
        answer = captioned.ask(f"{SERVE}/{rest}/captionAssetId/{asset}")
        assert answer.headers["x-kaltura"] == f"error-{number}"
    assert captioned.ask("/hls/e/{}/" + segment).status == 404
    assert captioned.ask("/hls/e/{}/index-s1.m3u8").status == 404


def test_captions_are_read_once(captioned: Captioned, monkeypatch: pytest.MonkeyPatch) -> None:
    from origin import captions

    made: list[int] = []
    known: Callable[..., object] = captions._parse
    monkeypatch.setattr(captions, "_parse", lambda *a: (made.append(1), known(*a))[1])
    for _ in range(3):
        captioned.text("/hls/e/{}/master.m3u8")
        captioned.text("/cmaf/e/{}/manifest.mpd")
        for name in names(captioned.text("/hls/e/{}/index-s1.m3u8")):
            captioned.text("/hls/e/{}/" + name)
    assert len(made) == 3  # one of them broken
