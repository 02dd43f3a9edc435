"""NAL units: Annex B and length-prefixed, what they are, and the picture's size."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from lint.findings import Malformed

HEVC = ("hvc", "hev", "dvh")
CRA = 21
UNITS = 100_000
"""Of one access unit."""
_START = re.compile(rb"\x00\x00\x01")


def annex_b(data: bytes) -> Iterator[bytes]:
    """The units of a byte stream without their start codes.  Raises Malformed."""
    starts = [found.end() for found in islice(_START.finditer(data), UNITS + 1)]
    if len(starts) > UNITS:
        raise Malformed("access unit", f"more than {UNITS} NAL units")
    for start, following in zip(starts, [*starts[1:], len(data) + 3], strict=True):
        yield data[start : following - 3].rstrip(b"\0")


def prefixed(data: memoryview, length: int, place: str) -> Iterator[bytes]:
    """The first 64 octets of each unit of a sample.  Raises Malformed."""
    at, count = 0, 0
    while at < len(data):
        count += 1
        if count > UNITS:
            raise Malformed(place, f"more than {UNITS} NAL units")
        size = int.from_bytes(data[at : at + length], "big")
        at += length
        if at + size > len(data):
            raise Malformed(
                place, f"NAL unit of {size} octets, {max(0, len(data) - at)} are left"
            )
        yield bytes(data[at : min(at + size, at + 64)])
        at += size


def kind_of(codec: str, unit: bytes) -> int:
    """nal_unit_type; -1 of an empty unit."""
    if not unit:
        return -1
    return unit[0] & 31 if codec.startswith("avc") else unit[0] >> 1 & 63


def is_picture(codec: str, kind: int) -> bool:
    return 1 <= kind <= 5 if codec.startswith("avc") else 0 <= kind <= 31


def random_access(codec: str, kind: int) -> bool:
    """IDR of H.264; IDR, BLA or CRA of HEVC."""
    return kind == 5 if codec.startswith("avc") else 16 <= kind <= 21


@dataclass(slots=True)
class _Bits:
    data: bytes
    at: int = 0

    def take(self, count: int) -> int:
        value = 0
        for _ in range(count):
            if self.at >= 8 * len(self.data):
                raise Malformed("SPS", "it is too short")
            value = value << 1 | self.data[self.at >> 3] >> 7 - (self.at & 7) & 1
            self.at += 1
        return value

    def ue(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise Malformed("SPS", "an Exp-Golomb code of more than 32 bits")
        return (1 << zeros) - 1 + self.take(zeros)

    def se(self) -> int:
        value = self.ue()
        return (value + 1) // 2 if value & 1 else -(value // 2)


def picture_size(sps: bytes) -> tuple[int, int]:
    """Width and height that an H.264 SPS (with its header octet) crops to: 7.3.2.1.1."""
    b = _Bits(sps[1:].replace(b"\0\0\3", b"\0\0"))
    profile = b.take(8)
    b.take(16)
    b.ue()
    chroma = 1
    if profile in (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135):
        chroma = b.ue()
        if chroma == 3:
            b.take(1)
        b.ue()
        b.ue()
        b.take(1)
        if b.take(1):
            for index in range(12 if chroma == 3 else 8):
                if b.take(1):
                    _scaling(b, 16 if index < 6 else 64)
    b.ue()
    order = b.ue()
    if order == 0:
        b.ue()
    elif order == 1:
        b.take(1)
        b.se()
        b.se()
        for _ in range(min(b.ue(), 255)):
            b.se()
    b.ue()
    b.take(1)
    width, units = (b.ue() + 1) * 16, b.ue() + 1
    frames_only = b.take(1)
    height = units * 16 * (2 - frames_only)
    if not frames_only:
        b.take(1)
    b.take(1)
    if b.take(1):
        left, right, top, bottom = (b.ue() for _ in range(4))
        across = 2 if chroma in (1, 2) else 1
        down = (2 if chroma == 1 else 1) * (2 - frames_only)
        width, height = width - across * (left + right), height - down * (top + bottom)
    return width, height


def _scaling(b: _Bits, count: int) -> None:
    last = following = 8
    for _ in range(count):
        if following:
            following = (last + b.se()) % 256
        last = following or last
