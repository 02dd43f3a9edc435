"""``headrace import`` on both databases: what is stored, refused, and gone on with."""

import json
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text

from metadata.engine import open_reader
from metadata.errors import DatabaseUnavailable
from metadata.models import Entry, FlavorAsset, ImportCheckpoint
from metadata.sessions import reading
from origin.importing import program
from origin.importing.lines import MAX_LINE
from origin.importing.program import Order, run
from tests.support.waiting import LIMIT, until

HEADRACE = [sys.executable, str(Path(program.__file__).parents[2] / "headrace.py")]


def line(number: int, **more: Any) -> str:
    flavors = [
        {"id": f"{n}_{number:08}", "path": f"/srv/{number}-{n}.mp4", "size": 9} for n in (1, 2)
    ]
    return json.dumps({"id": f"0_{number:08}", "name": "A", "flavors": flavors, **more})


def order(file: Path | str, where: str, **more: Any) -> Order:
    usual: dict[str, Any] = {"form": None, "batch": 1000, "dry_run": False}
    return Order(file=str(file), data=where, **usual | more)


def counts(where: str) -> tuple[int, int, int]:
    """Entries, flavor versions and checkpoints."""
    engine = open_reader(where)
    counted = [
        select(func.count()).select_from(table).scalar_subquery()
        for table in (Entry, FlavorAsset, ImportCheckpoint)
    ]
    try:
        with reading(engine) as session:  # one statement: one snapshot on both databases
            entries, flavors, checkpoints = session.execute(select(*counted)).one()
    finally:
        engine.dispose()
    return entries, flavors, checkpoints


def test_what_is_bad_is_named_and_the_rest_is_stored(
    where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "entries.jsonl"
    long = b'{"id": "' + b"x" * MAX_LINE + b'"}'
    rows = [line(1).encode(), b"{", b"", line(2, status=99).encode(), long, line(3).encode(),
            line(4, secret=1).encode(), b"\xff", line(5, partner_id="x").encode(),
            line(1, partner_id=7).encode(), line(6).encode()]  # fmt: skip
    file.write_bytes(b"\n".join(rows))  # the last one has no end
    assert run(order(file, where, batch=2), as_json=True) == 1
    said = capsys.readouterr()
    summary = json.loads(said.out)
    assert (summary["stored"], summary["refused"]) == (3, 7)
    lines = said.err.splitlines()
    assert [one.split(":")[1] for one in lines] == [
        f" line {number}" for number in (2, 4, 5, 7, 8, 9, 10)
    ]
    assert "longer than 1048576 bytes" in lines[2]
    assert "`secret`" in lines[3]
    assert "belongs to partner 101" in lines[6]
    assert counts(where) == (3, 6, 0)


PATHS = {
    "/srv/a.mp4": 0, "s3://media/a.mp4": 0, "https://files.example/a.mp4": 0, "gs://b/a": 0,
    "relative.mp4": 1, "ftp://files.example/a.mp4": 1, "s3:///a.mp4": 1,
    "https://me:secret@files.example/a.mp4": 1, "s3://me@media/a.mp4": 1,
    "https://files.example/me@home.mp4": 0,
}  # fmt: skip


@pytest.mark.parametrize(("path", "status"), PATHS.items())
def test_what_a_source_may_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str, status: int
) -> None:
    file = tmp_path / "entries.jsonl"
    file.write_text(line(1, flavors=[{"id": "0_aaaa0001", "path": path}]))
    assert run(order(file, str(tmp_path / "data")), as_json=False) == status
    assert "secret" not in capsys.readouterr().err


def test_csv_is_a_row_a_flavor(where: str, tmp_path: Path) -> None:
    file = tmp_path / "entries.csv"
    file.write_text(
        "\ufeffid,name,flavor.id,flavor.path,flavor.is_default,flavor.frame_rate\r\n"
        '0_aaaa0001,"Tom, ""Dick""",1_aaaa0001,/srv/a.mp4,true,29.97\r\n'
        "0_aaaa0001,,1_aaaa0002,/srv/b.mp4,,\r\n"
        "0_aaaa0002,Empty,,,,\r\n"
    )
    assert run(order(file, where), as_json=False) == 0
    engine = open_reader(where)
    with reading(engine) as session:
        names = session.execute(select(Entry.id, Entry.name).order_by(Entry.id)).all()
        query = select(FlavorAsset.id, FlavorAsset.is_default, FlavorAsset.frame_rate)
        flavors = session.execute(query.order_by(FlavorAsset.id)).all()
    engine.dispose()
    assert [tuple(one) for one in names] == [
        ("0_aaaa0001", 'Tom, "Dick"'),
        ("0_aaaa0002", "Empty"),
    ]
    assert [tuple(one) for one in flavors] == [
        ("1_aaaa0001", True, 29.97),
        ("1_aaaa0002", False, None),
    ]


