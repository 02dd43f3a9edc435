"""A plan is its bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.plan import Extent, Extents, Piece, Plan, Reads, Transform, run_reads
from tests.packager.carrying import carry_out

SOURCE = bytes(range(256))

extents = st.builds(Extent, offset=st.integers(0, 200), length=st.integers(0, 50))


@st.composite
def columns(draw: st.DrawFn) -> Extents:
    runs = draw(st.lists(extents, max_size=4))
    offsets, lengths = [one.offset for one in runs], [one.length for one in runs]
    return Extents(tuple(offsets), tuple(lengths), sum(lengths))


def swapped(read: memoryview) -> bytes:
    """The bytes, last first."""
    return bytes(read)[::-1]


@st.composite
def transforms(draw: st.DrawFn) -> Transform:
    parts = tuple(draw(st.lists(extents, max_size=3)))
    return Transform(parts, sum(map(len, parts)), swapped)


pieces = st.lists(st.binary(max_size=20) | columns() | transforms())
places = st.integers(0, 300)


@given(pieces, places, places, places, places)
def test_slicing_a_plan_is_slicing_its_bytes(
    parts: list[Piece], start: int, stop: int, again: int, until: int
) -> None:
    plan = Plan(tuple(parts))
    whole = carry_out(plan, SOURCE)
    part = plan.slice(start, stop)
    assert len(plan) == len(whole)
    assert carry_out(part, SOURCE) == whole[start:stop]
    assert len(part) == len(whole[start:stop])
    assert carry_out(part.slice(again, until), SOURCE) == whole[start:stop][again:until]


def test_a_slice_keeps_its_source() -> None:
    both = Extents((10, 50), (20, 4), 24, source=3)
    assert both.slice(5, 22) == Extents((15, 50), (15, 2), 17, source=3)
    assert list(both.slice(5, 22)) == [Extent(15, 15, 3), Extent(50, 2, 3)]


def test_a_transform_that_makes_another_length_is_our_mistake() -> None:
    with pytest.raises(AssertionError, match="made 2 bytes where 3 were planned"):
        Transform((), 3, lambda _: b"ab").apply(memoryview(b""))


def test_reads_are_answered_one_by_one() -> None:
    def two_hops() -> Reads[bytes]:
        [at] = yield Extent(3, 1)
        return (yield Extent(at, 2))

    assert run_reads(two_hops(), lambda e: SOURCE[e.offset : e.offset + e.length]) == b"\3\4"
