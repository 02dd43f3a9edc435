"""Two segments, or init segments, of the same name: their frames one by one.

Containers begin at times of their own choosing, so times are compared by what is between
them: all frames of a track must be apart by the same, and picture and sound by as much.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise, takewhile
from math import isnan
from statistics import median

from bench.errors import BenchError
from bench.shadow.differences import Difference, Tolerance
from bench.shadow.frames import Frame, Track

Decode = Callable[[str], bool]
"""Whether the tracks of a kind are decoded to the same."""

_CUT = 0.25
"""Seconds of sound that packagers may put into the segment before or behind."""

_ALIGNED = 20_000_000
"""Pairs of frames that are aligned by trying: more of them, all alike, would take hours."""

Match = tuple[int, int, int]
"""Where in the peer's frames, where in ours, how many."""


def compare_tracks(
    peer: Sequence[Track], ours: Sequence[Track], tolerance: Tolerance, decode: Decode
) -> Iterator[Difference]:
    a, b = ({one.kind: one for one in reversed(side)} for side in (peer, ours))
    told = [sorted(f"{one.kind} {one.codec}" for one in side) for side in (peer, ours)]
    if told[0] != told[1]:
        yield Difference("tracks", *(", ".join(names) or "none" for names in told))
    apart: dict[str, float] = {}
    for kind in sorted(a.keys() & b.keys(), reverse=True):
        yield from _compare_heads(a[kind], b[kind])
        yield from _compare_frames(a[kind], b[kind], tolerance, decode, apart)
    if len(apart) == 2:
        drift = apart["audio"] - apart["video"]
        if abs(drift) > tolerance.frame / 2:
            yield Difference("sync", "0", f"{drift * 1000:+.1f} ms", "sound to picture")


def _compare_heads(peer: Track, ours: Track) -> Iterator[Difference]:
    if peer.size != ours.size:
        yield Difference("tracks", peer.size, ours.size, peer.kind)
    if peer.configuration and ours.configuration and peer.configuration != ours.configuration:
        yield Difference(
            "configuration",
            peer.configuration.hex()[:8],
            ours.configuration.hex()[:8],
            peer.kind,
        )


def _compare_frames(
    peer: Track,
    ours: Track,
    tolerance: Tolerance,
    decode: Decode,
    apart: dict[str, float],
) -> Iterator[Difference]:
    kind, a, b = peer.kind, peer.frames, ours.frames
    if not a or not b:
        if a or b:
            yield Difference("boundaries", span(a), span(b), kind)
        return
    matches = _at_times(a, b, apart["video"]) if "video" in apart else []
    matches = matches or match([one.digest for one in a], [one.digest for one in b])
    if len(a) == len(b) and matches != whole(a) and _decodes_alike(decode, kind):
        matches = whole(a)
    if not matches:
        yield Difference("boundaries", span(a), span(b), f"{kind}, nothing in common")
        return
    yield from _compare_ends(kind, a, b, matches)
    if gaps := list(pairwise(matches)):
        yield _inner(kind, a, b, gaps)
    pairs = [(a[x + k], b[y + k]) for x, y, count in matches for k in range(count)]
    if told := [y.pts - x.pts for x, y in pairs if not isnan(y.pts - x.pts)]:
        apart[kind] = median(told)
    yield from _compare_times(kind, pairs, tolerance)


def _decodes_alike(decode: Decode, kind: str) -> bool:
    try:
        return decode(kind)
    except BenchError:
        return False


def _at_times(a: Sequence[Frame], b: Sequence[Frame], shift: float) -> list[Match]:
    """Sound that is the same where the picture says that it should be.  Silence is the same
    everywhere: by its bytes alone it would be found a few frames off."""
    near = _lasts(a) / len(a) / 2
    for x, y in ((0, _nearest(b, a[0].pts + shift)), (_nearest(a, b[0].pts - shift), 0)):
        count = min(len(a) - x, len(b) - y)
        same = all(a[x + k].digest == b[y + k].digest for k in range(count))
        if same and abs(b[y].pts - a[x].pts - shift) <= near:
            return [(x, y, count)]
    return []


def _nearest(frames: Sequence[Frame], time: float) -> int:
    return min(range(len(frames)), key=lambda number: abs(frames[number].pts - time))


