"""AC-3, E-AC-3, Opus, FLAC, ALAC, MP3, Vorbis: what their configuration boxes tell.

Rates and channels come from these, for the sample entry is often wrong (rule I-09).
"""

import struct

from packager.codecs.bits import Bits, BitsExhausted
from packager.codecs.carried import CarriedAudio
from packager.errors import MalformedBox, Unsupported

_MAX_RECORD = 64 << 10
_RATES = (48_000, 44_100, 32_000)
_CHANNELS = (2, 1, 2, 3, 3, 4, 4, 5)  # by acmod (ETSI TS 102 366 table 4.3)
_LOCATIONS = (2, 2, 1, 1, 2, 2, 2, 1, 1)
"""Channels at each bit of chan_loc, from the lowest (table F.6.1)."""

_STREAM_INFO_SIZE = 34
_VORBIS = b"\x01vorbis"


def parse_dac3(record: bytes) -> CarriedAudio:
    """AC3SpecificBox (ETSI TS 102 366 §F.4)."""
    bits = _bits(b"dac3", record, 3)
    rate = bits.read(2)
    bits.read(5 + 3)  # bsid, bsmod
    channels = _CHANNELS[bits.read(3)] + bits.flag()
    return CarriedAudio(b"ac-3", b"dac3", record, "ac-3", _rate(b"dac3", rate), channels)


def parse_dec3(record: bytes) -> CarriedAudio:
    """EC3SpecificBox (§F.6), with its extension for joint object coding."""
    bits = _bits(b"dec3", record, 5)
    bits.read(13)  # data_rate
    count = bits.read(3) + 1
    try:
        rate, channels = _independent(bits)
        for _ in range(count - 1):  # other programs
            _independent(bits)
    except BitsExhausted:
        raise MalformedBox(b"dec3", "cut short inside a substream") from None
    joc = 0
    if bits.left >= 16 and bits.read(8) & 1:  # flag_ec3_extension_type_a
        joc = bits.read(8)
    return CarriedAudio(b"ec-3", b"dec3", record, "ec-3", rate, channels, joc=joc)


def _independent(bits: Bits) -> tuple[int, int]:
    """Rate and channels of a substream and those that depend on it."""
    rate = bits.read(2)
    acmod, lfe, where = _speakers(bits)
    channels = _CHANNELS[acmod] + lfe
    channels += sum(n for bit, n in enumerate(_LOCATIONS) if where >> bit & 1)
    return _rate(b"dec3", rate), channels


def _speakers(bits: Bits) -> tuple[int, int, int]:
    bits.read(5 + 1 + 1 + 3)  # bsid, reserved, asvc, bsmod
    acmod, lfe = bits.read(3), bits.read(1)
    bits.read(3)
    if bits.read(4):  # num_dep_sub
        return acmod, lfe, bits.read(9)
    bits.read(1)
    return acmod, lfe, 0


def dec3_speakers(record: bytes) -> tuple[int, int, int]:
    """acmod, lfeon and chan_loc of the first programme of an EC3SpecificBox."""
    bits = Bits(record)
    bits.read(13 + 3 + 2)  # data_rate, num_ind_sub, fscod
    return _speakers(bits)


def _rate(box: bytes, code: int) -> int:
    if code >= len(_RATES):
        raise Unsupported(f"{box.decode()}: sample rate code {code}")
    return _RATES[code]


def parse_dops(record: bytes) -> CarriedAudio:
    """OpusSpecificBox (Opus in ISO base media files §4.3.2); output is at 48 kHz."""
    bits = _bits(b"dOps", record, 11)
    version, channels = bits.read(8), bits.read(8)
    if version or not channels:
        raise MalformedBox(b"dOps", f"version {version}, {channels} channels")
    return CarriedAudio(b"Opus", b"dOps", record, "Opus", 48_000, channels)


def parse_dfla(record: bytes) -> CarriedAudio:
    """FLACSpecificBox (FLAC in ISO base media files §3.3.2): STREAMINFO comes first."""
    bits = _bits(b"dfLa", record, 8 + _STREAM_INFO_SIZE)
    version, block, length = bits.read(32) >> 24, bits.read(8) & 127, bits.read(24)
    if version or block or length != _STREAM_INFO_SIZE:
        raise MalformedBox(b"dfLa", "does not begin with STREAMINFO")
    bits.read(16 + 16 + 24 + 24)  # sizes of blocks and frames
    rate, channels, depth = bits.read(20), bits.read(3) + 1, bits.read(5) + 1
    return CarriedAudio(
        b"fLaC", b"dfLa", record, "fLaC", _plausible(b"dfLa", rate), channels, depth
    )


def parse_alac(record: bytes) -> CarriedAudio:
    """ALACSpecificConfig, in a full box of the name of its entry."""
    bits = _bits(b"alac", record, 4 + 24)
    bits.read(32 + 32 + 8)  # version and flags, frameLength, compatibleVersion
    depth = bits.read(8)
    bits.read(24)  # pb, mb, kb
    channels = bits.read(8)
    bits.read(16 + 32 + 32)  # maxRun, maxFrameBytes, avgBitRate
    rate = _plausible(b"alac", bits.read(32))
    if depth not in (16, 20, 24, 32) or not 1 <= channels <= 8:
        raise MalformedBox(b"alac", f"{channels} channels of {depth} bits")
    return CarriedAudio(b"alac", b"alac", record, "alac", rate, channels, depth)


def mp3(esds: bytes, object_type: int, rate: int, channels: int) -> CarriedAudio:
    """MPEG-1 or MPEG-2 layer III in an *esds*, of which the sample entry tells all."""
    if not 1 <= channels <= 2:
        raise Unsupported(f"mp4a: MP3 of {channels} channels")
    rate = _plausible(b"mp4a", rate)
    return CarriedAudio(b"mp4a", b"esds", esds, f"mp4a.{object_type:02X}", rate, channels)


def vorbis(esds: bytes, headers: bytes) -> CarriedAudio:
    """Vorbis in an *esds*, of which the identification header (Vorbis I §4.2.2) tells all.

    *headers* are three, behind their lengths in Xiph's lacing or in 16 bits each.
    """
    start = headers.find(_VORBIS, 0, 16)
    if start < 0 or len(headers) < start + 30:
        raise MalformedBox(b"esds", "no identification header of Vorbis")
    channels, rate = struct.unpack_from("<BI", headers, start + 11)
    if not channels:
        raise MalformedBox(b"esds", "Vorbis of no channels")
    return CarriedAudio(b"mp4a", b"esds", esds, "mp4a.DD", _plausible(b"esds", rate), channels)


def dts_of_mpeg4(esds: bytes, rate: int, channels: int) -> CarriedAudio:
    """DTS in an *esds*, of which the sample entry tells all."""
    if not channels:
        raise MalformedBox(b"mp4a", "DTS of no channels")
    return CarriedAudio(b"mp4a", b"esds", esds, "mp4a.A9", _plausible(b"mp4a", rate), channels)


def _plausible(box: bytes, rate: int) -> int:
    if not 1 <= rate <= 768_000:
        raise MalformedBox(box, f"sampling frequency {rate}")
    return rate


def _bits(box: bytes, record: bytes, least: int) -> Bits:
    if not least <= len(record) <= _MAX_RECORD:
        raise MalformedBox(box, f"{len(record)} bytes where {least} are needed")
    return Bits(record)
