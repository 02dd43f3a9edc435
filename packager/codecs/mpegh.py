"""MPEG-H 3D audio: what mhaC tells (ISO/IEC 23008-3 §20.5.2)."""

from packager.codecs.bits import Bits
from packager.codecs.carried import CarriedAudio
from packager.codecs.cicp import CHANNELS
from packager.codecs.usac import sampling_frequency
from packager.errors import MalformedBox

_HEAD = 5
_MAX_RECORD = 64 << 10


def parse_mhac(entry: bytes, record: bytes) -> CarriedAudio:
    """MHADecoderConfigurationRecord; rate and channels of 0 where it does not say."""
    if not _HEAD <= len(record) <= _MAX_RECORD:
        raise MalformedBox(b"mhaC", f"{len(record)} bytes where {_HEAD} are needed")
    version, level, layout = record[:3]
    length = int.from_bytes(record[3:5], "big")
    if version != 1 or length > len(record) - _HEAD:
        raise MalformedBox(b"mhaC", f"version {version}, a configuration of {length} bytes")
    config = record[_HEAD : _HEAD + length]
    rate = 0
    if len(config) >= 5:
        bits = Bits(config)
        bits.read(8)  # mpegh3daProfileLevelIndication
        rate = sampling_frequency(bits, b"mhaC")
    codec = f"{entry.decode('ascii')}.0x{level:02X}"
    return CarriedAudio(entry, b"mhaC", record, codec, rate, CHANNELS.get(layout, 0))


def code_point(mhac: bytes) -> int | None:
    """referenceChannelLayout; None where it is none that is known."""
    return mhac[2] if mhac[2] in CHANNELS else None
