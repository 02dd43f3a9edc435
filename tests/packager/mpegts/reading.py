"""A transport stream taken apart by the letter of ISO/IEC 13818-1, with checks."""

from dataclasses import dataclass, field
from itertools import pairwise


@dataclass
class Packet:
    pid: int
    start: bool
    counter: int
    payload: bytes
    pcr: int | None = None
    random_access: bool = False


@dataclass
class Pes:
    pid: int
    pts: int
    dts: int
    data: bytes
    random_access: bool = False
    clocks: list[int] = field(default_factory=list)


def packets_of(stream: bytes) -> list[bytes]:
    assert len(stream) % 188 == 0
    return [stream[at : at + 188] for at in range(0, len(stream), 188)]


def parse_packet(raw: bytes) -> Packet:
    assert raw[0] == 0x47
    assert raw[1] & 0xA0 == 0  # no error, no priority
    assert raw[3] & 0xC0 == 0  # not scrambled
    packet = Packet((raw[1] & 0x1F) << 8 | raw[2], bool(raw[1] & 0x40), raw[3] & 15, raw[4:])
    control = raw[3] >> 4 & 3
    assert control, "reserved"
    if control & 2:
        length = raw[4]
        assert length == 183 if control == 2 else length <= 182
        parse_field(packet, raw[5 : 5 + length])
        packet.payload = raw[5 + length :]
    assert bool(packet.payload) == bool(control & 1)
    return packet


def parse_field(packet: Packet, adaptation: bytes) -> None:
    if not adaptation:
        return
    flags, stuffing = adaptation[0], adaptation[1:]
    assert flags & 0xAF == 0, "only a clock and random access are used"
    packet.random_access = bool(flags & 0x40)
    if flags & 0x10:
        clock, stuffing = int.from_bytes(stuffing[:6], "big"), stuffing[6:]
        packet.pcr = clock >> 15
        assert clock & 0x7FFF == 0x7E00  # six reserved ones, extension 0
    assert stuffing == b"\xff" * len(stuffing)


def stamp(data: bytes, prefix: int) -> int:
    value = int.from_bytes(data, "big")
    assert value >> 36 == prefix
    assert value & 0x100010001 == 0x100010001  # marker bits
    return (value >> 33 & 7) << 30 | (value >> 17 & 0x7FFF) << 15 | value >> 1 & 0x7FFF


def parse_pes(pid: int, raw: bytes) -> Pes:
    assert raw[:3] == b"\0\0\1"
    assert raw[3] in {0x100: (0xE0,), 0x101: (0xC0, 0xBD)}[pid]
    length = int.from_bytes(raw[4:6], "big")
    assert length == (0 if pid == 0x100 else len(raw) - 6)
    assert raw[6] == 0x84  # aligned
    flags, header = raw[7] >> 6, raw[9 : 9 + raw[8]]
    pts = stamp(header[:5], flags)
    dts = stamp(header[5:10], 1) if flags == 3 else pts
    assert len(header) == (10 if flags == 3 else 5)
    assert (dts != pts) == (flags == 3)
    return Pes(pid, pts, dts, raw[9 + raw[8] :])


def parse_stream(stream: bytes) -> tuple[list[Packet], list[Pes]]:
    packets = [parse_packet(raw) for raw in packets_of(stream)]
    gathered: dict[int, bytes] = {}
    found: list[Pes] = []
    flags: dict[int, bool] = {}

    def finish(pid: int) -> None:
        if pid in gathered:
            pes = parse_pes(pid, gathered.pop(pid))
            pes.random_access = flags[pid]
            found.append(pes)

    for packet in packets:
        if packet.pid not in (0x100, 0x101):
            continue
        if packet.start:
            finish(packet.pid)
            gathered[packet.pid], flags[packet.pid] = b"", packet.random_access
        if packet.payload:
            gathered[packet.pid] += packet.payload
    for pid in list(gathered):
        finish(pid)
    return packets, found


def check_stream(stream: bytes, *, first: int) -> list[Pes]:
    """The rules that any segment, or any run of segments from number *first* on, keeps."""
    packets, found = parse_stream(stream)
    assert [packet.pid for packet in packets[:2]] == [0, 0x1000]
    counters: dict[int, int] = {0: first - 2, 0x1000: first - 2, 0x100: -1, 0x101: -1}
    for packet in packets:
        step = 1 if packet.payload else 0  # §2.4.3.3: it counts payloads
        assert packet.counter == counters[packet.pid] + step & 15, packet
        counters[packet.pid] = packet.counter
    for pid in (0x100, 0x101):
        assert sum(packet.pid == pid and bool(packet.payload) for packet in packets) % 16 == 0
    clocks = [packet.pcr for packet in packets if packet.pcr is not None]
    signed = [one - (1 << 33) if one >= 1 << 32 else one for one in clocks]
    assert all(0 <= after - before <= 9000 for before, after in pairwise(signed))
    check_clock_before_times(packets, found)
    return found


def check_clock_before_times(packets: list[Packet], found: list[Pes]) -> None:
    """Each PES is complete before its decode time comes (rule T-03)."""
    waiting = list(found)
    by_pid = {pid: [pes for pes in waiting if pes.pid == pid] for pid in (0x100, 0x101)}
    clock = None
    for packet in packets:
        clock = packet.pcr if packet.pcr is not None else clock
        if packet.start and packet.pid in by_pid:
            pes = by_pid[packet.pid].pop(0)
            assert clock is not None
            assert (pes.dts - clock) % (1 << 33) < 1 << 32
            assert (pes.pts - pes.dts) % (1 << 33) < 1 << 32
