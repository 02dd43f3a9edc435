"""SubStation Alpha as text: a table of what is read, and of what is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.captions import webvtt
from packager.captions.ass import parse
from packager.captions.cues import MalformedCaptions
from packager.captions.formats import parse as parse_any

STYLES = (
    "[V4+ Styles]\nFormat: Name, Bold, Italic, Underline, Alignment\n"
    "Style: Default,0,0,0,2\nStyle: Top,-1,0,0,8\n"
)
FORMAT = "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"


def ass(text: str, style: str = "Default", times: str = "0:00:01.00,0:00:02.50") -> bytes:
    event = f"Dialogue: 0,{times},{style},,0,0,0,,{text}\n"
    return f"[Script Info]\n; x\n\n{STYLES}\n[Events]\n{FORMAT}{event}".encode()


READ: dict[str, tuple[bytes, list[tuple[int, int, str, str]]]] = {
    "plain": (ass("a, b"), [(1000, 2500, "a, b", "")]),
    "marked, CR LF": (
        b"\xef\xbb\xbf" + ass("a").replace(b"\n", b"\r\n"), [(1000, 2500, "a", "")]
    ),
    "lines": (ass(r"a\Nb\n\N\hc"), [(1000, 2500, "a\nb\n\u00a0c", "")]),
    "overrides": (
        ass(r"{\i1}a{\b1\fs20}b{\r}c{\u1}\Nd{\c&HFF&\pos(1,2)}"),
        [(1000, 2500, "<i>a</i><b><i>b</i></b>c\n<u>d</u>", "")],
    ),
    "what WebVTT takes for markup": (
        ass("1 < 2 --> & {x}"), [(1000, 2500, "1 &lt; 2 --&gt; &amp;", "")]
    ),
    "a style": (ass("a{\\b0}b", "Top"), [(1000, 2500, "<b>a</b>b", "line:0")]),
    "a place": (
        ass(r"{\an6}a"), [(1000, 2500, "a", "line:50% position:100% align:right")]
    ),
    "a place of SSA": (ass(r"{\a6}a"), [(1000, 2500, "a", "line:0")]),
    "a drawing": (ass(r"{\p1}m 0 0 l 1 1{\p0}a"), [(1000, 2500, "a", "")]),
    "emoji and right to left": (ass("שלום 👩‍🚀"), [(1000, 2500, "שלום 👩‍🚀", "")]),
    "backwards": (ass("a", times="0:00:02.00,0:00:01.00"), []),
    "a comment": (ass("a").replace(b"Dialogue", b"Comment"), []),
    "SSA": (
        (b"[Script Info]\n[V4 Styles]\nFormat: Name, Alignment\nStyle: *S,6\nStyle: S,6\n"
        b"[Events]\nFormat: Marked, Start, End, Style, Text\n"
        b"Dialogue: Marked=0,1:00:00.05,1:00:01.00,*S,a\n"),
        [(3_600_050, 3_601_000, "a", "line:0")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "shown"), READ.values(), ids=READ)
def test_read(data: bytes, shown: list[tuple[int, int, str, str]]) -> None:
    found = parse_any(data, None)
    assert [(cue.start, cue.end, cue.text, cue.settings) for cue in found.cues] == shown
    assert webvtt.parse(webvtt.render(found).encode()).cues == found.cues


REFUSED: dict[str, tuple[bytes, int, str]] = {
    "a time": (ass("a", times="0:00:01,0:00:02.50"), 11, "'0:00:01' is not a time"),
    "too few fields": (ass("a").replace(b",,0,0,0,,a", b""), 11, "fewer fields"),
    "no text": (ass("a").replace(b"Effect, Text", b"Effect"), 10, "Format has no"),
    "no events": (b"[Script Info]\nTitle: x", 2, r"no \[Events\]"),
}


@pytest.mark.parametrize(("data", "line", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused(data: bytes, line: int, reason: str) -> None:
    with pytest.raises(MalformedCaptions, match=reason) as refused:
        parse_any(data, None)
    assert refused.value.line == line


@given(st.text("{}\\anibup1-<>&N ,", max_size=60))
def test_any_text_is_cue_text(text: str) -> None:
    for cue in parse(ass(text)).cues:
        assert "-->" not in cue.text
        assert all(cue.text.split("\n"))


@given(st.text("[]Events:Format,Dialogue\n 0.", max_size=80))
def test_anything_else_is_refused_by_name(rest: str) -> None:
    with suppress(MalformedCaptions):
        parse(f"[Script Info]\n{rest}".encode())
