"""Flavors that differ in groups, rates, timescales and edits: at a boundary a player goes from
one to the other, and the white pictures and the tones of the source stay where they are (rules
C-03, C-04, C-05, S-08, T-05)."""

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction

import pytest

from packager.mpegts.clock import TIME_BASE
from packager.tracks import Kind
from tests.packager.carrying import Packaged
from tests.packager.flashes import Film, tones, whites
from tests.packager.test_sync import NEAR, since_zero, track

TARGET = Fraction(2)


@dataclass(frozen=True)
class Pair:
    one: Film
    other: Film
    aligned: bool
    """All boundaries of the first are sync samples of the second."""

    from_: float = 0
    """When both have begun, seconds."""


PAIRS = {
    "timescales": Pair(Film(timescale=90_000), Film(timescale=1_000_003), True),
    "timescales of a frame": Pair(Film(timescale=25), Film(timescale=23_040_000), True),
    "rates": Pair(Film(), Film(rate=50, group=100, timescale=50), True),
    "rates without a common frame": Pair(Film(), Film(rate=30, group=60, timescale=30), True),
    "groups, some in common": Pair(Film(group=50), Film(group=25), True),
    "groups, few in common": Pair(Film(group=50), Film(group=30), False),
    "all of it": Pair(Film(), Film(rate=30, group=44, timescale=1000), False),
    "sound in other ticks": Pair(Film(), Film(sound_timescale=10_000_000), True),
    "one is late": Pair(Film(), Film(((0.6, -1), (0, 0.6))), True, 0.6),
    "one is trimmed, its groups elsewhere": Pair(
        Film(((0, 0.6),)), Film(((0, 0.6),), group=30), True
    ),
    "one is of pieces": Pair(Film(), Film(((2, 0), (2, 2), (0, 4))), True),
    "negative offsets": Pair(Film(), Film(negative=True, rate=50, group=100), True),
}  # fmt: skip


@pytest.fixture(scope="module", params=PAIRS.values(), ids=PAIRS)
def pair(request: pytest.FixtureRequest) -> tuple[Pair, Packaged]:
    one: Pair = request.param
    return one, Packaged(one.one.encode(), one.other.encode(), target=TARGET)


Made = tuple[Pair, Packaged]


def wanted(pair: Pair) -> list[float]:
    return [time for time in pair.one.presented() if time >= pair.from_]


def joined(before: list[float], behind: list[float], at: float) -> list[float]:
    return [time for time in before if time < at - NEAR] + [
        time for time in behind if time >= at - NEAR
    ]


def agree(found: list[float], expected: list[float], from_: float) -> None:
    found = [time for time in found if time >= from_]
    assert len(found) == len(expected), (found, expected)
    for one, other in zip(found, expected, strict=True):
        assert abs(one - other) < NEAR, (found, expected)


def test_the_pair_is_what_it_says(pair: Made) -> None:
    """Both present the same in several segments, which are cut alike where they can be."""
    said, made = pair
    assert len(made.recipe.times) >= 1
    assert made.presentation().aligned is said.aligned
    later = [time for time in said.other.presented() if time >= said.from_]
    assert later == pytest.approx(wanted(said)) != []


@pytest.mark.parametrize("way", [(1, 2), (2, 1)], ids=["there", "back"])
@pytest.mark.parametrize("kind", Kind)
def test_cmaf(pair: Made, kind: Kind, way: tuple[int, int]) -> None:
    """At each boundary of the one, to what the other has for that time."""
    said, made = pair
    one, other = (track(made, kind, flavor) for flavor in way)
    first, second = (
        made.cmaf(of, flavor) for of, flavor in zip((one, other), way, strict=True)
    )
    starts = [start / one.track.timescale for start in made.cuts(one, way[0]).starts]
    others = [start / other.track.timescale for start in made.cuts(other, way[1]).starts]
    seen = whites if kind is Kind.VIDEO else tones
    for number in range(1, len(starts)):
        at = starts[number]
        skip = bisect_right(others, at + NEAR) - 1
        before = seen(b"".join(first[: number + 1]))
        behind = seen(b"".join((second[0], *second[skip + 1 :])))
        found = joined(
            since_zero(before, one.lead / one.track.timescale),
            since_zero(behind, other.lead / other.track.timescale),
            at,
        )
        agree(found, wanted(said), said.from_)


@pytest.mark.parametrize("way", [(1, 2), (2, 1)], ids=["there", "back"])
def test_ts(pair: Made, way: tuple[int, int]) -> None:
    said, made = pair
    one, other = (made.mux(made.choice(flavor)) for flavor in way)
    first, second = (made.ts(made.choice(flavor)) for flavor in way)
    starts, others = (
        [start / mux.timeline.timescale for start in mux.timeline.starts]
        for mux in (one, other)
    )
    base = TIME_BASE / 90_000
    for number in range(1, len(starts)):
        at = starts[number]
        skip = bisect_right(others, at + NEAR) - 1
        before, behind = b"".join(first[:number]), b"".join(second[skip:])
        for seen in (whites, tones):
            found = joined(since_zero(seen(before), base), since_zero(seen(behind), base), at)
            agree(found, wanted(said), said.from_)


def test_ts_of_aligned_flavors_is_one_stream(pair: Made) -> None:
    """Where both cut alike a switch is no break: the same decoder reads on."""
    said, made = pair
    if not said.aligned:
        pytest.skip("they do not cut alike")
    first, second = (made.ts(made.choice(flavor)) for flavor in (1, 2))
    assert len(first) == len(second)
    stream = b"".join(second[number] if number % 2 else one for number, one in enumerate(first))
    base = TIME_BASE / 90_000
    agree(since_zero(whites(stream), base), wanted(said), said.from_)
    agree(since_zero(tones(stream), base), wanted(said), said.from_)
