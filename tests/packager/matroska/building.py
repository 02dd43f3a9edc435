"""Files of Matroska by hand: every element at will."""

import struct
from collections.abc import Sequence
from itertools import pairwise

from packager.matroska.lacing import EBML, FIXED, XIPH

SEGMENT, CLUSTER, TRACKS, TRACK = 0x18538067, 0x1F43B675, 0x1654AE6B, 0xAE
INFO, SCALE, TIMESTAMP, SIMPLE, GROUP, BLOCK = 0x1549A966, 0x2AD7B1, 0xE7, 0xA3, 0xA0, 0xA1
DURATION, PADDING, VOID = 0x9B, 0x75A2, 0xEC
VIDEO, AUDIO = 1, 2
KEY = 0x80
UNKNOWN = b"\x01" + 7 * b"\xff"
VP9_KEY_FRAME = bytes.fromhex("824983422000") + bytes(10)
OPUS_FRAME = b"\xf8" + bytes(19)
"""20 ms."""


def size_of(value: int) -> bytes:
    """The shortest variable-size integer."""
    width = next(n for n in range(1, 9) if value < (1 << 7 * n) - 1)
    return (1 << 7 * width | value).to_bytes(width, "big")


def identifier(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def element(number: int, *parts: bytes) -> bytes:
    payload = b"".join(parts)
    return identifier(number) + size_of(len(payload)) + payload


def unsized(number: int, *parts: bytes) -> bytes:
    return identifier(number) + UNKNOWN + b"".join(parts)


def uint(number: int, value: int) -> bytes:
    return element(number, value.to_bytes((value.bit_length() + 7) // 8 or 1, "big"))


def sint(number: int, value: int) -> bytes:
    return element(number, value.to_bytes(8, "big", signed=True))


def real(number: int, value: float) -> bytes:
    return element(number, struct.pack(">d", value))


def header(*parts: bytes) -> bytes:
    return element(0x1A45DFA3, element(0x4282, b"webm"), *parts)


def file(*children: bytes) -> bytes:
    return header() + element(SEGMENT, *children)


def tracks(*entries: bytes) -> bytes:
    return element(TRACKS, *entries)


def track(number: int, kind: int, codec: str, *parts: bytes) -> bytes:
    return element(
        TRACK, uint(0xD7, number), uint(0x83, kind), element(0x86, codec.encode()), *parts
    )


def aac(number: int = 1, *parts: bytes, codec: str = "A_AAC", private: str = "1210") -> bytes:
    """44.1 kHz, stereo."""
    record = element(0x63A2, bytes.fromhex(private)) if private else b""
    sound = element(0xE1, real(0xB5, 44_100), uint(0x9F, 2))
    return track(number, AUDIO, codec, record, sound, *parts)


def opus(number: int = 1, *parts: bytes, skip: int = 312) -> bytes:
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, skip, 48_000, 0, 0)
    sound = element(0xE1, real(0xB5, 48_000), uint(0x9F, 2))
    return track(number, AUDIO, "A_OPUS", element(0x63A2, head), sound, *parts)


def vp9(number: int = 1, *parts: bytes, entry: Sequence[bytes] = ()) -> bytes:
    """*parts* are of Video, *entry* of the track."""
    size = uint(0xB0, 640) + uint(0xBA, 360)
    return track(number, VIDEO, "V_VP9", element(0xE0, size, *parts), *entry)


def block(payload: bytes, time: int = 0, flags: int = KEY, number: int = 1) -> bytes:
    return size_of(number) + struct.pack(">hB", time, flags) + payload


def simple(payload: bytes, time: int = 0, flags: int = KEY, number: int = 1) -> bytes:
    return element(SIMPLE, block(payload, time, flags, number))


def group(payload: bytes, *parts: bytes, time: int = 0, number: int = 1) -> bytes:
    return element(GROUP, element(BLOCK, block(payload, time, 0, number)), *parts)


def cluster(*blocks: bytes, at: int = 0) -> bytes:
    return element(CLUSTER, uint(TIMESTAMP, at), *blocks)


def lace(kind: int, frames: Sequence[bytes]) -> bytes:
    """The payload of a block of *frames*."""
    sizes = list(map(len, frames))
    made = {FIXED: b"", XIPH: _xiph(sizes), EBML: _ebml(sizes)}[kind]
    return bytes([len(frames) - 1]) + made + b"".join(frames)


def _xiph(sizes: Sequence[int]) -> bytes:
    return b"".join(b"\xff" * (size // 255) + bytes([size % 255]) for size in sizes[:-1])


def _ebml(sizes: Sequence[int]) -> bytes:
    made = size_of(sizes[0]) if len(sizes) > 1 else b""
    for before, size in pairwise(sizes[:-1]):
        made += _signed(size - before)
    return made


def _signed(value: int) -> bytes:
    width = next(n for n in range(1, 9) if abs(value) < 1 << 7 * n - 1)
    shifted = value + (1 << 7 * width - 1) - 1
    return (1 << 7 * width | shifted).to_bytes(width, "big")