def match(a: Sequence[bytes], b: Sequence[bytes]) -> list[Match]:
    """Longest runs in common, in order.

    >>> match([b"1", b"2", b"3"], [b"2", b"3", b"4"])
    [(1, 0, 2)]
    """
    begin = _same(zip(a, b, strict=False))
    end = _same(zip(reversed(a[begin:]), reversed(b[begin:]), strict=False))
    middle = a[begin : len(a) - end], b[begin : len(b) - end]
    found = [(0, 0, begin), (len(a) - end, len(b) - end, end)]
    if len(middle[0]) * len(middle[1]) <= _ALIGNED:
        inner = SequenceMatcher(None, *middle, autojunk=False).get_matching_blocks()
        found[1:1] = [(begin + one.a, begin + one.b, one.size) for one in inner]
    return _joined([one for one in found if one[2]])


def _same(pairs: Iterable[tuple[bytes, bytes]]) -> int:
    """How many at the beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _joined(matches: Sequence[Match]) -> list[Match]:
    found: list[Match] = []
    for x, y, count in matches:
        last = found[-1] if found else (0, 0, -1)
        if (last[0] + last[2], last[1] + last[2]) == (x, y):
            found[-1] = (last[0], last[1], last[2] + count)
        else:
            found.append((x, y, count))
    return found


def whole(frames: Sequence[object]) -> list[Match]:
    """All of both sides, one by one."""
    return [(0, 0, len(frames))]


def _compare_ends(
    kind: str, a: Sequence[Frame], b: Sequence[Frame], matches: Sequence[Match]
) -> Iterator[Difference]:
    """What either side has before the first frame in common, and behind the last."""
    first, last = matches[0], matches[-1]
    ends = (
        ("begin", first[0], first[1]),
        ("end", len(a) - last[0] - last[2], len(b) - last[1] - last[2]),
    )
    for name, more_a, more_b in ends:
        if not more_a and not more_b:
            continue
        if more_a and more_b:  # it is not cut elsewhere: they are other frames
            reason = "frames"
        else:
            few = kind == "audio" and max(more_a, more_b) <= _CUT * len(a) / _lasts(a)
            reason = "sound-cut" if few else "boundaries"
        told = f"{_frames(more_a)} more", f"{_frames(more_b)} more"
        yield Difference(reason, *told, f"{kind}, {name}")


def _inner(
    kind: str, a: Sequence[Frame], b: Sequence[Frame], gaps: Sequence[tuple[Match, Match]]
) -> Difference:
    """The first run that differs is told, and how many there are."""
    (x, y, count), (next_x, next_y, _) = gaps[0]
    only_a, only_b = next_x - x - count, next_y - y - count
    place = a[x + count].pts if only_a else b[y + count].pts
    more = f", and {len(gaps) - 1} more" if len(gaps) > 1 else ""
    peer = f"{_frames(only_a)}{_sizes(a, x + count, only_a)}"
    ours = f"{_frames(only_b)}{_sizes(b, y + count, only_b)}"
    where = f"{kind}, frame {x + count + 1} at {place:.3f} s{more}"
    return Difference("frames", peer, ours, where)


def _compare_times(
    kind: str, pairs: Sequence[tuple[Frame, Frame]], tolerance: Tolerance
) -> Iterator[Difference]:
    for name, all_times in (
        ("pts", [(x.pts, y.pts) for x, y in pairs]),
        ("dts", [(x.dts, y.dts) for x, y in pairs]),
    ):
        times = [(x, y) for x, y in all_times if not isnan(y - x)]
        if not times:
            continue
        shift = median(y - x for x, y in times)
        wrong = [(x, y) for x, y in times if abs(y - x - shift) > tolerance.clock]
        if wrong:
            x, y = wrong[0]
            where = f"{kind} {name}, {len(wrong)} of {len(times)} frames"
            yield Difference("times", f"{x:.4f} s", f"{y - shift:.4f} s", where)
            return


def span(frames: Sequence[Frame]) -> str:
    if not frames:
        return "no frames"
    times = [one.pts for one in frames if not isnan(one.pts)] or [0.0]
    return f"{_frames(len(frames))}, {min(times):.3f} to {max(times):.3f} s"


def _lasts(frames: Sequence[Frame]) -> float:
    """Seconds, about; never 0."""
    times = [one.pts for one in frames if not isnan(one.pts)]
    return max(times[-1] - times[0], 0.001) if times else 0.001


def _frames(count: int) -> str:
    return f"{count} frame{'' if count == 1 else 's'}"


def _sizes(frames: Sequence[Frame], start: int, count: int) -> str:
    if not count:
        return ""
    return f" ({sum(one.size for one in frames[start : start + count])} bytes)"
