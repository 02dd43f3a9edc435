"""DTS: what ddts (ETSI TS 102 114 §E.2.2.3) and udts (ETSI TS 103 491 §B.2) tell."""

from packager.codecs.bits import Bits
from packager.codecs.carried import CarriedAudio
from packager.errors import MalformedBox

_PER_BIT = (1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2, 2, 1, 2, 1, 2)
"""Channels at each bit of ChannelLayout, from the lowest (table E-5)."""

_SIZE, _UHD_SIZE = 20, 7
_MAX_RECORD = 64 << 10


def parse_ddts(entry: bytes, record: bytes) -> CarriedAudio:
    """DTSSpecificBox; channels of 0 where it does not say."""
    if not _SIZE <= len(record) <= _MAX_RECORD:
        raise MalformedBox(b"ddts", f"{len(record)} bytes where {_SIZE} are needed")
    layout = channel_layout(record)
    channels = sum(count for bit, count in enumerate(_PER_BIT) if layout >> bit & 1)
    rate, depth = int.from_bytes(record[:4], "big"), record[12]
    if depth not in (16, 24):
        depth = 16
    return CarriedAudio(entry, b"ddts", record, entry.decode("ascii"), rate, channels, depth)


def channel_layout(ddts: bytes) -> int:
    """ChannelLayout: a bit for each speaker or pair."""
    bits = Bits(ddts[13:_SIZE])
    bits.read(2 + 5 + 1 + 6 + 14 + 1 + 3)  # durations, construction, core, representation
    return bits.read(16)


def parse_udts(record: bytes) -> CarriedAudio:
    """DTSUHDSpecificBox of DTS:X profile 2."""
    if not _UHD_SIZE <= len(record) <= _MAX_RECORD:
        raise MalformedBox(b"udts", f"{len(record)} bytes where {_UHD_SIZE} are needed")
    bits = Bits(record[6:])
    rate = (48_000 if bits.flag() else 44_100) << bits.read(2)
    return CarriedAudio(
        b"dtsx", b"udts", record, "dtsx", rate, channel_mask(record).bit_count(), 24
    )


def channel_mask(udts: bytes) -> int:
    """ChannelMask: a bit for each speaker."""
    return int.from_bytes(udts[2:6], "big")
