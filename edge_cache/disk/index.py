"""Where records are, and what each volume takes: an lmdb environment.

    rows      key, or the start and a hash of a long one -> where its record is
    volumes   number (big endian, so oldest first) -> what it takes, its state, its fingerprint
    state     b"next" -> the next volume's number, b"used" -> bytes that all volumes take,
              b"unread" -> the number that volumes which have yet to be read are below
    removed   keys as in rows, removed while there were such volumes

Nothing here is believed: a row that is wrong leads to a record that is not the right one.  It
is not synchronised either, so a power loss may leave any of it: then it is thrown away and made
from the volumes.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import lmdb
from xxhash import xxh3_128_digest

from edge_cache.disk.running import NO_FINGERPRINT, Fingerprint, Notes, fingerprint

_MAP_SIZE = 32 << 30
"""Bytes of address space: some 10**8 objects."""

_MAX_READERS = 1024
_KEPT = 479
LONG = _KEPT + 16
"""Bytes of the row key of a key that is not shorter; lmdb takes 511."""

_ROW = struct.Struct("<QQI")
_VOLUME = struct.Struct("<Q???QQQ")
_NUMBER = struct.Struct(">Q")
_NEXT, _USED, _UNREAD = b"next", b"used", b"unread"

if TYPE_CHECKING:
    Txn = lmdb.Transaction[bytes]
else:
    Txn = lmdb.Transaction


class Row(NamedTuple):
    volume: int
    at: int
    """Of the record in its volume."""
    size: int
    """Of the record, without sums."""


class VolumeRow(NamedTuple):
    used: int
    """Bytes of disk, or those reserved while it is written."""
    is_sealed: bool
    """Nobody writes to it any more."""
    is_trusted: bool
    """Written, or left as it was found, by this run or a chain of clean ones before."""
    fingerprint: Fingerprint = NO_FINGERPRINT
    is_read: bool = True
    """Its records are in the index."""


def row_key(key: bytes) -> bytes:
    """In the order of keys, so that a prefix can be looked for."""
    return key if len(key) < LONG else key[:_KEPT] + xxh3_128_digest(key)


def prefix_key(prefix: bytes) -> bytes:
    return prefix[:_KEPT]


class Index:
    """Open one in each process, after the fork.  Raises lmdb.Error and OSError."""

    def __init__(self, directory: Path, notes: Path) -> None:
        """In *directory*, with the ``Notes`` of the directory *notes*."""
        self._env = lmdb.open(
            os.fspath(directory),
            map_size=_MAP_SIZE,
            max_dbs=4,
            max_readers=_MAX_READERS,
            max_spare_txns=4,
            mode=0o600,
            sync=False,
            metasync=False,
            readahead=False,
        )
        self.rows = self._env.open_db(b"rows")
        self._volumes = self._env.open_db(b"volumes")
        self._state = self._env.open_db(b"state")
        self._removed = self._env.open_db(b"removed")
        self._env.reader_check()
        self._notes = Notes(notes)
        self._data = os.open(directory / "data.mdb", os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        self._env.close()
        self._notes.close()
        os.close(self._data)

    def sync(self) -> None:
        self._env.sync(True)
        os.fsync(self._data)

    def clear_stale_readers(self) -> None:
        self._env.reader_check()

    def find(self, key: bytes) -> Row | None:
        """By row key."""
        with self._env.begin(self.rows) as txn:
            value = txn.get(key)
        return None if value is None else Row(*_ROW.unpack(value))

    def read(self) -> Txn:
        return self._env.begin()

    @contextmanager
    def write(self) -> Iterator[Txn]:
        """Blocks while another process writes; lmdb frees the lock of one that was killed."""
        with self._env.begin(write=True) as txn:
            begun = self._notes.begun()
            yield txn
        self._notes.done(begun, fingerprint(self._data))

    def size(self) -> int:
        """Bytes of disk that the index itself takes."""
        return os.fstat(self._data).st_blocks * 512

    def row(self, txn: Txn, key: bytes) -> Row | None:
        value = txn.get(key, db=self.rows)
        return None if value is None else Row(*_ROW.unpack(value))

    def put(self, txn: Txn, key: bytes, row: Row) -> None:
        txn.put(key, _ROW.pack(*row), db=self.rows)

    def delete(self, txn: Txn, key: bytes, row: Row) -> bool:
        """Delete *row*; False if another has taken its place."""
        if txn.get(key, db=self.rows) != _ROW.pack(*row):
            return False
        return txn.delete(key, db=self.rows)

    def objects(self, txn: Txn) -> int:
        return txn.stat(self.rows)["entries"]

    def keys_after(self, last: bytes, prefix: bytes, limit: int) -> list[tuple[bytes, Row]]:
        """Up to *limit* rows whose key begins with *prefix*, behind *last*, in order."""
        found: list[tuple[bytes, Row]] = []
        with self._env.begin(self.rows) as txn, txn.cursor() as cursor:
            if not cursor.set_range(max(last, prefix) or b"\0"):
                return found
            for key, value in cursor:
                if not key.startswith(prefix) or len(found) == limit:
                    break
                if key != last:
                    found.append((key, Row(*_ROW.unpack(value))))
        return found

    def next_volume(self, txn: Txn) -> int:
        """A number that no volume has had."""
        return int(_NUMBER.unpack(txn.get(_NEXT, _NUMBER.pack(1), db=self._state))[0])

    def used(self, txn: Txn) -> int:
        """Bytes that all volumes take."""
        return int(_NUMBER.unpack(txn.get(_USED, bytes(8), db=self._state))[0])

    def volume(self, txn: Txn, number: int) -> VolumeRow | None:
        value = txn.get(_NUMBER.pack(number), db=self._volumes)
        return None if value is None else _volume_row(value)

    def volumes(self, txn: Txn) -> Iterator[tuple[int, VolumeRow]]:
        """Oldest first.  The one just given may be deleted."""
        key = _NUMBER.pack(0)
        with txn.cursor(self._volumes) as cursor:
            while cursor.set_range(key):
                number = _NUMBER.unpack(cursor.key())[0]
                yield number, _volume_row(cursor.value())
                key = _NUMBER.pack(number + 1)

    def put_volume(self, txn: Txn, number: int, row: VolumeRow) -> None:
        before = self.volume(txn, number)
        value = _VOLUME.pack(*row[:3], row.is_read, *row.fingerprint)
        txn.put(_NUMBER.pack(number), value, db=self._volumes)
        self._take(txn, row.used - (before.used if before else 0))
        after = max(number + 1, self.next_volume(txn))
        txn.put(_NEXT, _NUMBER.pack(after), db=self._state)

    def delete_volume(self, txn: Txn, number: int) -> None:
        row = self.volume(txn, number)
        if row is not None:
            txn.delete(_NUMBER.pack(number), db=self._volumes)
            self._take(txn, -row.used)

    # Volumes that have yet to be read.

    def begin_reading(self, txn: Txn) -> None:
        """All volumes that there are now count as earlier than those to come."""
        txn.put(_UNREAD, _NUMBER.pack(self.next_volume(txn)), db=self._state)

    def unread_before(self, txn: Txn) -> int | None:
        """What the numbers of unread volumes are below; None if there are none."""
        value = txn.get(_UNREAD, db=self._state)
        return None if value is None else int(_NUMBER.unpack(value)[0])

    def unread(self, txn: Txn) -> int:
        """How many there are."""
        if self.unread_before(txn) is None:
            return 0
        return sum(not row.is_read for _, row in self.volumes(txn))

    def note_removed(self, txn: Txn, key: bytes) -> None:
        """Let no volume that is read later bring *key* back."""
        if self.unread_before(txn) is not None:
            txn.put(key, b"", db=self._removed)

    def was_removed(self, txn: Txn, key: bytes) -> bool:
        return txn.get(key, db=self._removed) is not None

    def end_reading(self, txn: Txn) -> None:
        txn.delete(_UNREAD, db=self._state)
        txn.drop(self._removed, delete=False)

    def _take(self, txn: Txn, size: int) -> None:
        txn.put(_USED, _NUMBER.pack(max(0, self.used(txn) + size)), db=self._state)


def _volume_row(value: bytes) -> VolumeRow:
    used, is_sealed, is_trusted, is_read, *marks = _VOLUME.unpack(value)
    return VolumeRow(used, is_sealed, is_trusted, Fingerprint(*marks), is_read)
