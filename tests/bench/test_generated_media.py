"""The files that other tests rely on have the features that they are asked for."""

import struct
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from tests.support.media import Audio, Recipe, Video, made

ALL = [
    Recipe(),
    Recipe(video=Video(b_frames=0)),
    Recipe(video=Video(frame_rate=Fraction(24_000, 1001))),
    Recipe(video=Video(frame_rate=Fraction(25, 2), group=25)),
    Recipe(video=Video(open_groups=True, group=20)),
    Recipe(video=Video(delimiters=True)),
    Recipe(video=Video(uneven=True)),
    Recipe(video=Video(start=Fraction(1, 2))),
    Recipe(video=Video(start=Fraction(-7, 5)), audio=(Audio(start=Fraction(-7, 5)),)),
    Recipe(audio=(Audio(start=Fraction(1, 4), seconds=Fraction(3)),)),
    Recipe(audio=(Audio(sample_rate=44_100, layout="mono"), Audio(sample_rate=22_050))),
    Recipe(audio=(Audio(language="eng"), Audio(language="deu", layout="5.1"))),
    Recipe(moov="last"),
    Recipe(timescale=90_000),
    Recipe(edit_list=False),
    Recipe(negative_offsets=True),
    Recipe(video=None),
    Recipe(audio=()),
    Recipe(seconds=Fraction(1, 25)),
]


@pytest.mark.parametrize("recipe", ALL, ids=repr)
def test_files_decode_whole(recipe: Recipe) -> None:
    with av.open(str(made(recipe)), options={"ignore_editlist": "1"}) as source:
        assert len(source.streams.video) == bool(recipe.video)
        assert len(source.streams.audio) == len(recipe.audio)
        if recipe.video:
            frames = sum(1 for _ in source.decode(video=0))
            assert frames == max(1, round(recipe.seconds * recipe.video.frame_rate))


def test_a_recipe_is_made_once() -> None:
    assert made(Recipe()) is made(Recipe())
    assert made(Recipe()) != made(Recipe(moov="last"))


def box(path: Path, fourcc: bytes, number: int = 0) -> bytes:
    """The payload of one box, found by its name."""
    return path.read_bytes().split(fourcc)[1 + number]


def edits(path: Path, number: int = 0) -> list[int]:
    """media_time of each edit."""
    payload = box(path, b"elst", number)
    (count,) = struct.unpack_from(">I", payload, 4)
    return [struct.unpack_from(">i", payload, 12 + 12 * n)[0] for n in range(count)]


def test_edits_delay_and_trim() -> None:
    assert edits(made(Recipe())) == [1024]
    assert edits(made(Recipe(video=Video(start=Fraction(1, 2))))) == [-1, 1024]
    trimmed = Recipe(video=Video(start=Fraction(-7, 5)))
    assert edits(made(trimmed)) == [1024 + 12_800 * 7 // 5]
    assert b"elst" not in made(Recipe(edit_list=False)).read_bytes()


def test_composition_offsets_below_zero() -> None:
    assert box(made(Recipe(negative_offsets=True)), b"ctts")[0] == 1  # version
    assert box(made(Recipe()), b"ctts")[0] == 0
    assert b"ctts" not in made(Recipe(video=Video(b_frames=0))).read_bytes()


def test_where_the_moov_box_is() -> None:
    for recipe, is_first in ((Recipe(), True), (Recipe(moov="last"), False)):
        data = made(recipe).read_bytes()
        assert (data.index(b"moov") < data.index(b"mdat")) is is_first
    assert b"moof" in made(Recipe(moov="fragmented")).read_bytes()


def test_timescales() -> None:
    with av.open(str(made(Recipe(timescale=90_000)))) as source:
        assert source.streams.video[0].time_base == Fraction(1, 90_000)


def test_languages() -> None:
    with av.open(str(made(Recipe(audio=(Audio(language="deu"), Audio()))))) as source:
        assert [stream.language for stream in source.streams.audio] == ["deu", "und"]


def first_nal(path: Path, of: int) -> int:
    with av.open(str(path)) as source:
        packets = [packet for packet in source.demux(video=0) if packet.size]
    return bytes(packets[of])[4] & 31


def test_delimiters_are_in_the_samples() -> None:
    assert first_nal(made(Recipe(video=Video(delimiters=True))), 1) == 9
    assert first_nal(made(Recipe()), 1) != 9


def test_open_groups_have_frames_that_reach_back() -> None:
    path = made(Recipe(video=Video(open_groups=True, group=20)))
    with av.open(str(path)) as source:
        packets = [packet for packet in source.demux(video=0) if packet.size]
    keys = [n for n, packet in enumerate(packets) if packet.is_keyframe]
    reaching = [key for key in keys if min(p.pts for p in packets[key:]) < packets[key].pts]
    assert len(keys) == 7
    assert len(reaching) == 4  # all but the IDRs, of frames 0, 60 and 120


def test_uneven_frames() -> None:
    with av.open(str(made(Recipe(video=Video(uneven=True))))) as source:
        times = sorted(p.pts for p in source.demux(video=0) if p.size)
    assert len({after - before for before, after in pairwise(times)}) > 1
