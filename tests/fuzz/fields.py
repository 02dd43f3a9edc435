"""Damage done to fields, not to bytes at random: boxes of ISO base media, elements of EBML."""

import random

CONTAINERS = {
    b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"mvex", b"moof", b"traf", b"mfra",
}  # fmt: skip
_MASTERS = {
    0x18538067, 0x114D9B74, 0x4DBB, 0x1549A966, 0x1F43B675, 0xA0, 0x1654AE6B, 0xAE, 0xE0, 0xE1,
    0x6D80, 0x6240, 0x5034, 0x55B0, 0x55D0, 0x1C53BB6B, 0xBB, 0xB7, 0x75A1, 0xA6,
}  # fmt: skip
EBML = b"\x1a\x45\xdf\xa3"
VALUES = [
    0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000,
    2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1, 2**46, 2**62, 2**63 - 1, 2**63, 2**64 - 1,
]  # fmt: skip

Place = tuple[int, int, int]
"""Where a box or an element begins, where its payload does, and where it ends."""


def places(data: bytes) -> list[Place]:
    return _elements(data, 0, len(data)) if data[:4] == EBML else _boxes(data, 0, len(data))


def _boxes(data: bytes, start: int, stop: int) -> list[Place]:
    found = []
    while start + 8 <= stop and len(found) < 4096:
        size, payload = int.from_bytes(data[start : start + 4], "big"), start + 8
        fourcc = data[start + 4 : start + 8]
        if size == 1:
            size, payload = int.from_bytes(data[start + 8 : start + 16], "big"), start + 16
        if start + size < payload or start + size > stop:
            break
        if fourcc not in (b"udta", b"mdat", b"free"):
            found.append((start, payload, start + size))
        if fourcc in CONTAINERS:
            found += _boxes(data, payload, start + size)
        start += size
    return found


def _vint(data: bytes, at: int, *, marked: bool) -> tuple[int, int]:
    """Value and length; *marked* keeps the marker, as ids have it."""
    if at >= len(data) or not data[at]:
        return 0, 0
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length], "big")
    return (value if marked else value & ~(1 << 7 * length)), length


def _elements(data: bytes, start: int, stop: int) -> list[Place]:
    found = []
    while start < stop and len(found) < 4096:
        name, length = _vint(data, start, marked=True)
        size, width = _vint(data, start + length, marked=False)
        if not length or not width:
            break
        payload = start + length + width
        unknown = size == (1 << 7 * width) - 1
        end = stop if unknown else payload + size
        if end > stop:
            break
        found.append((start, payload, end))
        if name in _MASTERS:
            found += _elements(data, payload, end)
        start = end
    return found


def damaged(data: bytes, chance: random.Random) -> bytes:
    """*data* with one to three fields changed to where rules change, or a part of it moved."""
    found = places(data)
    if not found:
        return data
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 3])):
        start, payload, stop = chance.choice(found)
        if chance.random() < 0.1:  # a box or element doubled, dropped or moved
            part = data[start:stop]
            other = chance.choice(found)[0]
            match chance.randrange(3):
                case 0:
                    changed[other:other] = part
                case 1:
                    del changed[start:stop]
                case _:
                    changed[start : start + len(part)] = bytes(reversed(part[:64])) + part[64:]
            continue
        width = min(chance.choice([1, 2, 4, 4, 4, 8]), stop - start)
        first = start if chance.random() < 0.15 else min(payload, stop - width)
        reach = first + chance.choice([0, 8, 16, 40, 200])
        at = chance.randint(first, max(first, min(stop - width, reach)))
        value = chance.choice(VALUES) % (1 << 8 * width)
        changed[at : at + width] = value.to_bytes(width, "big")
    return bytes(changed)
