"""The moov of half a day is indexed with the limits that every file has (rule C-08), and what
it costs is counted."""

import tracemalloc
from itertools import pairwise

import pytest

from packager.hls.media_playlist import media_playlist
from packager.index import FlavorIndex
from packager.plan import Extents, Plan, Unplanned
from packager.recipe import (
    Choice,
    Needs,
    Recipe,
    T,
    Wanted,
    cmaf_segment,
    make_recipe,
    muxed_segment,
    presentation,
    run_needs,
)
from packager.segmenter import DEFAULT_TARGET
from packager.tracks import Kind
from tests.packager.long_moov import FRAMES, HOURS, PICTURE, PICTURES, Source

SEGMENTS = HOURS * 600


@pytest.fixture(scope="module")
def flavor() -> FlavorIndex:
    return Source().index()


class Counted:
    """Hands out blocks, and counts them and their bytes."""

    def __init__(self, flavor: FlavorIndex) -> None:
        self.flavor, self.costs = flavor, [0, 0]
        self.recipe: Recipe = make_recipe([flavor], DEFAULT_TARGET)

    def run(self, needs: Needs[T]) -> T:
        return run_needs(needs, self.load)

    def load(self, wanted: Wanted) -> dict[int, bytes]:
        blocks = self.flavor.blocks[self.flavor.tracks.index(wanted.track)]
        found = {number: blocks[number] for number in wanted.numbers}
        self.costs[0] += len(found)
        self.costs[1] += sum(map(len, found.values()))
        return found


def test_it_is_indexed_in_a_few_reads_of_moov_alone() -> None:
    """A header each of ftyp, moov and mdat, moov, and the first and the last picture."""
    source = Source()
    tracemalloc.start()
    try:
        made = source.index()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [track.count for track in made.tracks] == [PICTURES, FRAMES]
    assert made.left_out == ()
    assert len(source.reads) == 6
    assert sum(read.length for read in source.reads) <= len(source.head) + 16 + 2 * PICTURE
    assert peak < 6 * len(source.head)
    assert sum(len(one) for blocks in made.blocks for one in blocks.values()) < 9 * (
        PICTURES + FRAMES
    )


def test_playlists_of_7200_segments(flavor: FlavorIndex) -> None:
    made = Counted(flavor)
    for one in made.run(presentation(made.recipe)).renditions:
        lines = media_playlist(one.timeline, str, target=6).splitlines()
        extinf = [line[8:-1] for line in lines if line.startswith("#EXTINF")]
        assert len(extinf) == SEGMENTS
        assert "".join(lines[-2:]) == f"{SEGMENTS}#EXT-X-ENDLIST"
        # In microseconds, as they are printed: no sum drifts (rule P-03).
        total = sum(int(time.replace(".", "")) for time in extinf)
        ticks = one.timeline.end - one.timeline.starts[0]
        assert abs(total - ticks * 1_000_000 / one.timeline.timescale) <= 1
        if one.name.startswith("f1-v"):
            assert {float(time) for time in extinf[:-1]} <= {6.0, 6.033333, 5.966667}


def runs(plan: Plan | Unplanned) -> int:
    """Of bytes that are read."""
    if isinstance(plan, Unplanned):
        return len(plan.extents)
    return sum(len(one.offsets) for one in plan.pieces if isinstance(one, Extents))


WAYS = {"video": Choice(1, video=1), "audio": Choice(1, audio=1), "ts": Choice(1, 1, 1)}


@pytest.mark.parametrize("choice", WAYS.values(), ids=WAYS)
def test_the_last_hour_costs_what_the_first_minute_does(
    flavor: FlavorIndex, choice: Choice
) -> None:
    """Blocks, their bytes, and what is read of the file; by the same boundaries of blocks the
    samples of a segment lie in one or in two."""
    both = choice.video is not None and choice.audio is not None
    segment = muxed_segment if both else cmaf_segment
    costs = []
    for numbers in (range(2, 130), range(SEGMENTS - 129, SEGMENTS - 1)):
        found = []
        for number in numbers:
            made = Counted(flavor)
            plan = made.run(segment(made.recipe, choice, number))
            found.append((made.costs[0], made.costs[1] // made.costs[0], runs(plan)))
        costs.append((max(found), sum(cost[0] for cost in found)))
    (first, early), (last, late) = costs
    assert last[0] == first[0] <= (4 if both else 2)
    assert abs(last[1] - first[1]) <= 64
    assert last[2] == pytest.approx(first[2], abs=2)
    assert late == pytest.approx(early, abs=2)


def test_boundaries_of_half_a_day_are_exact(flavor: FlavorIndex) -> None:
    [video] = flavor.of_kind(Kind.VIDEO)
    recipe = make_recipe([flavor], DEFAULT_TARGET)
    times = list(recipe.times)
    assert len(times) == SEGMENTS - 1
    assert {after - before for before, after in pairwise(times)} == {6}
    assert video.end == PICTURES * 1500 + 3000  # the last but two is shown last
