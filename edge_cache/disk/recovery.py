"""What is trusted when a store is opened.

Whoever closes a store last waits for the disk, notes the fingerprint of every volume in the
index, and leaves a mark with that of the index.  Whoever opens it first takes the mark away.
The index is used as it is if it is as the mark says, or if all processes were killed and it is
as they left it (see ``running``).  If not, the power failed or somebody has written to it: it
is thrown away, and the records of the volumes are read while the store is in use (see
``reading``).  A volume is trusted if it is as it was when a stop was clean; of the others every
block of every body is verified before it is sent.
"""

import os
import re
import shutil
import struct
import time
from pathlib import Path

import lmdb
from xxhash import xxh3_64_digest

from edge_cache.disk.errors import Reason, disk_error
from edge_cache.disk.files import open_file
from edge_cache.disk.index import Index, Txn, VolumeRow
from edge_cache.disk.running import (
    Fingerprint,
    begin_notes,
    end_notes,
    fingerprint,
    is_as_left,
)
from edge_cache.disk.space import volume_path

INDEX, VOLUMES, MARK = "index", "volumes", "clean"

_MARK = struct.Struct("<8sQQQ")
_MAGIC = b"hrmrk\0\0\2"
_DATA = "data.mdb"
_NAME = re.compile("0000[0-9a-f]{12}")
"""Of a volume; no number that we give is ever longer."""

_TICK = 0.01
"""Seconds, more than the granularity of file times: what is written after a stop has a later
one than what was written last before it."""


def recover(directory: Path) -> bool:
    """Make *directory* fit to be opened; whether its index was used as it was.

    No other process may have the store open.  Takes no longer for more objects.
    """
    (directory / VOLUMES).mkdir(mode=0o700, exist_ok=True)
    is_known = _is_known(directory)
    _drop_mark(directory)
    if not is_known:
        shutil.rmtree(directory / INDEX, ignore_errors=True)
    try:
        _bring_in_line(directory)
    except (OSError, lmdb.Error) as error:
        # Somebody wrote to it whose traces the marks of a kill do not show.
        if not is_known or disk_error(error).reason is not Reason.DAMAGED:
            raise
        is_known = False
        shutil.rmtree(directory / INDEX)
        _bring_in_line(directory)
    return is_known


def _bring_in_line(directory: Path) -> None:
    (directory / INDEX).mkdir(mode=0o700, exist_ok=True)
    index = _open_index(directory)
    try:
        with index.write() as txn:
            _adopt(index, txn, directory / VOLUMES)
    finally:
        index.close()


def leave(directory: Path) -> None:
    """Bring everything to the disk, and say so.  No other process may have the store open."""
    index = Index(directory / INDEX, directory)
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
    end_notes(directory)


def _note(index: Index, txn: Txn, volumes: Path, number: int, row: VolumeRow) -> None:
    try:
        file = open_file(volume_path(volumes, number), number, is_trusted=True)
    except FileNotFoundError:
        index.delete_volume(txn, number)
        return
    if row.fingerprint != fingerprint(file.fd):
        os.fdatasync(file.fd)
        index.put_volume(txn, number, row._replace(fingerprint=fingerprint(file.fd)))


def _is_known(directory: Path) -> bool:
    """Whether the index is as the last stop, or a kill, has left it."""
    try:
        found = _fingerprint_of(directory / INDEX / _DATA)
    except FileNotFoundError:
        begin_notes(directory)
        return False
    if is_as_left(directory, found):
        return True
    begin_notes(directory)
    try:
        with (directory / MARK).open("rb") as file:
            return file.read(_MARK.size + 9) == _mark(found)
    except FileNotFoundError:
        return False


def _drop_mark(directory: Path) -> None:
    """Durable before the index is written to: no power loss may bring the mark back."""
    (directory / MARK).unlink(missing_ok=True)
    _sync_directory(directory)


def _write_mark(directory: Path, found: Fingerprint) -> None:
    fd = os.open(directory / MARK, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, _mark(found))
        os.fsync(fd)
    finally:
        os.close(fd)
    _sync_directory(directory)


def _mark(found: Fingerprint) -> bytes:
    data = _MARK.pack(_MAGIC, *found)
    return data + xxh3_64_digest(data)


def _open_index(directory: Path) -> Index:
    """On a disk that is full the oldest volumes make room for it."""
    oldest = iter(_numbers(directory / VOLUMES))
    while True:
        try:
            return Index(directory / INDEX, directory)
        except (OSError, lmdb.Error) as error:
            number = next(oldest, None)
            if number is None or disk_error(error).reason is not Reason.FULL:
                raise
            volume_path(directory / VOLUMES, number).unlink()


def _adopt(index: Index, txn: Txn, volumes: Path) -> None:
    """Bring the table of volumes in line with the files that there are."""
    known = dict(index.volumes(txn))
    has_unread = False
    for number in _numbers(volumes):
        row = known.pop(number, None)
        file = open_file(volume_path(volumes, number), number, is_trusted=True)
        if row is None:
            has_unread = True
            index.put_volume(txn, number, VolumeRow(file.disk, True, False, is_read=False))
        elif row.is_trusted and row.fingerprint != fingerprint(file.fd):
            used = file.disk if row.is_sealed else row.used
            index.put_volume(txn, number, row._replace(used=used, is_trusted=False))
    for number in known:
        index.delete_volume(txn, number)
    if has_unread and index.unread_before(txn) is None:
        index.begin_reading(txn)


def _numbers(volumes: Path) -> list[int]:
    """Of the volumes that are there, oldest first."""
    names = [path.name for path in volumes.iterdir()]
    return sorted(int(name, 16) for name in names if _NAME.fullmatch(name))


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
