"""Captions in real players: the cues that Chromium holds, to the millisecond."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from bench.samples import make_samples
from tests.browser.conftest import NODE_MODULES, SECONDS, Script
from tests.support.processes import headrace, running

CUES = [
    (40, 1000, "at the begin"),
    (1001, 2503, "Grüße & <so>"),
    (4997, 7011, "across a boundary"),
    (6000, 6001, "of one millisecond"),
    (6000, 9000, "beside another"),
    (11_234, 11_999, "at the end"),
]
COMBINATIONS = [
    "hls-ts",
    "cmaf-hls-hlsjs",
    "cmaf-hls-shaka",
    "cmaf-dash-shaka",
    "cmaf-dash-dashjs",
    "dash-shaka",
]


def clock(time: int, mark: str) -> str:
    return f"00:00:{time // 1000:02}{mark}{time % 1000:03}"


def srt() -> str:
    return "\n".join(
        f"{n}\n{clock(start, ',')} --> {clock(end, ',')}\n{text}\n"
        for n, (start, end, text) in enumerate(CUES, 1)
    )


def webvtt() -> str:
    blocks = [
        f"{clock(start, '.')} --> {clock(end, '.')}\n"
        + text.replace("&", "&amp;").replace("<", "&lt;")
        for start, end, text in CUES
    ]
    return "\n\n".join(["WEBVTT", "STYLE\n::cue { color: yellow }", *blocks])


def ttml() -> str:
    lines = [
        f'<p begin="{10_000 * start}t" end="{10_000 * end}t">'
        + text.replace("&", "&amp;").replace("<", "&lt;")
        + "</p>"
        for start, end, text in CUES
    ]
    names = 'xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter"'
    body = f"<body><div>{''.join(lines)}</div></body>"
    return f'<tt {names} ttp:tickRate="10000000">{body}</tt>'


def plain(text: str) -> str:
    """The text of a cue is markup, which only some players have taken for that; Shaka Player
    puts a class around it for the style of the file."""
    return unescape(re.sub(r"</?c[^<>]*>", "", text))


@pytest.fixture(scope="module")
def captioned(
    script: Script, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """The address of an edge, and an entry."""
    folder: Path = tmp_path_factory.mktemp("captioned")
    samples = make_samples(folder / "samples", SECONDS, lambda name, share: None)
    (folder / "film.srt").write_text(srt())
    (folder / "film.vtt").write_text(webvtt())
    (folder / "film.ttml").write_text(ttml())
    done = headrace(
        "ingest", *samples, "--data", folder,
        "--captions", f"{folder}/film.srt:eng:English", "--captions", f"{folder}/film.vtt:ger",
        "--captions", f"{folder}/film.ttml:fre",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    entry = done.stdout.strip()
    options = ("--page-entry", entry, "--players", NODE_MODULES)
    with (
        running("origin", "--data", folder, "--port", "0", *options) as origin,
        running("edge", "--upstream", origin.url, "--port", "0") as edge,
    ):
        yield edge.url, entry


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("combination", COMBINATIONS)
def test_every_cue_is_shown_when_it_was_written_to_be(
    script: Script, captioned: tuple[str, str], combination: str, language: str
) -> None:
    url, entry = captioned
    judge(script("captions.mjs", url, entry, combination, language), combination)


def test_cues_of_ttml(script: Script, captioned: tuple[str, str]) -> None:
    judge(script("captions.mjs", *captioned, "hls-ts", "fr"), "hls-ts")


@pytest.mark.parametrize(
    ("combination", "form"),
    [("dash-shaka", "wvtt"), ("dash-shaka", "stpp"), ("cmaf-dash-dashjs", "wvtt")],
)
def test_cues_in_segments_of_dash(
    script: Script, captioned: tuple[str, str], combination: str, form: str
) -> None:
    found = script("captions.mjs", *captioned, combination, "fr", form)
    judge(found | {"cues": joined(found["cues"])}, combination)


def joined(cues: list[list[Any]]) -> list[list[Any]]:
    """What goes on in the next sample or segment, as one cue: a player may leave it cut."""
    whole: list[list[Any]] = []
    for start, end, text in sorted(cues):
        for one in whole:
            if one[2] == text and start <= one[1] + 0.0005:
                one[1] = max(one[1], end)
                break
        else:
            whole.append([start, end, text])
    return whole


def judge(found: dict[str, Any], combination: str) -> None:
    """Every cue was there, when it was written to be."""
    assert found["complaints"] == []
    assert [error for error in found["errors"] if error["fatal"]] == []
    assert [one["language"] for one in found["texts"]] == ["en", "fr", "de"]
    # hls.js takes the first DTS of a transport stream for zero: sound and picture are later by
    # as much as the cues.
    late = found["started"] if combination == "hls-ts" else 0
    read = sorted((start, end, plain(text)) for start, end, text in found["cues"])
    assert [text for _, _, text in read] == [text for _, _, text in sorted(CUES)]
    for (start, end, _), (wanted_start, wanted_end, _) in zip(read, sorted(CUES), strict=True):
        assert 1000 * (start - late) == pytest.approx(wanted_start, abs=0.5)
        assert 1000 * (end - late) == pytest.approx(wanted_end, abs=0.5)
