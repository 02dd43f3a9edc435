"""Manifests by meaning: what counts as a difference, and what is only another spelling."""

import pytest

from bench.shadow.asking import NoAnswer
from bench.shadow.contents import Kind, compare_bodies, kind_of
from bench.shadow.differences import Tolerance

MASTER = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",URI="a1.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="French",LANGUAGE="fr",URI="a2.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="English",LANGUAGE="en",URI="s.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS="avc1.4d400a,mp4a.40.2",RESOLUTION=640x360,AUDIO="a",SUBTITLES="s"
1.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2500000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,AUDIO="a",SUBTITLES="s"
2.m3u8
"""
MEDIA = """#EXTM3U
#EXT-X-TARGETDURATION:6
#EXT-X-PLAYLIST-TYPE:VOD
#EXTINF:6.000,
seg-1.ts
#EXTINF:6.000,
seg-2.ts
#EXTINF:2.000,
seg-3.ts
#EXT-X-ENDLIST
"""
MPD = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT14S">
<Period id="0"><AdaptationSet mimeType="video/mp4" frameRate="25">
<SegmentTemplate timescale="1000" media="$RepresentationID$-$Number$.m4s">
<SegmentTimeline><S d="6000" r="1"/><S d="2000"/></SegmentTimeline></SegmentTemplate>
<Representation id="v" bandwidth="900000" width="640" height="360" codecs="avc1.4d400a"/>
</AdaptationSet><AdaptationSet mimeType="audio/mp4" lang="eng">
<SegmentTemplate timescale="48000" media="$RepresentationID$-$Number$.m4s">
<SegmentTimeline><S d="288768" /><S d="287744"/><S d="95488"/></SegmentTimeline>
</SegmentTemplate>
<Representation id="a" bandwidth="128000" codecs="mp4a.40.2"/>
</AdaptationSet></Period></MPD>
"""
VTT = """WEBVTT
X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000

1
00:01.000 --> 00:02.000 line:0
Hello

00:00:03.000 --> 00:00:04.000
there
"""
TEXTS = {"master": MASTER, "media": MEDIA, "mpd": MPD, "vtt": VTT}

SAME = {
    "names": ("master", "1.m3u8", "v/index-f1.m3u8"),
    "three letters of a language": ("master", '"fr"', '"fra"'),
    "the order of codecs": ("master", "avc1.64001f,mp4a.40.2", "mp4a.40.2,avc1.64001F"),
    "an average": ("master", "=2500000", "=1600000"),
    "half a frame": ("media", "6.000,\nseg-1", "5.980,\nseg-1"),
    "an iteration of S": ("mpd", '<S d="6000" r="1"/>', '<S t="0" d="6000"/><S d="6000"/>'),
    "another clock": (
        "mpd",
        MPD[MPD.index('"1000"') : MPD.index("</SegmentTimeline>")],
        '"90000" media="x"><SegmentTimeline><S d="540000" r="1"/><S d="180000"/>',
    ),
    "where a frame of sound goes": (
        "mpd",
        '<S d="288768" /><S d="287744"/>',
        '<S d="287744"/><S d="288768"/>',
    ),
    "cues' ids and settings": (
        "vtt",
        "1\n00:01.000 --> 00:02.000 line:0",
        "00:00:01.000 --> 00:00:02.000",
    ),
    "the order of cues": (
        "vtt",
        VTT,
        "WEBVTT\n\n00:03.000 --> 00:04.000\nthere\n\n00:01.000 --> 00:02.000\nHello\n",
    ),
}


@pytest.mark.parametrize(("text", "old", "new"), SAME.values(), ids=SAME)
def test_what_is_the_same(text: str, old: str, new: str) -> None:
    assert differences(text, old, new) == []


