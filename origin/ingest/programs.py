"""What a transport stream says is in it: PAT and PMT (ISO/IEC 13818-1 §2.4.4).  Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from origin.ingest.containers import Packets
from packager.mpegts.psi import crc32

LOOK = 4 << 20
"""Bytes in which all tables must have been."""

_PAYLOAD = 188
_PAT, _PMT = 0, 2
_STREAM_TYPES = {
    0x01: "MPEG-1 video", 0x02: "MPEG-2 video", 0x03: "MPEG audio", 0x04: "MPEG audio",
    0x05: "private sections", 0x06: "private data", 0x0F: "AAC", 0x10: "MPEG-4 video",
    0x11: "AAC in LATM", 0x15: "timed metadata", 0x1B: "H.264", 0x1C: "MPEG-4 audio",
    0x20: "H.264 MVC", 0x21: "JPEG 2000", 0x24: "HEVC", 0x33: "VVC", 0x42: "AVS",
    0x80: "private data", 0x81: "AC-3", 0x82: "DTS", 0x83: "TrueHD", 0x84: "E-AC-3",
    0x86: "SCTE-35", 0x87: "E-AC-3", 0x90: "PGS subtitles", 0xEA: "VC-1",
}  # fmt: skip
_VIDEO = frozenset((0x01, 0x02, 0x10, 0x1B, 0x20, 0x21, 0x24, 0x33, 0x42, 0xEA))
_PRIVATE = 0x06
_DESCRIPTORS = {
    0x56: "teletext", 0x59: "DVB subtitles", 0x6A: "AC-3", 0x7A: "E-AC-3", 0x7B: "DTS",
}  # fmt: skip
"""Of private data (ETSI EN 300 468 §6.1)."""


@dataclass(frozen=True, slots=True)
class Carried:
    """An elementary stream, as its program map says."""

    pid: int
    name: str
    is_video: bool


@dataclass(frozen=True, slots=True)
class Program:
    number: int
    streams: tuple[Carried, ...]


def programs(head: bytes, packets: Packets) -> tuple[Program, ...]:
    """The programs whose maps are in *head*, in the order of the association table."""
    maps: dict[int, int] | None = None
    sections: dict[int, bytearray] = {}
    found: dict[int, Program] = {}
    for pid, is_start, payload in _payloads(head, packets):
        if pid != 0 and (maps is None or pid not in maps.values()):
            continue
        for section in _sections(sections, pid, is_start, payload):
            if section[0] == _PAT and maps is None:
                maps = _association(section)
            elif section[0] == _PMT and maps is not None:
                program = _program(section)
                if maps.get(program.number) == pid:
                    found.setdefault(program.number, program)
        if maps is not None and len(found) == len(maps):
            break
    return tuple(found[number] for number in maps or () if number in found)


def _payloads(head: bytes, packets: Packets) -> Iterator[tuple[int, bool, bytes]]:
    """PID, whether a section begins there, and the payload, of packets that have one."""
    for at in range(packets.start, len(head) - _PAYLOAD + 1, packets.stride):
        packet = head[at : at + _PAYLOAD]
        if packet[0] != 0x47 or packet[1] & 0x80 or packet[3] & 0xC0 or not packet[3] & 0x10:
            continue
        start = 5 + packet[4] if packet[3] & 0x20 else 4
        yield (packet[1] & 0x1F) << 8 | packet[2], bool(packet[1] & 0x40), packet[start:]


def _sections(
    known: dict[int, bytearray], pid: int, is_start: bool, payload: bytes
) -> Iterator[bytes]:
    """Sections that *payload* completes and whose CRC holds."""
    if is_start:
        pointer = payload[0] + 1 if payload else 0
        before = known.get(pid)
        if before is not None:
            before += payload[1:pointer]
            yield from _complete(before)
        known[pid] = bytearray(payload[pointer:])
    elif pid in known:
        known[pid] += payload
    else:
        return
    yield from _complete(known[pid])


def _complete(data: bytearray) -> Iterator[bytes]:
    while len(data) >= 3 and data[0] != 0xFF:
        size = 3 + (data[1] << 8 & 0xF00 | data[2])
        if len(data) < size:
            return
        section = bytes(data[:size])
        del data[:size]
        if size >= 12 and not crc32(section):
            yield section


def _association(section: bytes) -> dict[int, int]:
    """PIDs of the maps by the number of the program."""
    rows = (section[at : at + 4] for at in range(8, len(section) - 7, 4))
    pairs = ((row[0] << 8 | row[1], (row[2] & 0x1F) << 8 | row[3]) for row in rows)
    return {number: pid for number, pid in pairs if number}


def _program(section: bytes) -> Program:
    at = 12 + ((section[10] & 0x0F) << 8 | section[11])
    streams = []
    while at + 5 <= len(section) - 4:
        size = (section[at + 3] & 0x0F) << 8 | section[at + 4]
        pid = (section[at + 1] & 0x1F) << 8 | section[at + 2]
        streams.append(_carried(section[at], pid, section[at + 5 : at + 5 + size]))
        at += 5 + size
    return Program(section[3] << 8 | section[4], tuple(streams))


def _carried(kind: int, pid: int, descriptors: bytes) -> Carried:
    name = _STREAM_TYPES.get(kind, f"stream type 0x{kind:02x}")
    at = 0
    while kind == _PRIVATE and at + 2 <= len(descriptors):
        name = _DESCRIPTORS.get(descriptors[at], name)
        at += 2 + descriptors[at + 1]
    return Carried(pid, name, kind in _VIDEO)
