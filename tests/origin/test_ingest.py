"""``headrace ingest``, ``entries`` and ``show``: what is printed, stored and refused."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from origin.ingest import program
from origin.ingest.examine import Examined, Found, examine
from tests.origin.inside import take
from tests.support.clips import make_clip
from tests.support.processes import headrace
from tests.support.waiting import LIMIT

FIELDS = {
    "entry", "partner", "flavor", "version", "index", "path", "width", "height", "codecs",
    "duration_ms",
}  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def rows(data: Path, table: str) -> int:
    if not (data / "headrace.db").exists():
        return 0
    with closing(sqlite3.connect(data / "headrace.db")) as database:
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def content(data: Path) -> list[str]:
    """The database as SQL: what its file holds also depends on when SQLite moved its log."""
    with closing(sqlite3.connect(data / "headrace.db")) as database:
        return list(database.iterdump())


TABLES = ("entry", "flavor_asset", "flavor_index", "flavor_index_block", "partner")


def refused(
    capsys: pytest.CaptureFixture[str], data: Path, *files: Path, **options: Any
) -> tuple[int, str]:
    """The status and the line of an ingest that fails."""
    order = {"entry": None, "partner": 101, "name": None, "replace": None, **options}
    status = program.ingest(files, data, as_json=False, **order)
    said = capsys.readouterr()
    assert status != 0 and said.out == ""
    assert said.err.count("\n") == 1 and said.err.startswith("headrace ingest: ")
    return status, said.err


def test_what_is_printed_of_each_flavor(files: list[Path], data: Path) -> None:
    shuffled = [files[2], files[0], files[1]]
    flavors = take(data, *shuffled, entry="0_abcd1234", partner=7, name="A film")
    assert [set(one) for one in flavors] == [FIELDS] * 3
    assert [one["index"] for one in flavors] == [1, 2, 3]
    assert [one["path"] for one in flavors] == list(map(str, files))  # by height
    assert {one["entry"] for one in flavors} == {"0_abcd1234"}
    assert {(one["partner"], one["version"]) for one in flavors} == {(7, 1)}
    assert [(one["width"], one["height"]) for one in flavors] == [
        (96, 54),
        (128, 72),
        (160, 90),
    ]
    assert all(re.fullmatch(r"0_[0-9a-z]{8}", one["flavor"]) for one in flavors)
    assert all(re.fullmatch(r"avc1\.[0-9a-f]{6},mp4a\.40\.2", one["codecs"]) for one in flavors)
    assert all(13_950 <= one["duration_ms"] <= 14_050 for one in flavors)


def test_a_flavor_without_sound(files: list[Path], data: Path) -> None:
    silent = make_clip(files[0].with_name("silent.mp4"), width=64, height=36, sound=False)
    flavors = take(data, silent, files[1])
    assert [one["codecs"].count(",") for one in flavors] == [0, 1]


def test_the_same_files_again_change_nothing(files: list[Path], data: Path) -> None:
    first = take(data, *files)
    before = content(data)
    assert take(data, *files) == first
    assert take(data, *reversed(files)) == first
    assert take(data, files[1]) == first  # one of them alone
    assert take(data, *files, entry=first[0]["entry"]) == first
    assert rows(data, "flavor_asset") == 3
    assert content(data) == before


def test_a_changed_file_is_a_new_version(files: list[Path], data: Path) -> None:
    first = take(data, *files)
    make_clip(files[1], width=128, height=72, seconds=8)
    second = take(data, *files)
    assert [one["version"] for one in second] == [1, 2, 1]
    assert [one["flavor"] for one in second] == [one["flavor"] for one in first]
    assert second[1]["duration_ms"] != first[1]["duration_ms"]
    assert rows(data, "flavor_asset") == 4
    os.utime(files[0], ns=(0, 0))  # touched: the same size at another time is read again
    assert [one["version"] for one in take(data, *files)] == [2, 2, 1]


def test_a_file_more_in_an_entry_that_is_named(files: list[Path], data: Path) -> None:
    first = take(data, files[0], files[2])
    both = take(data, files[1], entry=first[0]["entry"])
    assert [one["path"] for one in both] == list(map(str, files))
    other = take(data, *files, entry="0_abcd1234")
    assert {one["entry"] for one in other} == {"0_abcd1234"}
    assert {one["flavor"] for one in other}.isdisjoint(one["flavor"] for one in both)


def test_replace(files: list[Path], data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = take(data, files[0], files[1])
    second = take(data, files[2], replace=first[0]["flavor"])
    assert [one["path"] for one in second] == [str(files[1]), str(files[2])]
    swapped = second[1]
    assert (swapped["flavor"], swapped["version"]) == (first[0]["flavor"], 2)
    assert take(data, files[2], replace=first[0]["flavor"]) == second  # it is that already
    for options, reason in (
        ({"replace": "0_zzzzzzzz"}, "there is no flavor 0_zzzzzzzz"),
        ({"replace": "x"}, "--replace: "),
        ({"replace": first[0]["flavor"], "entry": "0_abcd1234"}, "belongs to entry"),
    ):
        status, line = refused(capsys, data, files[2], **options)
        assert (status, reason in line) == (2, True), line
    status, line = refused(capsys, data, *files, replace=first[0]["flavor"])
    assert (status, "takes one file, not 3" in line) == (2, True)


def test_one_bad_file_refuses_all(
    files: list[Path], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = files[0].parent
    whole = files[0].read_bytes()
    bad = {
        "text": b"no media at all" * 100,
        "empty": b"",
        "short": whole[: len(whole) // 2],
        "stts": whole.replace(b"stts", b"sttx"),
        "no moov": whole.replace(b"moov", b"free"),
    }
    for name, content in bad.items():
        path = folder / f"{name}.mp4"
        path.write_bytes(content)
        status, line = refused(capsys, data, files[1], path)
        assert status == 1 and f"{path}: " in line
    for path, reason in (
        (folder / "nothing.mp4", "No such file"),
        (folder, "not a file"),
        (folder / "a.mp4" / "b", "Not a directory"),
    ):
        status, line = refused(capsys, data, files[1], path)
        assert status == 1 and reason in line
    assert "stts" in refused(capsys, data, folder / "stts.mp4")[1]
    assert [rows(data, table) for table in TABLES] == [0] * 5


def test_a_missing_file_leaves_no_database(
    files: list[Path], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(capsys, data, files[0], files[0].with_name("nothing.mp4"))
    assert not data.exists()


def test_what_contradicts_itself(
    files: list[Path], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = [files[0].with_name(f"{number}.mp4") for number in range(33)]
    for arguments, options, reason in (
        ((files[0], files[0]), {}, "named twice"),
        ((files[0],), {"entry": "no id"}, "--entry: "),
        (many, {}, "33 files are more than the 32"),
    ):
        status, line = refused(capsys, data, *arguments, **options)
        assert (status, reason in line) == (2, True), line


def test_a_file_that_changes_while_it_is_read(
    files: list[Path], data: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def late(found: Found, progress: Any, folder: Any) -> Examined:
        def touched(done: int) -> None:
            os.utime(found.path, ns=(0, found.mtime_ns + 1))

        return examine(found, touched, folder)

    monkeypatch.setattr(program, "examine", late)
    status, line = refused(capsys, data, files[0])
    assert status == 1 and "changed while it was read" in line
    assert rows(data, "entry") == 0


def test_an_unsupported_track_is_left_out_with_its_reason(
    files: list[Path], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = files[0].read_bytes()
    files[0].write_bytes(whole.replace(b"mp4a", b"xx4a"))
    [flavor] = take(data, files[0])
    assert flavor["codecs"].startswith("avc1.") and "," not in flavor["codecs"]
    assert f"{files[0]}: left out: " in capsys.readouterr().err


def test_kill_in_the_middle_leaves_nothing(files: list[Path], data: Path) -> None:
    """The first is killed when it has read, but not stored; the second finds nothing of it."""
    script = (
        "import os, signal, sys\n"
        "from origin.ingest import program\n"
        "import metadata.changes as changes\n"
        "stored = []\n"
        "real = changes._store\n"
        "def store(*arguments):\n"
        "    stored.append(real(*arguments))\n"
        "    if len(stored) == 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return stored[-1]\n"
        "changes._store = store\n"
        "from pathlib import Path\n"
        "files = tuple(map(Path, sys.argv[2:]))\n"
        "program.ingest(files, Path(sys.argv[1]), None, 101, None, None, True)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script, data, *files], timeout=LIMIT, capture_output=True
    )
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, b"")
    assert [rows(data, table) for table in TABLES] == [0] * 5
    assert headrace("entries", "--data", data).stdout == ""
    assert len(take(data, *files)) == 3
    assert rows(data, "flavor_asset") == 3


def test_two_ingests_of_the_same_files_at_once(files: list[Path], data: Path) -> None:
    """Real processes; whoever comes second finds the first's entry."""

    def ingest(_number: int) -> str:
        done = headrace("ingest", *files, "--data", data)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    with ThreadPoolExecutor(3) as pool:
        printed = set(pool.map(ingest, range(3)))
    assert len(printed) == 1
    assert (rows(data, "entry"), rows(data, "flavor_asset")) == (1, 3)


