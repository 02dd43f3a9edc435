"""Entering volumes that the index does not know, while the store is in use already.

After a power loss the index begins empty.  A volume counts as soon as the store is open; what
is in it is a miss until its records have been read, newest volume first.  What is stored
meanwhile lies in later volumes and holds against all of them; what is removed meanwhile is
remembered until they have been read.
"""

import os
import time
from pathlib import Path
from typing import NamedTuple

import lmdb

from edge_cache.disk.errors import DiskError, Reason, disk_error
from edge_cache.disk.files import File, open_file
from edge_cache.disk.index import Index, Row, Txn, VolumeRow, row_key
from edge_cache.disk.record import decode_record, records
from edge_cache.disk.space import mark_dead, volume_path
from edge_cache.disk.volume import is_abandoned


class _Found(NamedTuple):
    key: bytes
    """Of the index."""
    row: Row
    stamp: int


def read_in(index: Index, volumes: Path, seconds: float) -> None:
    """Read volumes for about *seconds*, at least one.  Raises OSError and lmdb.Error.

    Any process may do it, and several at once.
    """
    with index.read() as txn:
        if index.unread_before(txn) is None:
            return
        waiting = [number for number, row in index.volumes(txn) if not row.is_read]
    give_up = time.monotonic() + seconds
    for number in reversed(waiting):
        _read_volume(index, volumes, number)
        if time.monotonic() >= give_up:
            return
    with index.write() as txn:
        if all(row.is_read for _, row in index.volumes(txn)):
            index.end_reading(txn)


def _read_volume(index: Index, volumes: Path, number: int) -> None:
    path = volume_path(volumes, number)
    try:
        file = open_file(path, number, is_trusted=True)
    except FileNotFoundError:
        with index.write() as txn:
            index.delete_volume(txn, number)
        return
    if not is_abandoned(file.fd):
        return  # another process reads it
    found = _records(file)
    try:
        with index.write() as txn:
            row = index.volume(txn, number)
            if row is None or row.is_read:
                return
            for one in found:
                _enter(index, txn, volumes, one)
            if found:
                index.put_volume(txn, number, VolumeRow(file.disk, True, False))
                return
            path.unlink(missing_ok=True)
            index.delete_volume(txn, number)
    except (OSError, lmdb.Error) as error:
        if disk_error(error).reason is not Reason.FULL:
            raise
        path.unlink(missing_ok=True)  # it makes room for the rows of the others


def _records(file: File) -> list[_Found]:
    """Those alive; none if it cannot be read, which is the end of it."""
    size = os.fstat(file.fd).st_size
    found = []
    try:
        for at, length, is_live, record in records(file.pread, file.number):
            if is_live and record.offset + record.length <= size:
                row = Row(file.number, at, length)
                found.append(_Found(row_key(record.key), row, record.stamp))
    except DiskError:
        return []
    return found


def _enter(index: Index, txn: Txn, volumes: Path, found: _Found) -> None:
    """Of two records of one key one is too many: whoever wrote the later one may have died, or
    the power failed, before the other was marked."""
    other = index.row(txn, found.key)
    if index.was_removed(txn, found.key) or _holds(index, txn, volumes, other, found.stamp):
        mark_dead(volumes, found.row)
        return
    index.put(txn, found.key, found.row)
    if other is not None:
        mark_dead(volumes, other)


def _holds(index: Index, txn: Txn, volumes: Path, row: Row | None, stamp: int) -> bool:
    """Whether *row* leads to a record that is later than *stamp*."""
    if row is None:
        return False
    before = index.unread_before(txn)
    return (before is not None and row.volume >= before) or _stamp(volumes, row) > stamp


def _stamp(volumes: Path, row: Row) -> int:
    """0 if it leads to none."""
    try:
        file = open_file(volume_path(volumes, row.volume), row.volume, is_trusted=True)
        decoded = decode_record(file.pread(row.size, row.at), row.volume)
    except (FileNotFoundError, DiskError):
        return 0
    return 0 if decoded is None else decoded[1].stamp
