"""Whether an index is as killed processes have left it: every way it may not be."""

import time
from pathlib import Path

import pytest

from edge_cache.disk.running import NOTES, Fingerprint, Notes, begin_notes, is_as_left

SECOND = 1_000_000_000
NOW = time.time_ns()
BEFORE = Fingerprint(4096, NOW - 5 * SECOND, NOW - 5 * SECOND)


def after(begun: int, nanoseconds: int) -> Fingerprint:
    return Fingerprint(8192, begun + nanoseconds, begun + nanoseconds)


@pytest.fixture
def begun(tmp_path: Path) -> int:
    """A transaction that was killed in between, behind one that was not."""
    begin_notes(tmp_path)
    notes = Notes(tmp_path)
    notes.done(notes.begun(), BEFORE)
    begun = notes.begun()
    notes.close()
    return begun


def ended(directory: Path, begun: int, found: Fingerprint) -> None:
    notes = Notes(directory)
    notes.done(begun, found)
    notes.close()


def test_after_the_end_of_a_transaction_nothing_may_differ(tmp_path: Path, begun: int) -> None:
    found = after(begun, 1000)
    ended(tmp_path, begun, found)
    assert is_as_left(tmp_path, found)
    for other in (
        found._replace(size=4096),
        found._replace(modified=found.modified + 1),
        found._replace(changed=found.changed + 1),
    ):
        assert not is_as_left(tmp_path, other)


def test_in_a_transaction_it_may_have_written(tmp_path: Path, begun: int) -> None:
    assert is_as_left(tmp_path, BEFORE)
    assert is_as_left(tmp_path, after(begun, -SECOND // 100))
    assert is_as_left(tmp_path, after(begun, SECOND // 2))
    assert not is_as_left(tmp_path, after(begun, 2 * SECOND))
    assert not is_as_left(tmp_path, after(begun, -SECOND))
    late = after(begun, 2 * SECOND).changed
    assert not is_as_left(tmp_path, after(begun, 0)._replace(changed=late))


def test_what_is_noted_late_is_of_an_earlier_transaction(tmp_path: Path, begun: int) -> None:
    """Another process began, and ended, before this one could note its own end."""
    ended(tmp_path, begun - 1000, after(begun, -1000))
    assert is_as_left(tmp_path, after(begun, SECOND // 2))
    assert not is_as_left(tmp_path, after(begun, 2 * SECOND))


def test_another_boot(tmp_path: Path, begun: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("another\n", ""):
        (tmp_path / "boot").write_text(text)
        monkeypatch.setattr("edge_cache.disk.boot._BOOT_ID", tmp_path / "boot")
        assert not is_as_left(tmp_path, BEFORE)
    monkeypatch.setattr("edge_cache.disk.boot._BOOT_ID", tmp_path / "none")
    begin_notes(tmp_path)
    assert not is_as_left(tmp_path, BEFORE)


@pytest.mark.parametrize("at", [0, 20, 70, 130, 150])
def test_notes_that_are_damaged(tmp_path: Path, begun: int, at: int) -> None:
    """Those of the beginning alone do no harm where the end of another is known."""
    data = bytearray((tmp_path / NOTES).read_bytes())
    data[at] ^= 1
    (tmp_path / NOTES).write_bytes(data)
    assert is_as_left(tmp_path, BEFORE) is (at == 70)
    assert is_as_left(tmp_path, after(begun, SECOND // 2)) is (at >= 130)
    (tmp_path / NOTES).write_bytes(data[:150])
    assert not is_as_left(tmp_path, BEFORE)


def test_no_notes(tmp_path: Path) -> None:
    assert not is_as_left(tmp_path, BEFORE)
    begin_notes(tmp_path)
    assert not is_as_left(tmp_path, BEFORE)
