"""Recipes: what is asked for, together and by number."""

from fractions import Fraction

import pytest

from packager.errors import UnknownSegment, Unsupported
from packager.recipe import (
    MAX_FLAVORS,
    Choice,
    cmaf_segment,
    make_recipe,
    merged_audio,
    muxed_segment,
    presentation,
)
from packager.tracks import Kind
from tests.packager.carrying import Packaged, index_of
from tests.packager.tables import Trak, counted, movie, mp4, sound

STSS: dict[bytes, bytes | None] = {b"stss": counted(b"stss", [1])}


def video(count: int = 300, group: int = 25, *, duration: int = 40) -> Trak:
    payloads = [movie(2)[row % group > 0] for row in range(count)]
    stss = counted(b"stss", *([row + 1] for row in range(0, count, group)))
    return Trak(payloads, boxes={b"stss": stss}, duration=duration)


def test_numbers_that_do_not_exist() -> None:
    packaged = Packaged(mp4(video(), sound(500)))
    recipe = packaged.recipe
    for choice, number in (
        (Choice(0, 1, 1), 1),
        (Choice(2, 1, 1), 1),
        (Choice(1, 2, 1), 1),
        (Choice(1, 0, 1), 1),
        (Choice(1, 1, 2), 1),
        (Choice(1), 1),
        (Choice(1, 1, 1), 0),
        (Choice(1, 1, 1), 3),
    ):
        with pytest.raises(UnknownSegment):
            packaged.run(muxed_segment(recipe, choice, number))
    for choice, number in (
        (Choice(1), 1),
        (Choice(1, 1, 1), 1),
        (Choice(1, 1), 3),
        (Choice(1, audio=1), 0),
    ):
        with pytest.raises(UnknownSegment):
            packaged.run(cmaf_segment(recipe, choice, number))


def test_flavors_are_bounded() -> None:
    flavor = index_of(mp4(sound(3)))
    for count in (0, MAX_FLAVORS + 1):
        with pytest.raises(Unsupported, match="1 to 32 can be presented"):
            make_recipe([flavor] * count)


def test_sound_follows_its_picture() -> None:
    """Segment k of the muxed stream holds the sound from boundary k on."""
    packaged = Packaged(mp4(video(500), sound(861)))
    muxed = packaged.mux(packaged.choice())
    first = [-(-boundary * 44_100 // 1024) for boundary in (0, 6, 12, 18)]
    assert [pictures for pictures, _ in muxed.rows] == [
        (0, 150), (150, 300), (300, 450), (450, 500),
    ]  # fmt: skip
    assert [start for _, (start, _) in muxed.rows] == first
    assert muxed.timeline.starts == (0, 6000, 12_000, 18_000)


def test_a_flavor_that_cannot_follow_cuts_where_it_can() -> None:
    """Sound is cut with the picture that it is muxed with."""
    packaged = Packaged(mp4(video(1500, 150), sound(2000)), mp4(video(1500, 149), sound(2000)))
    muxed = packaged.mux(packaged.choice(2))
    starts = [pictures[0] for pictures, _ in muxed.rows]
    assert all(row % 149 == 0 for row in starts)
    assert muxed.timeline.starts == tuple(40 * row for row in starts)
    assert not packaged.presentation().aligned


def test_longer_sound_leaves_flavors_aligned() -> None:
    flavor = mp4(video(200), sound(1500))
    assert Packaged(flavor, flavor).presentation().aligned


def test_a_shorter_flavor_is_aligned_as_far_as_it_goes() -> None:
    assert Packaged(mp4(video(1000)), mp4(video(400))).presentation().aligned


def test_the_presentation_lists_every_track() -> None:
    packaged = Packaged(mp4(video(), sound(500), sound(400)), mp4(sound(450)))
    found = packaged.presentation()
    assert [one.name for one in found.video] == ["f1-v1"]
    assert [one.name for one in found.audio] == ["f1-a1", "f1-a2", "f2-a1"]
    assert [one.default for one in found.audio] == [True, False, False]
    [picture] = found.video
    assert (picture.width, picture.height, picture.frame_rate) == (320, 180, 25)
    assert (found.audio[0].channels, found.audio[0].sample_rate) == (2, 44_100)


def test_merged_sound_is_the_best_of_each_kind() -> None:
    """Several of one flavor that are alike stand for different things: each keeps its place."""
    thin, rich = sound(400), sound(400)
    rich.payloads = [payload * 3 for payload in rich.payloads]
    packaged = Packaged(mp4(thin, thin), mp4(thin, rich), mp4(rich))
    found = merged_audio(packaged.run(presentation(packaged.recipe)))
    assert [one.name for one in found.audio] == ["f3-a1", "f2-a2"]


def test_frame_rate_of_varying_frames_is_the_average() -> None:
    varying = video(100)
    varying.boxes[b"stts"] = counted(b"stts", (50, 30), (50, 50))
    [picture] = Packaged(mp4(varying)).presentation().video
    assert picture.frame_rate == 25
    [single] = Packaged(mp4(Trak(movie(1), boxes=STSS))).presentation().video
    assert single.frame_rate is None


def test_the_target_is_a_choice_of_the_request() -> None:
    source = mp4(video(500))
    for target, count in ((2, 10), (6, 4), (10, 2), (60, 1)):
        packaged = Packaged(source, target=Fraction(target))
        assert len(packaged.mux(packaged.choice()).rows) == count


def test_blocks_are_asked_for_as_few_as_needed() -> None:
    """A segment reads the blocks of its own samples alone."""
    packaged = Packaged(mp4(video(4000), sound(7000)))
    asked: list[tuple[str, int]] = []
    load = packaged.load

    def counting(wanted: object) -> object:
        asked.append((wanted.track.kind, len(wanted.numbers)))  # type: ignore[attr-defined]
        return load(wanted)  # type: ignore[arg-type]

    packaged.load = counting  # type: ignore[assignment, method-assign]
    packaged.run(muxed_segment(packaged.recipe, packaged.choice(), 5))
    assert asked == [(Kind.VIDEO, 1), (Kind.AUDIO, 1)]
