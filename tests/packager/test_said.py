"""What is said of flavors, in what manifests say of them."""

import pytest

from packager.presentation import Bitrate
from packager.said import NOTHING, Said, declared, declared_muxed, default_number

MEASURED = Bitrate(900, 700)


@pytest.mark.parametrize(
    ("peak", "average", "rate"),
    [
        (0, 0, MEASURED),
        (1000, 0, Bitrate(1000, 700)),
        (500, 0, Bitrate(500, 500)),
        (0, 800, Bitrate(900, 800)),
        (0, 950, Bitrate(950, 950)),
        (1000, 800, Bitrate(1000, 800)),
        (800, 1000, Bitrate(1000, 1000)),
    ],
)
def test_declared_rates(peak: int, average: int, rate: Bitrate) -> None:
    assert declared(MEASURED, peak, average) == rate


def test_rates_of_tracks_together() -> None:
    both = Said(video=2000, audio=100, average_video=1500)
    assert declared_muxed(both, MEASURED, video=True, audio=True) == Bitrate(2100, 700)
    assert declared_muxed(both, MEASURED, video=True, audio=False) == Bitrate(2000, 1500)
    # of one of two tracks nothing is said
    assert declared_muxed(Said(video=2000), MEASURED, video=True, audio=True) == MEASURED


@pytest.mark.parametrize(
    ("defaults", "number"),
    [
        ([None, None], 0),
        ([None, True], 1),
        ([False, None], 1),
        ([False, False], 0),
        ([True, True], 0),
        ([], 0),
    ],
)
def test_which_is_the_default(defaults: list[bool | None], number: int) -> None:
    assert default_number([Said(default=one) for one in defaults]) == number
    assert NOTHING.default is None
