"""Ladders of several codecs in Chromium: each player plays what the browser decodes and leaves
the rest alone (rules P-09, D-08)."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

from bench.samples.picture import Picture
from tests.browser.conftest import NODE_MODULES, Script
from tests.support.processes import headrace, running
from tests.support.scheduling import ordinary
from tests.support.waiting import LIMIT

RATE, SECONDS = 25, 8
"""Two segments: one is six seconds."""

COMBINATIONS = ["cmaf-hls-hlsjs", "cmaf-hls-shaka", "cmaf-dash-shaka", "cmaf-dash-dashjs"]

VIDEO = {
    "h264": ("libx264", {"x264-params": "keyint=25:min-keyint=25:scenecut=0:log-level=none"}),
    "hevc": ("libx265", {"x265-params": "keyint=25:open-gop=0:scenecut=0:log-level=none"}),
    "av1": ("libsvtav1", {"preset": "12", "g": "25", "svtav1-params": "irefresh-type=2"}),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "g": "25"}),
}
AUDIO = {
    "aac": ("aac", "stereo"), "ac3": ("ac3", "5.1"), "eac3": ("eac3", "5.1"),
    "opus": ("libopus", "stereo"), "flac": ("flac", "stereo"), "mp3": ("libmp3lame", "stereo"),
}  # fmt: skip
IN_CHROMIUM = {"avc1", "av01", "vp09", "mp4a", "Opus", "fLaC"}
"""HEVC, AC-3 and E-AC-3 are not."""


@dataclass(frozen=True)
class Film:
    """Video of a height, sound, or both."""

    video: str = ""
    height: int = 180
    audio: str = ""


ENTRIES: dict[str, tuple[Film, ...]] = {
    "mixed": (
        Film("h264", 144, "aac"), Film("h264", 180), Film("hevc", 144), Film("hevc", 180),
        Film("av1", 144), Film("av1", 180), Film("vp9", 180), Film(audio="ac3"),
        Film(audio="eac3"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Served:
    url: str
    entries: dict[str, str]


def encode(path: Path, film: Film) -> Path:
    """The picture and the sound of *film*, in groups of a second."""
    options = {"strict": "experimental"}
    with ordinary(), av.open(str(path), "w", "mp4", options=options) as output:
        video = _video(output, film) if film.video else None
        audio = _audio(output, film) if film.audio else None
        picture = Picture(film.height * 16 // 9, film.height)
        for number in range(RATE * SECONDS):
            if video is not None:
                frame = av.VideoFrame.from_ndarray(picture.frame(number), "yuv420p")
                frame.pts, frame.time_base = number, Fraction(1, RATE)
                output.mux(video.encode(frame))
            if audio is not None:
                output.mux(audio.encode(_tone(audio, number)))
        if video is not None:
            output.mux(video.encode(None))
        if audio is not None:
            output.mux(audio.encode(None))
    return path


def _video(output: OutputContainer, film: Film) -> VideoStream:
    encoder, options = VIDEO[film.video]
    stream = output.add_stream(encoder, rate=RATE, options=options)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = film.height * 16 // 9, film.height
    stream.pix_fmt, stream.gop_size = "yuv420p", RATE
    return stream


def _audio(output: OutputContainer, film: Film) -> AudioStream:
    encoder, layout = AUDIO[film.audio]
    stream = output.add_stream(encoder, rate=48_000, layout=layout)
    assert isinstance(stream, AudioStream)
    return stream


def _tone(stream: AudioStream, number: int) -> av.AudioFrame:
    count = 48_000 // RATE
    at = np.arange(number * count, (number + 1) * count)
    wave = (8000 * np.sin(at * 2 * np.pi * 440 / 48_000)).astype(np.int16)
    channels = stream.layout.nb_channels
    frame = av.AudioFrame.from_ndarray(
        np.repeat(wave, channels).reshape(1, -1), "s16", stream.layout.name
    )
    frame.sample_rate, frame.pts, frame.time_base = 48_000, number * count, Fraction(1, 48_000)
    return frame


@pytest.fixture(scope="module")
def served(script: Script, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("codecs")
    entries = {}
    for number, (name, films) in enumerate(ENTRIES.items()):
        files = [
            encode(folder / f"{number}-{place}.mp4", film) for place, film in enumerate(films)
        ]
        done = headrace("ingest", *files, "--data", folder)
        assert done.returncode == 0, done.stderr
        entries[name] = done.stdout.strip()
    options = ("--page-entry", entries["mixed"], "--players", NODE_MODULES)
    with (
        running("origin", "--data", folder, "--port", "0", *options) as origin,
        running("edge", "--upstream", origin.url, "--port", "0") as edge,
    ):
        yield Served(edge.url, entries)


@pytest.mark.parametrize("combination", COMBINATIONS)
@pytest.mark.parametrize("name", ENTRIES)
def test_plays_what_the_browser_decodes(
    script: Script, served: Served, name: str, combination: str
) -> None:
    entry = served.entries[name]
    codecs = listed(served.url, entry)
    found = script("play.mjs", served.url, entry, combination)
    assert (found["errors"], found["complaints"], found["waits"]) == ([], [], 0)
    assert found["totalVideoFrames"] == RATE * SECONDS
    [[first, last]] = found["buffered"]
    assert (first, last) == (pytest.approx(0, abs=0.03), pytest.approx(SECONDS, abs=0.1))
    assert found["currentTime"] == pytest.approx(SECONDS, abs=0.1)
    assert found["sound"] > 0
    fetched = media_of(found["requests"])
    assert {codecs[one].partition(".")[0] for one in fetched} <= IN_CHROMIUM
    assert {one.partition("-")[2][0] for one in fetched} == {"v", "a"}


def test_a_player_of_dash_may_switch_between_codecs(served: Served) -> None:
    """From each set of the ladder to all others, for all are one picture."""
    text = fetch(f"{served.url}/cmaf/e/{served.entries['mixed']}/manifest.mpd")
    sets = re.findall(
        r'<AdaptationSet id="(\d+)" contentType="video".*?</AdaptationSet>', text, re.DOTALL
    )
    told = re.findall(r'adaptation-set-switching:2016" value="([\d,]+)"', text)
    assert len(sets) == len(told) == 4
    for own, others in zip(sets, told, strict=True):
        assert sorted([own, *others.split(",")]) == sorted(sets)


def fetch(url: str) -> str:
    with urlopen(url, timeout=LIMIT) as answer:
        return str(answer.read().decode())


def listed(url: str, entry: str) -> dict[str, str]:
    """The codec of each representation."""
    root = ET.fromstring(fetch(f"{url}/cmaf/e/{entry}/manifest.mpd"))
    found = root.iter("{urn:mpeg:dash:schema:mpd:2011}Representation")
    return {one.attrib["id"]: one.attrib["codecs"] for one in found}


def media_of(requests: list[dict[str, Any]]) -> set[str]:
    """The tracks of which segments were fetched, ``f1-v1``."""
    names = (re.search(r"/seg-\d+-(f\d+-[va]\d+)-x", one["url"]) for one in requests)
    return {name[1] for name in names if name}
