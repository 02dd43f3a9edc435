"""Dolby TrueHD: what dmlp tells (Dolby TrueHD bitstreams within the ISO base media file format
§3.4)."""

from packager.codecs.bits import Bits
from packager.codecs.carried import CarriedAudio
from packager.errors import MalformedBox

_SIZE = 10
_MAX_RECORD = 1 << 10
_RATES = {0: 48_000, 1: 96_000, 2: 192_000, 8: 44_100, 9: 88_200, 10: 176_400}
_PER_BIT = (2, 1, 1, 2, 2, 2, 2, 1, 1, 2, 2, 1, 1)
"""Channels at each bit of a channel assignment, from the lowest."""


def parse_dmlp(record: bytes) -> CarriedAudio:
    """MLPSpecificBox."""
    if not _SIZE <= len(record) <= _MAX_RECORD:
        raise MalformedBox(b"dmlp", f"{len(record)} bytes where {_SIZE} are needed")
    bits = Bits(record)
    code = bits.read(4)
    if code not in _RATES:
        raise MalformedBox(b"dmlp", f"sampling frequency {code} is reserved")
    assignment = channel_assignment(record)
    channels = sum(count for bit, count in enumerate(_PER_BIT) if assignment >> bit & 1)
    return CarriedAudio(b"mlpa", b"dmlp", record, "mlpa", _RATES[code], channels, 24)


def channel_assignment(dmlp: bytes) -> int:
    """Of the presentation of eight channels, or of six where there is no other."""
    info = int.from_bytes(dmlp[:4], "big")
    return info & 0x1FFF or info >> 15 & 0x1F
