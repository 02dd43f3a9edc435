"""PAT and PMT: rule T-01."""

from dataclasses import dataclass, field

from lint.findings import Malformed, Say
from lint.mpegts.packets import Packets

PES_TYPES = {0x1B: "h264", 0x24: "hevc", 0x0F: "aac", 0x81: "ac-3", 0x87: "ec-3"}
PES_TYPES |= {0x03: "mp3", 0x04: "mp3", 0x15: "id3"}


@dataclass(slots=True)
class Program:
    pmt: int = 0
    clock: int = 0x1FFF
    streams: dict[int, int] = field(default_factory=dict)
    """stream_type by PID."""
    versions: tuple[int, int] = (0, 0)


def read_program(packets: Packets, say: Say) -> Program:
    """The one program of the stream.  Raises Malformed."""
    found = Program()
    pat = _section(packets, 0, 0x00, say)
    programs = [
        (
            int.from_bytes(pat[i : i + 2], "big"),
            int.from_bytes(pat[i + 2 : i + 4], "big") & 8191,
        )
        for i in range(8, len(pat) - 4, 4)
    ]
    programs = [(number, pid) for number, pid in programs if number]
    if not programs:
        raise Malformed("PAT", "it lists no program")
    if len(programs) > 1:
        say("T-01.programs", "PAT", f"{len(programs)} programs")
    found.pmt = programs[0][1]
    if packets.order[:2] != [0, found.pmt]:
        first = " ".join(f"{pid:#x}" for pid in packets.order[:3])
        say("T-01.first", "byte 0", f"the first PIDs are {first}, PMT is {found.pmt:#x}")
    pmt = _section(packets, found.pmt, 0x02, say)
    if len(pmt) < 16:
        raise Malformed("PMT", f"{len(pmt)} octets")
    found.clock = int.from_bytes(pmt[8:10], "big") & 8191
    found.versions = pat[5] >> 1 & 31, pmt[5] >> 1 & 31
    at = 12 + (int.from_bytes(pmt[10:12], "big") & 4095)
    while at + 5 <= len(pmt) - 4:
        pid = int.from_bytes(pmt[at + 1 : at + 3], "big") & 8191
        found.streams[pid] = pmt[at]
        at += 5 + (int.from_bytes(pmt[at + 3 : at + 5], "big") & 4095)
    if found.clock not in found.streams:
        say("T-03.pid", "PMT", f"PCR_PID {found.clock:#x} is no stream of the program")
    return found


def _section(packets: Packets, pid: int, table: int, say: Say) -> bytes:
    """The first section of *pid* from its table_id on."""
    name = "PAT" if table == 0 else "PMT"
    stream = packets.streams.get(pid)
    if stream is None or not stream.units:
        raise Malformed(name, f"no packet of PID {pid:#x}")
    data = stream.units[0].data
    start = 1 + data[0] if data else 0
    section = bytes(data[start:])
    if len(section) < 12 or section[0] != table:
        raise Malformed(name, "no such section in its packets")
    length = 3 + (int.from_bytes(section[1:3], "big") & 4095)
    if length > len(section) or length < 12:
        raise Malformed(name, f"section of {length} octets in {len(section)}")
    if crc32(section[:length]):
        say("T-01.crc", f"{name} at byte {stream.units[0].at}", "CRC-32 is wrong")
    return section[:length]


def crc32(data: bytes) -> int:
    """The CRC of 13818-1 Annex A; 0 over a section with its own CRC at the end.

    >>> hex(crc32(b"123456789"))
    '0x376e6e7'
    """
    value = 0xFFFFFFFF
    for octet in data:
        value ^= octet << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 1 << 31 else 0)) & 0xFFFFFFFF
    return value
