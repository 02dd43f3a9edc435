"""Edit lists of several pieces (rule C-01), against what the list says at each single tick."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from packager.errors import PackagerError, Unsupported
from packager.samples import Samples
from packager.splicing import Spliced, spliced
from packager.tracks import Edit, Piece
from tests.packager.tables import audio_track, samples, video_track

FINE = 90
"""What a timescale of 1000 is multiplied by for pictures."""

FRAME = 40


def laid(*pieces: tuple[int, int | None]) -> tuple[Piece, ...]:
    """Pieces of media time and length end to end; a media time of -1 is an empty edit."""
    made, at = [], 0
    for start, length in pieces:
        if start >= 0:
            made.append(Piece(at, start, length))
        at += length or 0
    return tuple(made)


def film(groups: int = 4, *, reordered: bool = False) -> Samples:
    """Groups of five pictures of 40 ms; reordered ones are decoded as I P b b b."""
    count = 5 * groups
    offsets = [80, 200, 40, 40, 40] * groups if reordered else [0] * count
    return samples(
        [FRAME] * count, offsets=offsets, sync=[row % 5 == 0 for row in range(count)]
    )


def joined(rows: Samples, pieces: tuple[Piece, ...]) -> Spliced:
    return spliced(video_track(timescale=1000, edit=Edit(pieces=pieces)), rows)


def times(made: Spliced) -> list[tuple[int, float]]:
    """Row of the source and presentation time in ms, in order of presentation."""
    order = np.argsort(made.samples.cts, kind="stable")
    shown = (made.samples.cts - made.track.edit.origin)[order] / FINE
    return list(zip(made.rows[order].tolist(), shown.tolist(), strict=True))


def test_pieces_that_start_at_sync_samples_splice_exactly() -> None:
    made = joined(film(), laid((400, 200), (0, 200)))
    assert times(made) == [(row, 40.0 * n) for n, row in enumerate([*range(10, 15), *range(5)])]
    assert made.track.edit == Edit(0, 400 * FINE)
    assert set(made.samples.duration.tolist()) == {40 * FINE}


def test_the_last_picture_stands_during_an_empty_edit() -> None:
    made = joined(film(), laid((0, 200), (-1, 1000), (200, 200)))
    assert times(made)[4:6] == [(4, 160.0), (5, 1200.0)]
    assert made.samples.duration[4] == 1040 * FINE


def test_a_piece_from_inside_a_group_begins_with_its_own_picture() -> None:
    """What it refers to passes within the half frame before it."""
    made = joined(film(), laid((0, 120), (520, 80)))
    assert times(made)[:3] == [(0, 0.0), (1, 40.0), (2, 80.0)]
    hidden = [time for row, time in times(made) if 10 <= row < 13]
    assert len(hidden) == 3
    assert min(hidden) >= 100
    assert max(hidden) < 120
    assert times(made)[-2:] == [(13, 120.0), (14, 160.0)]


def test_a_piece_that_starts_inside_a_picture_shows_it_from_there() -> None:
    assert times(joined(film(), laid((0, 200), (230, 100))))[5:] == [
        (5, 200.0), (6, 210.0), (7, 250.0), (8, 290.0),
    ]  # fmt: skip


def test_what_a_piece_refers_to_behind_its_end_is_kept() -> None:
    """Its last picture shown refers to one that is composed later."""
    made = joined(film(reordered=True), laid((80, 120), (280, 200)))
    assert [row for row, _ in times(made)][:4] == [0, 2, 3, 1]
    assert [row for row, time in times(made) if time >= 120] == [5, 7, 8, 9, 6]


def test_leading_pictures_of_an_open_group_are_left_out_behind_a_splice() -> None:
    """Rule S-09: they refer to a group that is not there."""
    rows = samples(
        [40] * 6, offsets=[0, 0, 80, 0, 0, 40], sync=[True, False, True] + [False] * 3
    )
    assert rows.cts.tolist() == [0, 40, 160, 120, 160, 240]
    made = joined(rows, laid((0, 80), (160, 120)))
    assert 3 not in made.rows


def test_a_dwell_shows_one_picture() -> None:
    pieces = (Piece(0, 0, 80), Piece(80, 205, 500, still=True), Piece(580, 400, 80))
    assert times(joined(film(), pieces)) == [
        (0, 0.0), (1, 40.0), (5, 80.0), (10, 580.0), (11, 620.0),
    ]  # fmt: skip


def test_what_a_delay_hides_is_not_shown_during_it() -> None:
    made = joined(film(), (Piece(1000, 400, None),))
    assert times(made)[0] == (10, 1000.0)


@pytest.mark.parametrize("piece", [Piece(500, 0, None), Piece(500, 0, 400)])
def test_a_plain_delay_stays_one(piece: Piece) -> None:
    track = video_track(timescale=1000, edit=Edit(-500, piece.length, (piece,)))
    made = spliced(track, film())
    assert made.track.edit == Edit(-500, piece.length)
    assert made.rows.tolist() == list(range(20))


NOTHING = {
    "behind the media": laid((900, 100), (2000, None)),
    "before the first": (Piece(0, 0, 20), Piece(20, 0, 30)),
}


@pytest.mark.parametrize("pieces", NOTHING.values(), ids=NOTHING)
def test_an_edit_that_presents_nothing(pieces: tuple[Piece, ...]) -> None:
    rows = (
        film() if "behind" in str(pieces) or pieces[0].start else samples([40], offsets=[100])
    )
    with pytest.raises(Unsupported, match="presents no sample"):
        joined(rows, pieces)


def test_repeats_are_bounded() -> None:
    rows = film(1000)
    with pytest.raises(Unsupported, match="elst: its pieces repeat more than 8388608 samples"):
        joined(rows, laid(*[(0, 200_000)] * 4096))


# -- sound: frames of 20 ms


def sounds(*pieces: tuple[int, int | None], count: int = 50) -> Spliced:
    track = audio_track(timescale=1000, edit=Edit(pieces=laid(*pieces)))
    return spliced(track, samples([20] * count))


def heard(made: Spliced) -> list[tuple[int, int, int]]:
    """Row of the source, time and duration."""
    at = made.samples.cts - made.track.edit.origin
    return list(
        zip(made.rows.tolist(), at.tolist(), made.samples.duration.tolist(), strict=True)
    )


def test_sound_is_spliced_at_the_frames_whose_middle_is_in_a_piece() -> None:
    assert heard(sounds((0, 50), (405, 40))) == [
        (0, 0, 20), (1, 20, 25), (20, 45, 20), (21, 65, 20),
    ]  # fmt: skip


def test_sound_pauses_during_an_empty_edit() -> None:
    assert heard(sounds((0, 40), (-1, 3000), (40, 40))) == [
        (0, 0, 20), (1, 20, 3020), (2, 3040, 20), (3, 3060, 20),
    ]  # fmt: skip


def test_sound_that_a_delay_hides_is_not_heard_during_it() -> None:
    assert heard(sounds((-1, 2000), (400, None)))[0] == (20, 2000, 20)


def test_priming_behind_a_delay_is_kept() -> None:
    """Rule C-05: three frames at most."""
    made = sounds((-1, 2000), (42, None))
    assert made.track.edit == Edit(42 - 2000)
    assert len(made.samples) == 50


def test_sound_before_zero_is_kept_for_the_decoder() -> None:
    made = sounds((400, 100), (0, 100))
    assert made.track.edit.origin == 400
    assert heard(made)[0] == (0, -400, 20)


# -- against the list itself


@dataclass(frozen=True)
class Model:
    """The picture that stands at each tick, found by looking at every one."""

    cts: list[int]
    pieces: tuple[Piece, ...]

    def row(self, tick: int) -> int | None:
        """Of the presentation at *tick*; None before all."""
        found = None
        for piece in self.pieces:
            if piece.at > tick:
                break
            elapsed = tick - piece.at
            if piece.length is not None:
                elapsed = min(elapsed, piece.length - 1)
            media = piece.start + (0 if piece.still else elapsed)
            composed = [(time, row) for row, time in enumerate(self.cts) if time <= media]
            found = max(composed)[1] if composed else found
        return found


pieces_of_a_film = st.lists(
    st.tuples(st.integers(-1, 900), st.integers(1, 500)), min_size=2, max_size=6
)


@given(pieces_of_a_film, st.booleans())
def test_every_tick_shows_what_the_list_says(
    entries: list[tuple[int, int]], reordered: bool
) -> None:
    rows = film(reordered=reordered)
    media_end = int((rows.cts + rows.duration).max())
    first = int(rows.cts.min())
    # Whatever lies behind the media is nothing, of which the model knows nothing.
    pieces = tuple(
        piece
        for piece in laid(*entries)
        if first <= piece.start < media_end and piece.length is not None
    )
    if not pieces:
        return
    try:
        made = joined(rows, pieces)
    except PackagerError as error:
        pytest.fail(str(error))
    model = Model(rows.cts.tolist(), pieces)
    shown = times(made)
    edit = made.track.edit
    assert edit.end is not None
    splices = [*(piece.at for piece in pieces), (edit.end - edit.origin) / FINE]
    for tick in range(pieces[0].at, pieces[-1].at + 200, 3):
        before = min((at for at in splices if at > tick), default=None)
        if before is None or before - tick <= FRAME / 2:
            continue  # where what is hidden passes
        standing = [row for row, time in shown if time <= tick][-1]
        assert standing == model.row(tick), tick


@given(pieces_of_a_film, st.booleans())
def test_decode_times_never_decrease_and_no_two_pieces_mix(
    entries: list[tuple[int, int]], reordered: bool
) -> None:
    assume(any(start >= 0 for start, _ in entries))
    try:
        made = joined(film(reordered=reordered), laid(*entries))
    except PackagerError:
        return
    assert (made.samples.duration >= 0).all()
    assert int(made.samples.dts[0]) >= 0
    assert (np.diff(made.samples.dts) == made.samples.duration[:-1]).all()
    if made.track.timescale == 1000:
        return  # nothing was spliced
    end = made.track.edit.end
    assert end is not None
    # A picture that is decoded before another has that one's step, within a frame.
    last = int((made.samples.cts + made.samples.duration).max())
    assert end <= last <= end + FRAME * FINE


@given(pieces_of_a_film)
def test_sound_is_never_later_than_half_a_frame(entries: list[tuple[int, int]]) -> None:
    assume(any(start >= 0 for start, _ in entries))
    try:
        made = sounds(*entries)
    except PackagerError:
        return
    pieces = laid(*entries)
    for row, at, duration in heard(made):
        assert duration >= 0
        assert any(
            at - piece.at == 20 * row - piece.start for piece in pieces
        ), (row, at)  # fmt: skip