DIFFERENT = {
    "another codec": ("master", "avc1.64001f", "avc1.640028", ["codecs"]),
    "a missing variant": ("master", MASTER[MASTER.rindex("#EXT-X-STREAM") :], "", ["variant"]),
    "another size": ("master", "1280x720", "1920x1080", ["variant", "variant"]),
    "a bit rate": ("master", "=2500000", "=1000000", ["bandwidth"]),
    "a language of sound": ("master", 'LANGUAGE="fr"', 'LANGUAGE="de"', ["language"]),
    "no captions": ("master", MASTER.splitlines(True)[3], "", ["language"]),
    "I-frames": (
        "master",
        "#EXTM3U\n",
        '#EXTM3U\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i"\n',
        ["iframes"],
    ),
    "a media playlist for a master": ("master", MASTER, MEDIA, ["kind"]),
    "a page for a master": ("master", MASTER, "<html>", ["kind"]),
    "a longer segment": ("media", "6.000,\nseg-2", "6.040,\nseg-2", ["duration", "duration"]),
    "a segment fewer": ("media", "#EXTINF:2.000,\nseg-3.ts\n", "", ["segments", "duration"]),
    "a list that goes on": ("media", "#EXT-X-ENDLIST\n", "", ["ended"]),
    "a key": (
        "media",
        "#EXTINF:6.000,\nseg-1",
        '#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:6.000,\nseg-1',
        ["encryption"],
    ),
    "a discontinuity": (
        "media",
        "#EXTINF:6.000,\nseg-2",
        "#EXT-X-DISCONTINUITY\n#EXTINF:6.000,\nseg-2",
        ["discontinuities"],
    ),
    "no number": ("media", "#EXTINF:6.000,\nseg-2", "#EXTINF:x,\nseg-2", ["unreadable"]),
    "a Representation fewer": (
        "mpd",
        '<Representation id="a" bandwidth="128000" codecs="mp4a.40.2"/>',
        "",
        ["variant"],
    ),
    "another language": ("mpd", 'lang="eng"', 'lang="de"', ["variant", "variant"]),
    "a shorter segment": ("mpd", '<S d="2000"/>', '<S d="1960"/>', ["duration", "duration"]),
    "other segments": ("mpd", '<S d="6000" r="1"/>', '<S d="4000" r="2"/>', ["segments"]),
    "another length": ("mpd", "PT14S", "PT15S", ["duration"]),
    "a live one": ("mpd", 'type="static"', 'type="dynamic"', ["ended"]),
    "protection": ("mpd", "<Segm", "<ContentProtection/><Segm", ["encryption"]),
    "half an MPD": ("mpd", MPD, MPD[:300], ["unreadable"]),
    "another text": ("vtt", "Hello", "Goodbye", ["cues"]),
    "a cue fewer": ("vtt", "\n00:00:03.000 --> 00:00:04.000\nthere\n", "", ["cues"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "old", "new", "reasons"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_is_a_difference(text: str, old: str, new: str, reasons: list[str]) -> None:
    assert differences(text, old, new) == reasons


def differences(name: str, old: str, new: str) -> list[str]:
    text = TEXTS[name]
    assert old in text
    peer, ours = text.encode(), text.replace(old, new, 1).encode()
    found = [one.reason for one in compare_bodies(peer, ours, Tolerance(), no_init)]
    back = [one.reason for one in compare_bodies(ours, peer, Tolerance(), no_init)]
    assert found == back
    return found


def no_init() -> tuple[bytes, bytes]:
    raise NoAnswer("there is none")


KINDS = {
    Kind.PLAYLIST: b"\xef\xbb\xbf#EXTM3U\n",
    Kind.MPD: MPD.encode(),
    Kind.CAPTIONS: b"WEBVTT\n",
    Kind.INIT: b"\0\0\0\x08ftyp\0\0\0\x08moov",
    Kind.SEGMENT: b"\0\0\0\x08ftyp\0\0\0\x08moov\0\0\0\x09mdat1",
    Kind.OTHER: b"\xff\xd8\xff\xe0 JFIF",
}


@pytest.mark.parametrize(("kind", "body"), KINDS.items())
def test_a_kind_is_told_by_the_bytes(kind: Kind, body: bytes) -> None:
    assert kind_of(body) is kind


def test_keys_are_equal_or_not() -> None:
    [found] = compare_bodies(b"0123456789abcdef", b"0123456789abcdeX", Tolerance(), no_init)
    assert found.reason == "bytes"
    assert not [*compare_bodies(b"0123", b"0123", Tolerance(), no_init)]
