"""Where segments begin (design: boundaries are times of the reference video's sync samples)."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.edits import needed
from packager.index import Blocks, TrackIndex
from packager.segmenter import MAX_SEGMENTS, Cuts, Times, boundaries, cut, edges, reference
from packager.tracks import Edit, Track, VideoFormat
from tests.packager.tables import (
    LC_44100_STEREO,
    audio_track,
    indexed,
    pictures,
    samples,
    sounds,
    video_track,
)

SIX = Fraction(6)


def times(*video: TrackIndex, audio: tuple[TrackIndex, ...] = ()) -> list[Fraction]:
    return list(boundaries(video, audio, SIX))


def cut_at(index: TrackIndex, found: Sequence[Fraction], blocks: Blocks | None = None) -> Cuts:
    return cut(index, Times.of(found), blocks or {})


def tall(index: TrackIndex, height: int) -> TrackIndex:
    """The same rows as video of another height."""
    form = index.track.format
    assert isinstance(form, VideoFormat)
    taller = VideoFormat(form.config, 1, height)
    rows = samples([3600] * index.count, sync=[n in index.sync for n in range(index.count)])
    return indexed(Track(1, taller, 90_000), rows)[0]


def test_boundaries_are_the_first_sync_samples_from_each_target_on() -> None:
    assert times(pictures(800, 25)) == [6, 12, 18, 24, 30]
    assert times(pictures(800, 40)) == [Fraction(32, 5), Fraction(64, 5), Fraction(96, 5), 24,
                                        Fraction(152, 5)]  # fmt: skip
    assert times(pictures(149, 25)) == []


def test_long_groups_are_not_cut() -> None:
    assert times(pictures(1000, 500)) == [20]
    assert times(pictures(1000, 1000)) == []


def test_an_open_group_is_not_cut() -> None:
    """The boundary moves to the next closed one (rule S-09)."""
    count, group = 400, 50
    sync = [row % group == 0 for row in range(count)]
    offsets = [3600] * count
    for row in (150, 300):  # an open group at 6 s and at 12 s
        offsets[row : row + 3] = [3 * 3600, 0, 0]
    open_, _ = indexed(
        video_track(edit=Edit(3600)), samples([3600] * count, offsets=offsets, sync=sync)
    )
    assert 150 not in open_.entry
    assert times(open_) == [8, 14]


@given(
    st.integers(1, 60),
    st.integers(10, 800),
    st.sampled_from([8, 24, 12_288, 30_000, 23_040_000]),
    st.integers(1, 8),
)
def test_boundary_k_by_the_letter(group: int, count: int, timescale: int, seconds: int) -> None:
    frame = max(1, timescale // 25)
    rows = samples([frame] * count, sync=[row % group == 0 for row in range(count)])
    index, _ = indexed(video_track(timescale=timescale), rows)
    entries = [Fraction(row * frame, timescale) for row in range(0, count, group)]
    wanted, number = [], 1
    while later := [time for time in entries if time >= number * seconds and time > 0]:
        wanted.append(later[0])
        number = max(number + 1, later[0] // seconds + 1)
    assert list(boundaries([index], [], Fraction(seconds))) == wanted


def test_the_reference_is_the_tallest() -> None:
    low, high = pictures(200, 25), tall(pictures(200, 50), 720)
    assert reference([low, high]) is high
    assert reference([high, low]) is high


def test_unaligned_flavors_are_cut_where_both_can_be() -> None:
    a, b = tall(pictures(1500, 30), 720), tall(pictures(1500, 50), 360)
    assert times(a, b) == [6, 12, 18, 24, 30, 36, 42, 48, 54]  # every 150 frames
    c = tall(pictures(1500, 36), 360)
    common = times(a, c)
    assert common == [Fraction(180 * n, 25) for n in range(1, 9)]


def test_flavors_that_share_nothing_follow_the_reference() -> None:
    a, b = tall(pictures(1500, 150), 720), tall(pictures(1500, 149), 360)
    assert times(a, b) == times(a)
    cuts = cut_at(b, times(a, b))
    assert not cuts.complete
    assert all(start in b.entry for start, _ in cuts.rows)


def test_flavors_of_timescales_8_and_24() -> None:
    """As of two real files: 10 s at 8 and at 24 frames a second, groups of 2.5 s."""
    eight, _ = indexed(
        video_track(timescale=8), samples([1] * 80, sync=[row % 20 == 0 for row in range(80)])
    )
    more, _ = indexed(
        video_track(timescale=24),
        samples([1] * 242, sync=[row % 60 == 0 for row in range(242)]),
    )
    found = times(eight, more)
    assert found == [Fraction(15, 2)]
    assert cut_at(eight, found).starts == (0, 60)
    assert cut_at(more, found).starts == (0, 180)
    assert cut_at(eight, found).complete
    assert cut_at(more, found).complete


def test_a_trimmed_flavor_still_aligns() -> None:
    """Far into the media; half a frame is half a frame there too."""

    def shifted(by: int) -> TrackIndex:
        rows = samples(
            [3600] * 300, sync=[row % 25 == 0 for row in range(300)], start=100 * 90_000
        )
        return indexed(video_track(edit=Edit(100 * 90_000 + by)), rows)[0]

    a, b = shifted(0), shifted(900)  # a hundredth of a second apart
    assert times(a, b) == [6]
    assert cut_at(a, times(a, b)).complete
    assert cut_at(b, times(a, b)).complete


@pytest.mark.parametrize("priming", [0, 1024, 2112, 5058])
def test_sound_is_cut_at_the_first_frame_from_the_boundary_on(priming: int) -> None:
    """Frame ceil((T * rate + media time) / 1024), segment 1 from the first one (rule C-04)."""
    index = sounds(1000, edit=Edit(priming))
    cuts = cut_at(index, [Fraction(6), Fraction(25, 2)])
    first = -(-(6 * 44_100 + priming) // 1024)
    second = -(-(Fraction(25, 2) * 44_100 + priming) // 1024)
    assert cuts.rows == ((0, first), (first, second), (second, 1000))
    assert cuts.starts == (0, first * 1024 - priming, second * 1024 - priming)
    assert cuts.end == 1000 * 1024 - priming


def test_sound_of_varying_frames_is_cut_alike() -> None:
    frames = [1024 + row % 3 for row in range(3000)]
    index, blocks = indexed(audio_track(), samples(frames))
    assert not index.uniform_duration
    found = [Fraction(n) for n in range(1, 60)]
    starts = samples(frames).dts.tolist()
    made = edges(index, Times.of(found), blocks)
    wanted = [next(n for n, dts in enumerate(starts) if dts >= t * 44_100) for t in found]
    assert made.rows.tolist() == wanted
    assert made.times.tolist() == [starts[row] for row in wanted]


def test_sound_alone_is_cut_on_a_grid() -> None:
    assert times(audio=(sounds(1000),)) == [6, 12, 18]
    assert times(audio=(sounds(100),)) == []


def test_sound_longer_than_the_picture_goes_on_in_segments() -> None:
    video = pictures(100, 25)  # 4 s
    assert times(video, audio=(sounds(800),)) == [12, 18]
    assert times(video, audio=(sounds(200),)) == []


def test_no_boundary_lies_behind_the_last_frame() -> None:
    """A segment would be empty: frames start each 23 ms, the last at 17.9955 s."""
    assert times(pictures(100, 25), audio=(sounds(776),)) == [12]
    assert times(pictures(100, 25), audio=(sounds(777),)) == [12, 18]


def test_sound_that_is_too_long_stays_whole() -> None:
    days = sounds(10, duration=2**30)
    assert len(times(audio=(days,))) < MAX_SEGMENTS


def test_sound_behind_the_picture_leaves_it_aligned() -> None:
    video = pictures(100, 25)
    found = times(video, audio=(sounds(800),))
    assert found
    assert cut_at(video, found).complete


@given(
    st.lists(st.integers(0, 5000), min_size=1, max_size=60),
    st.lists(st.fractions(0, 60), max_size=6),
    st.booleans(),
    st.integers(-4000, 4000),
    st.data(),
)
def test_rows_partition_the_track(
    durations: list[int], found: list[Fraction], video: bool, origin: int, data: st.DataObject
) -> None:
    """Nothing is lost or sent twice, wherever it is cut; and times only grow."""
    sync = data.draw(st.lists(st.booleans(), min_size=len(durations), max_size=len(durations)))
    make = video_track if video else audio_track
    index, blocks = indexed(
        make(timescale=1000, edit=Edit(origin)),
        samples(durations, sync=sync if video else None),
    )
    cuts = cut_at(index, sorted(found), blocks)
    assert cuts.rows[0][0] == 0
    assert cuts.rows[-1][1] == index.count
    assert all(a[1] == b[0] for a, b in pairwise(cuts.rows))
    assert all(start < stop for start, stop in cuts.rows)
    assert all(a <= b for a, b in pairwise(cuts.starts))
    assert cuts.end > cuts.starts[-1]
    assert cuts.starts[0] >= 0
    if video:
        assert {start for start, _ in cuts.rows} <= set(index.entry.tolist())


def test_times_past_64_bits_are_compared_exactly() -> None:
    def fine(scale: int) -> TrackIndex:
        frame = 2**40
        rows = samples([frame] * 40, sync=[row % 4 == 0 for row in range(40)])
        return indexed(video_track(timescale=scale), rows)[0]

    a, b = fine(2**32 - 1), fine(2**32 - 1)
    found = boundaries([a, b], [], Fraction(2**11))
    assert found
    assert cut_at(b, found).complete


def test_boundaries_closer_than_frames_share_an_edge() -> None:
    slow, _ = indexed(video_track(timescale=1), samples([10] * 5))
    cuts = cut_at(slow, [Fraction(n) for n in (1, 2, 3, 20)])
    assert cuts.rows == ((0, 2), (2, 5))
    assert not cuts.complete


@given(
    st.lists(st.fractions(-5, 5000, max_denominator=10**9), max_size=8),
    st.lists(st.integers(0, 2**40), max_size=4),
    st.integers(1, 10**7),
)
def test_times_are_exact(some: list[Fraction], more: list[int], timescale: int) -> None:
    """Whatever their denominators: beyond 64 bits too."""
    listed = sorted(some)
    found = Times.of(listed)
    assert list(found) == listed
    assert found.at(timescale).tolist() == [ceil(time * timescale) for time in listed]
    rest = sorted(Fraction(n, 7) + 5000 for n in more)
    assert list(found + Times.of(rest)) == listed + rest
    assert list(found[1:]) == listed[1:]


def test_the_same_times_have_one_digest() -> None:
    """So that two nodes make one token."""
    ticks = np.array([1, 5, 2**40])
    assert Times(ticks, 7).digested == Times(ticks.copy(), 7).digested
    assert Times(ticks, 7).digested != Times(ticks + 1, 7).digested


XHE = bytes.fromhex("f94824211cc0185000200097084730b0")


def test_sound_that_leans_on_what_was_before_is_cut_at_sync_samples() -> None:
    """xHE-AAC (C-04): the first sync sample at or after each boundary; AAC LC does not care."""
    sync = [row % 90 == 0 for row in range(900)]
    seconds = [Fraction(at) for at in (2, 4, 6, 8, 20)]
    tracks = [
        indexed(audio_track(record=record), samples([1024] * 900, sync=sync))[0]
        for record in (XHE, LC_44100_STEREO)
    ]
    cuts = [cut(track, Times.of(seconds), {}) for track in tracks]
    assert [one.bounds.tolist() for one in cuts] == [
        [0, 90, 180, 270, 360, 900],
        [0, 87, 173, 259, 345, 862, 900],
    ]
    assert cuts[0].starts == tuple(row * 1024 for row in (0, 90, 180, 270, 360))


def test_an_edit_of_such_sound_starts_at_a_sync_sample() -> None:
    rows = samples([1024] * 900, sync=[row % 90 == 0 for row in range(900)])
    edit = Edit(origin=200 * 1024)
    assert needed(audio_track(record=XHE, edit=edit), rows) == (90, 900)
    assert needed(audio_track(edit=edit), rows) == (157, 900)
