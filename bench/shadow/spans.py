"""How a presentation is cut: the lengths of its segments."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.shadow.differences import Difference


@dataclass(frozen=True, slots=True)
class Spans:
    lengths: tuple[float, ...]
    """Seconds, of each segment; empty where they are not told one by one."""

    total: float
    """Seconds."""


def compare_spans(
    peer: Spans, ours: Spans, slack: float, where: str = ""
) -> Iterator[Difference]:
    """*slack* is in seconds.  Of the segments the first that differs is told, and how many."""
    many = len(peer.lengths), len(ours.lengths)
    if many[0] != many[1]:
        yield Difference("segments", str(many[0]), str(many[1]), where)
    else:
        yield from _compare_lengths(peer, ours, slack, where)
    # Each length is rounded by its writer: together they may be off by as much as one is.
    if abs(peer.total - ours.total) > slack + 0.001 * max(many):
        told = f"{peer.total:.3f} s", f"{ours.total:.3f} s"
        yield Difference("duration", *told, f"{where} the whole".strip())


def _compare_lengths(
    peer: Spans, ours: Spans, slack: float, where: str
) -> Iterator[Difference]:
    pairs = enumerate(zip(peer.lengths, ours.lengths, strict=True), 1)
    wrong = [(number, a, b) for number, (a, b) in pairs if abs(a - b) > slack + 0.001]
    if wrong:
        number, a, b = wrong[0]
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        place = f"{where} segment {number}{more}".strip()
        yield Difference("duration", f"{a:.3f} s", f"{b:.3f} s", place)
