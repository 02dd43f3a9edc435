"""Tags of the multivariant playlist, and text that tries to be more than text."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.hls.attributes import clean, quoted, tag
from packager.hls.multivariant import AudioMedia, MultivariantPlaylist, Variant
from packager.presentation import Bitrate

VARIANT = Variant(bitrate=Bitrate(900, 800), codecs=("avc1.64001f",), uri="v.m3u8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("English", '"English"'),
        ("", '""'),
        ('say "hi"', '"say \u201dhi\u201d"'),
        ("Director's cut", '"Director\u2019s cut"'),
        ("a\r\n#EXT-X-ENDLIST", '"a #EXT-X-ENDLIST"'),
        ('x",URI="http://evil', '"x\u201d,URI=\u201dhttp://evil"'),
        ("{$token}", '"($token}"'),
        ("tab\there\x00\x7f", '"tab here"'),
        ("line\u2028separator\x85next", '"line separator next"'),
        ("half \ud83d of a pair", '"half of a pair"'),
        ("Ame\u0301lie", '"Am\u00e9lie"'),
    ],
)
def test_quoted_strings(text: str, expected: str) -> None:
    assert quoted(text) == expected


@given(st.text())
def test_a_quoted_string_is_one_line_without_quotes_inside(text: str) -> None:
    body = quoted(text)[1:-1]
    assert not {'"', "'"} & set(body)
    assert "{$" not in body
    assert len(body.splitlines()) <= 1
    assert body.encode().decode() == body == clean(body)


def test_attributes_that_are_none_are_left_out() -> None:
    assert tag("X", {"A": 1, "B": None, "C": "YES"}) == "#X:A=1,C=YES"


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (Fraction(25), "25.000"),
        (Fraction(30_000, 1001), "29.970"),
        (Fraction(24_000, 1001), "23.976"),
        (Fraction(12_345, 10_000), "1.235"),
    ],
)
def test_frame_rates_have_three_decimals(rate: Fraction, expected: str) -> None:
    variant = Variant(bitrate=Bitrate(9, 8), codecs=("a", "b"), frame_rate=rate, uri="u")
    assert f",FRAME-RATE={expected}," in variant.line()


def test_a_playlist_without_media_needs_no_version() -> None:
    assert MultivariantPlaylist((VARIANT,)).render() == (
        "#EXTM3U\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-STREAM-INF:BANDWIDTH=900,AVERAGE-BANDWIDTH=800,CODECS="avc1.64001f",'
        "CLOSED-CAPTIONS=NONE\n"
        "v.m3u8\n"
    )


def test_media_stand_before_variants() -> None:
    sound = AudioMedia(
        group="g", name="n", language="en", default=True, autoselect=True, channels=2, uri="a"
    )
    lines = MultivariantPlaylist((VARIANT,), (sound,)).render().splitlines()
    assert lines[1] == "#EXT-X-VERSION:4"
    assert lines[3] == (
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="g",NAME="n",LANGUAGE="en",DEFAULT=YES,'
        'AUTOSELECT=YES,CHANNELS="2",URI="a"'
    )
    assert lines[4].startswith("#EXT-X-STREAM-INF")
