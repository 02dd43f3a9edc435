"""A body on its way to the disk.  Nobody can find it before it is committed.

Its methods block for as long as the page cache takes to take the bytes: call them from a
thread, and from one at a time.
"""

import os
import time
from collections.abc import Callable

from xxhash import xxh3_64_intdigest

from edge_cache.disk.blocks import BlockSums
from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.files import Handle
from edge_cache.disk.health import Health
from edge_cache.disk.index import Row
from edge_cache.disk.record import MAX_META, Record, encode_record
from edge_cache.disk.space import Space
from edge_cache.disk.volume import Volume

Publish = Callable[[bytes, Row], None]
"""Let everyone find the record of a key."""

_FIRST_GUESS = 1 << 20
"""Bytes that a body of unknown length is given room for; doubled when they are used up."""

_PIECE = 1 << 20


class Writer:
    """Ends with ``commit`` or ``abort``.  DiskError from any of its methods has aborted it."""

    def __init__(
        self, key: bytes, length: int | None, space: Space, health: Health, publish: Publish
    ) -> None:
        self.key = key
        self.size = 0
        """Bytes that have been appended, and can be read."""
        self._length = length
        self._space = space
        self._health = health
        self._publish = publish
        self._sums = BlockSums()
        self._is_alone = length is None or length > space.shared_limit
        self._room = min(_FIRST_GUESS, space.largest) if length is None else length
        enter = space.enter_alone if self._is_alone else space.enter
        with health.writing():
            self._volume, self._offset = enter(self._room)
        self._is_open = True

    def append(self, piece: bytes | bytearray | memoryview) -> None:
        self._must_be_open()
        stop = self.size + len(piece)
        if self._length is not None and stop > self._length:
            raise ValueError(f"a body of {self._length} bytes grew to {stop}")
        try:
            with self._health.writing():
                if stop > self._room:
                    self._grow(stop)
                self._volume.write(piece, self._offset + self.size)
        except DiskError:
            self.abort()
            raise
        self._sums.update(memoryview(piece))
        self.size = stop

    def _grow(self, stop: int) -> None:
        largest = self._space.largest
        if stop > largest:
            raise DiskError(Reason.NO_ROOM, f"a body of more than {largest} bytes")
        room = min(max(stop, 2 * self._room), largest)
        self._space.grow(self._volume, room)
        self._room = room

    def reader(self) -> Handle:
        """Of what is there so far: ``size`` bytes.  Stays readable, however this ends."""
        return Handle(self._volume.file, self._offset)

    def commit(self, meta: bytes) -> None:
        """Let the body be found, with *meta* beside it.

        ValueError if the body is shorter than was announced, or *meta* too long: it is aborted.
        """
        self._must_be_open()
        if (self._length is not None and self.size != self._length) or len(meta) > MAX_META:
            self.abort()
            raise ValueError(f"{self.size} bytes of {self._length}, {len(meta)} of metadata")
        try:
            with self._health.writing():
                if self._is_alone and self.size <= self._space.shared_limit:
                    self._move_in()
                self._store(meta)
        except DiskError:
            self.abort()
            raise
        self._leave(self._space.leave)

    def abort(self) -> None:
        """Give the body up, if it was not committed.  Whatever fails in it is only counted."""
        if self._is_open:
            self._leave(self._space.discard if self._is_alone else self._space.leave)

    def _leave(self, how: Callable[[Volume], None]) -> None:
        self._is_open = False
        try:
            with self._health.writing():
                how(self._volume)
        except DiskError:
            pass  # tending makes up for it

    def _store(self, meta: bytes) -> None:
        """The body and its record are in the page cache before there is a row."""
        volume, sums = self._volume, self._sums.finish()
        if self._is_alone:
            volume.begin_records(self._offset + self.size)
        record = encode_record(
            Record(
                self.key, meta, self._offset, self.size, time.time_ns(), xxh3_64_intdigest(sums)
            ),
            volume.number,
        )
        at = self._space.place_record(volume, len(record), self.size)
        volume.write(record + sums, at)
        if volume.file.is_gone:
            raise FileNotFoundError(2, os.strerror(2), str(volume.path))
        self._publish(self.key, Row(volume.number, at, len(record)))

    def _move_in(self) -> None:
        """The body turned out to be small: it goes to a volume with others."""
        alone, source = self._volume, self.reader()
        volume, offset = self._space.enter(self.size)
        self._volume, self._offset, self._is_alone = volume, offset, False
        try:
            for start in range(0, self.size, _PIECE):
                piece = source.read(start, min(start + _PIECE, self.size))
                volume.write(piece, offset + start)
        finally:
            self._space.discard(alone)

    def _must_be_open(self) -> None:
        if not self._is_open:
            raise DiskError(Reason.FAILED, "the body has ended")
