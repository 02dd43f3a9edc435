"""Captions in a multivariant playlist."""

from dataclasses import replace

import m3u8
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.hls.subtitles import with_subtitles
from packager.hls.variants import separate_variants
from packager.presentation import Bitrate, Purpose, TextRendition
from tests.packager.hls.presentations import LADDER, labels, line


def text(number: int, language: str | None = None, **fields: object) -> TextRendition:
    common: dict[str, object] = {
        "track": number,
        "timeline": line([6000, 6000, 1500]),
        "bitrate": Bitrate(10 * number, 5 * number),
        "bandwidth": 7,
        "language": language,
    }
    return TextRendition(**common | fields)  # type: ignore[arg-type]


def written(*text: TextRendition) -> str:
    playlist = separate_variants(LADDER, lambda one: f"index-{one.name}.m3u8")
    return with_subtitles(playlist, text, lambda one: f"index-{one.name}.m3u8").render()


def test_the_lines() -> None:
    found = written(text(1, "en", label="English", default=True), text(2, "fr"))
    lines = [one for one in found.splitlines() if "SUBTITLES" in one]
    assert lines[:2] == [
        (
            '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="English",LANGUAGE="en",DEFAULT=YES,'
            'AUTOSELECT=YES,FORCED=NO,URI="index-s1.m3u8"'
        ),
        (
            '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="fr",LANGUAGE="fr",DEFAULT=NO,'
            'AUTOSELECT=YES,FORCED=NO,URI="index-s2.m3u8"'
        ),
    ]
    assert len(lines) == 2 + 6, "a variant without them"
    assert "BANDWIDTH=1160,AVERAGE-BANDWIDTH=1038," in lines[2], "the larger one counts"
    assert all(',SUBTITLES="subs",CLOSED-CAPTIONS=NONE' in one for one in lines[2:])


def test_what_they_are_for() -> None:
    """P-10."""
    purposes = (Purpose.SUBTITLES, Purpose.CAPTIONS, Purpose.FORCED)
    texts = (text(n, "en", purpose=one) for n, one in enumerate(purposes, 1))
    found = [one for one in m3u8.loads(written(*texts)).media if one.type == "SUBTITLES"]
    assert [one.forced for one in found] == ["NO", "NO", "YES"]
    assert [one.autoselect for one in found] == ["YES"] * 3
    assert [one.characteristics for one in found] == [
        None,
        (
            "public.accessibility.transcribes-spoken-dialog,"
            "public.accessibility.describes-music-and-sound"
        ),
        None,
    ]


def test_without_captions_nothing_is_said_of_them() -> None:
    assert "SUBTITLES" not in written()


@pytest.mark.parametrize(
    ("texts", "default", "autoselect"),
    [
        ([text(1, "en"), text(2, "fr")], [], [1, 2]),
        ([text(1, "en"), text(2, "en")], [], [1]),
        ([text(1, "en"), text(2, "en", default=True)], [2], [2]),
        ([text(1, "en", default=True), text(2, "fr", default=True)], [1], [1, 2]),
    ],
)
def test_one_default_and_one_per_language(
    texts: list[TextRendition], default: list[int], autoselect: list[int]
) -> None:
    found = [one for one in m3u8.loads(written(*texts)).media if one.type == "SUBTITLES"]
    assert [n for n, one in enumerate(found, 1) if one.default == "YES"] == default
    assert [n for n, one in enumerate(found, 1) if one.autoselect == "YES"] == autoselect


@given(st.lists(st.tuples(st.sampled_from([None, "en", "fr", "x y"]), labels), max_size=6))
def test_names_are_unique_whatever_is_said(said: list[tuple[str | None, str | None]]) -> None:
    texts = [
        replace(text(n, language), label=label) for n, (language, label) in enumerate(said)
    ]
    found = [one for one in m3u8.loads(written(*texts)).media if one.type == "SUBTITLES"]
    assert len({one.name for one in found}) == len(texts)
    assert all(one.name for one in found)
