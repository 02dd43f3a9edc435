"""What a segment and an index cost, counted: extents, bytes made, blocks, calls.

The film is laid out here, as a recorder interleaves it, so that every count is exact and has
its reason; no clock is looked at.
"""

import sys
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from packager.index import Blocks, FlavorIndex
from packager.nal_facts import NalFacts
from packager.plan import Extents, Plan, Transform
from packager.recipe import (
    Choice,
    Needs,
    Recipe,
    T,
    Wanted,
    cmaf_segment,
    make_recipe,
    mux,
    muxed_bitrate,
    muxed_segment,
    run_needs,
)
from packager.samples import Samples
from packager.segmenter import DEFAULT_TARGET
from tests.packager.tables import audio_track, indexed, samples, video_track

PICTURE, SOUND = 20_000, 340
"""Bytes of each frame: 4 Mb/s and 128 kb/s."""

RATE, SOUND_RATE = 25, 44_100
GROUP = 50
SEGMENT = 6
"""Seconds."""

BOTH = Choice(1, 1, 1)


@dataclass
class Film:
    """Pictures and sound in the order of their times, each frame a chunk of its own."""

    recipe: Recipe
    blocks: dict[str, Blocks]
    size: int
    pictures: Samples
    wanted: list[Wanted]
    """What has been asked for."""

    def run(self, needs: Needs[T]) -> T:
        def load(wanted: Wanted) -> Blocks:
            self.wanted.append(wanted)
            return self.blocks[wanted.track.kind]

        return run_needs(needs, load)

    def plan(self, needs: Needs[Plan]) -> Plan:
        made = self.run(needs)
        assert isinstance(made, Plan)
        return made

    def data(self) -> bytearray:
        """The source: each picture is one NAL unit."""
        data = bytearray(self.size)
        for at, size in zip(
            self.pictures.offset.tolist(), self.pictures.size.tolist(), strict=True
        ):
            data[at : at + 5] = (size - 4).to_bytes(4, "big") + b"\x41"
        return data


def film(seconds: int, *, picture: int = PICTURE, target: Fraction = DEFAULT_TARGET) -> Film:
    pictures, sounds = seconds * RATE, seconds * SOUND_RATE // 1024
    times = np.concatenate((np.arange(pictures) / RATE, np.arange(sounds) * 1024 / SOUND_RATE))
    sizes = np.repeat([picture, SOUND], [pictures, sounds])
    order = np.argsort(times, kind="stable")
    positions = np.empty(len(times), np.int64)
    positions[order] = np.cumsum(sizes[order]) - sizes[order]
    shown = samples(
        [3600] * pictures, sizes=[picture] * pictures, positions=positions[:pictures].tolist(),
        sync=[row % GROUP == 0 for row in range(pictures)], offsets=[3600] * pictures,
    )  # fmt: skip
    heard = samples(
        [1024] * sounds, sizes=[SOUND] * sounds, positions=positions[pictures:].tolist()
    )
    made = (
        indexed(video_track(), shown, NalFacts(shown.size, shown.sync)),
        indexed(audio_track(timescale=SOUND_RATE), heard),
    )
    size = int(sizes.sum())
    flavor = FlavorIndex(size, tuple(index for index, _ in made), (), "00")
    blocks = {index.kind: own for index, own in made}
    return Film(make_recipe([flavor], target), blocks, size, shown, [])


@pytest.fixture(scope="module")
def one() -> Film:
    return film(60)


def windows(plan: Plan) -> list[Transform]:
    return [piece for piece in plan if isinstance(piece, Transform)]


def test_a_ts_segment_is_read_in_one_run_a_window(one: Film) -> None:
    """A window of 2 MiB is one read, as what lies between its samples is its own.  The last
    sound of the first window is multiplexed with its first frame, up to 0.2 s before it is
    heard: so four pictures and seven frames of sound lie in both windows and are read twice."""
    plan = one.plan(muxed_segment(one.recipe, BOTH, 3))
    [[first], [second]] = [window.extents for window in windows(plan)]
    assert first.offset + first.length - second.offset == 4 * PICTURE + 7 * SOUND
    # Sound ends a picture later, as pictures are shown a frame after they are decoded.
    span = second.offset + second.length - first.offset
    assert span == (SEGMENT * RATE + 1) * PICTURE + 260 * SOUND


