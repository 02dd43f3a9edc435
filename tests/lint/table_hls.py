"""Playlists: a change, and what must be said of it."""

from tests.lint.changes import Row, both, gone, of, put, raw, text
from tests.lint.table_mp4 import INIT, turned

MASTER, V, A = "master.m3u8", "index-f1-v1.m3u8", "index-f1-a1.m3u8"
_EXTINF = r"^#EXTINF:[\d.]+,\n"
_SEGMENT = r"^#EXTINF:.*\n.*\n"


def _v(check: str, pattern: str, new: str, place: str = "", count: int = 1) -> Row:
    return Row(check, "fmp4", text(V, pattern, new, count), place or V)


def _m(check: str, pattern: str, new: str, place: str = "", count: int = 1) -> Row:
    return Row(check, "fmp4", text(MASTER, pattern, new, count), place or MASTER)


def _tag(check: str, *lines: str) -> Row:
    """Lines of a media playlist before its first segment."""
    new = "".join(line + "\n" for line in lines) + "#EXTINF"
    return Row(check, "fmp4", text(V, "^#EXTINF", new), V)


def _top(check: str, *lines: str) -> Row:
    """Lines of the multivariant playlist before its first variant."""
    new = "".join(line + "\n" for line in lines) + "#EXT-X-STREAM-INF"
    return Row(check, "fmp4", text(MASTER, "^#EXT-X-STREAM-INF", new), MASTER)


_DATED = "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z"
_RANGE = '#EXT-X-DATERANGE:ID="a",START-DATE="2026-01-01T00:00:00Z"'
_MEDIA = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="g",NAME="n",LANGUAGE="en",CHANNELS="2"'
_SUBTITLES = '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="n",LANGUAGE="en"'
_CAPTIONS = '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="c",NAME="n",LANGUAGE="en"'
_TEXT = """#EXTM3U
#EXT-X-TARGETDURATION:18
#EXT-X-PLAYLIST-TYPE:VOD
#EXTINF:18,
text.vtt
#EXT-X-ENDLIST
"""

