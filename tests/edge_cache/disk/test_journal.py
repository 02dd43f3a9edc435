"""The journal: durable, numbered, seen by every process before an append returns."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from timeit import timeit

import pytest

from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.journal import MAX_RECORD, Journal, damage

CHILD = """
import sys
from pathlib import Path
from edge_cache.disk.journal import Journal
journal = Journal(Path(sys.argv[1]))
for line in sys.stdin:
    print(journal.append(line.encode()), flush=True)
"""


def appender(directory: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, directory],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def say(child: "subprocess.Popen[str]", line: str) -> int:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(line + "\n")
    child.stdin.flush()
    return int(child.stdout.readline())


def test_records_come_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    assert (journal.sequence(), journal.since(0)) == (0, [])
    assert [journal.append(record) for record in (b"a", b"", b"c")] == [1, 2, 3]
    assert journal.since(0) == [(1, b"a"), (2, b""), (3, b"c")]
    assert journal.since(2) == [(3, b"c")]
    assert journal.since(3) == []
    assert (tmp_path / "j").stat().st_mode & 0o777 == 0o700
    journal.close()


def test_numbers_are_never_given_twice(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(b"a")
    journal.append(b"b")
    journal.drop([1, 2, 77])
    assert journal.since(0) == []
    journal.close()
    journal = Journal(tmp_path)
    assert journal.sequence() == 2
    assert journal.append(b"c") == 3
    journal.close()


def test_another_process_is_heard_at_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with appender(tmp_path) as child:
        for expected in range(1, 20, 2):
            assert say(child, "theirs") == expected
            assert journal.sequence() == expected
            assert journal.append(b"ours") == expected + 1
            assert journal.since(expected - 1) == [
                (expected, b"theirs\n"),
                (expected + 1, b"ours"),
            ]
        child.kill()
    journal.close()


def test_what_was_answered_outlives_a_kill(tmp_path: Path) -> None:
    answered = 0
    for _ in range(5):
        with appender(tmp_path) as child:
            for _ in range(3):
                answered = say(child, "x")
            os.kill(child.pid, signal.SIGKILL)
        journal = Journal(tmp_path)
        assert journal.sequence() == answered
        assert len(journal.since(0)) == answered
        journal.close()


def test_a_counter_that_is_lost_is_made_from_the_records(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(b"a")
    journal.close()
    (tmp_path / "sequence").write_bytes(b"")
    journal = Journal(tmp_path)
    assert journal.sequence() == 1
    journal.close()


def test_an_oversized_record_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(bytes(MAX_RECORD))
    with pytest.raises(ValueError, match="65537"):
        journal.append(bytes(MAX_RECORD + 1))
    journal.close()


def test_garbage_is_noticed_before_it_is_served(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(300):
        journal.append(b"record %d" % number)
    whole = journal.since(0)
    journal.close()
    assert damage(tmp_path) is None
    path = tmp_path / "data.mdb"
    good = path.read_bytes()
    noticed = 0
    for start in range(0, len(good), 2048):
        path.write_bytes(good[:start] + b"\xa5" * 64 + good[start + 64 :])
        if damage(tmp_path):
            noticed += 1
            continue
        journal = Journal(tmp_path)
        try:
            assert journal.since(0) == whole
        except DiskError as error:
            assert error.reason is Reason.DAMAGED
            noticed += 1
        finally:
            journal.close()
    assert noticed > 4  # the pages that are in use


def test_a_truncated_file_is_noticed(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(300):
        journal.append(b"record %d" % number)
    journal.close()
    path = tmp_path / "data.mdb"
    os.truncate(path, path.stat().st_size // 2)
    assert damage(tmp_path)


def test_a_directory_that_cannot_be_made_is_a_disk_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DiskError):
        Journal(tmp_path / "file" / "j")


def test_asking_for_news_is_cheap(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    seconds = min(timeit(journal.sequence, number=10_000) for _ in range(5))
    assert seconds / 10_000 < 2e-6  # 0.1 µs on a quiet machine
    journal.close()
