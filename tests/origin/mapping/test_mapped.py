"""Mappings as files, played: what they change, and what becomes of players when they change."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.origin.inside import SECOND, Origin, token_of
from tests.origin.mapping.documented import REFUSED, TAKEN

DAY = 24 * 3600 * SECOND
Start = Callable[..., Origin]


class Maps:
    """A folder of mappings, and of media beside it."""

    def __init__(self, folder: Path, media: Path) -> None:
        self.folder, self.media = folder, media
        folder.mkdir()

    def clip(self, name: str = "a.mp4", **fields: Any) -> dict[str, Any]:
        return {"type": "source", "path": str(self.media / name), **fields}

    def write(self, name: str, value: object) -> None:
        (self.folder / name).write_text(value if isinstance(value, str) else json.dumps(value))

    def set(self, name: str, *sequences: dict[str, Any], **fields: Any) -> None:
        """*sequences* are the fields of each, with the name of its file."""
        made = [
            {"clips": [self.clip(one.pop("file"), **one.pop("clip", {}))], **one}
            for one in map(dict, sequences)
        ]
        self.write(name, {"sequences": made, **fields})


@pytest.fixture
def maps(files: list[Path], tmp_path: Path) -> Maps:
    return Maps(tmp_path / "maps", tmp_path / "media")


@pytest.fixture
def origin(maps: Maps, start: Start) -> Origin:
    return start(mapping_root=maps.folder)


A, B = {"file": "a.mp4"}, {"file": "b.mp4"}


def relocated(value: object, maps: Maps) -> object:
    """A documented mapping, of files that there are."""
    text = json.dumps(value)
    for number, name in enumerate(sorted(set(re.findall(r"/path/to/[a-z0-9]+\.mp4", text)))):
        text = text.replace(name, str(maps.media / f"{'abc'[number]}.mp4"))
    return json.loads(text)


SAME_AS = {"Simple mapping": "local/a.mp4", "Adaptive set": "local/,a,b,.mp4.urlset"}


@pytest.mark.parametrize("heading", TAKEN)
def test_the_documented_mappings_play(heading: str, maps: Maps, origin: Origin) -> None:
    maps.write("it.json", relocated(TAKEN[heading], maps))
    for protocol, name in (
        ("hls", "master.m3u8"),
        ("hls", "index-f1-v1-a1.m3u8"),
        ("hls/container/fmp4", "master.m3u8"),
        ("cmaf", "master.m3u8"),
        ("cmaf", "manifest.mpd"),
        ("dash", "manifest.mpd"),
    ):
        ours = origin.text(f"/{protocol}/mapped/it.json/{name}")
        assert ours == origin.text(f"/{protocol}/{SAME_AS[heading]}/{name}")
    for name in origin.media_names("/hls/mapped/it.json/index-f1-v1-a1.m3u8"):
        local = name.replace("mapped/it.json", SAME_AS[heading])
        assert origin.get(name) == origin.get(local)


@pytest.mark.parametrize("heading", REFUSED)
def test_the_other_documented_mappings_are_refused(
    heading: str, maps: Maps, origin: Origin
) -> None:
    value, reason = REFUSED[heading]
    maps.write("it.json", relocated(value, maps))
    answer = origin.ask("/hls/mapped/it.json/master.m3u8")
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")
    assert reason in answer.headers["x-headrace-error"]
    assert answer.headers["cache-control"] == "no-store"


def test_languages_labels_and_the_default(maps: Maps, origin: Origin) -> None:
    maps.set(
        "it.json",
        A | {"language": "eng", "label": "English"},
        B | {"language": "fre", "label": 'Le "français"', "default": True},
    )
    master = origin.text("/hls/mapped/it.json/master.m3u8")
    assert 'NAME="English",LANGUAGE="en",DEFAULT=NO' in master
    assert 'NAME="Le ”français”",LANGUAGE="fr",DEFAULT=YES' in master
    mpd = origin.text("/dash/mapped/it.json/manifest.mpd")
    assert 'lang="fr"' in mpd and "<Label>English</Label>" in mpd
    # media does not know: it is the same under another mapping
    before = origin.media_names("/hls/mapped/it.json/index-f1-v1.m3u8")
    maps.set("it.json", A, B)
    origin.clock_offset += 11 * SECOND
    assert "English" not in origin.text("/hls/mapped/it.json/master.m3u8")
    assert origin.media_names("/hls/mapped/it.json/index-f1-v1.m3u8") == before


def test_declared_bit_rates(maps: Maps, origin: Origin) -> None:
    maps.set(
        "it.json",
        A | {"bitrate": {"v": 7_000_000, "a": 100_000}, "avg_bitrate": {"v": 6_000_000}},
        B | {"bitrate": {"v": 9_000_000}},
    )
    master = origin.text("/hls/mapped/it.json/master.m3u8")
    assert "BANDWIDTH=7100000" in master  # both are muxed, and of one no average is said
    fmp4 = origin.text("/cmaf/mapped/it.json/master.m3u8")
    peaks = [int(one) for one in re.findall("INF:BANDWIDTH=([0-9]+)", fmp4)]
    means = [int(one) for one in re.findall("AVERAGE-BANDWIDTH=([0-9]+)", fmp4)]
    # with the greater of the audio that is offered beside them, of which one is not declared
    assert 7_100_000 < peaks[0] < 7_200_000 and 9_100_000 < peaks[1] < 9_200_000
    assert 6_100_000 < means[0] < 6_200_000 and means[1] < 2_000_000
    mpd = origin.text("/dash/mapped/it.json/manifest.mpd")
    assert 'bandwidth="7000000"' in mpd and 'bandwidth="9000000"' in mpd


def test_tracks(maps: Maps, origin: Origin) -> None:
    maps.set("seen.json", A | {"clip": {"tracks": "v1"}})
    maps.set("heard.json", A | {"clip": {"tracks": "a1"}})
    maps.set("none.json", A | {"clip": {"tracks": "a7"}})
    assert "index-f1-v1.m3u8" in origin.text("/hls/mapped/seen.json/master.m3u8")
    heard = origin.text("/hls/mapped/heard.json/master.m3u8")
    assert "index-f1-a1.m3u8" in heard and "RESOLUTION" not in heard
    names = origin.media_names("/hls/mapped/heard.json/index-f1-a1.m3u8")
    assert token_of(names[0]) != token_of(
        origin.media_names("/hls/local/a.mp4/index-f1-a1.m3u8")[0]
    )
    assert origin.get(names[0])
    assert origin.ask("/hls/mapped/heard.json/index-f1-v1.m3u8").status == 404
    assert origin.ask("/hls/mapped/none.json/master.m3u8").status == 404
    assert token_of(names[0]) == token_of(
        origin.media_names("/hls/mapped/heard.json/index-f1.m3u8")[0]
    )


def test_lengths_of_segments_and_clips(maps: Maps, origin: Origin) -> None:
    maps.set("short.json", A, segmentDuration=2000)
    maps.set("part.json", A, clipFrom=6500, clipTo=9000)
    maps.set("cut.json", A, durations=[5000])
    short = origin.text("/hls/mapped/short.json/index-f1-v1-a1.m3u8")
    assert short.count("#EXTINF:2.000000") == 7
    part = origin.text("/hls/mapped/part.json/index-f1-v1-a1.m3u8")
    asked = origin.text("/hls/local/a.mp4/clipFrom/6500/clipTo/9000/index-f1-v1-a1.m3u8")
    assert part == asked.replace("../../../../", "")
    cut = origin.text("/hls/mapped/cut.json/index-f1-v1-a1.m3u8")
    assert re.findall("seg-([0-9]+)", cut) == ["1"]
    # what is asked for lies within what the mapping gives
    within = origin.text("/hls/mapped/part.json/clipFrom/0/index-f1-v1-a1.m3u8")
    assert re.findall("seg-([0-9]+)", within) == re.findall("seg-([0-9]+)", part) == ["2"]
    assert origin.ask("/hls/mapped/part.json/clipFrom/13000/index-f1-v1.m3u8").status == 404


def test_captions(maps: Maps, origin: Origin) -> None:
    (maps.media / "de.srt").write_text("1\n00:00:01,000 --> 00:00:03,000\nGuten Tag\n")
    maps.set("it.json", A, {"file": "de.srt", "language": "ger", "label": "Deutsch"})
    master = origin.text("/hls/mapped/it.json/master.m3u8")
    assert "TYPE=SUBTITLES" in master and 'NAME="Deutsch",LANGUAGE="de"' in master
    [uri] = re.findall('TYPE=SUBTITLES.*URI="([^"]+)"', master)
    [first, *_] = origin.media_names(f"/hls/mapped/it.json/{uri}")
    assert "Guten Tag" in origin.text(first)
    (maps.media / "de.srt").unlink()
    maps.set("gone.json", A, {"file": "none.srt"})
    assert "SUBTITLES" not in origin.text("/hls/mapped/gone.json/master.m3u8")


def test_closed_captions(maps: Maps, origin: Origin) -> None:
    listed = [
        {"id": "CC1", "label": "English", "language": "eng", "default": True},
        {"id": "SERVICE2", "label": "Español", "language": "spa"},
    ]
    maps.set("it.json", A, closedCaptions=listed)
    maps.set("none.json", A, closedCaptions=[])
    master = origin.text("/hls/mapped/it.json/master.m3u8")
    assert (
        '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="English",LANGUAGE="en",'
        'DEFAULT=YES,AUTOSELECT=YES,INSTREAM-ID="CC1"'
    ) in master
    assert 'INSTREAM-ID="SERVICE2"' in master and ',CLOSED-CAPTIONS="cc"' in master
    assert ",CLOSED-CAPTIONS=NONE" in origin.text("/hls/mapped/none.json/master.m3u8")
    mpd = origin.text("/dash/mapped/it.json/manifest.mpd")
    scheme = '<Accessibility schemeIdUri="urn:scte:dash:cc:cea-'
    assert f'{scheme}608:2015" value="CC1=eng"/>' in mpd
    assert f'{scheme}708:2015" value="2=lang:spa"/>' in mpd


def test_several_mappings_of_one_url(maps: Maps, origin: Origin) -> None:
    maps.set("f_a", A)
    maps.set("f_b", B | {"language": "spa"})
    maps.set("f_both", A, B)
    several = "/hls/mapped/f_,a,b,.urlset/master.m3u8"
    assert "RESOLUTION=128x72" in origin.text(several) and '"es"' in origin.text(several)
    answer = origin.ask("/hls/mapped/f_,a,both,.urlset/master.m3u8")
    assert answer.status == 503 and "more than one" in answer.headers["x-headrace-error"]
    assert origin.ask("/hls/mapped/f_,a,none,.urlset/master.m3u8").status == 404


def test_sequences_by_id(maps: Maps, origin: Origin) -> None:
    maps.set("it.json", A | {"id": "low"}, B | {"id": "high"})
    master = origin.text("/hls/mapped/it.json/master-shigh.m3u8")
    assert "index-f2" in master and "index-f1" not in master
    assert origin.ask("/hls/mapped/it.json/master-sother.m3u8").status == 400


def test_names_without_a_word_before_them(maps: Maps, start: Start) -> None:
    maps.set("it.json", A)
    (maps.folder / "films").mkdir()
    maps.set("films/it.json", A)
    with_it = start(mapping_root=maps.folder, mapped_default=True)
    for name in ("it.json", "films/it.json"):
        index = with_it.media_names(f"/hls/{name}/index-f1-v1-a1.m3u8")
        assert all(path.startswith(f"/hls/{name}/") for path in index)
        assert with_it.get(index[0])
    without = start(mapping_root=maps.folder)
    assert without.ask("/hls/it.json/master.m3u8").status == 400
    assert start().ask("/hls/mapped/it.json/master.m3u8").status == 404


# -- mappings that change


def index_of(name: str) -> str:
    return f"/hls/mapped/{name}/index-f1-v1-a1.m3u8"


def test_a_mapping_that_changes_while_players_play(maps: Maps, origin: Origin) -> None:
    maps.set("it.json", A)
    old = {name: origin.get(name) for name in origin.media_names(index_of("it.json"))}
    maps.set("it.json", B)
    assert origin.media_names(index_of("it.json")) == list(old)  # for ten seconds
    origin.clock_offset += 11 * SECOND
    new = origin.media_names(index_of("it.json"))
    assert not set(new) & set(old)
    for name, body in old.items():
        answer = origin.ask(name)
        assert (answer.status, answer.body) == (200, body)
        assert "immutable" in answer.headers["cache-control"]
    maps.write("it.json", '{"sequences":[]}')  # what is wrong now does not stop them
    origin.clock_offset += 11 * SECOND
    assert origin.ask(index_of("it.json")).status == 503
    assert origin.ask(next(iter(old))).status == 200
    (maps.folder / "it.json").unlink()  # but nothing is to be shown any more
    origin.clock_offset += 11 * SECOND
    assert origin.ask(next(iter(old))).status == 404


def test_an_earlier_mapping_is_kept_for_a_day(maps: Maps, origin: Origin) -> None:
    maps.set("it.json", A)
    [old, *_] = origin.media_names(index_of("it.json"))
    maps.set("it.json", B)
    origin.clock_offset += 11 * SECOND
    origin.get(index_of("it.json"))
    origin.clock_offset += DAY - 20 * SECOND
    assert origin.ask(old).status == 200
    origin.clock_offset += 30 * SECOND
    assert origin.ask(old).status == 404


def test_only_so_many_earlier_ones_are_kept(maps: Maps, origin: Origin) -> None:
    lengths = range(2000, 12_000, 1000)
    firsts = []
    for length in lengths:
        maps.set("it.json", A, segmentDuration=length)
        origin.clock_offset += 11 * SECOND
        firsts.append(origin.media_names(index_of("it.json"))[0])
    tokens = dict.fromkeys(map(token_of, firsts))
    assert len(tokens) == len(firsts) == 10
    assert [origin.ask(name).status for name in firsts] == [404] + [200] * 9


def test_a_segment_of_a_mapping_that_has_just_changed(maps: Maps, start: Start) -> None:
    """Another worker may have listed it: a token that is not known is looked for once."""
    maps.set("it.json", A)
    one, other = start(mapping_root=maps.folder), start(mapping_root=maps.folder)
    one.get(index_of("it.json"))
    maps.set("it.json", B)
    [new, *_] = other.media_names(index_of("it.json"))
    assert one.ask(new).status == 200
    mappings = one.mapped.mappings
    assert mappings is not None
    fetched = mappings.fetched
    for turn in range(1, 4):
        assert one.ask(new.replace(token_of(new), "00000000")).status == 404
        assert mappings.fetched == fetched + turn


def test_a_mapping_that_another_worker_presented(maps: Maps, start: Start) -> None:
    maps.set("it.json", A)
    one = start(mapping_root=maps.folder)
    old = one.media_names(index_of("it.json"))
    maps.set("it.json", B)
    other = start(mapping_root=maps.folder)  # it never saw the first
    assert other.media_names(index_of("it.json")) != old
    assert [other.ask(name).status for name in old] == [200] * len(old)
    other.clock_offset += DAY + 60 * SECOND
    assert other.ask(old[0]).status == 404


def test_a_data_folder_that_cannot_be_written(maps: Maps, start: Start, tmp_path: Path) -> None:
    maps.set("it.json", A)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mappings").write_text("no folder")
    origin = start(mapping_root=maps.folder)
    assert origin.ask(index_of("it.json")).status == 200
    name = origin.media_names(index_of("it.json"))[0]
    assert origin.ask(name).status == 200
    assert origin.ask(name.replace(token_of(name), "00000000")).status == 404


def test_a_mapping_that_must_not_be_kept(maps: Maps, origin: Origin) -> None:
    maps.set("it.json", A, cache=False)
    old = origin.media_names(index_of("it.json"))
    maps.set("it.json", B, cache=False)
    assert origin.media_names(index_of("it.json")) != old
    mappings = origin.mapped.mappings
    assert mappings is not None and mappings.fetched == 2


def test_what_is_not_there_is_known_for_a_while(maps: Maps, origin: Origin) -> None:
    origin.still = origin.now()
    for _ in range(3):
        assert origin.ask(index_of("it.json")).status == 404
    mappings = origin.mapped.mappings
    assert mappings is not None and mappings.fetched == 1
    maps.set("it.json", A)
    origin.still += 11 * SECOND
    assert origin.ask(index_of("it.json")).status == 200


# -- paths


def test_mappings_outside_of_the_folder(maps: Maps, origin: Origin, tmp_path: Path) -> None:
    maps.set("it.json", A)
    secret = tmp_path / "secret.json"
    secret.write_text((maps.folder / "it.json").read_text())
    (maps.folder / "link.json").symlink_to(secret)
    (maps.folder / "up").symlink_to(tmp_path)
    (maps.folder / "inside.json").symlink_to(maps.folder / "it.json")
    os.mkfifo(maps.folder / "pipe")
    (maps.folder / "folder").mkdir()
    (maps.folder / "big").write_bytes(b" " * (257 << 10))
    cases = {
        "inside.json": 200,
        "link.json": 404,
        "up/secret.json": 404,
        "../secret.json": 400,
        "%2e%2e/secret.json": 400,
        "%2E%2E%2Fsecret.json": 400,
        "..%5csecret.json": 400,
        "%252e%252e/secret.json": 404,
        "%252e%252e%252fsecret.json": 404,
        "x/,..,y,/secret.json.urlset": 400,
        "it.json%00": 400,
        "it.json%0a": 400,
        "%ff": 400,
        "folder": 404,
        "pipe": 404,
        "it.json/more": 404,
        "n" * 300: 404,
        "big": 503,
        "/etc/passwd": 400,
    }
    for name, status in cases.items():
        answer = origin.ask(f"/hls/mapped/{name}/master.m3u8")
        assert answer.status == status, (name, answer)
        assert str(tmp_path) not in answer.headers.get("x-headrace-error", "")


def test_media_outside_of_what_is_allowed(maps: Maps, start: Start, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name in ("a.mp4", "b.mp4"):
        (other / name).write_bytes((maps.media / name).read_bytes())
    (maps.media / "out.mp4").symlink_to(other / "a.mp4")
    (maps.media / "in.mp4").symlink_to(maps.media / "a.mp4")
    origin = start(mapping_root=maps.folder)
    cases = {
        str(maps.media / "in.mp4"): 200,
        str(maps.media / "none.mp4"): 404,
        str(maps.media): 404,
        str(other / "a.mp4"): 503,
        str(maps.media / "out.mp4"): 503,
        f"{maps.media}/../other/a.mp4": 503,
        f"{maps.media}2/a.mp4": 503,
        "a.mp4": 503,
        "/etc/passwd": 503,
        "/proc/self/mem": 503,
        "file:///etc/passwd": 503,
        "s3://bucket/a.mp4": 503,
        "http://127.0.0.1:9/a.mp4": 503,
        "http://user:word@127.0.0.1/a.mp4": 503,
        "ftp://127.0.0.1/a.mp4": 503,
    }
    for number, (path, status) in enumerate(cases.items()):
        maps.write(f"{number}.json", {"sequences": [{"clips": [maps.clip() | {"path": path}]}]})
        answer = origin.ask(f"/hls/mapped/{number}.json/master.m3u8")
        assert answer.status == status, (path, answer)
        told = answer.headers.get("x-headrace-error", "")
        assert str(tmp_path) not in told and "word" not in told and "127" not in told
    allowed = start(mapping_root=maps.folder, source_allow=(str(other),), local_root=None)
    found = {
        path: allowed.ask(f"/hls/mapped/{number}.json/master.m3u8").status
        for number, path in enumerate(cases)
    }
    assert found[str(other / "a.mp4")] == 200 and found[str(maps.media / "out.mp4")] == 200
    assert found[str(maps.media / "in.mp4")] == 503
