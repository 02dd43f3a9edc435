"""Bodies on disk, one copy for all processes of a node.

    store/
      format     what this is, and by which version
      lock       shared by every process that has the store open: see ``keeper``
      clean      there while nobody has: see ``recovery``
    running    there otherwise: see ``running``
      index/     lmdb: key -> record; see ``index``
      volumes/   bodies and their records; see ``record``

A hit is a look in the index and one read of the record, both from the page cache as a rule.
Everything but ``find`` blocks for as long as a disk may take: call it from a thread.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import lmdb

from edge_cache.disk.errors import DiskError, Reason, disk_error
from edge_cache.disk.files import File, open_file
from edge_cache.disk.health import Health
from edge_cache.disk.index import LONG, Index, Row, prefix_key, row_key
from edge_cache.disk.keeper import Keeper
from edge_cache.disk.reading import read_in
from edge_cache.disk.record import MAX_KEY, MAX_RECORD_SIZE, decode_record
from edge_cache.disk.recovery import INDEX, VOLUMES
from edge_cache.disk.space import Space, mark_dead, volume_path
from edge_cache.disk.stored import Stored
from edge_cache.disk.writer import Writer

MIN_CAPACITY = 8 << 20
"""Bytes: every process that writes takes a volume of 1 MiB."""

_MAX_OPEN = 512
"""Volumes that a process keeps open."""

_MAX_STRAY = 1024
"""Rows that lead nowhere and are remembered, to be deleted when the store is tended."""

_READING = 0.5
"""Seconds of a step of tending in which volumes are read that the index does not know."""

_BATCH = 256
"""Keys that one transaction of a scan reads: a long one would hold old pages of the index."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of the whole store, and since it was opened by this process."""

    objects: int
    used: int
    """Bytes of disk, those reserved for bodies on their way included."""
    capacity: int
    evictions: int
    """Objects that this process has evicted."""
    failures: dict[Reason, int]
    """What went wrong in this process."""
    unread: int
    """Volumes whose objects are not found yet."""
    is_resting: bool
    """Nothing is written for a while, because something failed."""