def test_a_ts_segment_makes_its_tables_alone(one: Film) -> None:
    """PAT and PMT are the only bytes that a plan holds; the rest is made when it is sent."""
    plan = one.plan(muxed_segment(one.recipe, BOTH, 3))
    assert sum(len(piece) for piece in plan if isinstance(piece, bytes)) == 2 * 188
    assert len(plan.pieces) == 1 + len(windows(plan))


@pytest.mark.parametrize(
    ("choice", "columns", "defaults", "frames", "runs"),
    [
        pytest.param(Choice(1, video=1), 3, 1, 150, 150, id="size, flags, offset"),
        pytest.param(Choice(1, audio=1), 1, 2, 258, 150, id="size"),
    ],
)
def test_an_fmp4_segment_holds_no_sample(
    one: Film, choice: Choice, columns: int, defaults: int, frames: int, runs: int
) -> None:
    """Two pieces: what we write, four bytes for each column of a row and each default beside
    the 124 of the boxes, and the samples where they are.  Each picture is a run of its own, as
    sound lies before and behind it; sound lies between two pictures, in 150 places."""
    head, extents = one.plan(cmaf_segment(one.recipe, choice, 3)).pieces
    assert isinstance(head, bytes) and isinstance(extents, Extents)
    assert len(head) == 124 + 4 * (columns * frames + defaults)
    assert len(extents) == frames * (PICTURE if choice.video else SOUND)
    assert len(extents.offsets) == runs


def test_what_is_done_for_each_picture(one: Film) -> None:
    """A fresh TS segment of twice the frames makes one more call for each more picture, the
    view of what is copied, and as many for each 0.2 s of sound and NAL unit that is looked
    for.  All else is columns: with anything more for each picture it would be 300."""
    short, long = (
        film(60, picture=2000, target=Fraction(seconds)) for seconds in (SEGMENT, 2 * SEGMENT)
    )
    more = calls(long, 2) - calls(short, 2)
    assert SEGMENT * RATE <= more < 2 * SEGMENT * RATE


def calls(of: Film, number: int) -> int:
    """Of functions, Python's and NumPy's, to plan TS segment *number* and to carry it out."""
    count = 0

    def count_one(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    data = of.data()
    of.plan(muxed_segment(of.recipe, BOTH, number))  # blocks stay decoded
    sys.setprofile(count_one)
    try:
        for window in windows(of.plan(muxed_segment(of.recipe, BOTH, number))):
            [extent] = window.extents
            window.apply(memoryview(data)[extent.offset : extent.offset + extent.length])
    finally:
        sys.setprofile(None)
    return count


def test_blocks_that_a_segment_wants() -> None:
    """One or two of each track, as one holds 41 s of pictures or 24 s of sound: two where one
    begins inside the segment, as all of two hours do but the first two and three at a cut.
    Where the film is cut follows from the header alone."""
    long = film(7200)
    muxing = long.run(mux(long.recipe, BOTH)).cuts
    assert len(muxing) == 7200 // SEGMENT and not long.wanted
    for number in range(1, len(muxing) + 1):
        long.plan(muxed_segment(long.recipe, BOTH, number))
    counts = Counter(len(wanted.numbers) for wanted in long.wanted)
    pictures, sounds = (track.block_count for track in long.recipe.flavors[0].tracks)
    begin_inside = pictures - 1 + sounds - 1 - 3
    assert counts == {1: 2 * len(muxing) - begin_inside, 2: begin_inside}


def test_blocks_that_the_master_playlist_wants(one: Film) -> None:
    """All, once: the rates of TS segments need every size."""
    one.wanted.clear()
    one.run(muxed_bitrate(one.recipe, BOTH, SEGMENT))
    assert [wanted.numbers for wanted in one.wanted] == [range(2), range(3)]


def test_bytes_of_an_index() -> None:
    """A million for 100,000 pictures: size 2, offset 4 and position 4 each, as all lie apart.
    Half of that for as much sound: size 2 each, and 6 for each run of one or two frames.  A
    block has 34 more: prefix, one run of durations, checksum."""
    sizes = {kind: sum(map(len, blocks.values())) for kind, blocks in film(4000).blocks.items()}
    assert sizes["video"] == 100_000 * 10 + 98 * 34
    split = 70  # runs in which a block begins
    assert sizes["audio"] == 172_265 * 2 + (100_000 + split) * 6 + 169 * 34
