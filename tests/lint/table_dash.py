"""MPDs: a change, and what must be said of it."""

from tests.lint.changes import Change, Row, both, of, put, text

MPD = "manifest.mpd"
_FIRST = "AdaptationSet[1]/Representation[1]"
_SOUND = "AdaptationSet[2]"


def _d(check: str, pattern: str, new: str, place: str = MPD, count: int = 1) -> Row:
    return Row(check, "dash", text(MPD, pattern, new, count), place)


def _sound(pattern: str, new: str) -> Change:
    """In the second set only."""

    def edit(data: bytes) -> bytes:
        head, mark, tail = data.partition(b'<AdaptationSet id="2"')
        files = {MPD: mark + tail}
        text(MPD, pattern, new)(files)
        return head + files[MPD]

    return of(MPD, edit)


_TEXT_SET = """<AdaptationSet contentType="text" mimeType="text/vtt">
<SegmentBase presentationTimeOffset="5" indexRange="0-1"/>
<Representation id="t" bandwidth="1"><BaseURL>text.vtt</BaseURL></Representation>
</AdaptationSet></Period>"""
_CEA = '<Accessibility schemeIdUri="urn:scte:dash:cc:cea-608:2015" value="CC9=x"/>'
_GOES_ON = (
    '<SupplementalProperty schemeIdUri="urn:mpeg:dash:period-continuity:2015" value="{}"/>'
)


def _second_period(files: dict[str, bytes]) -> None:
    """The presentation twice, the second Period going on with the first."""
    data = files[MPD].decode()
    start, end = data.index("<Period"), data.index("</Period>") + 9
    one = data[start:end]
    other = one.replace('Period id="1" start="PT0S"', 'Period id="2" start="PT18S"')
    other = other.replace("<Role", _GOES_ON.format("1") + "<Role", 1)
    other = other.replace('codecs="avc1', 'codecs="hvc1')
    data = data[:start] + one + other + data[end:]
    files[MPD] = data.replace('Duration="PT18S"', 'Duration="PT36S"').encode()


_OFFSET = r'timescale="\1" presentationTimeOffset="-\1"'

ROWS = [
    _d("D-01.required", ' minBufferTime="[^"]*"', "", "MPD"),
    _d("D-01.unique", 'id="f2-v1"', 'id="f1-v1"', "Representation[2]"),
    _d("D-01.codecs", "avc1.4d400a", "avc1.640028", _FIRST),
    _d("D-01.twice", 'id="f1-v1"', 'id="f1-v1" mimeType="video/mp4"', _FIRST),
    _d(
        "D-02.duration",
        'mediaPresentationDuration="PT18S"',
        'mediaPresentationDuration="PT20S"',
    ),
    _d("D-02.static", 'type="static"', 'type="static" minimumUpdatePeriod="PT2S"'),
    _d("D-02.dynamic", 'type="static"', 'type="dynamic"'),
    _d("D-02.first", 'start="PT0S"', 'start="PT5S"', "Period[1]"),
    _d("D-03.months", 'duration="PT18S"', 'duration="P1M"', "Period[1]"),
    _d("D-03.form", 'minBufferTime="[^"]*"', 'minBufferTime="6"', "MPD"),
    _d("D-03.zero", 'duration="PT18S"', 'duration="PT0S"', "Period[1]"),
    _d("D-03.cover", '="PT18S"', '="PT60S"', _FIRST, 0),
    _d("D-04.addressing", "(?s)<SegmentTimeline>.*?</SegmentTimeline>", ""),
    _d("D-04.media", r"seg-\$Number\$", "seg-1", "SegmentTemplate[1]"),
    _d("D-04.initialization", "init-f1", "init-$Number$-f1", "SegmentTemplate[1]"),
    _d("D-04.identifier", r"seg-\$Number\$", "seg-$Number$-$Bitrate$", "SegmentTemplate[1]"),
    _d("D-04.timescale", 'timescale="12800"', 'timescale="90000"', _FIRST),
    _d("D-05.contiguous", "<S (.*)/>", r'<S \1/><S t="1" d="1"/>', "S[2]"),
    _d("D-05.zero", "<S (.*)/>", r'<S \1/><S d="0"/>', "S[2]"),
    _d("D-05.t", '<S t="0"', '<S t="2"', "segment 1"),
    _d("D-05.duration", r'<S t="0" d="\d+" r="2"/>', '<S t="0" d="76802" r="2"/>'),
    _d(
        "D-06.nominal",
        "(?s)>\\s*<SegmentTimeline>.*?</SegmentTimeline>",
        ' duration="25600">',
        "segment 1",
    ),
    Row("D-07.offset", "dash", text(MPD, r'timescale="(\d+)"', _OFFSET, 0), "Representation"),
    Row("C-05.start", "dash", _sound(r'timescale="(\d+)"', _OFFSET), _SOUND),
    _d("D-08.video", ' frameRate="25"', "", _FIRST),
    _d("D-08.audio", r"<AudioChannelConfiguration[^>]*/>", "", _SOUND),
    _d("D-08.aligned", r'<S t="0" d="\d+" r="2"/>', '<S t="0" d="115200" r="1"/>'),
    _d("D-09.range", "(?s)<SegmentTemplate.*?</SegmentTemplate>", "<SegmentBase/>"),
    Row(
        "D-11.role",
        "dash",
        both(text(MPD, "</Period>", _TEXT_SET), put("text.vtt", b"WEBVTT\n")),
        "AdaptationSet[3]",
    ),
    _d("D-11.offset", "</Period>", _TEXT_SET, "SegmentBase"),
    _d("D-11.cea", "<Role", _CEA + "<Role", "Accessibility"),
    _d("D-12.period", "<Role", _GOES_ON.format("9") + "<Role", "SupplementalProperty"),
    Row("D-12.entry", "dash", _second_period, "Period[2]"),
    _d("D-13.low", r'bandwidth="\d+"', 'bandwidth="1000"', _FIRST),
    _d("D-13.high", r'bandwidth="\d+"', 'bandwidth="99999999"', _FIRST),
    _d("D-13.buffer", 'minBufferTime="[^"]*"', 'minBufferTime="PT1S"', _FIRST),
    _d("D-14.complete", "<SegmentTemplate", '<SegmentTemplate availabilityTimeOffset="1"'),
    _d("D-14.latency", "<SegmentTemplate", '<SegmentTemplate availabilityTimeOffset="1"'),
    _d("D-15.size", "</MPD>", "<!--" + "x" * 300_000 + "--></MPD>"),
]
