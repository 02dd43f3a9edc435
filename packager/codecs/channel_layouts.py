"""Which speakers the channels are for, as manifests tell it.

A number of channels is not a layout: eight of ALAC have two more in front, and eight of FLAC
two more behind.  What a codec says in a scheme of its own is said beside the code point, for
many layouts have none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from packager.codecs import ac4, dts, mpegh
from packager.codecs.aac import AOT_PS, AacConfig
from packager.codecs.bits import Bits
from packager.codecs.carried import CarriedAudio
from packager.codecs.carried_audio import dec3_speakers
from packager.codecs.truehd import channel_assignment

_DOLBY = "tag:dolby.com,2014:dash:audio_channel_configuration:2011"
_DOLBY_AC4 = "tag:dolby.com,2015:dash:audio_channel_configuration:2015"
_DTS = "tag:dts.com,2014:dash:audio_channel_configuration:2012"
_DTS_UHD = "tag:dts.com,2018:uhd:audio_channel_configuration"


@dataclass(frozen=True, slots=True)
class ChannelLayout:
    code_point: int | None = None
    """ChannelConfiguration (ISO/IEC 23091-3); None for a layout that has none."""

    registered: tuple[str, str] | None = None
    """The codec's own scheme and what it says (D-08)."""


NO_LAYOUT = ChannelLayout()

_FRONT_FIRST = {1: 1, 2: 2, 3: 3, 4: 10, 5: 5, 6: 6, 7: 11, 8: 12}
"""Channel counts of FLAC (RFC 9639 §9.1.3), Opus and Vorbis: 4 is quadraphonic."""

_ALAC = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 11, 8: 7}
_COUNTED: Mapping[bytes, Mapping[int, int]] = {
    b"dOps": _FRONT_FIRST, b"dfLa": _FRONT_FIRST, b"alac": _ALAC, b"esds": _FRONT_FIRST,
}  # fmt: skip
"""Where the number of channels is what tells; by the box."""

_DOLBY_POINTS = {
    0x4000: 1, 0xA000: 2, 0xE000: 3, 0xE100: 4, 0xF800: 5, 0xF801: 6, 0xFC01: 7, 0xA100: 9,
    0xB800: 10, 0xF901: 11, 0xFA01: 12, 0xF811: 14,
}  # fmt: skip
"""By chanmap (ETSI TS 102 366 table E.5), from its highest bit: left, centre, right, left and
right surround, pair in front, rear pair, rear centre, …, low frequencies."""

_ACMOD = (0xA000, 0x4000, 0xA000, 0xE000, 0xA100, 0xE100, 0xB800, 0xF800)
_DUAL_MONO = 8
_FROM_LOCATION = {0: 10, 1: 9, 2: 8, 3: 7, 4: 6, 5: 5, 6: 4, 7: 3, 8: 1}
"""Bit of chan_loc (table F.6.1) to bit of chanmap."""

_AC4_POINTS = {2: 1, 1: 2, 3: 3, 0x8003: 4, 7: 5, 0x47: 6, 0x4F: 12, 0x77: 16, 0x7F: 19}
_DTS_POINTS = {
    0x1: 1, 0x2: 2, 0x3: 3, 0x13: 4, 0x7: 5, 0xF: 6, 0x20F: 7, 0x12: 9, 0x6: 10, 0x1F: 11,
    0x4F: 12, 0x2F: 14,
}  # fmt: skip
_DTS_UHD_POINTS = {1: 1, 6: 2, 7: 3, 0x1F: 5, 0x3F: 6, 0x7F: 11, 0x1BF: 12}
_TRUEHD_POINTS = {0x2: 1, 0x1: 2, 0x3: 3, 0x83: 4, 0xB: 5, 0xF: 6, 0x2F: 7, 0x8F: 11, 0x4F: 12}
_PCE_POINTS = {
    (1, 0, 0): 1, (2, 0, 0): 2, (3, 0, 0): 3, (3, 1, 0): 4, (3, 2, 0): 5, (3, 2, 1): 6,
    (5, 2, 1): 7, (2, 1, 0): 9, (2, 2, 0): 10, (3, 3, 1): 11, (3, 4, 1): 12,
}  # fmt: skip
"""Channels in front, beside or behind, and of low frequencies."""


@lru_cache(maxsize=256)
def channel_layout(config: AacConfig | CarriedAudio) -> ChannelLayout:
    if isinstance(config, AacConfig):
        return ChannelLayout(_aac(config))
    match config.box:
        case b"dac3":
            bits = Bits(config.record)
            bits.read(2 + 5 + 3)  # fscod, bsid, bsmod
            return _dolby(bits.read(3), bits.read(1), 0)
        case b"dec3":
            return _dolby(*dec3_speakers(config.record))
        case b"dac4":
            mask = ac4.dsi(config.record).mask
            own = (_DOLBY_AC4, f"{mask:06X}") if mask else None
            return ChannelLayout(_AC4_POINTS.get(mask), own)
        case b"ddts":
            point = _DTS_POINTS.get(dts.channel_layout(config.record))
            return ChannelLayout(point, (_DTS, str(config.channels)))
        case b"udts":
            mask = dts.channel_mask(config.record)
            return ChannelLayout(_DTS_UHD_POINTS.get(mask), (_DTS_UHD, f"{mask:08X}"))
        case b"mhaC":
            return ChannelLayout(mpegh.code_point(config.record))
        case b"dmlp":
            return ChannelLayout(_TRUEHD_POINTS.get(channel_assignment(config.record)))
    return ChannelLayout(_COUNTED.get(config.box, {}).get(config.channels))


def _aac(config: AacConfig) -> int | None:
    if config.object_type == AOT_PS:
        return 2  # out of one
    return config.channel_configuration or _program(config.program_config)


def _dolby(acmod: int, lfe: int, locations: int) -> ChannelLayout:
    """*locations* is chan_loc of E-AC-3's dependent substreams."""
    mapped = _ACMOD[acmod] | lfe
    for bit, place in _FROM_LOCATION.items():
        mapped |= (locations >> bit & 1) << place
    point = _DUAL_MONO if not acmod else _DOLBY_POINTS.get(mapped)
    return ChannelLayout(point, (_DOLBY, f"{mapped:04X}"))


def _program(element: bytes) -> int | None:
    """The code point of what a program_config_element lists, where it has one."""
    if not element:
        return None
    bits = Bits(element)
    bits.read(3 + 4 + 2 + 4)  # its id, tag, object type, rate
    front, side, back, lfe = (bits.read(n) for n in (4, 4, 4, 2))
    bits.read(3 + 4)  # data, coupling
    for mixdown in (4, 4, 3):
        if bits.flag():
            bits.read(mixdown)

    def channels(elements: int) -> int:
        count = 0
        for _ in range(elements):
            count += 1 + bits.read(1)
            bits.read(4)
        return count

    return _PCE_POINTS.get((channels(front), channels(side) + channels(back), lfe))
