"""The sums of a body's blocks, made while it arrives."""

from xxhash import xxh3_64, xxh3_64_digest

from edge_cache.disk.record import BLOCK


class BlockSums:
    """xxh3-64 of each 64 KiB."""

    def __init__(self) -> None:
        self._done = bytearray()
        self._open = xxh3_64()
        self._filled = 0
        """Bytes in the block that is not whole yet."""

    def update(self, piece: memoryview) -> None:
        at = 0
        if self._filled:
            at = BLOCK - self._filled
            self._add(piece[:at])
        whole = at + (len(piece) - at) // BLOCK * BLOCK
        for start in range(at, whole, BLOCK):
            self._done += xxh3_64_digest(piece[start : start + BLOCK])
        if whole < len(piece):
            self._add(piece[max(at, whole) :])

    def finish(self) -> bytes:
        """All sums, one after the other.  Nothing may follow."""
        if self._filled:
            self._close()
        return bytes(self._done)

    def _add(self, part: memoryview) -> None:
        self._open.update(part)
        self._filled += len(part)
        if self._filled == BLOCK:
            self._close()

    def _close(self) -> None:
        self._done += self._open.digest()
        self._open.reset()
        self._filled = 0
