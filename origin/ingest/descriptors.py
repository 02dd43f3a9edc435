"""Open files as FFmpeg reads and writes them; nothing is opened here."""

import os
from collections import Counter

import numpy as np

from origin.ingest.containers import Packets

_SYNC = 0x47
_MOSTLY = 0.9
"""Of the places of sync bytes, where the packets still lie as they did in the beginning."""

_BY_CHANCE = 8
"""Packets whose header a fault of the transmission may have changed."""


class Source:
    """A file that is read; of a transport stream, it sees which PIDs are scrambled."""

    def __init__(self, fd: int, packets: Packets | None) -> None:
        self._fd = fd
        self._packets = packets
        self._at = 0
        self._scrambled: Counter[int] = Counter()
        self._seen = 0
        self.size = os.fstat(fd).st_size
        self.furthest = 0
        """Offset behind the last byte that was read."""

    def read(self, size: int) -> bytes:
        data = os.pread(self._fd, size, self._at)
        if self._packets is not None and self._at + len(data) > self._seen:
            self._look(data, self._packets)
            self._seen = self._at + len(data)
        self._at += len(data)
        self.furthest = max(self.furthest, self._at)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    @property
    def scrambled(self) -> frozenset[int]:
        """PIDs with transport_scrambling_control (ISO/IEC 13818-1 §2.4.3.3)."""
        return frozenset(pid for pid, times in self._scrambled.items() if times > _BY_CHANCE)

    def _look(self, data: bytes, packets: Packets) -> None:
        view = np.frombuffer(data, np.uint8)
        rows = np.arange(
            (packets.start - self._at) % packets.stride, len(view) - 3, packets.stride
        )
        synchronous = rows[view[rows] == _SYNC]
        if len(synchronous) < _MOSTLY * len(rows):
            return
        hidden = synchronous[view[synchronous + 3] >= 0x40]
        pids = (view[hidden + 1].astype(int) & 0x1F) << 8 | view[hidden + 2]
        self._scrambled.update(pids.tolist())


class Target:
    """A file that is written."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._at = 0
        self.error: OSError | None = None
        """The first one; FFmpeg does not always tell."""

    def write(self, data: bytes) -> int:
        if self.error is not None:
            raise self.error
        view = memoryview(data)
        while view:
            try:
                done = os.pwrite(self._fd, view, self._at)
            except OSError as error:
                self.error = error
                raise
            self._at += done
            view = view[done:]
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        end = os.fstat(self._fd).st_size
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: end}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at
