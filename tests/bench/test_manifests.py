"""Manifests of two servers that name things differently, read into the same questions."""

import pytest

from bench.compare import questions
from bench.errors import BenchError
from bench.manifests import discover

VOD_MASTER = """#EXTM3U
#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH=900000,RESOLUTION=640x360,CODECS="avc1.64001e,mp4a.40.2"
http://vod:8000/hls/set.urlset/index-f1-v1-a1.m3u8
#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH=5160933,RESOLUTION=1920x1080,CODECS="avc1.640028,mp4a.40.2"
http://vod:8000/hls/set.urlset/index-f2-v1-a1.m3u8
"""
VOD_INDEX = """#EXTM3U
#EXT-X-TARGETDURATION:6
#EXT-X-ALLOW-CACHE:YES
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-VERSION:3
#EXT-X-MEDIA-SEQUENCE:1
#EXTINF:6.000,
seg-1-f2-v1-a1.ts
#EXTINF:6.000,
seg-2-f2-v1-a1.ts
#EXTINF:2.000,
seg-3-f2-v1-a1.ts
#EXT-X-ENDLIST
"""
OUR_MASTER = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="1",DEFAULT=YES,AUTOSELECT=YES,URI="index-f1-a1.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=5300000,CODECS="avc1.640028,mp4a.40.2",AUDIO="audio"
index-f1-v1.m3u8
"""
OUR_INDEX = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:6
#EXT-X-MAP:URI="init-f1-{t}-x9f2c41aa.mp4"
#EXTINF:6,
seg-1-f1-{t}-x9f2c41aa.m4s
#EXTINF:6,
seg-2-f1-{t}-x9f2c41aa.m4s
#EXT-X-ENDLIST
"""
VOD_MPD = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT20.02S">
 <Period>
  <AdaptationSet id="1" segmentAlignment="true">
   <SegmentTemplate timescale="1000" startNumber="1"
     media="http://vod:8000/dash/f.mp4/fragment-$Number$-$RepresentationID$.m4s"
     initialization="http://vod:8000/dash/f.mp4/init-$RepresentationID$.mp4">
    <SegmentTimeline><S d="6000" r="2"/><S d="2020"/></SegmentTimeline>
   </SegmentTemplate>
   <Representation id="v1-x3" mimeType="video/mp4" bandwidth="5000000"/>
  </AdaptationSet>
  <AdaptationSet id="2" segmentAlignment="true">
   <SegmentTemplate timescale="1000" duration="6000" startNumber="1"
     media="fragment-$Number$-$RepresentationID$.m4s"
     initialization="init-$RepresentationID$.mp4"/>
   <Representation id="a1-x3" mimeType="audio/mp4" bandwidth="128000"/>
  </AdaptationSet>
 </Period>
</MPD>"""
OUR_MPD = """<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" mediaPresentationDuration="PT12S">
 <Period>
  <AdaptationSet contentType="video" mimeType="video/mp4">
   <Representation id="f1-v1" bandwidth="400000">
    <SegmentTemplate timescale="12800" initialization="init-f1-v1-x1.mp4"
      media="fragment-$Number$-f1-v1-x1.m4s">
     <SegmentTimeline><S t="0" d="76800" r="1"/></SegmentTimeline>
    </SegmentTemplate>
   </Representation>
   <Representation id="f2-v1" bandwidth="5000000">
    <SegmentTemplate timescale="12800" initialization="init-f2-v1-x1.mp4"
      media="fragment-$Number%05d$-f2-v1-x1-$Time$.m4s">
     <SegmentTimeline><S t="5" d="76800" r="1"/></SegmentTimeline>
    </SegmentTemplate>
   </Representation>
  </AdaptationSet>
  <AdaptationSet contentType="text" mimeType="application/mp4">
   <Representation id="t" bandwidth="1"/>
  </AdaptationSet>
 </Period>
</MPD>"""


def test_hls_of_the_c_packager() -> None:
    files = {
        "/hls/set.urlset/master.m3u8": VOD_MASTER,
        "/hls/set.urlset/index-f1-v1-a1.m3u8": VOD_INDEX.replace("f2", "f1"),
        "/hls/set.urlset/index-f2-v1-a1.m3u8": VOD_INDEX,
    }
    found = discover("/hls/set.urlset/master.m3u8", lambda path: files[path].encode())
    assert questions(found, 2) == {
        "hls manifest": ["/hls/set.urlset/master.m3u8"],
        "muxed playlist": ["/hls/set.urlset/index-f2-v1-a1.m3u8"],
        "muxed segment": ["/hls/set.urlset/seg-2-f2-v1-a1.ts"],
    }


def test_hls_of_ours() -> None:
    files = {
        "/cmaf/e/0_a/master.m3u8": OUR_MASTER,
        "/cmaf/e/0_a/index-f1-v1.m3u8": OUR_INDEX.format(t="v1"),
        "/cmaf/e/0_a/index-f1-a1.m3u8": OUR_INDEX.format(t="a1"),
    }
    found = discover("/cmaf/e/0_a/master.m3u8", lambda path: files[path].encode())
    asked = questions(found, 2)
    assert asked["video init"] == ["/cmaf/e/0_a/init-f1-v1-x9f2c41aa.mp4"]
    assert asked["audio segment"] == [
        f"/cmaf/e/0_a/seg-{number}-f1-a1-x9f2c41aa.m4s" for number in (1, 2)
    ]
    assert "muxed segment" not in asked


def test_one_media_playlist() -> None:
    found = discover("/a/index.m3u8", lambda path: VOD_INDEX.encode())
    assert questions(found, 9) == {
        "hls manifest": ["/a/index.m3u8"],
        "muxed segment": ["/a/seg-2-f2-v1-a1.ts"],
    }


def test_dash_of_the_c_packager() -> None:
    found = discover("/dash/f.mp4/manifest.mpd", lambda path: VOD_MPD.encode())
    assert questions(found, 9) == {
        "dash manifest": ["/dash/f.mp4/manifest.mpd"],
        "video init": ["/dash/f.mp4/init-v1-x3.mp4"],
        "video segment": [f"/dash/f.mp4/fragment-{n}-v1-x3.m4s" for n in (2, 3)],
        "audio init": ["/dash/f.mp4/init-a1-x3.mp4"],
        "audio segment": [f"/dash/f.mp4/fragment-{n}-a1-x3.m4s" for n in (2, 3)],
    }


def test_dash_of_ours() -> None:
    found = discover("/dash/e/0_a/manifest.mpd", lambda path: OUR_MPD.encode())
    assert questions(found, 9) == {
        "dash manifest": ["/dash/e/0_a/manifest.mpd"],
        "video init": ["/dash/e/0_a/init-f2-v1-x1.mp4"],
        "video segment": [
            "/dash/e/0_a/fragment-00001-f2-v1-x1-5.m4s",
            "/dash/e/0_a/fragment-00002-f2-v1-x1-76805.m4s",
        ],
    }


def test_neither() -> None:
    with pytest.raises(BenchError, match="neither a playlist nor an MPD"):
        discover("/x", lambda path: b"<html>")