def test_two_ingests_into_one_entry_at_once(files: list[Path], data: Path) -> None:
    def ingest(file: Path) -> int:
        return headrace("ingest", file, "--entry", "0_abcd1234", "--data", data).returncode

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(ingest, files)) == [0, 0, 0]
    assert (rows(data, "entry"), rows(data, "flavor_asset")) == (1, 3)


def test_an_entry_that_changes_between_reading_and_storing(
    files: list[Path], data: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Another ingest replaces what this one took as unchanged."""
    flavors = take(data, files[0])
    other = Path(shutil.copy(files[1], files[0].with_name("other.mp4")))
    real = program._examine_all

    def meanwhile(found: Any, folder: Any) -> Any:
        examined = real(found, folder)
        monkeypatch.setattr(program, "_examine_all", real)
        take(data, other, replace=flavors[0]["flavor"])
        return examined

    monkeypatch.setattr(program, "_examine_all", meanwhile)
    entry = flavors[0]["entry"]
    status, line = refused(capsys, data, files[0], files[2], entry=entry)
    assert status == 1 and "try again" in line
    assert len(take(data, files[0], files[2], entry=entry)) == 3


def test_entries_and_show(
    files: list[Path], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.entries(data, as_json=False) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("headrace entries: --data: ")
    take(data, *files, entry="0_bbbbbbbb", name="Second")
    take(data, files[0], entry="0_aaaaaaaa", name="First", partner=3)
    assert program.entries(data, as_json=False) == 0
    assert capsys.readouterr().out == (
        "0_aaaaaaaa  0:00:14  1 flavors  First\n0_bbbbbbbb  0:00:14  3 flavors  Second\n"
    )
    assert program.entries(data, as_json=True) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert listed[0] == {
        "entry": "0_aaaaaaaa", "partner": 3, "name": "First", "flavors": 1,
        "duration_ms": listed[0]["duration_ms"],
    }  # fmt: skip
    assert program.show(data, "0_bbbbbbbb", as_json=True) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert shown == take(data, *files, entry="0_bbbbbbbb")
    assert program.show(data, "0_bbbbbbbb", as_json=False) == 0
    first, *others = capsys.readouterr().out.splitlines()
    assert first == "0_bbbbbbbb  partner 101  Second"
    assert [line.split()[0] for line in others] == ["-f1", "-f2", "-f3"]
    assert all(str(file) in line for file, line in zip(files, others, strict=True))
    assert program.show(data, "0_cccccccc", as_json=False) == 1
    assert "there is no such entry" in capsys.readouterr().err
    assert program.show(data, "none", as_json=False) == 2


def test_only_the_id_without_json(
    files: list[Path], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.ingest((files[0],), data, None, 101, None, None, False) == 0
    assert re.fullmatch(r"0_[0-9a-z]{8}\n", capsys.readouterr().out)
