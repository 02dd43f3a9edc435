"""AC-3 and E-AC-3: configuration boxes from the frames themselves, for containers that store
none (ETSI TS 102 366 §4.3, §E.1, §F.4, §F.6)."""

from dataclasses import dataclass

from packager.codecs.bits import Bits, BitsExhausted
from packager.errors import MalformedMedia

_SYNC = 0x0B77
_BLOCKS = (1, 2, 3, 6)
_RATES = (48_000, 44_100, 32_000)
_INDEPENDENT, _DEPENDENT = 0, 1
_BLOCK = 256
"""Samples of an audio block."""

_CUSTOM_TO_LOCATION = {  # bit of chanmap (table E.5) to bit of chan_loc (table F.6.1)
    10: 0, 9: 1, 8: 2, 7: 3, 6: 4, 5: 5, 4: 6, 3: 7, 1: 8,
}  # fmt: skip


def dac3(frame: bytes) -> bytes:
    """The payload of AC3SpecificBox, from a syncframe."""
    try:
        bits = _synced(frame, "AC-3")
        bits.read(16)  # crc1
        rate, size_code, bsid, bsmod, acmod = (bits.read(n) for n in (2, 6, 5, 3, 3))
        if bsid > 10 or rate == 3:
            raise MalformedMedia(f"AC-3: bsid {bsid}, sample rate code {rate}")
        if acmod & 1 and acmod != 1:
            bits.read(2)  # cmixlev
        if acmod & 4:
            bits.read(2)  # surmixlev
        if acmod == 2:
            bits.read(2)  # dsurmod
        lfe = bits.read(1)
    except BitsExhausted:
        raise MalformedMedia("AC-3: the first frame is cut short") from None
    value = rate << 22 | bsid << 17 | bsmod << 14 | acmod << 11 | lfe << 10
    return (value | (size_code >> 1) << 5).to_bytes(3, "big")


def _synced(frame: bytes, name: str) -> Bits:
    bits = Bits(frame[:256])
    if bits.read(16) != _SYNC:
        raise MalformedMedia(f"{name}: the first frame has no sync word")
    return bits


@dataclass(frozen=True, slots=True)
class _Substream:
    kind: int
    number: int
    size: int
    """Bytes of the frame."""

    rate: int
    blocks: int
    acmod: int
    lfe: int
    bsid: int
    channel_map: int
    joc: int


@dataclass(frozen=True, slots=True)
class Eac3:
    record: bytes
    """The payload of EC3SpecificBox."""

    duration: int
    """Samples of an access unit."""


