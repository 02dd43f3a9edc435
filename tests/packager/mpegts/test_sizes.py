"""Sizes of all segments at once equal those of the segments, planned one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.errors import Unsupported
from packager.index import Blocks, TrackIndex
from packager.mpegts.segment import TrackRows, carried, framed_sizes, ts_segment
from packager.mpegts.sizes import Film, ts_sizes
from packager.nal_facts import scan
from packager.plan import Plan
from packager.samples import column
from packager.tracks import Kind
from tests.packager.carrying import read_from
from tests.packager.mpegts.test_against_plain import (
    RELAXED,
    Source,
    audio_sources,
    video_sources,
)
from tests.packager.tables import audio_track, indexed, samples, video_track

Indexed = tuple[TrackIndex, Blocks]


def index_of(source: Source) -> Indexed:
    config = source.track.format.config
    facts = None
    if source.track.kind is Kind.VIDEO:
        facts = read_from(source.data, scan(config, source.rows))  # type: ignore[arg-type]
    return indexed(source.track, source.rows, facts)


def at_once(video: Indexed | None, audio: Indexed | None, cuts: list[list[int]]) -> list[int]:
    films = []
    for made, bounds in zip((video, audio), cuts, strict=True):
        if made is None:
            films.append(None)
            continue
        index, blocks = made
        rows = index.timed(blocks)
        sizes = rows.annexb if index.kind is Kind.VIDEO else framed_sizes(index, rows.size)
        films.append(Film(index, rows, sizes, column(bounds)))
    return ts_sizes(*films).tolist()  # type: ignore[no-any-return]


def one_by_one(
    video: Indexed | None, audio: Indexed | None, cuts: list[list[int]]
) -> list[int]:
    def rows(made: Indexed | None, start: int, stop: int) -> TrackRows | None:
        if made is None or start == stop:
            return None
        index, blocks = made
        known = index.kind is Kind.VIDEO
        annexb = index.annexb_sizes(start, stop, blocks) if known else None
        return TrackRows(index, index.samples(start, stop, blocks), annexb)

    found = []
    for number in range(len(cuts[0]) - 1):
        spans = [bounds[number : number + 2] for bounds in cuts]
        plan = ts_segment(
            rows(video, *spans[0]), rows(audio, *spans[1]), number + 1,
            has_video=video is not None,
            program_audio=carried(audio[0]) if audio else None,
        )  # fmt: skip
        assert isinstance(plan, Plan)
        found.append(len(plan))
    return found


@st.composite
def films(draw: st.DrawFn) -> tuple[Indexed | None, Indexed | None, list[list[int]]]:
    has_video, has_audio = draw(st.sampled_from([(True, True), (True, False), (False, True)]))
    video = index_of(draw(video_sources())) if has_video else None
    audio = index_of(draw(audio_sources())) if has_audio else None
    segments = draw(st.integers(1, 5))
    cuts = []
    for made in (video, audio):
        count = made[0].count if made else 0
        inner = draw(
            st.lists(st.integers(0, count), min_size=segments - 1, max_size=segments - 1)
        )
        cuts.append([0, *sorted(inner), count])
    # Of segments that have neither there are none.
    kept = [0]
    for number in range(1, segments + 1):
        if any(bounds[number] > bounds[kept[-1]] for bounds in cuts):
            kept.append(number)
    return video, audio, [[bounds[number] for number in kept] for bounds in cuts]


@given(films())
@RELAXED
def test_sizes_of_a_film_are_those_of_its_segments(
    film: tuple[Indexed | None, Indexed | None, list[list[int]]],
) -> None:
    assert at_once(*film) == one_by_one(*film)


def test_a_picture_that_stands_for_longer_than_clocks_are_sent() -> None:
    """Past half an hour between frames the limit on clock packets holds in each segment."""
    second = 90_000
    rows = samples([second, 1700 * second, 2000 * second, 30 * second, second], sizes=[9] * 5)
    video = indexed(video_track(), rows)
    sound = indexed(audio_track(timescale=8000), samples([8000 * 700] * 9, sizes=[9] * 9))
    cuts = [[0, 2, 5, 5], [0, 3, 6, 9]]
    index, blocks = video
    films = [
        Film(index, index.timed(blocks), index.timed(blocks).size, column(cuts[0])),
        Film(*(sound[0], sound[0].timed(sound[1])),
             framed_sizes(sound[0], sound[0].timed(sound[1]).size), column(cuts[1])),
    ]  # fmt: skip
    expected = []
    for number in range(3):
        pictures, sounds = (bounds[number : number + 2] for bounds in cuts)
        shown = index.samples(*pictures, blocks) if pictures[0] < pictures[1] else None
        plan = ts_segment(
            shown and TrackRows(index, shown, shown.size),
            TrackRows(sound[0], sound[0].samples(*sounds, sound[1]), None),
            number + 1, has_video=True, program_audio=carried(sound[0]),
        )  # fmt: skip
        expected.append(len(plan))  # type: ignore[arg-type]
    assert ts_sizes(*films).tolist() == expected


def test_a_frame_too_large_for_a_pes_is_refused_as_the_segment_is() -> None:
    made = indexed(audio_track(), samples([1024] * 4, sizes=[9, 9, 70_000, 9]))
    with pytest.raises(Unsupported, match="an audio frame of 70007 bytes"):
        at_once(None, made, [[0, 0, 0], [0, 2, 4]])