ROWS = [
    Row("P-01.utf8", "fmp4", raw(V, b"#EXTM3U\n", b"#EXTM3U\n# \xff\n"), "byte 10"),
    Row("P-01.bom", "fmp4", raw(V, b"#EXTM3U", b"\xef\xbb\xbf#EXTM3U"), "line 1"),
    Row("P-01.control", "fmp4", raw(V, b"#EXTM3U\n", b"#EXTM3U\n# \x01\n"), "line 2"),
    _v("P-01.twice", "^#EXT-X-VERSION:6", "#EXT-X-VERSION:6\n#EXT-X-VERSION:6", "line 3"),
    _m("P-01.attribute", ":BANDWIDTH=", ":bandwidth="),
    _m("P-01.duplicate", ":BANDWIDTH=", ":FRAME-RATE=25,BANDWIDTH="),
    _tag("P-01.mixed", '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="g",NAME="n"'),
    _v("P-01.version", "^#EXT-X-VERSION:6", "#EXT-X-VERSION:5", "line 2"),
    _v("P-02.absent", "^#EXT-X-TARGETDURATION:6\n", ""),
    _v("P-02.exceeded", "TARGETDURATION:6", "TARGETDURATION:5"),
    _v("P-02.loose", "TARGETDURATION:6", "TARGETDURATION:60"),
    _v("P-02.differ", "TARGETDURATION:6", "TARGETDURATION:7", MASTER),
    _v("P-03.comma", r"^(#EXTINF:[\d.]+),", r"\1"),
    _v("P-03.number", r"^#EXTINF:[\d.]+,", "#EXTINF:six,"),
    _v("P-03.alone", "^seg-3-.*\n", ""),
    _v("P-03.missing", _EXTINF, ""),
    _v("P-03.empty", _SEGMENT, "", count=0),
    _v("P-03.zero", r"^#EXTINF:[\d.]+,", "#EXTINF:0,"),
    _v("P-03.duration", r"^#EXTINF:[\d.]+,", "#EXTINF:5.9,"),
    _v("P-03.drift", r"^#EXTINF:[\d.]+,", "#EXTINF:6.01,", count=0),
    _v("P-04.type", "TYPE:VOD", "TYPE:LIVE"),
    _v("P-04.endlist", "^#EXT-X-ENDLIST\n", ""),
    _v("P-04.untyped", "^#EXT-X-PLAYLIST-TYPE:VOD\n", ""),
    _v("P-04.differ", "TYPE:VOD", "TYPE:EVENT", MASTER),
    Row("P-04.starts", "fmp4", text(A, _SEGMENT, "", 2), A),
    Row(
        "P-04.late",
        "fmp4",
        both(text("index*", "TARGETDURATION:6", "TARGETDURATION:7"), text(A, _SEGMENT, "")),
        A,
    ),
    Row("P-04.lengths", "fmp4", text(A, r"(?s)^#EXTINF:[^\n]*\nseg-2-.*", "#EXT-X-ENDLIST"), A),
    _v("P-05.late", "^(seg-1-.*)$", r"\1\n#EXT-X-DISCONTINUITY-SEQUENCE:1"),
    _v("P-05.differ", "^(seg-1-.*)$", r"\1\n#EXT-X-DISCONTINUITY", MASTER),
    _v("P-06.absent", "^#EXT-X-MAP.*\n", ""),
    _v("P-06.uri", "^#EXT-X-MAP.*$", '#EXT-X-MAP:BYTERANGE="1@0"'),
    _v("P-06.range", "^(#EXT-X-MAP.*)$", r"\1,BYTERANGE=10@0"),
    _tag("P-06.byterange", "#EXT-X-BYTERANGE:10"),
    _tag("P-07.method", '#EXT-X-KEY:METHOD=ROT13,URI="k"'),
    _tag("P-07.none", '#EXT-X-KEY:METHOD=NONE,URI="k"'),
    _top("P-07.session", "#EXT-X-SESSION-KEY:METHOD=NONE"),
    _tag("P-07.uri", "#EXT-X-KEY:METHOD=AES-128,URI=k"),
    _tag("P-07.iv", '#EXT-X-KEY:METHOD=AES-128,URI="k",IV=12'),
    _tag(
        "P-07.fairplay",
        '#EXT-X-KEY:METHOD=AES-128,URI="k",KEYFORMAT="com.apple.streamingkeydelivery"',
    ),
    _m("P-08.uri", "^index-f1-v1.m3u8\n", ""),
    _m("P-08.bandwidth", r":BANDWIDTH=\d+,", ":"),
    _m("P-08.average", r",AVERAGE-BANDWIDTH=\d+", ""),
    _m("P-08.codecs", ',CODECS="[^"]*"', ""),
    _m("P-08.resolution", ",RESOLUTION=96x54", ""),
    _m("P-08.frame_rate", ",FRAME-RATE=25.000", ""),
    _m("P-08.group", ',AUDIO="[^"]*"', ',AUDIO="none"'),
    _m("P-08.captions", ",CLOSED-CAPTIONS=NONE", ""),
    _m("P-08.range", "RESOLUTION=96x54", "RESOLUTION=96x54,VIDEO-RANGE=SDR"),
    _m("P-08.unlisted", "avc1.4d400a", "avc1.640028"),
    _m("P-08.absent", "avc1.4d400a", "avc1.4d400a,ac-3"),
    _m("P-08.size", "RESOLUTION=96x54", "RESOLUTION=100x60"),
    Row("P-08.size", "fmp4", of(INIT, turned()), MASTER),
    _m("P-08.rate", "FRAME-RATE=25.000", "FRAME-RATE=10.000"),
    _m("P-09.low", r":BANDWIDTH=\d+", ":BANDWIDTH=1000"),
    _m("P-09.high", r":BANDWIDTH=\d+", ":BANDWIDTH=99999999"),
    _m("P-09.average", r"AVERAGE-BANDWIDTH=\d+", "AVERAGE-BANDWIDTH=1000"),
    _m("P-10.required", ',NAME="Audio"', ""),
    _m("P-10.type", "TYPE=AUDIO", "TYPE=SOUND"),
    _m("P-10.autoselect", "AUTOSELECT=YES", "AUTOSELECT=NO"),
    _m("P-10.forced", "AUTOSELECT=YES", "AUTOSELECT=YES,FORCED=YES"),
    _top("P-10.uri", _SUBTITLES),
    _top("P-10.captions", _CAPTIONS),
    _m("P-10.language", 'LANGUAGE="und",', ""),
    _m("P-10.channels", 'CHANNELS="2",', ""),
    _top("P-10.name", _MEDIA, _MEDIA),
    _top(
        "P-10.default", _MEDIA + ",DEFAULT=YES", _MEDIA.replace('"n"', '"o"') + ",DEFAULT=YES"
    ),
    _top("P-10.same", _MEDIA),
    _top("P-11.required", f'#EXT-X-I-FRAME-STREAM-INF:URI="{V}"'),
    _top("P-11.forbidden", f'#EXT-X-I-FRAME-STREAM-INF:URI="{V}",BANDWIDTH=1,FRAME-RATE=1'),
    _m("P-12.absent", "^#EXT-X-INDEPENDENT-SEGMENTS\n", ""),
    _tag("P-13.clock", _RANGE),
    _tag("P-13.id", _DATED, "#EXT-X-DATERANGE:DURATION=1"),
    _tag("P-13.start", _DATED, '#EXT-X-DATERANGE:ID="a"'),
    _tag("P-13.changed", _DATED, _RANGE, '#EXT-X-DATERANGE:ID="a",START-DATE="2027"'),
    _tag("P-13.negative", _DATED, _RANGE + ",DURATION=-1"),
    _tag("P-13.next", _DATED, _RANGE + ",END-ON-NEXT=YES"),
    _top("P-14.form", '#EXT-X-DEFINE:NAME="a"'),
    _top("P-14.name", '#EXT-X-DEFINE:NAME="a b",VALUE="c"'),
    _top("P-14.source", '#EXT-X-DEFINE:QUERYPARAM="token"'),
    _m("P-14.undefined", 'URI="', 'URI="{$host}'),
    Row(
        "P-15.map",
        "fmp4",
        both(
            text(MASTER, "^#EXT-X-STREAM", _SUBTITLES + ',URI="text.m3u8"\n#EXT-X-STREAM'),
            put("text.m3u8", _TEXT.encode()),
            put("text.vtt", b"WEBVTT\n"),
        ),
        "text.vtt",
    ),
    _tag("P-16.hold", "#EXT-X-SERVER-CONTROL:HOLD-BACK=6"),
    _tag("P-16.skip", "#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=6"),
    _tag("P-16.target", "#EXT-X-PART-INF:PART=1"),
    _tag("P-16.part_hold", "#EXT-X-PART-INF:PART-TARGET=1"),
    _tag("P-16.part", "#EXT-X-PART-INF:PART-TARGET=1", '#EXT-X-PART:DURATION=2,URI="p"'),
    _tag("P-16.hint", '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p"'),
    _tag("P-17.offset", "#EXT-X-START:PRECISE=YES"),
    _tag("P-17.beyond", "#EXT-X-START:TIME-OFFSET=100"),
    Row("P-17.gap", "fmp4", text(V, "^#EXTINF", "#EXT-X-GAP\n#EXTINF"), MASTER),
    _tag("P-17.bitrate", "#EXT-X-BITRATE:1"),
    _v("C-07.tail", "TARGETDURATION:6", "TARGETDURATION:13"),
    Row("F-01.playlist", "fmp4", gone(V), MASTER),
    Row("F-01.header", "fmp4", gone("init-f1-v1*"), "init-f1-v1"),
    Row("F-01.segment", "fmp4", gone("seg-2-f1-v1*"), V),
    Row("F-02.playlist", "fmp4", put(V, b"#EXT\n"), V),
    Row("F-02.address", "fmp4", put(MASTER, b"#EXT\n"), MASTER),
]
