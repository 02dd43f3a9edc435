"""Which segments a clip has, and what its manifests say of them."""

from fractions import Fraction

import pytest

from packager.clip import WHOLE, Clip, clip_of
from packager.errors import UnknownSegment
from packager.presentation import Timeline
from packager.segmenter import Times

TIMES = Times.of([Fraction(6), Fraction(12), Fraction(18)])
LINE = Timeline(1000, (0, 6000, 12000, 18000), 20000)

CASES = {
    # from, to (ms): numbers of the segments
    (None, 1): [1],
    (0, 6000): [1],
    (0, 6001): [1, 2],
    (5999, 6000): [1],
    (6000, None): [2, 3, 4],
    (6000, 12000): [2],
    (11999, 12001): [2, 3],
    (13000, 14000): [3],
    (18000, None): [4],
    (19000, 99000): [4],
    (0, 99000): [1, 2, 3, 4],
}


@pytest.mark.parametrize(("asked", "numbers"), CASES.items(), ids=map(str, CASES))
def test_segments(asked: tuple[int | None, int | None], numbers: list[int]) -> None:
    part = clip_of(TIMES, *asked).of(LINE)
    assert list(range(part.first, part.first + len(part.starts))) == numbers
    assert part.starts == LINE.starts[numbers[0] - 1 : numbers[-1]]
    assert part.end == (*LINE.starts, LINE.end)[numbers[-1]]
    assert part.zero == (numbers[0] - 1) * 6000


def test_tracks_that_follow_a_boundary_to_within_a_frame() -> None:
    sound = Timeline(48_000, (0, 288_768, 576_512, 864_256), 960_000)
    part = clip_of(TIMES, 6000, 12000).of(sound)
    assert (part.first, part.starts, part.end) == (2, (288_768,), 576_512)
    assert part.zero == 288_000


def test_a_track_that_has_ended() -> None:
    with pytest.raises(UnknownSegment, match="nothing of this track"):
        clip_of(TIMES, 6000, None).of(Timeline(1000, (0,), 5000))


def test_the_whole_is_itself() -> None:
    assert WHOLE.of(LINE) is LINE
    assert Clip(stop=Fraction(6)).of(LINE).end == 6000


def test_a_clip_of_a_day_is_found_without_a_look_at_every_boundary() -> None:
    """Mappings with a clip ask for every segment, on the loop."""
    asked: list[object] = []

    class Counted(Times):
        def __getitem__(self, at):  # type: ignore[no-untyped-def]
            asked.append(at)
            return super().__getitem__(at)

    times = Times.of([Fraction(6 * number) for number in range(1, 20_001)])
    clip = clip_of(Counted(times.ticks, times.scale), 60_000_000, 60_006_000)
    assert clip == Clip(Fraction(60_000), Fraction(60_006))
    assert len(asked) < 50
