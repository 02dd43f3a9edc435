"""Files that are remuxed when they are ingested: what is stored, and what plays."""

import subprocess
from pathlib import Path
from typing import Any

import av
import pytest

from origin.ingest import program
from packager.errors import Unsupported
from packager.indexing import build_index
from packager.plan import run_reads
from tests.origin.inside import take
from tests.support.clips import make_clip


def units(path: Path, kind: str) -> list[tuple[int, int]]:
    """Ticks of 90 kHz since the first, and content, of decoded frames."""
    with av.open(str(path)) as read:
        frames: list[Any] = list(read.decode(**{kind: 0}))
        times = [round(f.pts * f.time_base * 90_000) for f in frames if f.pts is not None]
        sums = [hash(f.to_ndarray().tobytes()) for f in frames]
    return [(at - times[0], one) for at, one in zip(times, sums, strict=True)]


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    clip = make_clip(tmp_path / "clip.mp4", width=96, height=54, seconds=6)
    path = tmp_path / "film.ts"
    copy = ["ffmpeg", "-v", "error", "-i", str(clip), "-c", "copy", "-f", "mpegts", str(path)]
    subprocess.run(copy, check=True, timeout=60)
    return path


def test_a_transport_stream(stream: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    [first] = take(data, stream)
    assert first["path"] == str(stream) and first["codecs"].endswith("mp4a.40.2")
    [made] = (data / "remuxed").glob("*.mp4")
    assert units(made, "video") == units(stream, "video")
    sound, expected = units(made, "audio"), units(stream, "audio")
    assert [one for _, one in sound] == [one for _, one in expected]
    assert all(abs(a - b) <= 2 for (a, _), (b, _) in zip(sound, expected, strict=True))
    assert take(data, stream) == [first]
    assert list((data / "remuxed").glob("*.mp4*")) == [made]


def test_a_changed_stream_is_a_new_version_and_left_overs_go(
    stream: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    [first] = take(data, stream)
    left = data / "remuxed" / "killed.mp4.part"
    left.write_bytes(b"half")
    stream.write_bytes(stream.read_bytes()[: -188 * 40])
    [second] = take(data, stream)
    assert (second["flavor"], second["version"]) == (first["flavor"], 2)
    assert not left.exists() and len(list((data / "remuxed").glob("*.mp4"))) == 2


def test_a_scrambled_stream_is_refused(
    stream: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(stream.read_bytes())
    for at in range(0, len(content), 188):
        if content[at + 1] & 0x1F == 1:  # PIDs from 0x100 on
            content[at + 3] |= 0x80
    stream.write_bytes(content)
    data = tmp_path / "data"
    assert program.ingest((stream,), data, None, 101, None, None, False) == 1
    assert "is scrambled" in capsys.readouterr().err
    assert not list((data / "remuxed").glob("*.mp4*"))


FORMS = {
    "a.m2ts": ("-c copy -f mpegts -mpegts_m2ts_mode 1", "avc1."),
    "a.flv": ("-c copy", "avc1."),
    "a.avi": ("-c copy", "avc1."),
    "a.aac": ("-vn -c copy", "mp4a.40.2"),
    "a.mp3": ("-vn -c:a libmp3lame", "mp4a."),
    "a.flac": ("-vn -c:a flac", "fLaC"),
    "a.ogg": ("-vn -c:a libopus", "Opus"),
    "late.ts": ("-c copy -output_ts_offset 95440", "avc1."),  # the clock wraps within 4 s
}


@pytest.mark.parametrize(("name", "form"), FORMS.items(), ids=FORMS)
def test_containers(name: str, form: tuple[str, str], stream: Path, tmp_path: Path) -> None:
    path = tmp_path / name
    make = ["ffmpeg", "-v", "error", "-i", str(stream), *form[0].split(), str(path)]
    subprocess.run(make, check=True, timeout=60)
    [flavor] = take(tmp_path / "data", path)
    assert flavor["codecs"].startswith(form[1])
    assert 5_950 <= flavor["duration_ms"] <= 6_150


def test_joined_recordings(stream: Path, tmp_path: Path) -> None:
    stream.write_bytes(stream.read_bytes() * 2)
    [flavor] = take(tmp_path / "data", stream)
    assert 11_950 <= flavor["duration_ms"] <= 12_150
    [made] = (tmp_path / "data" / "remuxed").glob("*.mp4")
    assert len(units(made, "video")) == 300


@pytest.mark.parametrize("before", [0, 4])
def test_a_stream_that_was_not_ingested_is_named(before: int, stream: Path) -> None:
    content = bytes(before) + stream.read_bytes()
    with pytest.raises(Unsupported, match="MPEG-TS: ingest it first"):
        run_reads(
            build_index(len(content), facts=False),
            lambda e: content[e.offset : e.offset + e.length],
        )
