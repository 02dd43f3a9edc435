"""What an edit list means (rule C-01); the movie counts 600 a second, the track 1000."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.edits import needed
from packager.errors import MalformedBox, PackagerError, Unsupported
from packager.isobmff.edit_list import parse_edit_list
from packager.tracks import Edit, Piece
from tests.packager.tables import audio_track, samples, video_track

Entry = tuple[int, ...]


def elst(*entries: Entry, version: int = 0) -> memoryview:
    """Entries of duration, media time and, if not 1.0, rate and fraction."""
    layout = ">Iihh" if version == 0 else ">Qqhh"
    rows = [struct.pack(layout, *entry, *(1, 0)[len(entry) - 2 :]) for entry in entries]
    return memoryview(struct.pack(">II", version << 24, len(rows)) + b"".join(rows))


CASES = {
    "no entry": ([], Edit(0)),
    "all of it": ([(600, 0)], Edit(0, 1000)),
    "start offset": ([(600, 80)], Edit(80, 1080)),
    "open end": ([(0, 80)], Edit(80)),
    "empty edit": ([(300, -1), (600, 0)], Edit(-500, 1000)),
    "two empty edits": ([(300, -1), (300, -1), (600, 0)], Edit(-1000, 1000)),
    "empty edit and offset": (
        [(300, -1), (600, 80)],
        Edit(-420, 1080, (Piece(500, 80, 1000),)),
    ),
    "empty edit alone": ([(300, -1)], Edit(-500)),
    "trim": ([(300, 2000)], Edit(2000, 2500)),
    "joined": ([(300, 0), (300, 500)], Edit(0, 1000)),
    "joined but for rounding": ([(1, 0), (600, 1)], Edit(0, 1002)),
    "joined, open end": ([(300, 0), (0, 500)], Edit(0)),
    "nothing for no time": ([(0, -1), (0, 700), (600, 0)], Edit(0, 1000)),
    "an empty edit behind all": ([(600, 0), (300, -1)], Edit(0, 1000)),
    "two pieces": (
        [(300, 0), (300, 900)],
        Edit(0, 500, (Piece(0, 0, 500), Piece(500, 900, 500))),
    ),
    "repeated": (
        [(300, 0), (0, 0)],
        Edit(0, 500, (Piece(0, 0, 500), Piece(500, 0, None))),
    ),
    "backwards": (
        [(300, 900), (300, 0)],
        Edit(900, 1400, (Piece(0, 900, 500), Piece(500, 0, 500))),
    ),
    "pause": (
        [(300, 0), (60, -1), (300, 500)],
        Edit(0, 500, (Piece(0, 0, 500), Piece(600, 500, 500))),
    ),
    "dwell": ([(300, 40, 0)], Edit(40, 540, (Piece(0, 40, 500, still=True),))),
    "rounded once, not each": (  # of the movie's ticks three are five of the track's
        [(1, 0), (1, 9), (1, 18), (597, 27)],
        Edit(0, 2, (Piece(0, 0, 2), Piece(2, 9, 1), Piece(3, 18, 2), Piece(5, 27, 995))),
    ),
    "longer than any media": ([(2**32 - 1, 5)], Edit(5, 5 + (2**32 - 1) * 1000 // 600)),
}


@pytest.mark.parametrize(("entries", "edit"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("version", [0, 1])
def test_case(entries: list[Entry], edit: Edit, version: int) -> None:
    assert parse_edit_list(elst(*entries, version=version), 600, 1000) == edit


def test_an_end_out_of_reach_is_no_end() -> None:
    assert parse_edit_list(elst((2**64 - 1, 7), version=1), 600, 1000) == Edit(7)


REFUSED = {
    "half speed": ([(300, 0, 0, 0x4000)], Unsupported, "elst: media rate 0 and 16384/65536"),
    "double speed": ([(300, 0, 2)], Unsupported, "elst: media rate 2 and 0/65536"),
    "reversed": ([(300, 0, -1)], Unsupported, "elst: media rate -1"),
    "far": ([(0, 2**62)], MalformedBox, "elst: times are out of range"),
    "far delay": ([(2**62, -1)], MalformedBox, "elst: times are out of range"),
}


@pytest.mark.parametrize(("entries", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(entries: list[Entry], kind: type[PackagerError], message: str) -> None:
    with pytest.raises(kind) as error:
        parse_edit_list(elst(*entries, version=1), 600, 1000)
    assert str(error.value).startswith(message)


def test_lies() -> None:
    for payload in (b"", bytes(4), struct.pack(">II", 0, 2**32 - 1), struct.pack(">II", 0, 1)):
        with pytest.raises(MalformedBox, match=r"^elst: "):
            parse_edit_list(memoryview(payload), 600, 1000)
    with pytest.raises(MalformedBox, match="elst: unknown version 9"):
        parse_edit_list(memoryview(struct.pack(">II", 9 << 24, 0)), 600, 1000)


times = st.sampled_from([-1, 0, 1, 500, 2**31 - 1, 2**46, 2**62, 2**63 - 1, -(2**63)])
spans = st.sampled_from([0, 1, 300, 2**32 - 1, 2**46, 2**63, 2**64 - 1])


@given(st.lists(st.tuples(spans, times), max_size=4), st.sampled_from([1, 600, 2**32 - 1]))
def test_any_times_are_kept_small_or_refused(entries: list[Entry], scale: int) -> None:
    """Whatever an edit says, times at 90 kHz fit in 64 bits."""
    try:
        edit = parse_edit_list(elst(*entries, version=1), scale, 1000)
    except PackagerError:
        return
    assert max(abs(edit.origin), edit.end or 0) * 90_000 < 2**63


# -- which samples an edit needs: video with a sync sample each 500, shown 80 after its time


def rows_for(edit: Edit, *, offset: int = 80) -> tuple[int, int]:
    rows = samples([100] * 20, offsets=[offset] * 20, sync=[row % 5 == 0 for row in range(20)])
    return needed(video_track(timescale=1000, edit=edit), rows)


NEEDED = {
    "all": (Edit(80), (0, 20)),
    "delay": (Edit(-500), (0, 20)),
    "from a sync sample": (Edit(580, 1080), (5, 10)),
    "from inside a group": (Edit(700, 1080), (5, 10)),
    "just before a sync sample": (Edit(579), (0, 20)),
    "before the first": (Edit(0, 81), (0, 1)),
    "to the middle of a frame": (Edit(80, 130), (0, 1)),
    "to the start of a frame": (Edit(80, 180), (0, 1)),
}


@pytest.mark.parametrize(("edit", "rows"), NEEDED.values(), ids=NEEDED)
def test_needed_pictures(edit: Edit, rows: tuple[int, int]) -> None:
    assert rows_for(edit) == rows


@pytest.mark.parametrize("edit", [Edit(5000), Edit(2**46), Edit(0, 50)])
def test_an_edit_that_presents_nothing_is_refused(edit: Edit) -> None:
    with pytest.raises(Unsupported, match="elst: the edit of track 1 presents no sample"):
        rows_for(edit)


def test_a_reordered_end_keeps_what_is_shown_before_it() -> None:
    rows = samples([100] * 4, offsets=[100, 300, 0, 0], sync=[True, False, False, False])
    assert rows.cts.tolist() == [100, 400, 200, 300]
    assert needed(video_track(timescale=1000, edit=Edit(100, 301)), rows) == (0, 4)


def test_sound_starts_up_to_a_second_early() -> None:
    track = audio_track(timescale=1000, edit=Edit(3000, 4001))
    assert needed(track, samples([100] * 60)) == (20, 41)
    assert np.array_equal(samples([100] * 60).dts[[20, 41]], [2000, 4100])
