"""Files whose fields were changed on purpose: each plays or is refused, quickly and by name.

Not bytes at random: fields of boxes and elements, to values where the rules change.  The same
damage drives the coverage-guided fuzzer (``python -m tests.fuzz.inputs``).
"""

import random
import time
import tracemalloc
from collections.abc import Callable

import pytest

from packager.errors import PackagerError
from tests.fuzz.fields import damaged, places
from tests.fuzz.playing import play
from tests.fuzz.sources import SOURCES
from tests.packager.tables import Trak, counted, movie, mp4, sound

LARGE = {"mp4-alac"}
"""Whose size would hide what memory a field asks for."""


def numbers(**how: bool) -> Callable[[], bytes]:
    def make() -> bytes:
        video = Trak(movie(60), boxes={b"stss": counted(b"stss", [1], [31])})
        video.boxes[b"ctts"] = counted(b"ctts", (1, 80), (30, 0), (29, 2**32 - 20))
        video.edits = counted(b"elst", (60, 0xFFFFFFFF, 0x10000), (0, 80, 0x10000))
        return mp4(video, sound(120), **how)

    return make


FILES = {
    "numbers": numbers(),
    "numbers, wide": numbers(wide=True, moov_last=True),
    **{name: make for name, make in SOURCES.items() if name not in LARGE},
}


@pytest.mark.parametrize("name", FILES)
def test_changed_fields(name: str) -> None:
    source = FILES[name]()
    assert len(places(source)) > 15
    chance = random.Random(name)
    outcomes = {True: 0, False: 0}
    for _ in range(80):
        data = damaged(source, chance)
        begin = time.perf_counter()
        tracemalloc.start()
        try:
            play(data, chance)
            played = True
        except PackagerError as error:
            played = False
            assert str(error)
        finally:
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert time.perf_counter() - begin < 3  # a tenth of it without tracing
        assert peak < 64 << 20
        outcomes[played] += 1
    assert min(outcomes.values()) > 1


@pytest.mark.parametrize("name", FILES)
def test_cut_short(name: str) -> None:
    """Wherever a file ends, it plays or is refused."""
    source = FILES[name]()
    chance = random.Random(name)
    ends = {*range(0, 200, 7), *(chance.randrange(len(source)) for _ in range(40))}
    outcomes = set()
    for end in sorted(ends):
        try:
            play(source[:end], chance)
            outcomes.add(True)
        except PackagerError as error:
            assert str(error)
            outcomes.add(False)
    assert False in outcomes
