"""A plan in windows: every byte once, in order, and no window larger than it may be."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from origin.responses import SHORT, Body, Cutting
from origin.windows import Making, Straight, Window, Windows, windows
from packager.plan import Extent, Extents, Piece, Plan, Transform
from tests.packager.carrying import carry_out

SOURCE = bytes(range(256)) * 2


def carried_out(body: Windows) -> bytes:
    made = []
    for window in body:
        if isinstance(window, Straight):
            made.append(SOURCE[window.offset : window.offset + window.size])
            continue
        buffer = bytearray(window.room)
        for offset, start, stop in window.reads:
            buffer[start:stop] = SOURCE[offset : offset + stop - start]
        if isinstance(window, Making):
            made.append(bytes(window.transform.apply(memoryview(buffer))))
            continue
        parts = [buffer[part] if isinstance(part, slice) else part for part in window.parts]
        made.append(b"".join(parts))
        assert len(made[-1]) == window.size
    return b"".join(made)


@st.composite
def columns(draw: st.DrawFn) -> Extents:
    """Runs that follow one another with gaps, or lie anywhere."""
    offsets, lengths, position = [], [], 0
    for gap, length in draw(st.lists(st.tuples(st.integers(-40, 30), st.integers(0, 20)))):
        position = min(max(0, position + gap), 400)
        offsets.append(position)
        lengths.append(length)
        position += length
    return Extents(tuple(offsets), tuple(lengths), sum(lengths))


transforms = st.lists(
    st.builds(Extent, st.integers(0, 200), st.integers(1, 50)), max_size=3
).map(lambda read: Transform(tuple(read), sum(map(len, read)), bytes))
pieces = st.lists(st.binary(min_size=1, max_size=40) | columns() | transforms, max_size=8)


@given(pieces, st.integers(1, 60), st.integers(0, 20))
def test_windows_are_the_plan(parts: list[Piece], limit: int, gap: int) -> None:
    plan = Plan(tuple(parts))
    body = windows(plan, limit, gap)
    assert carried_out(body) == carry_out(plan, SOURCE)
    for window in body:
        assert not isinstance(window, Straight)
        ends = [stop for _, _, stop in window.reads]
        assert ends == sorted(ends)
        assert window.room == (ends[-1] if ends else 0)
        if isinstance(window, Window):
            assert window.room <= limit and len(window.parts) <= 1000


def test_neighbours_are_one_read() -> None:
    """Video of an interleaved file: the sound between is read along and left out."""
    plan = Plan((b"head", Extents((0, 130, 260), (100, 100, 100), 300)))
    [window] = windows(plan, 1000, gap=30)
    assert isinstance(window, Window)
    assert window.reads == ((0, 0, 360),)
    assert window.parts == (b"head", slice(0, 100), slice(130, 230), slice(260, 360))


def test_what_lies_apart_is_read_apart_and_sent_together() -> None:
    """Sound of an interleaved file: a read for each run, one piece of memory."""
    [window] = windows(Plan((Extents((0, 131, 262), (100, 100, 100), 300),)), 1000, gap=30)
    assert isinstance(window, Window)
    assert window.reads == ((0, 0, 100), (131, 100, 200), (262, 200, 300))
    assert window.parts == (slice(0, 300),)


def test_many_runs_are_several_windows() -> None:
    """The system gathers 1024 pieces."""
    plan = Plan((Extents(tuple(range(0, 50_000, 20)), (10,) * 2500, 25_000),))
    assert [len(window.parts) for window in windows(plan, 1 << 20)] == [1000, 1000, 500]  # type: ignore[union-attr]


def test_very_many_runs_are_windows_one_at_a_time_for_each_who_asks() -> None:
    """A file of one track of a film has a run for each of its samples."""
    count = 60_000
    runs = Extents(tuple(range(0, 20 * count, 20)), (10,) * count, 10 * count)
    body = Body(Plan((b"moov", runs)), "video/mp4", SHORT, '"a"')
    tracemalloc.start()
    try:
        for _ in range(2):
            sizes = [
                one.size for one in body.windows(Cutting(1 << 20)) if isinstance(one, Window)
            ]
            assert sum(sizes) == len(body.plan)
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


@given(pieces, st.integers(1, 60), st.integers(1, 20))
def test_long_runs_stand_alone(parts: list[Piece], limit: int, least: int) -> None:
    plan = Plan(tuple(parts))
    body = windows(plan, limit, gap=5, straight=least)
    assert carried_out(body) == carry_out(plan, SOURCE)
    runs = [run for piece in parts if isinstance(piece, Extents) for run in piece]
    long = [(run.offset, run.length) for run in runs if run.length >= least]
    assert [(one.offset, one.size) for one in body if isinstance(one, Straight)] == long
