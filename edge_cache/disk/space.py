"""What the volumes of a store take, and who makes room.

Room is taken in the index before a byte is written, for a whole volume at a time, so what all
processes write together stays below the capacity.  When there is none, the oldest volumes are
unlinked (FIFO): a few rows of the index each, and no body is moved.
"""

import os
from itertools import islice
from pathlib import Path
from threading import Lock

from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.files import File, open_file
from edge_cache.disk.index import Index, Row, Txn, VolumeRow, row_key
from edge_cache.disk.record import DEAD, HEADER_SIZE, decode_header, records
from edge_cache.disk.volume import Volume, is_abandoned, own_reservation

_MIN_VOLUME, _MAX_VOLUME = 1 << 20, 256 << 20
_VOLUMES = 64
"""Volumes that a small store has: what is evicted at once is at most one part in so many."""

_SHARE = 4
"""A body larger than one part in so many of a volume gets a file of its own."""

_LARGEST = 4
"""One body may take one part in so many of the capacity."""

_EVICTED = 64
"""Volumes that are evicted in one go, while other writers wait: more only after the capacity
has been lowered, and then the next go is not far."""

_TENDED = 64
"""Abandoned volumes that are looked after in one go."""


class Space:
    """Of one process.  Raises OSError and lmdb.Error, and DiskError for NO_ROOM."""

    def __init__(self, index: Index, directory: Path, capacity: int) -> None:
        self.capacity = capacity
        self.volume_size = min(_MAX_VOLUME, max(_MIN_VOLUME, capacity // _VOLUMES))
        self.shared_limit = self.volume_size // _SHARE
        """Bytes of the largest body that shares a volume with others."""
        self.largest = capacity // _LARGEST
        """Bytes of the largest body that is taken."""
        self.evictions = 0
        """Objects that made room for others."""
        self._index = index
        self._directory = directory
        self._lock = Lock()
        self._current: Volume | None = None
        self._writing: dict[int, Volume] = {}

    def path(self, number: int) -> Path:
        return volume_path(self._directory, number)

    def enter(self, length: int) -> tuple[Volume, int]:
        """A volume with others, and the place in it of a body of *length*."""
        with self._lock:
            volume = self._current
            if volume is None or not volume.has_room(length):
                self._retire_current()
                volume = self._current = self._create(self.volume_size)
                volume.begin_records(self.volume_size)
            return volume, volume.place_body(length)

    def enter_alone(self, length: int) -> tuple[Volume, int]:
        """A volume for one body, of *length* as far as is known, and the place in it."""
        with self._lock:
            volume = self._create(own_reservation(length))
            volume.is_full = True
            return volume, volume.place_body(length)

    def grow(self, volume: Volume, length: int) -> None:
        """Let the one body in *volume* become *length* bytes long."""
        reserved = own_reservation(length)
        with self._index.write() as txn:
            self._make_room(txn, reserved - volume.reserved)
            self._index.put_volume(txn, volume.number, VolumeRow(reserved, False, True))
        volume.reserved = reserved

    def place_record(self, volume: Volume, size: int, length: int) -> int:
        """The place in *volume* of a record of *size*, for a body of *length*."""
        with self._lock:
            return volume.place_record(size, length)

    def leave(self, volume: Volume) -> None:
        """A body in *volume* has been finished, or given up."""
        with self._lock:
            volume.writers -= 1
            if volume.is_full and not volume.writers:
                self._seal(volume)

    def discard(self, volume: Volume) -> None:
        """The only body in *volume* is not wanted."""
        with self._lock:
            self._writing.pop(volume.number, None)
            with self._index.write() as txn:
                volume.path.unlink(missing_ok=True)
                self._index.delete_volume(txn, volume.number)
            volume.unlock()

    def close(self) -> None:
        """Seal what is being written; bodies on their way are lost."""
        with self._lock:
            self._current = None
            for volume in list(self._writing.values()):
                self._seal(volume)

    def tend(self) -> None:
        """Make room where there is too little, and seal what dead processes were writing."""
        with self._index.read() as txn:
            unsealed = [n for n, row in self._index.volumes(txn) if not row.is_sealed]
        with self._lock:
            ours = set(self._writing)
        for number in [number for number in unsealed if number not in ours][:_TENDED]:
            self._take_over(number)
        with self._index.write() as txn:
            self._make_room(txn, 0)

    def row(self, number: int) -> VolumeRow | None:
        with self._index.read() as txn:
            return self._index.volume(txn, number)

    def _take_over(self, number: int) -> None:
        try:
            file = open_file(self.path(number), number, is_trusted=True)
        except FileNotFoundError:
            with self._index.write() as txn:
                self._index.delete_volume(txn, number)
            return
        if is_abandoned(file.fd):
            with self._index.write() as txn:
                row = self._index.volume(txn, number)
                if row is not None and not row.is_sealed:
                    self._bury(txn, file)
                    self._settle(txn, file)

    def _bury(self, txn: Txn, file: File) -> None:
        """Whoever wrote it may have died between a record and its row, and nobody was told."""
        for placed in records(file.pread, file.number):
            row = Row(file.number, placed.at, placed.size)
            if placed.is_live and self._index.row(txn, row_key(placed.record.key)) != row:
                mark_dead(self._directory, row)

    def _settle(self, txn: Txn, file: File) -> None:
        """Nothing can be found in a volume without a header: its one body was not finished."""
        if file.is_gone or decode_header(file.pread(HEADER_SIZE, 0)) is None:
            self.path(file.number).unlink(missing_ok=True)
            self._index.delete_volume(txn, file.number)
        else:
            row = self._index.volume(txn, file.number)
            is_trusted = row is None or row.is_trusted
            self._index.put_volume(txn, file.number, VolumeRow(file.disk, True, is_trusted))

    def _create(self, reserved: int) -> Volume:
        """Its file is there and locked before others can see its row."""
        with self._index.write() as txn:
            self._make_room(txn, reserved)
            number = self._index.next_volume(txn)
            self.path(number).unlink(missing_ok=True)  # of one who died just here
            volume = Volume(self.path(number), number, reserved)
            self._index.put_volume(txn, number, VolumeRow(reserved, False, True))
        self._writing[number] = volume
        return volume

    def _retire_current(self) -> None:
        volume, self._current = self._current, None
        if volume is not None:
            volume.is_full = True
            if not volume.writers:
                self._seal(volume)

    def _seal(self, volume: Volume) -> None:
        self._writing.pop(volume.number, None)
        with self._index.write() as txn:
            self._settle(txn, volume.file)
        volume.unlock()

    def _make_room(self, txn: Txn, size: int) -> None:
        """Evict until *size* bytes fit.  Volumes that are being written stay."""
        room = self.capacity - self._index.size() - size
        if self._index.used(txn) <= room:
            return
        sealed = (number for number, row in self._index.volumes(txn) if row.is_sealed)
        for number in islice(sealed, _EVICTED):
            self._evict(txn, number)
            if self._index.used(txn) <= room:
                return
        if size:
            raise DiskError(Reason.NO_ROOM, f"{size} bytes")

    def _evict(self, txn: Txn, number: int) -> None:
        """If it cannot be read, rows are left behind: they lead to no file, so to a miss."""
        try:
            self._delete_rows(txn, open_file(self.path(number), number, is_trusted=True))
        except (FileNotFoundError, DiskError):
            pass
        self.path(number).unlink(missing_ok=True)
        self._index.delete_volume(txn, number)

    def _delete_rows(self, txn: Txn, file: File) -> None:
        for placed in records(file.pread, file.number):
            row = Row(file.number, placed.at, placed.size)
            if placed.is_live and self._index.delete(txn, row_key(placed.record.key), row):
                self.evictions += 1


def mark_dead(directory: Path, row: Row) -> None:
    """Let the record of *row* never be found again, whatever becomes of the index."""
    try:
        fd = os.open(
            volume_path(directory, row.volume), os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        )
    except FileNotFoundError:
        return
    try:
        if row.at < os.fstat(fd).st_size:
            os.pwrite(fd, DEAD, row.at)
    finally:
        os.close(fd)


def volume_path(directory: Path, number: int) -> Path:
    return directory / f"{number:016x}"
