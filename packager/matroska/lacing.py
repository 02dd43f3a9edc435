"""Several frames in one block (RFC 9559 §10.3)."""

from packager.errors import MalformedElement
from packager.matroska.ebml import vint

XIPH, FIXED, EBML = 0x02, 0x04, 0x06
MASK = 0x06
MAX_HEADER = 64 << 10
"""Bytes of a lace's sizes: 255 frames of 64 KiB, Xiph's way."""


def laced(data: bytes, flags: int, size: int) -> tuple[int, list[int]]:
    """Bytes before the first frame, and the size of each frame of a block whose payload behind
    its header has *size* bytes and begins with *data*."""
    if not data:
        raise MalformedElement("Block", "cut short before the number of its laced frames")
    count = data[0] + 1
    kind = flags & MASK
    if kind == FIXED:
        if (size - 1) % count:
            raise MalformedElement("Block", f"{size - 1} bytes are not {count} equal frames")
        return 1, [(size - 1) // count] * count if size > 1 else []
    at, sizes = (_xiph if kind == XIPH else _ebml)(data, count - 1)
    last = size - at - sum(sizes)
    if last < 0 or min(sizes, default=0) < 0:
        raise MalformedElement("Block", f"its laced frames exceed the {size} bytes of it")
    return at, [*sizes, last]


def _xiph(data: bytes, count: int) -> tuple[int, list[int]]:
    at, sizes = 1, []
    for _ in range(count):
        size = 0
        while True:
            if at >= len(data):
                raise MalformedElement("Block", "cut short inside the sizes of its frames")
            size += data[at]
            at += 1
            if data[at - 1] != 255:
                break
        sizes.append(size)
    return at, sizes


def _ebml(data: bytes, count: int) -> tuple[int, list[int]]:
    """The first size, then what each differs from the one before it."""
    at, sizes = 1, list[int]()
    for _ in range(count):
        value, width, ones = vint(data, at, "Block: a size of its laced frames")
        at += width
        sizes.append(sizes[-1] + value - (ones >> 1) if sizes else value)
    return at, sizes