def eac3(unit: bytes) -> Eac3:
    """From an access unit: syncframes of all substreams, end to end."""
    found: list[_Substream] = []
    at = 0
    try:
        while at + 6 <= len(unit) and len(found) < 64:
            found.append(_substream(unit[at:]))
            at += found[-1].size
    except BitsExhausted:
        raise MalformedMedia("E-AC-3: the first frame is cut short") from None
    first = next((one for one in found if one.kind != _DEPENDENT), None)
    if first is None:
        raise MalformedMedia("E-AC-3: no independent substream in the first frame")
    blocks = sum(
        one.blocks for one in found if one.kind != _DEPENDENT and one.number == first.number
    )
    duration = blocks * _BLOCK
    rate = _RATES[first.rate] if first.rate < 3 else _RATES[0]
    data_rate = min(8 * len(unit) * rate // (duration * 1000), (1 << 13) - 1)
    return Eac3(_dec3(found, data_rate), duration)


def _substream(frame: bytes) -> _Substream:
    """bsi of a syncframe (§E.1.2.2)."""
    bits = _synced(frame, "E-AC-3")
    kind, number, size, rate = (bits.read(n) for n in (2, 3, 11, 2))
    code = bits.read(2)
    acmod, lfe, bsid = bits.read(3), bits.read(1), bits.read(5)
    if not 10 < bsid <= 16 or rate == 3 or kind > 2:
        raise MalformedMedia(f"E-AC-3: bsid {bsid}, sample rate code {rate}, type {kind}")
    channel_map = 0
    for _ in range(1 if acmod else 2):
        bits.read(5)  # dialnorm
        if bits.flag():
            bits.read(8)  # compr
    if kind == _DEPENDENT and bits.flag():
        channel_map = bits.read(16)
    if bits.flag():  # mixmdate
        _skip_mixing(bits, kind, acmod, lfe, _BLOCKS[code])
    if bits.flag():  # infomdate
        _skip_information(bits, acmod)
    if kind == _INDEPENDENT and code != 3:
        bits.read(1)  # convsync
    if kind == 2 and (code == 3 or bits.flag()):
        bits.read(6)  # frmsizecod
    return _Substream(
        kind, number, 2 * (size + 1), rate, _BLOCKS[code], acmod, lfe, bsid, channel_map,
        _joc(bits),
    )  # fmt: skip


def _skip_mixing(bits: Bits, kind: int, acmod: int, lfe: int, blocks: int) -> None:
    if acmod > 2:
        bits.read(2)  # dmixmod
    if acmod & 1 and acmod > 2:
        bits.read(6)  # ltrtcmixlev, lorocmixlev
    if acmod & 4:
        bits.read(6)  # ltrtsurmixlev, lorosurmixlev
    if lfe and bits.flag():
        bits.read(5)  # lfemixlevcod
    if kind != _INDEPENDENT:
        return
    for _ in range(1 if acmod else 2):
        if bits.flag():
            bits.read(6)  # pgmscl
    if bits.flag():
        bits.read(6)  # extpgmscl
    match bits.read(2):  # mixdef
        case 1:
            bits.read(5)
        case 2:
            bits.read(12)
        case 3:
            length = bits.read(5)
            bits.read(8 * (length + 2))
    if acmod < 2:
        for _ in range(1 if acmod else 2):
            if bits.flag():
                bits.read(14)  # panmean, paninfo
    if bits.flag():  # frmmixcfginfoe
        if blocks == 1:
            bits.read(5)
        else:
            for _ in range(blocks):
                if bits.flag():
                    bits.read(5)


def _skip_information(bits: Bits, acmod: int) -> None:
    bits.read(3 + 1 + 1)  # bsmod, copyrightb, origbs
    if acmod == 2:
        bits.read(4)  # dsurmod, dheadphonmod
    if acmod >= 6:
        bits.read(2)  # dsurexmod
    for _ in range(1 if acmod else 2):
        if bits.flag():
            bits.read(8)  # mixlevel, roomtyp, adconvtyp
    bits.read(1)  # sourcefscod, of the full sample rates


def _joc(bits: Bits) -> int:
    """complexity_index_type_a of the addbsi (ETSI TS 103 420 §8.3.1)."""
    if not bits.flag():  # addbsie
        return 0
    length = bits.read(6) + 1
    if length < 2 or not bits.read(8) & 1:
        return 0
    return bits.read(8)


def _dec3(found: list[_Substream], data_rate: int) -> bytes:
    independents: list[_Substream] = []
    dependents: list[list[_Substream]] = []
    for one in found:
        if one.kind == _DEPENDENT:
            if dependents:
                dependents[-1].append(one)
        elif one.number not in {known.number for known in independents}:
            independents.append(one)
            dependents.append([])
        else:
            break  # the next frame of the same programme
    fields = [(data_rate, 13), (len(independents) - 1, 3)]
    for one, its in zip(independents, dependents, strict=True):
        fields += [(one.rate, 2), (one.bsid, 5), (0, 1 + 1 + 3), (one.acmod, 3), (one.lfe, 1)]
        fields += [(0, 3), (len(its), 4), (_locations(its), 9) if its else (0, 1)]
    value, size = 0, 0
    for field, width in fields:
        value, size = value << width | field, size + width
    padding = -size % 8
    made = (value << padding).to_bytes((size + padding) // 8, "big")
    joc = max(one.joc for one in found)
    return made + bytes((1, joc)) if joc else made


def _locations(its: list[_Substream]) -> int:
    """chan_loc: what the dependent substreams add."""
    found = 0
    for one in its:
        for bit, location in _CUSTOM_TO_LOCATION.items():
            found |= (one.channel_map >> bit & 1) << location
    return found
