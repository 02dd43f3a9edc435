"""``headrace lint`` as a user calls it: what is printed, and the exit status."""

import json
from pathlib import Path

from tests.lint.changes import Files, text
from tests.lint.conftest import write
from tests.support.processes import headrace

KEYS = [
    "rule", "check", "severity", "address", "place", "text", "found", "remedy", "clause",
]  # fmt: skip


def test_json(presentations: dict[str, Files], tmp_path: Path) -> None:
    files = dict(presentations["fmp4"])
    text("master.m3u8", r":BANDWIDTH=\d+", ":BANDWIDTH=1000")(files)
    path = write(files, tmp_path)
    done = headrace("lint", path, "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert list(told) == ["target", "counts", "findings"]
    assert told["target"] == str(path)
    assert told["counts"] == {"error": 1, "warning": 0, "note": 0, "not_shown": 0}
    (finding,) = told["findings"]
    assert list(finding) == KEYS
    assert (finding["rule"], finding["check"], finding["severity"]) == (
        "P-09",
        "P-09.low",
        "error",
    )
    assert finding["address"] == str(path) and finding["place"].startswith("line ")


def test_text(presentations: dict[str, Files], tmp_path: Path) -> None:
    files = dict(presentations["fmp4"])
    text("master.m3u8", "^#EXT-X-INDEPENDENT-SEGMENTS\n", "")(files)
    done = headrace("lint", write(files, tmp_path))
    lines = done.stdout.splitlines()
    assert lines[0].startswith("warning P-12.absent  no INDEPENDENT-SEGMENTS: ")
    assert lines[2] == "    remedy: write it if it is true (Apple)"
    assert lines[-1].endswith("0 error, 1 warning, 0 note")
    assert done.returncode == 0


def test_one_line_where_there_is_nothing(tmp_path: Path) -> None:
    done = headrace("lint", tmp_path / "absent")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.splitlines() == [
        f"headrace lint: {tmp_path / 'absent'}: No such file or directory"
    ]


def test_a_header_that_is_none(tmp_path: Path) -> None:
    done = headrace("lint", tmp_path, "--header", "nothing")
    assert done.returncode == 2 and "--header: 'nothing' is not NAME:VALUE" in done.stderr


def test_rules() -> None:
    told = json.loads(headrace("lint", "--rules", "--json").stdout)
    assert {"check", "severity", "text", "remedy", "clause"} == set(told[0])
    assert len(told) > 200
