"""What differs, and how far apart two values may be to count as the same."""

from collections.abc import Iterable
from dataclasses import dataclass

REASONS = {
    "answer": "one side gave no answer that can be compared",
    "status": "another class of status",
    "kind": "another kind of body",
    "unreadable": "a body that cannot be read",
    "variant": "a variant or Representation that the other has not",
    "codecs": "other codecs at the same size",
    "bandwidth": "a bit rate outside the tolerance",
    "language": "other languages of sound or text",
    "iframes": "I-frame playlists on one side only",
    "segments": "another number of segments",
    "duration": "a segment or the whole of another length",
    "ended": "a list that ends, and one that does not",
    "encryption": "another method of encryption",
    "discontinuities": "another number of discontinuities or periods",
    "tracks": "other tracks",
    "configuration": "another configuration of a decoder",
    "boundaries": "the segment begins or ends elsewhere",
    "sound-cut": "up to a quarter of a second of sound is in the segment before or behind",
    "frames": "frames that are missing, added or different",
    "times": "a frame at another time",
    "sync": "sound and picture further apart",
    "cues": "other captions",
    "bytes": "other bytes, of a kind that is not looked into",
}
"""By name."""


def known_reasons(names: Iterable[str]) -> frozenset[str]:
    """Raises ``ValueError`` for one that there is not."""
    found = frozenset(names)
    if wrong := sorted(found - REASONS.keys()):
        raise ValueError(f"--ignore: {wrong[0]} is none of {', '.join(REASONS)}")
    return found


@dataclass(frozen=True, slots=True)
class Difference:
    reason: str
    """One of ``REASONS``."""

    peer: str
    ours: str
    where: str = ""
    """Of what is compared: a track, a segment's number."""

    def __post_init__(self) -> None:
        if self.reason not in REASONS:
            raise ValueError(f"no such reason: {self.reason}")


@dataclass(frozen=True, slots=True)
class Tolerance:
    bandwidth: float = 0.5
    """Share of the higher of two bit rates: many packagers tell the average, we the peak."""

    frame: float = 1 / 25
    """Seconds of a frame, where a manifest does not say it: half of it is no difference."""

    clock: float = 0.002
    """Seconds: what the clocks of two containers may round, one thousandth on each side."""


def same_rate(peer: int, ours: int, tolerance: Tolerance) -> bool:
    return abs(peer - ours) <= tolerance.bandwidth * max(peer, ours)
