"""SubRip as it is found: a table of what is read, and of what is refused."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.captions import webvtt
from packager.captions.cues import Captions, Cue, MalformedCaptions
from packager.captions.formats import parse as parse_any
from packager.captions.srt import parse

HELLO = Cue(1000, 2500, "Hello")
TIMES = "00:00:01,000 --> 00:00:02,500"
READ: dict[str, tuple[str, tuple[Cue, ...]]] = {
    "nothing": ("", ()),
    "only empty lines": ("\n \n", ()),
    "one cue": (f"1\n{TIMES}\nHello\n\n", (HELLO,)),
    "CR LF": (f"1\r\n{TIMES}\r\nHello\r\n", (HELLO,)),
    "no number": (f"{TIMES}\nHello", (HELLO,)),
    "points for commas": ("1\n00:00:01.000 --> 00:00:02.500\nHello", (HELLO,)),
    "short times": ("1\n0:0:1 --> 0:0:2,5\nHello", (HELLO,)),
    "a place behind the times": (f"1\n{TIMES} X1:40 X2:600 Y1:20 Y2:50\nHello", (HELLO,)),
    "broken numbers": (
        f"7\n{TIMES}\nHello\n\n7\n00:00:03,000 --> 00:00:04,000\nyou\n\n3\n",
        (HELLO, Cue(3000, 4000, "you\n3")),
    ),
    "no empty line between": (
        f"1\n{TIMES}\nHello\n2\n00:00:03,000 --> 00:00:04,000\nyou",
        (HELLO, Cue(3000, 4000, "you")),
    ),
    "a number for a text where cues have none": (
        f"{TIMES}\n42\n00:00:03,000 --> 00:00:04,000\nyou",
        (Cue(1000, 2500, "42"), Cue(3000, 4000, "you")),
    ),
    "an empty line inside a text": (
        f"1\n{TIMES}\nHello\n\nyou\n\n2\n00:00:03,000 --> 00:00:04,000\nb",
        (Cue(1000, 2500, "Hello\nyou"), Cue(3000, 4000, "b")),
    ),
    "overlapping and out of order": (
        f"1\n00:00:02,000 --> 00:00:04,000\nb\n\n2\n{TIMES}\nHello",
        (HELLO, Cue(2000, 4000, "b")),
    ),
    "backwards and empty": (
        f"1\n00:00:02,000 --> 00:00:01,000\nb\n\n2\n{TIMES}\n \n\n3\n{TIMES}\nHello",
        (HELLO,),
    ),
    "markup": (
        f'1\n{TIMES}\n<I>a</I> <font color="#fff">b</font> <u >c</u>',
        (Cue(1000, 2500, "<i>a</i> b <u>c</u>"),),
    ),
    "what WebVTT would take for markup": (
        f"1\n{TIMES}\n1 < 2 & <3 --> x &amp; y &lt;b&gt; &copy;",
        (Cue(1000, 2500, "1 &lt; 2 &amp; &lt;3 --&gt; x &amp; y &lt;b&gt; &amp;copy;"),),
    ),
    "places of another format": (
        f"1\n{TIMES}\n{{\\an8}}Hello{{\\i1}}",
        (Cue(1000, 2500, "Hello", "", "line:0"),),
    ),
}
REFUSED: dict[str, tuple[str, int]] = {
    "no times at all": ("some\ntext", 1),
    "a time that is none": (f"1\n{TIMES}\nHello\n\n2\n00:00:03,000 --> 00:xx\nyou", 6),
    "61 seconds": ("1\n00:00:61,000 --> 00:01:02,500\nHello", 2),
    "before zero": ("1\n-00:00:01,000 --> 00:00:02,500\nHello", 2),
    "four digits of a second": ("1\n00:00:01,0000 --> 00:00:02,5000\nHello", 2),
}


@pytest.mark.parametrize(("text", "cues"), READ.values(), ids=READ)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_read(text: str, cues: tuple[Cue, ...], encoding: str) -> None:
    assert parse(text.encode(encoding)) == Captions(cues)


@pytest.mark.parametrize(("text", "line"), REFUSED.values(), ids=REFUSED)
def test_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(MalformedCaptions, match=f"line {line}:"):
        parse(text.encode())


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        ("Grüße".encode(), "utf-8", "Grüße"),
        ("Grüße".encode("utf-8-sig"), "utf-8", "Grüße"),
        ("Grüße".encode("latin-1"), "windows-1252", "Grüße"),
        ("„Grüße“ …".encode("cp1252"), "windows-1252", "„Grüße“ …"),
        (b"\x81\xe4", "windows-1252", "\ufffdä"),
    ],
)
def test_encodings_without_a_mark(data: bytes, encoding: str, text: str) -> None:
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    found = parse(mark + f"1\n{TIMES}\n".encode() + data.removeprefix(mark))
    assert (found.encoding, found.cues[0].text) == (encoding, text)


@pytest.mark.parametrize("order", ["little", "big"])
def test_utf_16_by_its_mark(order: str) -> None:
    name, mark = {"little": ("utf-16-le", b"\xff\xfe"), "big": ("utf-16-be", b"\xfe\xff")}[
        order
    ]
    found = parse_any(mark + f"1\n{TIMES}\nGrüße".encode(name), None)
    assert (found.encoding, found.cues[0].text) == (name, "Grüße")
    found = parse_any(mark + "WEBVTT\n\n00:01.000 --> 00:02.500\nHello".encode(name), None)
    assert found.cues == (HELLO,)


@given(
    st.lists(st.sampled_from([TIMES, "\n", "1", "-->", "<b>", "<font", ">", "&", "{\\an8}"]))
)
def test_whatever_is_read_is_webvtt(words: list[str]) -> None:
    try:
        found = parse("".join(words).encode())
    except MalformedCaptions:
        return
    assert webvtt.parse(webvtt.render(found).encode()) == found


@pytest.mark.parametrize(
    ("begin", "filler"), [(f"1\n{TIMES}\n", "<font "), ("", "1"), ("", "1:"), ("1", " ")]
)
def test_what_never_ends_takes_no_longer(begin: str, filler: str) -> None:
    def took(size: int) -> float:
        data = f"{begin}{filler * size}x -->\n{TIMES}\nHello\n".encode()
        began = time.process_time()
        parse(data)
        return time.process_time() - began

    assert took(80_000) < 40 * max(took(10_000), 0.002)
