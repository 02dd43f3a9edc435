"""Codecs whose samples are carried as they are: what their configuration boxes tell.

Samples are never looked into, so all that is known of them is in the box.  They are carried in
fMP4 alone.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CarriedVideo:
    entry: bytes
    """Type of the sample entry."""

    box: bytes
    """Type of the box inside that holds the configuration."""

    record: bytes
    """That box's payload, kept as it is."""

    codec: str
    """RFC 6381."""


@dataclass(frozen=True, slots=True)
class CarriedAudio:
    entry: bytes
    box: bytes
    record: bytes
    codec: str
    sample_rate: int
    """Hz."""

    channels: int
    sample_bits: int = 16
    joc: int = 0
    """Complexity of joint object coding (E-AC-3, ETSI TS 103 420); 0 for none."""
