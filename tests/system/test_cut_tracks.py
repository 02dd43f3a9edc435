"""CMAF tracks in files of their own are one entry, as ``headrace ingest`` takes them: sound of
each language is together with the pictures, in HLS and DASH (rules C-01, C-05), also where
they were cut out of a live stream and begin apart from each other."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.conformance.presented import adaptations, representation
from tests.packager.cut_tracks import audio, video
from tests.packager.flashes import (
    INSTANTS,
    PRIMING,
    SOUND_RATE,
    pictures,
    sounds,
    tones,
    whites,
)
from tests.support.http import get
from tests.support.processes import Running, running
from tests.system.delivery import ingest

NEAR = 0.005
CLOCK = Fraction(1_700_000_000)
"""Seconds since 1970, as live packagers count."""

ENGLISH, GERMAN = 61, 95
"""Frames of sound that are not in the file."""

BEGIN = (ENGLISH * 1024 - PRIMING) / SOUND_RATE


@dataclass(frozen=True)
class Entry:
    files: tuple[bytes, bytes, bytes]
    """Pictures, English, German."""

    rows: tuple[int, int, int]
    """The first picture or frame in each."""

    presented: tuple[float, ...]
    """When the pictures are white and the tones begin."""


ENTRIES = {
    "0_aaaa1111": Entry((video(), audio("en"), audio("de")), (0, 0, 0), INSTANTS),
    "0_bbbb2222": Entry(
        (
            video(50, CLOCK),  # at 2 s of the film
            audio("en", ENGLISH, CLOCK),  # at 1.28 s: the zero
            audio("de", GERMAN, CLOCK),  # at 2.005 s
        ),
        (50, ENGLISH, GERMAN),
        tuple(at - BEGIN for at in INSTANTS[1:]),
    ),
}
LISTS = {  # where presentation time zero is for FFmpeg, seconds
    "HLS in MPEG-TS": ("hls", 10),
    "HLS in fMP4": ("hls/container/fmp4", 0),
    "CMAF": ("cmaf", 0),
}


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("tracks")
    for entry, one in ENTRIES.items():
        files = []
        for name, data in zip(("video", "audio_en", "audio_de"), one.files, strict=True):
            files.append(folder / f"{entry}-{name}.mp4")
            files[-1].write_bytes(data)
        ingest(folder / "data", *files, entry=entry)
    with running("origin", "--data", folder / "data", "--port", "0") as origin:
        yield origin


@pytest.mark.parametrize(("protocol", "zero"), LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("entry", ENTRIES)
def test_hls(origin: Running, entry: str, protocol: str, zero: float) -> None:
    master = f"{origin.url}/{protocol}/e/{entry}/master.m3u8"
    text = get(master).body.decode()
    expected = pytest.approx(ENTRIES[entry].presented, abs=NEAR)
    assert [time - zero for time in whites(master)] == expected
    groups = [line for line in text.splitlines() if "TYPE=AUDIO" in line]
    assert {line.split('LANGUAGE="')[1][:2] for line in groups} == {"en", "de"}
    for line in groups:
        playlist = master.rpartition("/")[0] + "/" + line.split('URI="')[1].split('"')[0]
        assert [time - zero for time in tones(playlist)] == expected, line


@pytest.mark.parametrize("entry", ENTRIES)
def test_dash(origin: Running, entry: str, tmp_path: Path) -> None:
    folder = f"{origin.url}/dash/e/{entry}/"
    found, frames = {}, []
    for outer, one, template in adaptations(get(folder + "manifest.mpd").body.decode()):
        named = representation(one, template)
        assert named.init is not None
        whole = tmp_path / "whole.mp4"
        whole.write_bytes(
            b"".join(get(folder + uri).body for uri in (named.init, *named.media))
        )
        zero = int(template.get("presentationTimeOffset", "0")) / int(
            template.attrib["timescale"]
        )
        kind = outer.attrib["contentType"]
        times = (whites if kind == "video" else tones)(str(whole))
        found[kind, outer.get("lang")] = [time - zero for time in times]
        frames.append(payloads(whole.read_bytes()))
    assert set(found) == {("video", None), ("audio", "en"), ("audio", "de")}
    for times in found.values():
        assert times == pytest.approx(ENTRIES[entry].presented, abs=NEAR)
    shown, heard = pictures().payloads, sounds().payloads
    rows = ENTRIES[entry].rows
    assert sorted(frames) == sorted(
        list(every[row:]) for every, row in zip((shown, heard, heard), rows, strict=True)
    )


def payloads(data: bytes) -> list[bytes]:
    with av.open(io.BytesIO(data), "r", options={"ignore_editlist": "1"}) as file:
        return [bytes(packet) for packet in file.demux() if packet.size]
