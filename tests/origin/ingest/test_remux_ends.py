"""Remuxing that ends early: killed, out of space, or past a limit of its process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from origin.ingest import program, remuxer
from origin.ingest.remuxer import Limits
from tests.origin.inside import take
from tests.support.clips import make_clip
from tests.support.waiting import until

INGEST = "from pathlib import Path; from origin.ingest.program import ingest;"
CALL = "ingest((Path({!r}),), Path({!r}), None, 101, None, None, False)"
LATER = "import os, signal; from origin.ingest import remuxed;"
DIE = "= lambda _: os.kill(os.getpid(), signal.SIGKILL);"
AMPLE = Limits(cpu_seconds=60, memory=3 << 30, output=1 << 30)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("clip")
    made = make_clip(folder / "clip.mp4", width=96, height=54, seconds=2)
    path = folder / "film.ts"
    copy = ["ffmpeg", "-v", "error", "-i", str(made), "-c", "copy", str(path)]
    subprocess.run(copy, check=True, timeout=60)
    return path.read_bytes()


@pytest.fixture
def stream(clip: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "film.ts"
    path.write_bytes(clip)
    return path


def files(data: Path) -> list[str]:
    return sorted(one.name for one in (data / "remuxed").glob("*.mp4*"))


def child_of(process: "subprocess.Popen[bytes]") -> int:
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until(lambda: path.read_text().split())
    return int(path.read_text().split()[0])


def is_over(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def start(stream: Path, data: Path) -> "subprocess.Popen[bytes]":
    script = INGEST + f"raise SystemExit({CALL.format(str(stream), str(data))})"
    return subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE)


def test_a_killed_ingest_takes_its_process_with_it(stream: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with start(stream, data) as process:
        # that has not finished: what it imports takes longer than to see it
        child = child_of(process)
        process.kill()
    until(lambda: is_over(child))
    [left] = files(data)
    assert left.endswith(".part")
    take(data, stream)
    [made] = files(data)
    assert made.endswith(".mp4")


def test_a_killed_process_is_told(stream: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with start(stream, data) as process:
        os.kill(child_of(process), signal.SIGKILL)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1 and b"remuxing it ended with SIGKILL" in said
    assert files(data) == []


KILLS = {
    "before the commit": ("remuxed._synchronise", 1),
    "behind the commit": ("remuxed.Folder.stored", 2),
}


@pytest.mark.parametrize(("when", "kept"), KILLS.values(), ids=KILLS)
def test_killed_at_the_commit(when: str, kept: int, stream: Path, tmp_path: Path) -> None:
    """The next ingest that remuxes deletes what has no row, and only that."""
    data, other = tmp_path / "data", tmp_path / "other.ts"
    other.write_bytes(stream.read_bytes())
    script = LATER + INGEST + when + DIE + CALL.format(str(stream), str(data))
    done = subprocess.run([sys.executable, "-c", script], timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert [name[32:] for name in files(data)] == [".mp4", ".mp4.new"]
    take(data, other)
    assert [name[32:] for name in files(data)] == [".mp4"] * kept


def test_another_database_s_files_are_left_alone(stream: Path, tmp_path: Path) -> None:
    data, other = tmp_path / "data", tmp_path / "other"
    script = LATER + INGEST + "remuxed._synchronise" + DIE + CALL.format(str(stream), str(data))
    subprocess.run([sys.executable, "-c", script], timeout=60)
    shared = data / "remuxed"
    assert program.ingest((stream,), other, None, 101, None, None, False, (), shared) == 0
    assert [name[32:] for name in files(data)].count(".mp4") == 2


LIMITS: dict[str, tuple[Limits, int, str]] = {
    "output": (Limits(60, 3 << 30, 20_000), 1, "the remuxed file: File too large"),
    "memory": (Limits(60, 64 << 20, 1 << 30), 1, "takes more memory than it may"),
    "time": (Limits(1, 3 << 30, 1 << 30), 800, "takes more time than its size allows"),
}


@pytest.mark.parametrize(("limits", "times", "reason"), LIMITS.values(), ids=LIMITS)
def test_limits(
    limits: Limits,
    times: int,
    reason: str,
    stream: Path,
    clip: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stream.write_bytes(clip * times)
    monkeypatch.setattr(remuxer, "limits_of", lambda _: limits)
    data = tmp_path / "data"
    assert program.ingest((stream,), data, None, 101, None, None, False) == 1
    assert reason in capsys.readouterr().err
    assert files(data) == []


def test_a_remuxed_file_that_was_deleted_is_made_again(stream: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    [first] = take(data, stream)
    [made] = (data / "remuxed").glob("*.mp4")
    content = made.read_bytes()
    made.unlink()
    [second] = take(data, stream)
    assert (second["flavor"], second["version"]) == (first["flavor"], 2)
    [again] = (data / "remuxed").glob("*.mp4")
    assert again != made and again.read_bytes() == content
    assert take(data, stream) == [second]
