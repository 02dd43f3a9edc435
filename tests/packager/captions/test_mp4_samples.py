"""Samples of text tracks: cues exact to the millisecond, merged where they go on."""

import struct
from fractions import Fraction

import pytest

from packager.captions.cues import Captions, Cue
from packager.captions.mp4_samples import READERS, TextSample
from packager.errors import PackagerError
from packager.isobmff.box import box


def samples(*said: tuple[int, int, bytes]) -> list[TextSample]:
    """Of milliseconds."""
    return [TextSample(Fraction(a, 1000), Fraction(b, 1000), data) for a, b, data in said]


def read(
    form: str, *said: tuple[int, int, bytes], entry: bytes = b"", shift: int = 0
) -> Captions:
    return READERS[form](entry, samples(*said), Fraction(shift, 1000))


def tx3g(text: str, *styles: tuple[int, int, int]) -> bytes:
    rows = b"".join(struct.pack(">HHHBBI", a, b, 1, face, 18, 0) for a, b, face in styles)
    styl = box(b"styl", struct.pack(">H", len(styles)), rows) if styles else b""
    data = text.encode()
    return struct.pack(">H", len(data)) + data + styl


def vttc(text: str, **more: str) -> bytes:
    inside = [box(name.encode(), value.encode()) for name, value in more.items()]
    return box(b"vttc", *inside, box(b"payl", text.encode()))


def ttml(*cues: tuple[str, str, str]) -> bytes:
    body = "".join(f'<p begin="{a}" end="{b}">{text}</p>' for a, b, text in cues)
    return f'<tt xmlns="http://www.w3.org/ns/ttml"><body><div>{body}</div></body></tt>'.encode()


def test_timed_text() -> None:
    found = read(
        "tx3g",
        (0, 1001, tx3g("")),
        (1001, 2503, tx3g("a <b>\n👩 שלום", (0, 1, 2), (6, 7, 5))),
        (2503, 3000, b"\0\6\xfe\xff\0x\0y"),
    )
    assert found.cues == (
        Cue(1001, 2503, "<i>a</i> &lt;b&gt;\n<b><u>👩</u></b> שלום"),
        Cue(2503, 3000, "xy"),
    )


def test_the_face_of_the_sample_entry() -> None:
    entry = bytes(26) + struct.pack(">HHHBBI", 0, 0, 1, 1, 18, 0)
    assert read("tx3g", (0, 40, tx3g("a")), entry=entry).cues == (Cue(0, 40, "<b>a</b>"),)


def test_webvtt_in_mp4() -> None:
    head = box(b"vttC", b"WEBVTT\n\nSTYLE\n::cue { color: red }")
    long = vttc("over", sttg="line:0", iden="1")
    found = read(
        "wvtt",
        (0, 1000, box(b"vtte")),
        (1000, 2000, long),
        (2000, 3000, long + vttc("be-\nside & < 1")),
        (3000, 3500, long),
        (4000, 5000, long + vttc("x --> y")),
        entry=bytes(8) + head,
    )  # fmt: skip
    assert found.cues == (
        Cue(1000, 3500, "over", "1", "line:0"),
        Cue(2000, 3000, "be-\nside & < 1"),
        Cue(4000, 5000, "over", "1", "line:0"),
    )
    assert found.blocks == ("STYLE\n::cue { color: red }",)


def test_documents_are_cut_to_their_samples_and_joined() -> None:
    found = read(
        "stpp",
        (0, 2000, ttml(("0.5s", "1s", "a"), ("1.5s", "9s", "b"))),
        (2000, 4000, ttml(("1.5s", "9s", "b"), ("0s", "1s", "gone"))),
        (4000, 6000, b""),
        shift=500,
    )
    assert found.cues == (Cue(0, 500, "a"), Cue(1000, 3500, "b"))


def test_line_21() -> None:
    pairs = bytes.fromhex("9420 9470 c8e9 942f".replace(" ", ""))
    erase = box(b"cdat", bytes.fromhex("942c"))
    found = read("c608", (1000, 1134, box(b"cdat", pairs)), (3000, 3033, erase))
    assert [(cue.start, cue.end, cue.text) for cue in found.cues] == [(1100, 3000, "Hi")]


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("tx3g", b"\xff\xffa"),
        ("wvtt", b"\0\0\xff\xffvttc"),
        ("stpp", b"<tt>"),
        ("c608", b"\0\0\0\x99cdat"),
    ],
)
def test_what_lies_is_refused(form: str, data: bytes) -> None:
    with pytest.raises(PackagerError):
        read(form, (0, 1000, data))
