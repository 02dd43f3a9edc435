"""A body that is still arriving, read by many at their own pace."""

from bisect import bisect_right


class GrowingBody:
    """Pieces in order.  Offsets count from the start of the body, dropped or not."""

    def __init__(self) -> None:
        self.size = 0
        """Bytes that have come."""
        self._pieces: list[bytes] = []
        self._starts: list[int] = []  # the offset of each piece

    @property
    def start(self) -> int:
        """The first byte that is held."""
        return self.size - self.kept

    @property
    def pieces(self) -> list[bytes]:
        """What is held."""
        return self._pieces

    @property
    def kept(self) -> int:
        """Bytes that are held."""
        return self.size - self._starts[0] if self._starts else 0

    def append(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._starts.append(self.size)
        self.size += len(piece)

    def read(self, start: int, stop: int) -> memoryview:
        """Bytes from *start*, up to the end of the piece they are in, and not beyond *stop*.

        *start* must be below ``size`` and not dropped.
        """
        at = bisect_right(self._starts, start) - 1
        first = self._starts[at]
        return memoryview(self._pieces[at])[start - first : stop - first]

    def drop_before(self, offset: int) -> None:
        """Forget the pieces that end at *offset* or before: every reader is past them."""
        count = bisect_right(self._starts, offset) - 1
        if offset >= self.size:
            count = len(self._pieces)
        if count > 0:
            del self._pieces[:count], self._starts[:count]

    def whole(self) -> bytes:
        """The body as one; from now on it is read from there, and held once."""
        whole = b"".join(self._pieces)
        if whole:
            self._pieces, self._starts = [whole], [0]
        return whole
