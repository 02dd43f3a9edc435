import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.errors import MalformedBox
from packager.isobmff.box import (
    MAX_BOXES,
    box,
    children,
    full_box,
    iter_boxes,
    parse_header,
    version_and_flags,
)

BOXES = {
    "empty": (b"free", b"", "00000008 66726565"),
    "payload": (b"mdat", b"\xab\xcd", "0000000a 6d646174 abcd"),
}
SIZES = st.sampled_from([0, 1, 7, 8, 9, 16, 17, 2**31, 2**32 - 1])  # where the rules change
LARGE = st.sampled_from([0, 1, 15, 16, 17, 24, 2**32, 2**63, 2**64 - 1])


@pytest.mark.parametrize(("fourcc", "payload", "wire"), BOXES.values(), ids=BOXES)
def test_box(fourcc: bytes, payload: bytes, wire: str) -> None:
    assert box(fourcc, payload) == bytes.fromhex(wire)
    assert list(iter_boxes(memoryview(bytes.fromhex(wire)))) == [(fourcc, payload)]


def test_full_box() -> None:
    made = full_box(b"tfdt", 1, 0x020304, b"\xff")
    assert made == bytes.fromhex("0000000d 74666474 01020304 ff")
    assert version_and_flags(b"tfdt", memoryview(made)[8:]) == (1, 0x020304, b"\xff")


@given(st.lists(st.binary(max_size=32)))
def test_iter_boxes_undoes_box(payloads: list[bytes]) -> None:
    data = b"".join(box(b"free", payload) for payload in payloads)
    assert [bytes(payload) for _, payload in iter_boxes(memoryview(data))] == payloads


@given(st.binary(max_size=40))
def test_a_64_bit_size_says_the_same(payload: bytes) -> None:
    large = struct.pack(">I4sQ", 1, b"mdat", 16 + len(payload)) + payload
    after = box(b"free")
    assert list(iter_boxes(memoryview(large + after))) == [(b"mdat", payload), (b"free", b"")]


def test_a_size_of_zero_runs_to_the_end() -> None:
    data = struct.pack(">I4s", 0, b"mdat") + bytes(5)
    assert list(iter_boxes(memoryview(data))) == [(b"mdat", bytes(5))]


@given(SIZES, LARGE, st.binary(max_size=24))
def test_boxes_fail_only_by_name(size: int, large: int, rest: bytes) -> None:
    for data in (
        size.to_bytes(4, "big") + rest,
        size.to_bytes(4, "big") + b"mdat" + large.to_bytes(8, "big") + rest,
    ):
        for walk in (lambda view: list(iter_boxes(view)), children):
            try:
                walk(memoryview(data))
            except MalformedBox as error:
                assert str(error).startswith(f"{error.fourcc}: ")


def test_children_keep_the_first_and_leave_a_short_tail() -> None:
    data = box(b"stts", b"1") + box(b"stts", b"2") + box(b"stsc") + bytes(4)
    assert children(memoryview(data)) == {b"stts": b"1", b"stsc": b""}


def test_boxes_are_bounded() -> None:
    data = memoryview(box(b"free") * (MAX_BOXES + 1))
    assert len(list(iter_boxes(data[8:]))) == MAX_BOXES
    with pytest.raises(MalformedBox, match="free: follows 10000 boxes"):
        children(data)


def test_a_header_may_claim_more_than_there_is() -> None:
    """An mdat at the end of a file that was cut: the caller decides."""
    assert parse_header(struct.pack(">I4s", 100, b"mdat"), 8) == (b"mdat", 8, 100)
