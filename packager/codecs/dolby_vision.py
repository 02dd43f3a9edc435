"""Dolby Vision: the configuration box beside another codec's (Dolby Vision streams in ISO base
media files, §2.2)."""

from dataclasses import dataclass

from packager.errors import MalformedBox

BOXES = (b"dvcC", b"dvvC", b"dvwC")
ENTRIES = frozenset({b"dvh1", b"dav1", b"dva1"})
"""Sample entries of streams that no other decoder can show."""

_BRANDS = {1: "db1p", 2: "db2g", 4: "db4h"}
"""By bl_signal_compatibility_id: the base layer is HDR10, SDR or HLG."""


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
        brand = _BRANDS.get(self.record[4] >> 4)
        if self.entry or brand is None or self._profile not in (8, 10):
            return None
        return f"{'dvh1' if self._profile == 8 else 'dav1'}.{self._level}/{brand}"

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
