"""A volume while it is written: by one process, which holds a lock on the file.

Bodies get their places one after the other, and records theirs behind all bodies, so nothing
written is ever written again.  A place that was given and not used stays a hole.
"""

import fcntl
import os
from pathlib import Path

from edge_cache.disk.files import File
from edge_cache.disk.record import (
    GRAIN,
    aligned,
    encode_header,
    record_span,
)

MAX_RECORDS = 4096
"""Objects in one volume: evicting it is one transaction, of some 10 ms then."""

_USUAL_META = 2 << 10
"""Bytes of key and metadata that are set aside for a record."""


class Volume:
    """Not for two threads at once, but for ``write``."""

    def __init__(self, path: Path, number: int, reserved: int) -> None:
        """Create *path*, which must not be there.  *reserved*: bytes it may take."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self.file = File(os.open(path, flags, 0o600), number, is_trusted=True)
        fcntl.flock(self.file.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.path = path
        self.number = number
        self.reserved = reserved
        self.writers = 0
        """Bodies on their way."""
        self.is_full = False
        self._next_body = GRAIN
        self._next_record = 0
        """0 until it is known where the records begin."""
        self._records = 0
        self._promised = GRAIN
        """Bytes of the reservation that are spoken for."""

    def has_room(self, length: int) -> bool:
        return (
            not self.is_full
            and not self.file.is_gone
            and self._records < MAX_RECORDS
            and self._promised + _footprint(length) <= self.reserved
        )

    def place_body(self, length: int) -> int:
        """The offset of a body of *length*."""
        offset = self._next_body
        self._next_body += aligned(length, GRAIN)
        self._records += 1
        self._promised += _footprint(length)
        self.writers += 1
        return offset

    def place_record(self, size: int, length: int) -> int:
        """The offset of a record of *size*, for a body of *length*."""
        at = self._next_record
        self._next_record += record_span(size, length)
        self._promised += max(0, record_span(size, length) - record_span(_USUAL_META, length))
        return at

    def begin_records(self, offset: int) -> None:
        """Records begin at *offset* or after: bodies end there."""
        self._next_record = aligned(offset, GRAIN)
        self.write(encode_header(self._next_record), 0)

    def write(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        view = memoryview(data)
        while view:
            count = os.pwrite(self.file.fd, view, offset)
            view = view[count:]
            offset += count

    def unlock(self) -> None:
        """Tell the other processes that nobody writes to it any more."""
        fcntl.flock(self.file.fd, fcntl.LOCK_UN)


def is_abandoned(fd: int) -> bool:
    """Whether the process that wrote the volume has died; if so, it is ours now."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _footprint(length: int) -> int:
    return aligned(length, GRAIN) + record_span(_USUAL_META, length)


def own_reservation(length: int) -> int:
    """Bytes that a volume with one body of *length* takes."""
    return 2 * GRAIN + _footprint(length)
