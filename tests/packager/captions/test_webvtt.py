"""WebVTT: a table of what is read, what is refused, and the round trip."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from packager.captions.cues import MAX_BYTES, Captions, Cue, MalformedCaptions
from packager.captions.webvtt import parse, render

HELLO = Cue(1000, 2500, "Hello")
READ: dict[str, tuple[str, tuple[Cue, ...], tuple[str, ...]]] = {
    "nothing": ("WEBVTT", (), ()),
    "a header with text": ("WEBVTT - a film\nKind: captions\n\n", (), ()),
    "one cue": ("WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nHello\n", (HELLO,), ()),
    "no hours": ("WEBVTT\n\n00:01.000 --> 00:02.500\nHello", (HELLO,), ()),
    "one digit of hours": ("WEBVTT\n\n0:00:01.000 --> 0:00:02.500\nHello", (HELLO,), ()),
    "hours without end": (
        "WEBVTT\n\n100:00:00.000 --> 100:00:00.001\nlate",
        (Cue(360_000_000, 360_000_001, "late"),),
        (),
    ),
    "no space": ("WEBVTT\n\n00:01.000-->00:02.500\nHello", (HELLO,), ()),
    "tabs": ("WEBVTT\n\n\t00:01.000\t-->\t00:02.500\t\nHello", (HELLO,), ()),
    "CR LF": ("WEBVTT\r\n\r\n00:01.000 --> 00:02.500\r\nHello\r\n\r\n", (HELLO,), ()),
    "CR": ("WEBVTT\r\r00:01.000 --> 00:02.500\rHello\r", (HELLO,), ()),
    "a cue right behind the header": ("WEBVTT\n00:01.000 --> 00:02.500\nHello", (HELLO,), ()),
    "an id and settings": (
        "WEBVTT\n\nintro 1\n00:01.000 --> 00:02.500 line:0 align:start odd :x\nHello\nyou",
        (Cue(1000, 2500, "Hello\nyou", "intro 1", "line:0 align:start"),),
        (),
    ),
    "ids that are not of one cue alone": (
        "WEBVTT\n\na\n00:01.000 --> 00:02.500\nHello\n\na\n00:03.000 --> 00:04.000\nyou",
        (HELLO, Cue(3000, 4000, "you")),
        (),
    ),
    "notes": (
        "WEBVTT\n\nNOTE by\nsomebody\n\n00:01.000 --> 00:02.500\nHello\n\nNOTE a --> b",
        (HELLO,),
        (),
    ),
    "styles and regions before cues, none behind": (
        (
            "WEBVTT\n\nSTYLE\n::cue { color: red }\n\nREGION \nid:low\n\n"
            "00:01.000 --> 00:02.500 region:low\nHello\n\nSTYLE\n::cue { color: blue }"
        ),
        (Cue(1000, 2500, "Hello", "", "region:low"),),
        ("STYLE\n::cue { color: red }", "REGION\nid:low"),
    ),
    "entities and tags stay": (
        "WEBVTT\n\n00:01.000 --> 00:02.500\n<v Ann>a &lt; b &amp; c</v>",
        (Cue(1000, 2500, "<v Ann>a &lt; b &amp; c</v>"),),
        (),
    ),
    "times inside a text": (
        "WEBVTT\n\n00:01.000 --> 00:02.500\na\n00:03.000 --> 00:04.000\nb",
        (Cue(1000, 2500, "a"), Cue(3000, 4000, "b")),
        (),
    ),
    "out of order, without what is never shown": (
        (
            "WEBVTT\n\n00:05.000 --> 00:06.000\nb\n\n00:01.000 --> 00:02.500\nHello\n\n"
            "00:03.000 --> 00:03.000\nnever\n\n00:07.000 --> 00:08.000\n"
        ),
        (HELLO, Cue(5000, 6000, "b")),
        (),
    ),
}
REFUSED: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 1),
    "another signature": (b"WEBVTTX\n\n", 1),
    "no thousandths": (b"WEBVTT\n\n00:01 --> 00:02.500\nHello", 3),
    "a comma": (b"WEBVTT\n\nid\n00:00:01,000 --> 00:00:02,500\nHello", 4),
    "61 seconds": (b"WEBVTT\n\n00:61.000 --> 02:00.000\nHello", 3),
    "something behind the times": (b"WEBVTT\n\n00:01.000 --> 00:02.000x\nHello", 3),
    "an arrow in a text": (b"WEBVTT\n\n00:01.000 --> 00:02.000\na\nb --> c", 5),
    "a NUL": (b"WEBVTT\n\n00:01.000 --> 00:02.000\na\0b", 4),
    "too large": (b"WEBVTT\n\n" + b"x" * MAX_BYTES, 1),
    "lines without end": (b"WEBVTT\n\n" + b"\n" * 1_000_001, 1_000_000),
}


@pytest.mark.parametrize(("text", "cues", "blocks"), READ.values(), ids=READ)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_read(text: str, cues: tuple[Cue, ...], blocks: tuple[str, ...], encoding: str) -> None:
    assert parse(text.encode(encoding)) == Captions(cues, blocks)


@pytest.mark.parametrize(("data", "line"), REFUSED.values(), ids=REFUSED)
def test_refused_with_its_line(data: bytes, line: int) -> None:
    with pytest.raises(MalformedCaptions, match=f"line {line}:"):
        parse(data)


_LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\0")
_LINE = st.text(_LETTERS, min_size=1, max_size=8).filter(lambda line: "-->" not in line)
_TIMES = st.integers(0, 40_000_000)


@st.composite
def captions(draw: st.DrawFn) -> Captions:
    ids = draw(st.lists(st.just("") | _LINE, max_size=5))
    cues = []
    for one in ids:
        start = draw(_TIMES)
        length = draw(st.integers(1, 10_000_000))
        text = "\n".join(draw(st.lists(_LINE, min_size=1, max_size=3)))
        settings = draw(st.sampled_from(["", "line:0", "line:-1 align:start"]))
        cues.append(
            Cue(start, start + length, text, one if ids.count(one) == 1 else "", settings)
        )
    blocks = draw(st.sampled_from([(), ("STYLE\n::cue{}", "REGION\nid:a")]))
    return Captions(tuple(sorted(cues, key=lambda cue: cue.start)), blocks)


@given(captions())
@example(Captions((Cue(0, 1, "\x85", "\ufeff"),)))
def test_what_is_written_is_read_again(made: Captions) -> None:
    assert parse(render(made).encode()) == made


@given(
    st.lists(st.sampled_from(["WEBVTT", "\n", "-->", "00:01.000", "NOTE", "STYLE", "a", " "]))
)
def test_whatever_is_read_can_be_written_and_read(words: list[str]) -> None:
    try:
        found = parse("".join(["WEBVTT\n", *words]).encode())
    except MalformedCaptions:
        return
    assert parse(render(found).encode()) == found