class Store:
    """Open one in each process, after the fork, and fork no more.  Errors are DiskError."""

    def __init__(self, keeper: Keeper, capacity: int) -> None:
        """Called by ``open``."""
        self._keeper = keeper
        self._volumes = keeper.directory / VOLUMES
        self._index = Index(keeper.directory / INDEX, keeper.directory)
        self._space = Space(self._index, self._volumes, capacity)
        self._health = Health()
        self._files: dict[int, File] = {}
        self._opening = Lock()
        self._strays: dict[Row, bytes] = {}
        self.on_damaged: Callable[[bytes], None] = _ignore
        """Called with the key of a body that was found damaged, from any thread."""

    @classmethod
    def open(cls, directory: Path, capacity: int) -> "Store":
        """Open the store in *directory*, or make it, for this user alone.

        *capacity*: bytes of disk.  The first process to open it recovers it, others wait for
        that; FORMAT if another version made it.
        """
        if capacity < MIN_CAPACITY:
            raise ValueError(f"a capacity of {capacity} bytes")
        keeper = Keeper.open(directory)
        try:
            return cls(keeper, capacity)
        except (OSError, lmdb.Error) as error:
            keeper.close()
            raise disk_error(error) from error

    @property
    def largest(self) -> int:
        """Bytes of the largest body that is stored."""
        return self._space.largest

    def find(self, key: bytes, *, waits: bool = True) -> Stored | None:
        """What is stored under *key*.  A disk that fails is a miss, and counted.

        Without *waits* BlockingIOError if its record is not in the page cache.
        """
        try:
            row = self._index.find(row_key(key))
            if row is None:
                return None
            return self._found(key, row, waits=waits)
        except lmdb.BadValsizeError:  # the empty key
            return None
        except BlockingIOError:
            raise
        except (OSError, lmdb.Error) as error:
            self._health.failed(disk_error(error).reason)
        except DiskError as error:
            self._health.failed(error.reason)
        return None

    def begin(self, key: bytes, length: int | None = None) -> Writer:
        """Begin to store a body of *length* bytes, or of whatever length it will have."""
        if not 0 < len(key) <= MAX_KEY:
            raise ValueError(f"a key of {len(key)} bytes")
        if length is not None and length > self.largest:
            raise DiskError(Reason.NO_ROOM, f"a body of {length} bytes")
        self._health.check()
        return Writer(key, length, self._space, self._health, self._publish)

    def remove(self, key: bytes) -> bool:
        """Forget *key*; whether it was known.  Holds for every process, also after a kill."""
        with self._health.writing():
            if not key:
                return False
            with self._index.read() as txn:
                row = self._index.row(txn, row_key(key))
                is_reading = self._index.unread_before(txn) is not None
            if is_reading:
                return self._remove_while_reading(row_key(key))
            if row is None or self._key(row) != key:
                return False
            return self._forget(row, key)

    def scan(self, prefix: bytes = b"") -> Iterator[bytes]:
        """The keys that begin with *prefix*, in no particular order beyond 479 bytes."""
        last = b""
        while True:
            with self._health.writing():
                batch = self._index.keys_after(last, prefix_key(prefix), _BATCH)
            for found, row in batch:
                key = found if len(found) < LONG else self._key(row)
                if key is not None and key.startswith(prefix):
                    yield key
            if len(batch) < _BATCH:
                return
            last = batch[-1][0]

    def statistics(self) -> Statistics:
        with self._health.writing(), self._index.read() as txn:
            return Statistics(
                objects=self._index.objects(txn),
                used=self._index.used(txn) + self._index.size(),
                capacity=self._space.capacity,
                evictions=self._space.evictions,
                failures=dict(self._health.failures),
                unread=self._index.unread(txn),
                is_resting=self._health.is_resting,
            )

    def volumes(self) -> tuple[frozenset[int], int]:
        """The numbers of the volumes that are there, and that of the next one."""
        with self._health.writing(), self._index.read() as txn:
            there = frozenset(number for number, _ in self._index.volumes(txn))
            return there, self._index.next_volume(txn)

    def tend(self) -> None:
        """Clear up behind others, a bounded step.  To be called every second or so.

        Evicted volumes that this process still has open take disk until it is.
        """
        with self._opening:
            for number in [number for number, file in self._files.items() if file.is_gone]:
                del self._files[number]
        with self._health.writing():
            self._index.clear_stale_readers()
            strays, self._strays = self._strays, {}
            if strays:
                with self._index.write() as txn:
                    for row, key in strays.items():
                        self._index.delete(txn, row_key(key), row)
            self._space.tend()
            read_in(self._index, self._volumes, _READING)

    def close(self) -> None:
        """Bodies on their way are lost.  The last process to close it waits for the disk."""
        try:
            with self._health.writing():
                self._space.close()
        except DiskError:
            pass  # counted; what was not sealed is, by whoever tends the store
        self._files.clear()
        self._index.close()
        self._keeper.close()

    def _found(self, key: bytes, row: Row, *, waits: bool) -> Stored | None:
        try:
            file = self._files.get(row.volume) or self._open_volume(row.volume)
        except FileNotFoundError:
            self._stray(key, row)
            return None
        data = file.pread(min(row.size, MAX_RECORD_SIZE), row.at, waits=waits)
        decoded = decode_record(data, row.volume)
        if decoded is None or not file.may_hold(decoded[1].offset, decoded[1].length):
            self._health.failed(Reason.DAMAGED)
            self._stray(key, row)
            return None
        is_live, record = decoded
        if not is_live or record.key != key:
            return None
        return Stored(file, row, record, self._damaged)

    def _stray(self, key: bytes, row: Row) -> None:
        if len(self._strays) < _MAX_STRAY:
            self._strays[row] = key

    def _open_volume(self, number: int) -> File:
        row = self._space.row(number)
        if row is None:
            raise FileNotFoundError(number)
        file = open_file(volume_path(self._volumes, number), number, is_trusted=row.is_trusted)
        with self._opening:
            if len(self._files) >= _MAX_OPEN:
                del self._files[next(iter(self._files))]
            return self._files.setdefault(number, file)

    def _key(self, row: Row) -> bytes | None:
        """Of the record that *row* leads to."""
        try:
            file = self._files.get(row.volume) or self._open_volume(row.volume)
        except FileNotFoundError:
            return None
        decoded = decode_record(file.pread(min(row.size, MAX_RECORD_SIZE), row.at), row.volume)
        return None if decoded is None else decoded[1].key

    def _publish(self, key: bytes, row: Row) -> None:
        """What was there is dead before the new row can be seen: no kill leaves both alive."""
        try:
            with self._index.write() as txn:
                before = self._index.row(txn, row_key(key))
                if before is not None:
                    mark_dead(self._volumes, before)
                self._index.put(txn, row_key(key), row)
        except (OSError, lmdb.Error):
            mark_dead(self._volumes, row)
            raise

    def _forget(self, row: Row, key: bytes) -> bool:
        """Dead first: should we die in between, the record is found and not taken."""
        with self._index.write() as txn:
            if self._index.row(txn, row_key(key)) != row:
                return False
            mark_dead(self._volumes, row)
            self._index.note_removed(txn, row_key(key))
            return self._index.delete(txn, row_key(key), row)

    def _remove_while_reading(self, key: bytes) -> bool:
        """Its row may come at any moment, or have come since somebody looked."""
        with self._index.write() as txn:
            self._index.note_removed(txn, key)
            row = self._index.row(txn, key)
            if row is None:
                return False
            mark_dead(self._volumes, row)
            return self._index.delete(txn, key, row)

    def _damaged(self, row: Row, key: bytes) -> None:
        self._health.failed(Reason.DAMAGED)
        self.on_damaged(key)
        with self._health.writing():
            self._forget(row, key)


def _ignore(_key: bytes) -> None:
    pass