def test_a_dry_run_touches_no_database(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "entries.jsonl"
    file.write_text(line(1) + "\n{\n")
    assert run(order(file, str(tmp_path / "data"), dry_run=True), as_json=True) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["stored"] == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("name", "content", "form", "message"),
    [
        ("a.csv", b"", None, "FILE: line 1: there is no header"),
        ("a.csv", b"id,nam\n", None, "FILE: line 1: column 'nam' is not known"),
        ("a.csv", b"id,id\n", None, "FILE: line 1: a column is named twice"),
        ("a.csv", b"name\n", None, "FILE: line 1: there is no column id"),
        ("a.csv", b"\xff\n", None, "FILE: line 1: not UTF-8"),
        ("a.txt", b"", None, "--format: say jsonl or csv"),
        ("a.csv", b"", "xml", "--format: 'xml' is not jsonl or csv"),
    ],
)
def test_a_file_that_cannot_be(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: bytes,
    form: str | None,
    message: str,
) -> None:
    (tmp_path / name).write_bytes(content)
    assert run(order(tmp_path / name, str(tmp_path), form=form), as_json=False) == 2
    assert capsys.readouterr().err.startswith(f"headrace import: {message}")


def test_standard_input(where: str) -> None:
    command = [*HEADRACE, "import", "-", "--format", "jsonl", "--data", where]
    for _ in range(2):
        done = subprocess.run(
            command, input=line(1).encode(), capture_output=True, timeout=LIMIT, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")
    assert counts(where) == (1, 2, 0)


def test_killed_and_started_again(where: str, tmp_path: Path) -> None:
    """Killed six times; what is stored is always whole batches of whole rows."""
    file = tmp_path / "entries.jsonl"
    total = 20_000
    rows = [line(number) for number in range(total)]
    rows[5] = "{"  # what is left out is known after the kill as well
    file.write_text("\n".join(rows) + "\n")
    command = [*HEADRACE, "import", str(file), "--data", where, "--batch", "1000", "--json"]
    seen = 0
    for kill in range(6):
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(partial(_more_than, seen, where))
        time.sleep(0.003 * kill)  # at another place of a batch each time
        process.send_signal(signal.SIGKILL)
        process.wait()
        entries, flavors, checkpoints = counts(where)
        assert flavors == 2 * entries
        assert entries > seen
        assert checkpoints == 1 or entries == total - 1
        assert entries % 1000 == 999  # one of the first ones is left out
        seen = entries
        if checkpoints == 0:
            break
    done = subprocess.run(command, capture_output=True, timeout=9 * LIMIT, check=False)
    assert done.returncode == 1
    summary = json.loads(done.stdout)
    assert (summary["stored"], summary["refused"]) == (total - 1, 1)
    assert summary["resumed_behind_line"] >= seen
    assert counts(where) == (total - 1, 2 * (total - 1), 0)


def _more_than(seen: int, where: str) -> bool:
    try:
        return counts(where)[0] > seen
    except DatabaseUnavailable:  # there are no tables yet
        return False


def test_a_file_that_changed_begins_again(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "entries.jsonl"
    file.write_text("\n".join(line(number) for number in range(4)) + "\n")
    with monkeypatch.context() as patch:
        patch.setattr(program, "drop_checkpoint", _stop)
        with pytest.raises(InterruptedError):
            run(order(file, where, batch=2), as_json=False)
    assert counts(where) == (4, 8, 1)
    file.write_text("\n".join(line(number, name="B") for number in range(4)) + "\n")
    assert run(order(file, where), as_json=False) == 0
    engine = open_reader(where)
    with reading(engine) as session:
        assert set(session.scalars(select(Entry.name))) == {"B"}
    engine.dispose()


def _stop(*_: Any) -> None:
    raise InterruptedError


def test_a_row_that_the_database_alone_refuses(
    writer: Engine, where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with writer.begin() as connection:
        unique = "CREATE UNIQUE INDEX in_the_way ON entry (name)"
        connection.execute(text(unique))
    file = tmp_path / "entries.jsonl"
    names = ["A", "B", "B", "C"]
    rows = [line(number, name=name) for number, name in enumerate(names)]
    file.write_text("\n".join(rows))
    assert run(order(file, where), as_json=True) == 1
    said = capsys.readouterr()
    assert said.err.startswith("headrace import: line 3: stored already")
    assert json.loads(said.out)["stored"] == 3
    assert counts(where) == (3, 6, 0)
