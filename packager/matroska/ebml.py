"""EBML: elements of an identifier, a size and a payload (RFC 8794 §4 to §7)."""

import struct
from collections.abc import Iterator

from packager.errors import MalformedElement

MAX_ELEMENTS = 10_000
"""In one container that is read into memory."""

HEAD_SIZE = 12
"""Bytes of the longest identifier and size."""

NAMES = {
    0x1A45DFA3: "EBML", 0x4282: "DocType", 0x42F7: "EBMLReadVersion",
    0x42F2: "EBMLMaxIDLength", 0x42F3: "EBMLMaxSizeLength", 0xEC: "Void",
    0xBF: "CRC-32", 0x18538067: "Segment", 0x114D9B74: "SeekHead", 0x1549A966: "Info",
    0x2AD7B1: "TimestampScale", 0x1654AE6B: "Tracks", 0xAE: "TrackEntry", 0x1F43B675: "Cluster",
    0xE7: "Timestamp", 0xA7: "Position", 0xAB: "PrevSize", 0xA3: "SimpleBlock",
    0xA0: "BlockGroup", 0xA1: "Block", 0x9B: "BlockDuration", 0xFB: "ReferenceBlock",
    0x75A2: "DiscardPadding", 0x75A1: "BlockAdditions", 0x1C53BB6B: "Cues", 0x1254C367: "Tags",
    0x1043A770: "Chapters", 0x1941A469: "Attachments", 0xD7: "TrackNumber", 0x83: "TrackType",
    0x86: "CodecID", 0x63A2: "CodecPrivate", 0x23E383: "DefaultDuration", 0x56AA: "CodecDelay",
    0x22B59C: "Language", 0x22B59D: "LanguageBCP47", 0x6D80: "ContentEncodings",
    0x6240: "ContentEncoding", 0x5034: "ContentCompression", 0x4254: "ContentCompAlgo",
    0x5035: "ContentEncryption", 0xE0: "Video", 0xB0: "PixelWidth", 0xBA: "PixelHeight",
    0x54B0: "DisplayWidth", 0x54BA: "DisplayHeight", 0x54B2: "DisplayUnit", 0x55B0: "Colour",
    0x55D0: "MasteringMetadata", 0x7670: "Projection", 0x7675: "ProjectionPoseRoll",
    0xE1: "Audio", 0xB5: "SamplingFrequency", 0x9F: "Channels", 0x6264: "BitDepth",
    0x41E4: "BlockAdditionMapping", 0x41E7: "BlockAddIDType", 0x41ED: "BlockAddIDExtraData",
}  # fmt: skip


def name_of(identifier: int) -> str:
    return NAMES.get(identifier) or f"element 0x{identifier:X}"


def vint(data: bytes | memoryview, at: int, where: str) -> tuple[int, int, int]:
    """``(value, width, ones)`` of the variable-size integer at *at*: *ones* is the value of
    that width whose bits are all set.  *where* names it in the error."""
    first = data[at] if at < len(data) else -1
    if first <= 0:
        raise MalformedElement(where, "cut short" if first else "longer than 8 bytes")
    width = 9 - first.bit_length()
    if at + width > len(data):
        raise MalformedElement(where, "cut short")
    ones = (1 << 7 * width) - 1
    return int.from_bytes(data[at : at + width], "big") & ones, width, ones


def head(data: bytes | memoryview, at: int, parent: str) -> tuple[int, int | None, int]:
    """``(identifier, size, width)`` of the element at *at*; the size is None where it is
    unknown, *width* counts the bytes of both."""
    where = f"an element in {parent}"
    first = data[at] if at < len(data) else -1
    if first < 0x10:
        reason = "cut short" if first < 0 else "its identifier is longer than 4 bytes"
        raise MalformedElement(where, reason)
    width = 9 - first.bit_length()
    identifier = int.from_bytes(data[at : at + width], "big")
    size, more, ones = vint(data, at + width, f"{name_of(identifier)}: its size")
    return identifier, None if size == ones else size, width + more


def elements(data: memoryview, parent: str) -> Iterator[tuple[int, memoryview]]:
    """Yield ``(identifier, payload)`` of the elements laid end to end in *data*."""
    at = 0
    for _ in range(MAX_ELEMENTS):
        if at >= len(data):
            return
        identifier, size, width = head(data, at, parent)
        at += width
        left = len(data) - at
        if size is None or size > left:
            said = "of unknown size" if size is None else f"size {size} exceeds the {left} left"
            raise MalformedElement(name_of(identifier), f"{said} in {parent}")
        yield identifier, data[at : at + size]
        at += size
    raise MalformedElement(parent, f"more than {MAX_ELEMENTS} elements")


def children(data: memoryview, parent: str) -> dict[int, memoryview]:
    """The first element of each kind in *data*."""
    found: dict[int, memoryview] = {}
    for identifier, payload in elements(data, parent):
        found.setdefault(identifier, payload)
    return found


def unsigned(data: memoryview, name: str) -> int:
    if len(data) > 8:
        raise MalformedElement(name, f"an integer of {len(data)} bytes")
    return int.from_bytes(data, "big")


def signed(data: memoryview, name: str) -> int:
    if len(data) > 8:
        raise MalformedElement(name, f"an integer of {len(data)} bytes")
    return int.from_bytes(data, "big", signed=True)


def floating(data: memoryview, name: str) -> float:
    """Finite."""
    form = {0: "", 4: ">f", 8: ">d"}.get(len(data))
    if form is None:
        raise MalformedElement(name, f"a float of {len(data)} bytes")
    value = struct.unpack(form, data)[0] if form else 0.0
    if not abs(value) < 1e18:
        raise MalformedElement(name, f"{value} is out of range")
    return float(value)


def text(data: memoryview) -> str:
    """Up to the first zero (§7.5)."""
    return bytes(data[:256]).split(b"\0")[0].decode("utf-8", "backslashreplace")
