"""Byte ranges against the plainest reading of RFC 9110 §14.1.2: list the positions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_cache.http.ranges import (
    ByteRange,
    RangeNotSatisfiable,
    parse_range,
    unsatisfied_range,
)

positions = st.integers(0, 40)


def asked(header: str, size: int) -> list[int] | None:
    """The positions that *header* selects; [] if it cannot be satisfied."""
    try:
        found = parse_range(header, size)
    except RangeNotSatisfiable:
        return []
    return None if found is None else list(range(found.start, found.stop))


@given(first=positions, last=positions, size=st.integers(1, 30))
def test_first_to_last(first: int, last: int, size: int) -> None:
    plain = [at for at in range(size) if first <= at <= last]
    assert asked(f"bytes={first}-{last}", size) == (plain if first <= last else None)


@given(first=positions, size=st.integers(1, 30))
def test_from_first(first: int, size: int) -> None:
    assert asked(f"bytes={first}-", size) == list(range(size))[first:]


@given(count=positions, size=st.integers(1, 30))
def test_last_bytes(count: int, size: int) -> None:
    assert asked(f"bytes=-{count}", size) == (list(range(size))[-count:] if count else [])


@given(st.text(max_size=12))
def test_anything_else_is_ignored(header: str) -> None:
    assert asked(f"bytes={header}x", 10) is None


IGNORED = [
    "",
    "bytes=",
    "bytes=-",
    "bytes=0-1,3-4",
    "items=0-1",
    "0-1",
    "bytes=1-0",
    "bytes=٠-٣",
]


@pytest.mark.parametrize("header", IGNORED)
def test_ignored(header: str) -> None:
    assert parse_range(header, 10) is None


def test_no_header_is_no_range() -> None:
    assert parse_range(None, 10) is None


def test_the_unit_has_no_case() -> None:
    assert parse_range("Bytes=0-0", 10) == ByteRange(0, 1)


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=-1"])
def test_nothing_of_nothing_can_be_had(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range(header, 0)


def test_digits_are_counted_before_they_are_read() -> None:
    digits = "9" * 8000  # int() would refuse this by an exception of its own
    assert parse_range(f"bytes=0-{digits}", 10) == ByteRange(0, 10)
    assert parse_range(f"bytes=-{digits}", 10) == ByteRange(0, 10)
    assert parse_range(f"bytes={'0' * 8000}1-", 10) == ByteRange(1, 10)
    with pytest.raises(RangeNotSatisfiable):
        parse_range(f"bytes={digits}-", 10)


def test_on_the_wire() -> None:
    assert ByteRange(0, 100).content_range(1000) == "bytes 0-99/1000"
    assert unsatisfied_range(1000) == "bytes */1000"
