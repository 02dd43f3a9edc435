"""TTML as it is found: a table of what is read, and of what is refused, with the line."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.captions import webvtt
from packager.captions.cues import Cue, MalformedCaptions
from packager.captions.formats import parse as parse_any
from packager.captions.ttml import parse

NAMES = (
    'xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" '
    'xmlns:tts="http://www.w3.org/ns/ttml#styling"'
)


def document(body: str, said: str = "", head: str = "") -> bytes:
    top = f"<tt {NAMES} {said}>" + (f"<head>{head}</head>" if head else "")
    return f"{top}<body><div>{body}</div></body></tt>".encode()


TIMES = 'begin="1s" end="2.5s"'
TIMED: dict[str, tuple[str, str, int, int]] = {
    # what tt says, what p says, milliseconds
    "clock": ("", 'begin="00:00:01.001" end="01:00:00"', 1001, 3_600_000),
    "offsets": ("", 'begin="1500ms" dur="0.5m"', 1500, 31_500),
    "hours": ("", 'begin="1h" dur="1s"', 3_600_000, 3_601_000),
    "frames at 30": ("", 'begin="00:00:01:15" end="00:00:02:00"', 1500, 2000),
    "frames at 25": ('ttp:frameRate="25"', 'begin="00:00:01:01" end="75f"', 1040, 3000),
    "frames of NTSC": (
        'ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"',
        'begin="00:00:01:15" end="300f"',
        1501,  # 1.5005 s
        10_010,
    ),
    "the multiplier as DFXP had it": (
        'ttp:frameRate="24" ttp:frameRateMultiplier="1000:1001"', 'begin="24f" end="48f"',
        1001, 2002,
    ),
    "ticks": ('ttp:tickRate="10000000"', 'begin="10010000t" end="20000000t"', 1001, 2000),
    "ticks of frames": (
        'ttp:frameRate="25" ttp:subFrameRate="4"', 'begin="150t" end="200t"', 1500, 2000,
    ),
    "half a millisecond": ('ttp:tickRate="10000"', 'begin="5t" end="14t"', 1, 1),
    "SMPTE, not dropped": (
        'ttp:timeBase="smpte" ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"',
        'begin="00:01:00:00" end="00:01:01:00"', 60_060, 61_061,
    ),
    "SMPTE, dropped": (
        ('ttp:timeBase="smpte" ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001" '
        'ttp:dropMode="dropNTSC"'),
        'begin="00:10:00:00" end="01:00:00:00"', 599_999, 3_599_996,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("said", "times", "start", "end"), TIMED.values(), ids=TIMED)
def test_times(said: str, times: str, start: int, end: int) -> None:
    cues = parse(document(f"<p {times}>a</p>", said)).cues
    assert [(cue.start, cue.end) for cue in cues] == ([(start, end)] if end > start else [])


REGION = '<layout><region xml:id="r" tts:origin="10% {}%" tts:extent="80% 10%" {}/></layout>'
STYLES = (
    '<styling><style xml:id="a" tts:color="yellow"/>'
    '<style xml:id="b" style="a" tts:fontStyle="italic"/>'
    '<style xml:id="c" style="c"/><style xml:id="o" tts:color="#ff8800"/></styling>'
)
READ: dict[str, tuple[str, str, list[tuple[int, int, str, str]]]] = {
    # head, body, cues
    "white space": ("", f"<p {TIMES}>\n  a \n b<br/>\n c </p>", [(1000, 2500, "a b\nc", "")]),
    "kept white space": (
        "", f'<p {TIMES} xml:space="preserve">a  b\n\nc</p>', [(1000, 2500, "a  b\nc", "")]
    ),
    "nothing between breaks": ("", f"<p {TIMES}>a<br/><br/>b</p>", [(1000, 2500, "a\nb", "")]),
    "no text": ("", f"<p {TIMES}> <br/> </p><p>\n</p>", []),
    "what WebVTT takes for markup": (
        "", f"<p {TIMES}>1 &lt; 2 --&gt; &amp;amp; &#13;x</p>",
        [(1000, 2500, "1 &lt; 2 --&gt; &amp;amp; x", "")],
    ),
    "emoji and right to left": (
        "", f'<p {TIMES} tts:direction="rtl">שלום 👩‍🚀 &#x1F600;</p>',
        [(1000, 2500, "&rlm;שלום 👩‍🚀 😀", "")],
    ),
    "times of parents": (
        "", ('<p begin="1s" end="9s"><span begin="1s" end="2s">a</span> '
        '<span begin="1.5s">b</span></p>'),
        [(2000, 2500, "a", ""), (2500, 3000, "a b", ""), (3000, 9000, "b", "")],
    ),
    "a sequence": (
        "", ('</div><div begin="10s" timeContainer="seq"><p dur="1s">a</p>'
        '<p begin="1s" dur="1s">b</p>'),
        [(10_000, 11_000, "a", ""), (12_000, 13_000, "b", "")],
    ),
    "overlapping and out of order": (
        "", '<p begin="2s" end="4s">b</p><p begin="1s" end="3s">a</p>',
        [(1000, 3000, "a", ""), (2000, 4000, "b", "")],
    ),
    "styles": (
        STYLES, (f'<p {TIMES} style="b">a<span tts:fontWeight="bold" tts:color="white">b</span>'
        f'<span style="c o">c</span></p>'),
        [(1000, 2500, "<c.yellow><i>a</i></c><i><b>b</b></i><c.cff8800><i>c</i></c>", "")],
    ),
    "a region above": (
        REGION.format("5", ""), f'<p {TIMES} region="r">a</p>',
        [(1000, 2500, "a", "line:5% position:10% size:80% align:start")],
    ),
    "a region below": (
        REGION.format("85", 'tts:displayAlign="after" tts:textAlign="center"'),
        f'<p {TIMES} region="r">a</p>',
        [(1000, 2500, "a", "position:50% size:80% align:center")],
    ),
    "a region whose style is within": (
        ('<layout><region xml:id="r"><style tts:origin="4c 3c"/><style tts:extent="16c 3c"/>'
        "</region></layout>"),
        f'<p {TIMES} region="r" tts:textAlign="right">a</p>',
        [(1000, 2500, "a", "line:20% position:62.5% size:50% align:right")],
    ),
    "text of others": (
        '<metadata><x:title xmlns:x="urn:x">t</x:title></metadata>',
        f'<p {TIMES}><metadata>m</metadata>a<y:z xmlns:y="urn:y">z</y:z></p>',
        [(1000, 2500, "a", "")],
    ),
    "not shown": ("", f'<p {TIMES} tts:visibility="hidden">a</p>', []),
}  # fmt: skip


@pytest.mark.parametrize(("head", "body", "cues"), READ.values(), ids=READ)
def test_read(head: str, body: str, cues: list[tuple[int, int, str, str]]) -> None:
    found = parse_any(document(body, head=head), None)
    assert found.cues == tuple(Cue(a, b, text, "", said) for a, b, text, said in cues)
    again = webvtt.parse(webvtt.render(found).encode())
    assert (again.cues, again.blocks) == (found.cues, found.blocks)


def test_colours_are_rules() -> None:
    found = parse(document(f'<p {TIMES} tts:color="#0F0F10">a</p>'))
    assert found.blocks == ("STYLE\n::cue(.c0f0f10) { color: #0f0f10 }",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_encodings(encoding: str) -> None:
    data = document(f"<p {TIMES}>Grüße</p>").decode()
    written = f'<?xml version="1.0" encoding="{encoding}"?>\n{data}'.encode(encoding)
    assert [cue.text for cue in parse_any(written, None).cues] == ["Grüße"]


DEEP = "<tt>" + "<div>" * 100
BOMB = '<!-- -->\n<!DOCTYPE tt [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
SPANS = f"<p {TIMES}>" + '\n<span begin="1s">a</span>' * 129
REFUSED: dict[str, tuple[bytes, int, str]] = {
    "broken XML": (b"<tt>\n<body>\n<p></body></tt>", 3, "mismatched tag"),
    "cut off": (b"<tt>\n<body>\n", 3, "no element found"),
    "another root": (b"<!-- -->\n<html/>", 2, "the root is 'html'"),
    "a bomb": (BOMB.encode(), 2, "a document type"),
    "deep": (DEEP.replace(">", ">\n").encode(), 65, "nested more than 64"),
    "an encoding": (b'<?xml version="1.0" encoding="none"?><tt/>', 1, "encoding"),
    "a time": (document('<p>\n</p>\n<p begin="soon">a</p>'), 3, "'soon' is not a time"),
    "a time of no use": (document('<p begin="99999999999h" end="1s">a</p>'), 1, "is past"),
    "no end": (document('<p begin="1s">\na</p>'), 2, "has no end"),
    "a frame": (document('<p begin="00:00:01:30" end="9s">a</p>'), 1, "past the 30"),
    "wall clocks": (document("", 'ttp:timeBase="clock"'), 1, "of the base 'clock'"),
    "no rate": (document("", 'ttp:tickRate="0"'), 1, "tickRate is '0'"),
    "no multiplier": (document("", 'ttp:frameRateMultiplier="1 0"'), 1, "frameRateMultiplier"),
    "many times in one p": (document(SPANS), 130, "more than 128 spans"),
    "large": (b"<tt>" + b" " * (16 << 20), 1, "are more than"),
}


@pytest.mark.parametrize(("data", "line", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused(data: bytes, line: int, reason: str) -> None:
    with pytest.raises(MalformedCaptions, match=reason) as refused:
        parse_any(data, None)
    assert refused.value.line == line


def test_as_much_as_a_file_may_hold_takes_seconds() -> None:
    count = 20_000
    body = "".join(
        f'<p begin="{n}s" end="{n + 1}s"><span tts:color="red">a</span></p>'
        for n in range(count)
    )
    begin = time.process_time()
    assert len(parse(document(body)).cues) == count
    assert time.process_time() - begin < 10


@given(st.binary(max_size=60) | st.text("<>/ p=\"'tbegin1s&;", max_size=60).map(str.encode))
def test_anything_else_is_refused_by_name(rest: bytes) -> None:
    with suppress(MalformedCaptions):
        parse(document("").replace(b"<div>", b"<div>" + rest))
