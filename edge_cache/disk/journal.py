"""A durable, numbered list of small records that all processes of a node append to and read.

    records/   number (8 bytes, big endian) -> xxh3-64 of the record, the record
    state/     b"last" -> the highest number ever given

An append is on the disk, and announced to every process, before it returns.  Numbers grow by
one and are never given twice, also when their records have been dropped.  What a number is
announced by is eight bytes that are mapped, so asking whether there is news costs no call.
"""

import fcntl
import mmap
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import lmdb
from lmdb.verify import VerifyError, verify
from xxhash import xxh3_64_digest

from edge_cache.disk.errors import DiskError, Reason, disk_error

if TYPE_CHECKING:
    Cell = memoryview[int]
else:
    Cell = memoryview

MAX_RECORD = 64 << 10
"""Bytes of one record."""

_MAP_SIZE = 256 << 20
"""Bytes that all records together may take."""

_NUMBER = struct.Struct(">Q")
_SUM = 8
_LAST = b"last"
_COUNTER = "sequence"


class Journal:
    """Open one in each process, after the fork, and fork no more.  Errors are DiskError."""

    def __init__(self, directory: Path) -> None:
        """Open what is in *directory*, or make it, for this user alone."""
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._env = lmdb.open(
                os.fspath(directory), map_size=_MAP_SIZE, max_dbs=2, mode=0o600
            )
            self._records = self._env.open_db(b"records")
            self._state = self._env.open_db(b"state")
            self._env.reader_check()
            self._counter = _open_counter(directory / _COUNTER)
        except (OSError, lmdb.Error) as error:
            raise disk_error(error) from error
        self._cell: Cell = memoryview(mmap.mmap(self._counter, _NUMBER.size)).cast("Q")
        self._announcing = Lock()
        self._announce(self._last())

    def append(self, record: bytes) -> int:
        """Keep *record*; its number.  Blocks until the disk has it: milliseconds."""
        if len(record) > MAX_RECORD:
            raise ValueError(f"a record of {len(record)} bytes")
        try:
            with self._env.begin(write=True) as txn:
                number = _NUMBER.unpack(txn.get(_LAST, bytes(8), db=self._state))[0] + 1
                key = _NUMBER.pack(number)
                txn.put(key, xxh3_64_digest(record) + record, db=self._records, append=True)
                txn.put(_LAST, key, db=self._state)
        except (OSError, lmdb.Error) as error:
            raise disk_error(error) from error
        self._announce(number)
        return int(number)

    def sequence(self) -> int:
        """The highest number that any process has been given.  Costs no system call."""
        return self._cell[0]

    def since(self, number: int) -> list[tuple[int, bytes]]:
        """The records after *number*, in order, by their numbers."""
        try:
            with self._env.begin(db=self._records) as txn, txn.cursor() as cursor:
                if not cursor.set_range(_NUMBER.pack(number + 1)):
                    return []
                return [_checked(key, value) for key, value in cursor.iternext()]
        except (OSError, lmdb.Error) as error:
            raise disk_error(error) from error

    def drop(self, numbers: Iterable[int]) -> None:
        """Forget the records of *numbers*, if known."""
        try:
            with self._env.begin(db=self._records, write=True) as txn:
                for number in numbers:
                    txn.delete(_NUMBER.pack(number))
        except (OSError, lmdb.Error) as error:
            raise disk_error(error) from error

    def close(self) -> None:
        self._cell.release()
        os.close(self._counter)
        self._env.close()

    def _last(self) -> int:
        with self._env.begin(db=self._state) as txn:
            return int(_NUMBER.unpack(txn.get(_LAST, bytes(8)))[0])

    def _announce(self, number: int) -> None:
        """Commits of two processes may be announced in either order: the higher one stays."""
        with self._announcing:
            fcntl.flock(self._counter, fcntl.LOCK_EX)
            try:
                self._cell[0] = max(self._cell[0], number)
            finally:
                fcntl.flock(self._counter, fcntl.LOCK_UN)


def damage(directory: Path) -> str | None:
    """What is wrong with the journal in *directory*, which no process may have open.

    lmdb trusts its pages, and crashes on bad ones: so ask before it is opened by many.
    """
    if not (directory / "data.mdb").exists():
        return None
    try:
        found: list[str] = verify(os.fspath(directory))  # type: ignore[no-untyped-call]
    except (OSError, VerifyError) as error:
        return str(error)
    return found[0] if found else None


def _checked(key: bytes, value: bytes) -> tuple[int, bytes]:
    record = value[_SUM:]
    if value[:_SUM] != xxh3_64_digest(record):
        raise DiskError(Reason.DAMAGED, "a record of the journal")
    return _NUMBER.unpack(key)[0], record


def _open_counter(path: Path) -> int:
    """Its eight bytes are written, so that a full disk cannot fail a store to them later."""
    counter = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(counter, fcntl.LOCK_EX)
    try:
        if os.fstat(counter).st_size != _NUMBER.size:
            os.truncate(counter, 0)
            os.pwrite(counter, bytes(_NUMBER.size), 0)
    finally:
        fcntl.flock(counter, fcntl.LOCK_UN)
    return counter
