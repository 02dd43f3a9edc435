"""Sound of a master playlist: whose words count, what is default, what is muxed."""

from typing import Any

import pytest

from origin.contract.sound import arranged, is_spoken, said_of
from packager.presentation import AudioRendition, Bitrate, Presentation, Timeline
from packager.said import Said
from tests.origin.contract.test_replies import row


def audio(number: int, language: str | None = None, **fields: Any) -> AudioRendition:
    known: dict[str, Any] = {
        "track": 1, "codec": "mp4a.40.2", "timeline": Timeline(1, (0,), 6),
        "bitrate": Bitrate(1, 1), "bandwidth": 1, "channels": 2, "sample_rate": 48_000,
    }  # fmt: skip
    return AudioRendition(flavor=number, language=language, **known | fields)


FOUR = (
    audio(1, "en", default=True),
    audio(2, "fr", codec="ec-3"),
    audio(3, "fr"),
    audio(4, "pt-BR", codec="ac-3"),
)
ARRANGED: dict[str, tuple[dict[str, str], list[int], int]] = {
    "the default, then Dolby": ({}, [1, 2, 4, 3], 1),
    "another default": ({"default": "fra"}, [2, 4, 1, 3], 2),
    "by two letters": ({"default": "fr"}, [2, 4, 1, 3], 2),
    "with a region": ({"default": "pt-br"}, [4, 2, 1, 3], 4),
    "of another region": ({"default": "pt-PT"}, [4, 2, 1, 3], 4),
    "by three letters": ({"default": "por"}, [4, 2, 1, 3], 4),
    "in a language that is not there": ({"default": "deu"}, [1, 2, 4, 3], 1),
    "of no language": ({"default": "und"}, [1, 2, 4, 3], 1),
    "muxed": ({"muxed": "eng"}, [1], 1),
    "muxed, several": ({"muxed": "fra"}, [2, 3], 0),
    "muxed, not there": ({"muxed": "deu"}, [1, 2, 4, 3], 1),
    "muxed and default": ({"muxed": "fra", "default": "fra"}, [2, 3], 2),
}


@pytest.mark.parametrize("name", ARRANGED)
def test_arranged(name: str) -> None:
    wishes, numbers, default = ARRANGED[name]
    found = arranged(Presentation(video=(), audio=FOUR), **wishes)
    assert [one.flavor for one in found.audio] == numbers
    assert [one.flavor for one in found.audio if one.default] == [default] * bool(default)


@pytest.mark.parametrize(
    ("language", "known"),
    [("eng", True), ("en", True), ("fra", False), ("und", False), ("", False)],
)
def test_what_is_spoken(language: str, known: bool) -> None:
    assert is_spoken(language, ["en", None]) == known


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, Said()),
        ({"language": "eng", "label": "English"}, Said(language="en", label="English")),
        ({"language": "und", "label": ""}, Said()),
        ({"is_default": True}, Said(default=True)),
    ],
)
def test_what_a_row_says(fields: dict[str, Any], said: Said) -> None:
    assert said_of([row("0_flav0001", **fields)]) == ((said,) if said != Said() else ())
