"""Packets of a transport stream: rules T-01, T-02, T-03 and T-09, and what each PID carries."""

from dataclasses import dataclass, field

from lint.findings import Malformed, Say

PACKET = 188
PCR_EVERY = 9_000
"""Ticks of 90 kHz: 100 ms, 13818-1 2.7.2."""


@dataclass(slots=True)
class Unit:
    """What lies between two unit starts of one PID."""

    at: int
    """Offset of its first packet."""
    random_access: bool
    pcr: int | None
    """Of its first packet, in ticks of 90 kHz."""
    data: bytearray = field(default_factory=bytearray)


@dataclass(slots=True)
class Stream:
    units: list[Unit] = field(default_factory=list)
    first: int = 0
    """Continuity counter of the first packet with payload."""
    last: int = 0
    pcrs: list[tuple[int, int]] = field(default_factory=list)
    """Offset and ticks of 90 kHz."""


@dataclass(slots=True)
class Packets:
    streams: dict[int, Stream] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    """PIDs of the first packets."""


def read_packets(data: bytes, say: Say) -> Packets:
    """Take *data* apart.  Raises Malformed if it is no transport stream at all."""
    if not data or data[0] != 0x47:
        raise Malformed("byte 0", "no sync byte 0x47")
    if len(data) % PACKET:
        say("T-01.length", f"byte {len(data)}", f"{len(data)} octets are no whole packets")
    found = Packets()
    for at in range(0, len(data) - PACKET + 1, PACKET):
        if data[at] != 0x47:
            say("T-01.sync", f"byte {at}", f"{data[at]:#04x} in place of 0x47")
            raise Malformed(f"byte {at}", "synchronisation is lost")
        _packet(memoryview(data)[at : at + PACKET], at, found, say)
    return found


def _packet(packet: memoryview, at: int, found: Packets, say: Say) -> None:
    pid = (packet[1] & 31) << 8 | packet[2]
    if len(found.order) < 4:
        found.order.append(pid)
    if pid == 0x1FFF:
        return
    control, counter, body = packet[3] >> 4 & 3, packet[3] & 15, 4
    random_access, broken, pcr = False, False, None
    if control & 2:
        length = packet[4]
        body = 5 + length
        if length > 183 or (control == 3 and length > 182) or (control == 2 and length != 183):
            say("T-09.length", f"byte {at + 4}", f"adaptation_field_length {length}")
            return
        if length:
            random_access, broken = bool(packet[5] & 0x40), bool(packet[5] & 0x80)
            if packet[5] & 0x10 and length >= 7:
                pcr = int.from_bytes(packet[6:10], "big") << 1 | packet[10] >> 7
    fresh = pid not in found.streams
    if fresh and len(found.streams) >= 64:
        raise Malformed(f"byte {at}", "more than 64 PIDs")
    stream = found.streams.setdefault(pid, Stream())
    if pcr is not None:
        stream.pcrs.append((at, pcr))
    if not control & 1:
        return
    if fresh or not (stream.units or stream.pcrs):
        stream.first = counter
    elif counter != (stream.last + 1) % 16 and stream.units and not broken:
        text = f"{counter} follows {stream.last} on PID {pid:#x}"
        say("T-02.counter", f"byte {at}", text)
    stream.last = counter
    if packet[1] & 0x40 or not stream.units:
        stream.units.append(Unit(at, random_access, pcr))
    stream.units[-1].data += packet[body:]


def check_clock(pid: int, stream: Stream, say: Say) -> None:
    """PCR at the first packet, and often enough: T-03."""
    place = f"PID {pid:#x}"
    if not stream.pcrs:
        say("T-03.absent", place, "no PCR")
        return
    if stream.units and stream.pcrs[0][0] > stream.units[0].at:
        text = f"at byte {stream.pcrs[0][0]}, the first payload is at {stream.units[0].at}"
        say("T-03.first", place, text)
    for (_, one), (at, following) in zip(stream.pcrs, stream.pcrs[1:], strict=False):
        step = (following - one) % (1 << 33)
        if step > 1 << 32:
            say("T-03.backwards", f"byte {at}", f"{one} is followed by {following}")
        elif step > PCR_EVERY:
            say("T-03.interval", f"byte {at}", f"{step / 90:.1f} ms after the one before")
