"""Files that were cut out of one live stream, next to each other; by themselves each begins at
zero."""

from fractions import Fraction

import pytest

from packager.common_zero import MOST_APART, common_zero
from packager.index import FlavorIndex
from packager.index_header import decode_header, encode_header
from packager.recipe import make_recipe
from tests.packager.carrying import index_of
from tests.packager.cut_tracks import audio, video
from tests.packager.flashes import PRIMING, SOUND_RATE

CLOCK = Fraction(10**6)
PRIMED = Fraction(PRIMING, SOUND_RATE)
"""Seconds by which sound begins before pictures on the same clock."""


TICK = 1 / 12_800
"""Of pictures, seconds."""


def begins(*flavors: FlavorIndex) -> list[float]:
    """Seconds until the first track of each is presented."""
    first = (flavor.tracks[0] for flavor in flavors)
    return [one.first_time / one.track.timescale for one in first]


CASES = {
    # files: when each begins, seconds
    "alone": ([video(0, CLOCK)], [0]),
    "pictures behind sound": ([video(0, CLOCK), audio("en", 0, CLOCK)], [PRIMED, 0]),
    "by years": ([video(0, CLOCK), audio("en", 0, 2 * CLOCK)], [0, 0]),
    "as far as may be": (
        [video(0, CLOCK), audio("en", 0, CLOCK + MOST_APART + PRIMED)], [0, MOST_APART]
    ),
    "a file without the clock": ([video(0, CLOCK), audio("en")], [0, -PRIMED]),
    "two with it and one without": (
        [audio("en"), video(0, CLOCK), audio("de", 0, CLOCK)], [-PRIMED, PRIMED, 0]
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), CASES.values(), ids=CASES)
def test_where_each_begins(files: list[bytes], expected: list[Fraction]) -> None:
    flavors = tuple(map(index_of, files))
    moved = common_zero(flavors)
    assert begins(*moved) == pytest.approx([float(one) for one in expected], abs=TICK)
    assert begins(*common_zero(moved)) == begins(*moved)
    assert begins(*make_recipe(flavors).flavors) == begins(*moved)
    for before, after in zip(flavors, moved, strict=True):
        assert [before.position(track) for track in after.tracks] == [0]


def test_the_clock_is_kept_in_the_header_and_counts_for_the_digest() -> None:
    one, other = index_of(video(0, CLOCK)), index_of(video(0, CLOCK + 1))
    assert decode_header(encode_header(one)).begin == one.begin == CLOCK
    assert one.digest != other.digest
    assert decode_header(encode_header(index_of(video()))).begin == 0
