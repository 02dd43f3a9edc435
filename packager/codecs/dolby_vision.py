"""Dolby Vision: the configuration box beside another codec's (Dolby Vision streams in ISO base
media files, §2.2)."""

from dataclasses import dataclass

from packager.errors import MalformedBox

BOXES = (b"dvcC", b"dvvC", b"dvwC")
ENTRIES = frozenset({b"dvh1", b"dav1", b"dva1"})
"""Sample entries of streams that no other decoder can show."""

HDR10, SDR, HLG = 1, 2, 4
_BRANDS = {HDR10: "db1p", SDR: "db2g", HLG: "db4h"}
"""By bl_signal_compatibility_id: what the base layer is."""

_CODECS = {8: "dvh1", 9: "dva1", 10: "dav1"}
"""By the profile, of those whose base layer other decoders show: HEVC, H.264 and AV1."""


@dataclass(frozen=True, slots=True)
class DolbyVision:
    box: bytes
    """Which of ``BOXES``."""

    record: bytes
    """DOVIDecoderConfigurationRecord."""

    entry: bytes | None = None
    """Type of the sample entry, where it is of ``ENTRIES``."""

    @property
    def codec(self) -> str | None:
        """Where no other decoder can show the base layer."""
        return f"{self.entry.decode()}.{self._level}" if self.entry else None

    @property
    def supplemental_codec(self) -> str | None:
        """SUPPLEMENTAL-CODECS (HLS): beside the codec of the base layer."""
        brand, codec = _BRANDS.get(self.base), _CODECS.get(self._profile)
        if self.entry or brand is None or codec is None:
            return None
        return f"{codec}.{self._level}/{brand}"

    @property
    def base(self) -> int:
        """What the base layer is for other decoders: ``HDR10``, ``SDR``, ``HLG``, or another
        number."""
        return self.record[4] >> 4

    @property
    def _profile(self) -> int:
        return self.record[2] >> 1

    @property
    def _level(self) -> str:
        number = int.from_bytes(self.record[2:4], "big") >> 3 & 63
        return f"{self._profile:02}.{number:02}"


def parse_dolby_vision(box: bytes, record: bytes, entry: bytes) -> DolbyVision:
    """Raises ``MalformedBox``."""
    if not 5 <= len(record) <= 64:
        raise MalformedBox(box, f"{len(record)} bytes are no configuration")
    return DolbyVision(box, record, entry if entry in ENTRIES else None)
