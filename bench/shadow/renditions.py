"""Variants and Representations: which of one side is which of the other.

By codecs, size and language, which must be the same, and of those that are alike by the bit
rate that is nearest.  What is left over is paired by size, to tell a different codec from a
variant that is missing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.shadow.differences import Difference, Tolerance, same_rate
from bench.shadow.spans import Spans
from packager.languages import bcp47


@dataclass(frozen=True, slots=True)
class Rendition:
    kind: str
    """``variant``, or the type of a Representation."""

    codecs: frozenset[str]
    size: str
    """``1280x720``; empty where it has none or it is not told."""

    language: str
    bandwidth: int
    spans: Spans | None = None
    """Of a Representation."""

    def __str__(self) -> str:
        words = (self.kind, self.size, ",".join(sorted(self.codecs)), self.language)
        return " ".join(word for word in (*words, f"{self.bandwidth} bit/s") if word)

    @property
    def alike(self) -> tuple[object, ...]:
        return (*self.shape, frozenset(code.lower() for code in self.codecs))

    @property
    def shape(self) -> tuple[str, str, str]:
        return self.kind, self.size, self.language


Pair = tuple[Rendition, Rendition]


def tag(language: str | None) -> str:
    """One spelling of a language; ``und`` where there is none."""
    return (bcp47(language) if language else None) or "und"


def compare_renditions(
    peer: Sequence[Rendition], ours: Sequence[Rendition], tolerance: Tolerance
) -> Iterator[Difference]:
    same, only_peer, only_ours = pair(peer, ours)
    for a, b in same:
        if not same_rate(a.bandwidth, b.bandwidth, tolerance):
            yield Difference(
                "bandwidth", str(a.bandwidth), str(b.bandwidth), f"{a.kind} {a.size}".rstrip()
            )
    for a in tuple(only_peer):
        if other := next((one for one in only_ours if one.shape == a.shape), None):
            only_peer.remove(a)
            only_ours.remove(other)
            yield Difference(
                "codecs", _codecs(a), _codecs(other), f"{a.kind} {a.size}".rstrip()
            )
    for a in only_peer:
        yield Difference("variant", str(a), "missing")
    for b in only_ours:
        yield Difference("variant", "missing", str(b))


def _codecs(one: Rendition) -> str:
    return ",".join(sorted(one.codecs)) or "not told"


def pair(
    peer: Sequence[Rendition], ours: Sequence[Rendition]
) -> tuple[list[Pair], list[Rendition], list[Rendition]]:
    """Those that are the same, and what either side has alone."""
    same, only_peer, left = [], [], list(ours)
    for a in sorted(peer, key=lambda one: one.bandwidth):
        fitting = [one for one in left if one.alike == a.alike]
        if not fitting:
            only_peer.append(a)
            continue
        b = min(fitting, key=lambda one: abs(one.bandwidth - a.bandwidth))
        left.remove(b)
        same.append((a, b))
    return same, only_peer, left
