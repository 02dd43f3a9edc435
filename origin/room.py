"""A bound on the bytes that requests hold at once, whatever their number."""

from origin.errors import Overloaded


class Room:
    def __init__(self, size: int) -> None:
        self.free = size
        """Bytes."""

    def lend(self, size: int) -> "Lease":
        """Raises ``Overloaded`` where *size* bytes are not free."""
        if size > self.free:
            raise Overloaded("too many segments are being built")
        return Lease(self, size)


class Lease:
    """Bytes of a room until they are given back."""

    def __init__(self, room: Room, size: int) -> None:
        room.free -= size
        self._room, self._size = room, size

    def release(self) -> None:
        """Give them back; a second time changes nothing."""
        self._room.free += self._size
        self._size = 0
