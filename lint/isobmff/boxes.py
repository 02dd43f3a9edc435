"""Boxes of ISO base media, each with its place."""

from collections.abc import Iterator
from dataclasses import dataclass

from lint.findings import Malformed

DEPTH = 12
BOXES = 100_000
"""Boxes of one file at one level."""


@dataclass(frozen=True, slots=True)
class Box:
    kind: str
    start: int
    """Offset in the file."""
    header: int
    """Bytes before the payload."""
    end: int
    path: str
    data: memoryview
    """The file."""

    @property
    def size(self) -> int:
        return self.end - self.start

    @property
    def place(self) -> str:
        return f"{self.path} at {self.start}"

    def fields(self) -> "Fields":
        return Fields(self.data[self.start + self.header : self.end], self.place)

    def children(self, skip: int = 0) -> list["Box"]:
        """The boxes inside, after *skip* octets of payload."""
        if self.path.count("/") > DEPTH:
            raise Malformed(self.place, "boxes nested too deep")
        return list(boxes(self.data, self.start + self.header + skip, self.end, self.path))

    def child(self, kind: str, skip: int = 0) -> "Box | None":
        return next((box for box in self.children(skip) if box.kind == kind), None)

    def need(self, kind: str, skip: int = 0) -> "Box":
        """Raises Malformed if it is absent."""
        found = self.child(kind, skip)
        if found is None:
            raise Malformed(self.place, f"no {kind}")
        return found


@dataclass(slots=True)
class Fields:
    """Numbers of a payload one after the other, never past its end."""

    data: memoryview
    place: str
    at: int = 0

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.data):
            raise Malformed(
                self.place, f"ends within a field at octet {self.at} of its payload"
            )
        self.at += count
        return bytes(self.data[self.at - count : self.at])

    def uint(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def signed(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big", signed=True)

    def full(self) -> tuple[int, int]:
        """Version and flags."""
        return self.uint(1), self.uint(3)

    @property
    def left(self) -> int:
        return len(self.data) - self.at


def boxes(data: memoryview, start: int, end: int, parent: str = "") -> Iterator[Box]:
    """The boxes from *start* to *end*.  Raises Malformed."""
    count = 0
    while start < end:
        if count == BOXES:
            raise Malformed(f"{parent or 'file'} at {start}", f"more than {BOXES} boxes")
        count += 1
        if end - start < 8:
            raise Malformed(
                f"{parent or 'file'} at {start}", f"{end - start} octets are no box"
            )
        size, header = int.from_bytes(data[start : start + 4], "big"), 8
        kind = bytes(data[start + 4 : start + 8]).decode("latin-1")
        kind = kind if kind.isprintable() else kind.encode("latin-1").hex()
        if size == 1:
            if end - start < 16:
                raise Malformed(f"{parent}/{kind} at {start}", "the 64-bit size is cut off")
            size, header = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        elif size == 0 and not parent:
            size = end - start
        if not header <= size <= end - start:
            raise Malformed(
                f"{parent}/{kind} at {start}",
                f"size {size}, where {end - start} octets are left",
            )
        yield Box(kind, start, header, start + size, f"{parent}/{kind}".lstrip("/"), data)
        start += size
