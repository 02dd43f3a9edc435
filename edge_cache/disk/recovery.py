"""What is trusted when a store is opened.

Whoever closes a store last waits for the disk, notes the fingerprint of every volume in the
index, and leaves a mark with that of the index.  Whoever opens it first takes the mark away.
If the mark is there and the index is as it was left, the index is used as it is, and of the
volumes those that are as they were left.  If not, the process was killed, the power failed or
somebody has written to the files: the index is made anew from the records of the volumes, and
every block of every body is verified before it is sent.
"""

import os
import re
import shutil
import struct
import time
from pathlib import Path

import lmdb
from xxhash import xxh3_64_digest

from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.files import File, open_file
from edge_cache.disk.index import (
    Fingerprint,
    Index,
    Row,
    Txn,
    VolumeRow,
    fingerprint,
    row_key,
)
from edge_cache.disk.record import Placed, decode_record, records
from edge_cache.disk.space import mark_dead, volume_path

INDEX, VOLUMES, MARK = "index", "volumes", "clean"

_MARK = struct.Struct("<QQQ")
_DATA = "data.mdb"
_NAME = re.compile("0000[0-9a-f]{12}")
"""Of a volume; no number that we give is ever longer."""

_TICK = 0.01
"""Seconds, more than the granularity of file times: what is written after a stop has a later
one than what was written last before it."""


def recover(directory: Path) -> bool:
    """Make the index of *directory* fit to be opened; whether the last stop was clean.

    No other process may have the store open.
    """
    (directory / VOLUMES).mkdir(mode=0o700, exist_ok=True)
    is_clean = _take_mark(directory)
    if not is_clean:
        shutil.rmtree(directory / INDEX, ignore_errors=True)
    (directory / INDEX).mkdir(mode=0o700, exist_ok=True)
    index = _open_index(directory)
    try:
        _adopt(index, directory / VOLUMES)
    finally:
        index.close()
    return is_clean


def leave(directory: Path) -> None:
    """Bring everything to the disk, and say so.  No other process may have the store open."""
    index = Index(directory / INDEX)
    try:
        with index.write() as txn:
            for number, row in index.volumes(txn):
                if row.is_trusted:
                    _note(index, txn, directory / VOLUMES, number, row)
        index.sync()
    finally:
        index.close()
    time.sleep(_TICK)
    _write_mark(directory, _fingerprint_of(directory / INDEX / _DATA))


def _note(index: Index, txn: Txn, volumes: Path, number: int, row: VolumeRow) -> None:
    try:
        file = open_file(volume_path(volumes, number), number, is_trusted=True)
    except FileNotFoundError:
        index.delete_volume(txn, number)
        return
    if row.fingerprint != fingerprint(file.fd):
        os.fdatasync(file.fd)
        index.put_volume(txn, number, row._replace(fingerprint=fingerprint(file.fd)))


def _take_mark(directory: Path) -> bool:
    """Whether there was a mark, and it tells of the index as it is."""
    try:
        data = (directory / MARK).read_bytes()[: _MARK.size + 8]
        (directory / MARK).unlink()
        _sync_directory(directory)
        found = _fingerprint_of(directory / INDEX / _DATA)
    except FileNotFoundError:
        return False
    return data == _mark(found)


def _write_mark(directory: Path, found: Fingerprint) -> None:
    fd = os.open(directory / MARK, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, _mark(found))
        os.fsync(fd)
    finally:
        os.close(fd)
    _sync_directory(directory)


def _mark(found: Fingerprint) -> bytes:
    data = _MARK.pack(*found)
    return data + xxh3_64_digest(data)


def _open_index(directory: Path) -> Index:
    """On a disk that is full the oldest volumes make room for it."""
    oldest = iter(_numbers(directory / VOLUMES))
    while True:
        try:
            return Index(directory / INDEX)
        except (OSError, lmdb.Error):
            number = next(oldest, None)
            if number is None:
                raise
            volume_path(directory / VOLUMES, number).unlink()


def _adopt(index: Index, volumes: Path) -> None:
    """Bring the table of volumes in line with the files that there are."""
    with index.read() as txn:
        known = dict(index.volumes(txn))
    for number in _numbers(volumes):
        row = known.pop(number, None)
        path = volume_path(volumes, number)
        file = open_file(path, number, is_trusted=True)
        if row is None:
            try:
                _read_in(index, file, path)
            except (OSError, lmdb.Error, DiskError):  # full, for one: then this makes room
                path.unlink(missing_ok=True)
        elif row.is_trusted and row.fingerprint != fingerprint(file.fd):
            with index.write() as txn:
                index.put_volume(txn, number, VolumeRow(file.disk, True, False))
    with index.write() as txn:
        for number in known:
            index.delete_volume(txn, number)


def _numbers(volumes: Path) -> list[int]:
    """Of the volumes that are there, oldest first."""
    names = [path.name for path in volumes.iterdir()]
    return sorted(int(name, 16) for name in names if _NAME.fullmatch(name))


def _read_in(index: Index, file: File, path: Path) -> None:
    """Enter the records of a volume that the index does not know; none: it goes."""
    size = os.fstat(file.fd).st_size
    volumes = path.parent
    count = 0
    with index.write() as txn:
        for placed in records(file.pread, file.number):
            record = placed.record
            if placed.is_live and record.offset + record.length <= size:
                _enter(index, txn, volumes, file.number, placed)
                count += 1
        if count:
            index.put_volume(txn, file.number, VolumeRow(file.disk, True, False))
        else:
            path.unlink(missing_ok=True)


def _enter(index: Index, txn: Txn, volumes: Path, number: int, placed: Placed) -> None:
    """A process that died in between may have left two records of one key: one is too many."""
    key, row = row_key(placed.record.key), Row(number, placed.at, placed.size)
    other = index.row(txn, key)
    if other is not None and _stamp(volumes, other) > placed.record.stamp:
        mark_dead(volumes, row)
        return
    index.put(txn, key, row)
    if other is not None:
        mark_dead(volumes, other)


def _stamp(volumes: Path, row: Row) -> int:
    file = open_file(volume_path(volumes, row.volume), row.volume, is_trusted=True)
    decoded = decode_record(file.pread(row.size, row.at), row.volume)
    if decoded is None:
        raise DiskError(Reason.DAMAGED, "a record changed while it was read")
    return decoded[1].stamp


def _fingerprint_of(path: Path) -> Fingerprint:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return fingerprint(fd)
    finally:
        os.close(fd)


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
