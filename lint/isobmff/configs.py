"""What codec configuration records say: the codec string, parameter sets and sound."""

from dataclasses import dataclass

from lint.findings import Malformed
from lint.isobmff.boxes import Box, Fields

AAC_RATES = (
    96000,
    88200,
    64000,
    48000,
    44100,
    32000,
    24000,
    22050,
    16000,
    12000,
    11025,
    8000,
    7350,
)
"""Hz, by samplingFrequencyIndex (ISO/IEC 14496-3 §1.6.3.4)."""
_CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 11: 7, 12: 8, 14: 8}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    codec: str
    """As in RFC 6381."""
    nal_length: int = 0
    """Octets before each NAL unit; 0 if there are none."""
    parameter_sets: tuple[bytes, ...] = ()
    rate: int = 0
    """Samples a second of the sound that is carried, before SBR; 0 if not known."""
    channels: int = 0
    es_id: int = 0


def avc(entry: str, box: Box) -> Config:
    """ISO 14496-15 5.3.3.1."""
    f = box.fields()
    version, profile, constraints, level, length = f.take(5)
    if version != 1:
        raise Malformed(box.place, f"version {version} of avcC")
    sets = [f.take(f.uint(2)) for _ in range(f.uint(1) & 31)]
    sets += [f.take(f.uint(2)) for _ in range(f.uint(1))]
    return Config(
        codec=f"{entry}.{profile:02X}{constraints:02X}{level:02X}",
        nal_length=(length & 3) + 1,
        parameter_sets=tuple(sets),
    )


def hevc(entry: str, box: Box) -> Config:
    """ISO 14496-15 8.3.3.1 and Annex E."""
    f = box.fields()
    f.uint(1)
    profile = f.uint(1)
    flags = int(f"{f.uint(4):032b}"[::-1], 2)
    constraints = f.take(6).rstrip(b"\0")
    level = f.uint(1)
    f.take(8)
    length = f.uint(1)
    sets = []
    for _ in range(f.uint(1)):
        f.uint(1)
        sets += [f.take(f.uint(2)) for _ in range(f.uint(2))]
    space = ("", "A", "B", "C")[profile >> 6]
    parts = [entry, f"{space}{profile & 31}", f"{flags:X}"]
    parts += [f"{'H' if profile & 32 else 'L'}{level}", *(f"{c:X}" for c in constraints)]
    return Config(
        codec=".".join(parts), nal_length=(length & 3) + 1, parameter_sets=tuple(sets)
    )


def av1(box: Box) -> Config:
    """The part of the string that is never optional."""
    f = box.fields()
    f.uint(1)
    a, b = f.take(2)
    depth = 12 if b & 0x60 == 0x60 else 10 if b & 0x40 else 8
    return Config(codec=f"av01.{a >> 5}.{a & 31:02d}{'H' if b & 128 else 'M'}.{depth:02d}")


def vp9(entry: str, box: Box) -> Config:
    f = box.fields()
    f.full()
    profile, level, depth = f.take(3)
    return Config(codec=f"{entry}.{profile:02d}.{level:02d}.{depth >> 4:02d}")


def aac(box: Box) -> Config:
    """An esds: ISO 14496-1 7.2.6, 14496-3 1.6."""
    f = box.fields()
    f.full()
    _descriptor(f, 3)
    es_id, flags = f.uint(2), f.uint(1)
    f.take(2 * (flags >> 7))
    if flags & 0x40:
        f.take(f.uint(1))
    f.take(2 * (flags >> 5 & 1))
    _descriptor(f, 4)
    kind = f.uint(1)
    f.take(12)
    if kind != 0x40:
        return Config(codec=f"mp4a.{kind:02X}", es_id=es_id)
    specific = f.take(_descriptor(f, 5))
    object_type, rate, channels = audio_specific(specific, box.place)
    return Config(codec=f"mp4a.40.{object_type}", rate=rate, channels=channels, es_id=es_id)


def _descriptor(f: Fields, tag: int) -> int:
    """Enter a descriptor; its length."""
    if (found := f.uint(1)) != tag:
        raise Malformed(f.place, f"descriptor {found} instead of {tag}")
    length = 0
    for _ in range(4):
        octet = f.uint(1)
        length = length << 7 | octet & 127
        if not octet & 128:
            break
    return length


def audio_specific(config: bytes, place: str) -> tuple[int, int, int]:
    """Object type as signalled (5 and 29 too), rate and channels before SBR and PS."""
    bits, size = int.from_bytes(config, "big"), 8 * len(config)
    at = 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        if at > size:
            raise Malformed(place, "AudioSpecificConfig is too short")
        return bits >> size - at & (1 << count) - 1

    object_type = take(5)
    if object_type == 31:
        object_type = 32 + take(6)
    index = take(4)
    rate = take(24) if index == 15 else AAC_RATES[index] if index < len(AAC_RATES) else 0
    channels = _CHANNELS.get(take(4), 0)
    return object_type, rate, channels


def config_of(entry: str, children: list[Box]) -> Config:
    """Of a sample entry, by its configuration box; the bare name if we know no more."""
    found = {box.kind: box for box in children}
    if entry in ("avc1", "avc3") and "avcC" in found:
        return avc(entry, found["avcC"])
    if entry in ("hvc1", "hev1", "dvh1", "dvhe") and "hvcC" in found:
        return hevc(entry, found["hvcC"])
    if entry == "av01" and "av1C" in found:
        return av1(found["av1C"])
    if entry in ("vp08", "vp09") and "vpcC" in found:
        return vp9(entry, found["vpcC"])
    if entry == "mp4a" and "esds" in found:
        return aac(found["esds"])
    if entry == "stpp":
        return Config(codec="stpp.ttml.im1t")
    return Config(codec=entry)
