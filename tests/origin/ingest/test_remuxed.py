"""Files that are remuxed when they are ingested: what is stored, and what plays."""

import subprocess
from pathlib import Path

import av
import pytest

from origin.ingest import program
from tests.origin.inside import take
from tests.support.clips import make_clip


def units(path: Path, kind: str) -> list[tuple[int, int]]:
    """Presentation in ticks of 90 kHz and size, from the file's first on, of decoded frames."""
    with av.open(str(path)) as read:
        frames = [f for f in read.decode(**{kind: 0}) if f.pts is not None]
        times = [round(f.pts * f.time_base * 90_000) for f in frames]
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
