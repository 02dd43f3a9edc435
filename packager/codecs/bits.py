"""Reading codec headers bit by bit."""


class BitsExhausted(ValueError):
    """The header ended before its syntax did."""


class Bits:
    """A cursor over big-endian bits."""

    __slots__ = ("_left", "_value")

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    @property
    def left(self) -> int:
        return self._left

    def read(self, count: int) -> int:
        """The next *count* bits, unsigned."""
        if count > self._left:
            raise BitsExhausted
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def flag(self) -> bool:
        return bool(self.read(1))

    def ue(self) -> int:
        """Exp-Golomb, unsigned (ITU-T H.264 §9.1)."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > 32:
                raise BitsExhausted
        return (1 << zeros) - 1 + self.read(zeros)

    def se(self) -> int:
        """Exp-Golomb, signed (§9.1.1)."""
        code = self.ue()
        return (code + 1) // 2 if code & 1 else -(code // 2)
