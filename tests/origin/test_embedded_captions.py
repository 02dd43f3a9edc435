"""Captions within ingested files: what manifests and segments say of them (P-10, D-11)."""

import re
from pathlib import Path

import pytest

from origin.config import OriginConfig
from packager.captions.webvtt import parse
from tests.origin.inside import Origin, running, take

OF_A_TRACK, IN_H264, IN_HEVC = (
    "mp4ff/main_1.mp4",
    "media3/fragmented_captions.mp4",
    "media3/fragmented_captions_h265.mp4",
)


def text(origin: Origin, path: str) -> str:
    answer = origin.ask(path)
    assert answer.status == 200, (path, answer)
    return answer.body.decode()


def names(playlist: str) -> list[str]:
    return re.findall(r"^[^#\n]+$", playlist, re.MULTILINE)


def test_a_track_of_line_21(media_dir: Path, tmp_path: Path) -> None:
    film = media_dir / OF_A_TRACK
    [taken] = take(tmp_path / "data", film)
    entry = taken["entry"]
    take(tmp_path / "data", film)  # changes nothing
    with running(OriginConfig(data=tmp_path / "data", local_root=None)) as origin:
        for folder in (f"/hls/e/{entry}", f"/cmaf/e/{entry}"):
            master = text(origin, f"{folder}/master.m3u8")
            assert re.findall(r'TYPE=SUBTITLES.*LANGUAGE="(\w+)"', master) == ["en"]
            playlist = text(origin, f"{folder}/index-s1.m3u8")
            found = {
                (cue.start, cue.end, cue.text)
                for name in names(playlist)
                for cue in parse(text(origin, f"{folder}/{name}").encode()).cues
            }
            mpd = text(origin, f"/dash/e/{entry}/manifest.mpd")
            [file] = re.findall("<BaseURL>(.*)</BaseURL>", mpd)
            whole = parse(text(origin, f"/dash/e/{entry}/{file}").encode()).cues
            assert found == {(cue.start, cue.end, cue.text) for cue in whole}
            assert min(found) == (367, 767, "Bip!")
            assert len(found) == 8


@pytest.mark.parametrize("name", [IN_H264, IN_HEVC])
def test_captions_in_the_pictures(media_dir: Path, name: str, tmp_path: Path) -> None:
    [taken] = take(tmp_path / "data", media_dir / name)
    entry = taken["entry"]
    with running(OriginConfig(data=tmp_path / "data", local_root=None)) as origin:
        for path in (
            f"/hls/e/{entry}/master.m3u8",
            f"/cmaf/e/{entry}/master.m3u8",
            f"/p/101/sp/10100/playManifest/entryId/{entry}/format/applehttp/a.m3u8",
        ):
            master = text(origin, path)
            assert 'TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC1"' in master
            assert 'INSTREAM-ID="CC1"' in master
            assert master.count('CLOSED-CAPTIONS="cc"') == master.count("#EXT-X-STREAM-INF")
        mpd = text(origin, f"/dash/e/{entry}/manifest.mpd")
        assert 'schemeIdUri="urn:scte:dash:cc:cea-608:2015" value="CC1=und"' in mpd
