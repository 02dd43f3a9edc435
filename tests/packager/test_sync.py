"""Sound and picture stay together, whatever the file says about time, in every protocol.

A white picture and a tone that begin at one instant of the source are decoded by FFmpeg from
what is served; each must be where the edit list puts it, within 5 ms (rules C-01, C-05, C-06,
C-08, T-04, T-05).
"""

import re
from fractions import Fraction

import pytest

from packager.index import TrackIndex
from packager.mpegts.clock import TIME_BASE
from packager.recipe import Choice
from packager.tracks import Kind
from tests.packager.carrying import Packaged
from tests.packager.flashes import PICTURE_RATE, SECONDS, Film, tones, whites
from tests.packager.mpegts.reading import parse_stream

NEAR = 0.005

FILMS = {
    "reordered pictures and priming": Film(),
    "negative offsets in version 0": Film(negative=True),
    "no edit list but for priming, another group": Film(group=30),
    "pictures late": Film(((1, -1), (0, 0)), ((0, 0),)),
    "sound late": Film(((0, 0),), ((2, -1), (0, 0))),
    "both late, trimmed": Film(((1.5, -1), (0, 2.52))),
    "trimmed inside a group": Film(((0, 0.6),)),
    "trimmed inside a picture": Film(((0, 0.613),)),
    "sound trimmed by another time": Film(((0, 0.6),), ((0, 0.25),)),
    "pieces at sync samples": Film(((2, 4), (2, 0))),
    "pieces inside groups": Film(((1.5, 0.2), (2.3, 4.3), (1.0, 2.7))),
    "repeated": Film(((1.2, 0.5), (1.2, 0.5), (1.2, 0.5))),
    "a pause": Film(((2, 0), (3, -1), (3, 2.4))),
    "sound pauses alone": Film(((0, 0),), ((2.4, 0), (1, -1), (0, 3.4))),
    "longer than the media": Film(((2, 6.2), (4, 0))),
    "NAL lengths of two bytes": Film(length_size=2),
    "delimiters": Film(delimiters=True),
    "parameter sets in the samples": Film(in_band=True),
    "parameter sets in the samples, pieces": Film(((1.5, 0.2), (2.3, 4.3)), in_band=True),
    "all three": Film(((0, 0.6),), length_size=2, delimiters=True, in_band=True),
    **{f"timescale {scale}": Film(((0, 0.6),), timescale=scale)
       for scale in (25, 600, 1000, 12_500, 90_000, 10_000_000, 23_040_000, 1_000_003)},
    **{f"timescale {scale}, pieces": Film(((1.5, 0.2), (2.3, 4.3)), timescale=scale)
       for scale in (25, 1000, 23_040_000, 1_000_003)},
    "sound in milliseconds": Film(((0, 0.6),), sound_timescale=1000),
    "sound at ten million": Film(((1.5, 0.2), (2.3, 4.3)), sound_timescale=10_000_000),
}  # fmt: skip


def track(made: Packaged, kind: Kind, flavor: int = 1) -> TrackIndex:
    [found] = made.flavors[flavor - 1].of_kind(kind)
    return found


def since_zero(times: list[float], base: float) -> list[float]:
    return [time - base for time in times if time - base > -0.02]


def of_ts(stream: bytes) -> tuple[list[float], list[float]]:
    base = TIME_BASE / 90_000
    return since_zero(whites(stream), base), since_zero(tones(stream), base)


def of_cmaf(made: Packaged, kind: Kind, skip: int = 0) -> list[float]:
    one = track(made, kind)
    init, *segments = made.cmaf(one)
    found = (whites if kind is Kind.VIDEO else tones)(init + b"".join(segments[skip:]))
    return since_zero(found, one.lead / one.track.timescale)


def together(found: list[float], wanted: list[float]) -> bool:
    return len(found) == len(wanted) and all(
        abs(one - other) < NEAR for one, other in zip(found, wanted, strict=True)
    )


@pytest.fixture(scope="module", params=FILMS.values(), ids=FILMS)
def packaged(request: pytest.FixtureRequest) -> tuple[Film, Packaged]:
    return request.param, Packaged(request.param.encode(), target=Fraction(2))


Made = tuple[Film, Packaged]


def test_ts(packaged: Made) -> None:
    film, made = packaged
    seen, heard = of_ts(b"".join(made.ts()))
    assert together(seen, film.presented()), (seen, film.presented())
    assert together(heard, film.presented(sound=True)), (heard, film.presented(sound=True))


@pytest.mark.parametrize("kind", Kind)
def test_ts_of_one_track(packaged: Made, kind: Kind) -> None:
    film, made = packaged
    choice = Choice(1, video=1) if kind is Kind.VIDEO else Choice(1, audio=1)
    found = of_ts(b"".join(made.ts(choice)))[kind is Kind.AUDIO]
    assert together(found, film.presented(sound=kind is Kind.AUDIO))


@pytest.mark.parametrize("kind", Kind)
def test_cmaf(packaged: Made, kind: Kind) -> None:
    film, made = packaged
    found, wanted = of_cmaf(made, kind), film.presented(sound=kind is Kind.AUDIO)
    assert together(found, wanted), (found, wanted)


def test_ts_from_the_second_segment(packaged: Made) -> None:
    film, made = packaged
    muxed = made.mux(made.choice())
    if len(muxed.timeline.starts) < 2:
        pytest.skip("it has one segment")
    start = muxed.timeline.starts[1] / muxed.timeline.timescale
    seen, heard = of_ts(b"".join(made.ts()[1:]))
    assert together(seen, [time for time in film.presented() if time >= start - NEAR])
    # A tone may begin in a frame that lies across the boundary.
    wanted = [time for time in film.presented(sound=True) if time >= start + 0.03]
    assert together([time for time in heard if time >= start + 0.03], wanted)


def test_ts_after_a_switch_to_another_flavor(packaged: Made) -> None:
    film, _ = packaged
    made = Packaged(film.encode(), film.encode(), target=Fraction(2))
    first, second = made.ts(made.choice(1)), made.ts(made.choice(2))
    seen, heard = of_ts(b"".join(first[:1] + second[1:]))
    assert together(seen, film.presented())
    assert together(heard, film.presented(sound=True))


DELIMITED = {
    "four bytes": Film(delimiters=True),
    "two bytes": Film(delimiters=True, length_size=2),
    "parameter sets": Film(delimiters=True, in_band=True),
}


@pytest.mark.parametrize("film", DELIMITED.values(), ids=DELIMITED)
def test_delimiters_are_not_doubled(film: Film) -> None:
    """Rule T-06: one in front of each picture, and parameter sets with each that is IDR."""
    pictures = [pes.data for pes in parse_stream(b"".join(Packaged(film.encode()).ts()))[1]
                if pes.pid == 0x100]  # fmt: skip
    assert len(pictures) == SECONDS * PICTURE_RATE
    for data in pictures:
        units = [part[:1][0] & 31 for part in re.split(b"\0\0\0?\1", data)[1:]]
        assert units[0] == 9
        assert units.count(9) == 1
        if 5 in units:
            assert {7, 8} <= set(units[: units.index(5)])


def test_nal_lengths_stay_as_they_are_in_fmp4() -> None:
    made = Packaged(Film(length_size=2).encode())
    init = made.cmaf(track(made, Kind.VIDEO))[0]
    record = init[init.index(b"avcC") + 4 :]
    assert record[4] & 3 == 1  # lengthSizeMinusOne
