"""Transport streams to be changed: packets by PID, tables with their CRC."""

from collections.abc import Callable

from lint.mpegts.psi import crc32

Edit = Callable[[bytes], bytes]


class Stream:
    def __init__(self, data: bytes) -> None:
        self.data = bytearray(data)
        self.pmt = int.from_bytes(self.section(0)[10:12], "big") & 8191
        table = self.section(self.pmt)
        at = 12 + (int.from_bytes(table[10:12], "big") & 4095)
        kinds = {}
        while at + 5 <= len(table) - 4:
            kinds[table[at]] = int.from_bytes(table[at + 1 : at + 3], "big") & 8191
            at += 5 + (int.from_bytes(table[at + 3 : at + 5], "big") & 4095)
        self.video, self.sound = kinds[0x1B], kinds[0x0F]

    def packets(self, pid: int, *, starts: bool = False) -> list[int]:
        """Where the packets with payload of *pid* are, or those that start a unit."""
        return [
            at
            for at in range(0, len(self.data), 188)
            if int.from_bytes(self.data[at + 1 : at + 3], "big") & 8191 == pid
            and self.data[at + 3] & 0x10
            and (not starts or self.data[at + 1] & 0x40)
        ]

    def payload(self, at: int) -> int:
        """Where the payload of the packet at *at* begins."""
        return at + 4 + (1 + self.data[at + 4] if self.data[at + 3] & 0x20 else 0)

    def clocks(self) -> list[int]:
        """Where the flags of adaptation fields with a PCR are."""
        return [
            at + 5
            for at in range(0, len(self.data), 188)
            if self.data[at + 3] & 0x20 and self.data[at + 4] and self.data[at + 5] & 0x10
        ]

    def set_clock(self, flags: int, ticks: int) -> None:
        self.data[flags + 1 : flags + 5] = (ticks >> 1).to_bytes(4, "big")

    def pes(self, number: int, *, pid: int | None = None, decoded: bool = False) -> int:
        """Where a PES packet begins; *decoded*: of those that have a DTS."""
        starts = [self.payload(at) for at in self.packets(pid or self.video, starts=True)]
        return [at for at in starts if not decoded or self.data[at + 7] >> 6 == 3][number]

    def section(self, pid: int) -> bytes:
        at = self.payload(self.packets(pid)[0])
        start = at + 1 + self.data[at]
        length = 3 + (int.from_bytes(self.data[start + 1 : start + 3], "big") & 4095)
        return bytes(self.data[start : start + length])

    def set_section(self, pid: int, body: bytes) -> None:
        """*body* is without its CRC."""
        at = self.packets(pid)[0]
        body = body[:1] + (0xB000 | len(body) + 1).to_bytes(2, "big") + body[3:]
        body = b"\0" + body + crc32(body).to_bytes(4, "big")
        start = self.payload(at)
        self.data[start : at + 188] = body.ljust(at + 188 - start, b"\xff")


def stamp(prefix: int, ticks: int) -> bytes:
    """A PTS or DTS as a PES header has it."""
    return bytes(
        (
            prefix << 4 | (ticks >> 30 & 7) << 1 | 1,
            ticks >> 22 & 255,
            (ticks >> 15 & 127) << 1 | 1,
            ticks >> 7 & 255,
            (ticks & 127) << 1 | 1,
        )
    )


def changed(change: Callable[[Stream], None]) -> Edit:
    def edit(data: bytes) -> bytes:
        stream = Stream(data)
        change(stream)
        return bytes(stream.data)

    return edit
