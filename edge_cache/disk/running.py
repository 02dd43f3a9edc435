"""What a running store notes about its index, so that a kill does not cost it.

A kill leaves the page cache as it is, and lmdb without WRITEMAP commits by a single write of
its header: the index is good, unless the machine has been started anew since, or somebody else
has written to the file, which would crash us.  So every transaction notes when it begins, and
what the file looks like when it has ended.

    0    magic, the kernel's boot id
    64   begun: when the latest transaction began, sum
    128  done: which one has ended, the fingerprint of the index then, sum

Each is written at once and within a page, so a kill leaves it whole; nothing is synchronised,
since none of it counts after another boot.
"""

import os
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from xxhash import xxh3_64_digest

from edge_cache.disk.boot import boot_id

NOTES = "running"

_MAGIC = b"hrrun\0\0\1"
_BEGUN_AT, _DONE_AT, _SIZE = 64, 128, 192
_BEGUN = struct.Struct("<Q")
_DONE = struct.Struct("<QQQQ")
_SUM = 8

_TICK = 20_000_000
"""Nanoseconds that times of files are behind the clock at most."""

_LONGEST = 1_000_000_000
"""Nanoseconds in which a transaction that was killed had written last."""


class Fingerprint(NamedTuple):
    """What changes when somebody writes to a file."""

    size: int
    modified: int
    changed: int
    """Nanoseconds since 1970, as the one before."""


NO_FINGERPRINT = Fingerprint(0, 0, 0)


def fingerprint(fd: int) -> Fingerprint:
    found = os.fstat(fd)
    return Fingerprint(found.st_size, found.st_mtime_ns, found.st_ctime_ns)


class Notes:
    """Of one process; a transaction is noted by who holds lmdb's lock.

    A disk that does not take a note costs the next start, and nobody else.
    """

    def __init__(self, directory: Path) -> None:
        self._fd = os.open(directory / NOTES, os.O_WRONLY | os.O_CLOEXEC)

    def begun(self) -> int:
        """A transaction begins: its name in ``done``."""
        now = time.time_ns()
        with suppress(OSError):
            os.pwrite(self._fd, _sealed(_BEGUN.pack(now)), _BEGUN_AT)
        return now

    def done(self, begun: int, found: Fingerprint) -> None:
        """It has ended.  Another one may have begun meanwhile, and be noted before it."""
        with suppress(OSError):
            os.pwrite(self._fd, _sealed(_DONE.pack(begun, *found)), _DONE_AT)

    def close(self) -> None:
        os.close(self._fd)


def begin_notes(directory: Path) -> None:
    """All of the file is written, so that no note needs room on the disk later."""
    (directory / NOTES).write_bytes((_MAGIC + boot_id()).ljust(_SIZE, b"\0"))


def end_notes(directory: Path) -> None:
    (directory / NOTES).unlink(missing_ok=True)


def is_as_left(directory: Path, found: Fingerprint) -> bool:
    """Whether an index with the fingerprint *found* is as those left it who were killed."""
    try:
        with (directory / NOTES).open("rb") as file:
            notes = file.read(_SIZE)
    except FileNotFoundError:
        return False
    head = _MAGIC + boot_id()  # without an id nothing is believed
    if len(notes) != _SIZE or head == _MAGIC or notes[:_BEGUN_AT].rstrip(b"\0") != head:
        return False
    begun = _unsealed(notes[_BEGUN_AT:_DONE_AT], _BEGUN)
    done = _unsealed(notes[_DONE_AT:], _DONE)
    if done is not None and found == Fingerprint(*done[1:]):
        return True
    if begun is None or (done is not None and done[0] == begun[0]):
        return False
    since, until = begun[0] - _TICK, begun[0] + _LONGEST  # it was killed in between
    return since <= found.modified <= until and since <= found.changed <= until


def _sealed(data: bytes) -> bytes:
    return data + xxh3_64_digest(data)


def _unsealed(data: bytes, layout: struct.Struct) -> tuple[int, ...] | None:
    body = data[: layout.size]
    if data[layout.size : layout.size + _SUM] != xxh3_64_digest(body):
        return None
    return layout.unpack(body)
