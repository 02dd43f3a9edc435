"""How a volume looks, byte for byte, and what is made of one that does not look so."""

from hypothesis import given
from hypothesis import strategies as st
from xxhash import xxh3_64_digest

from edge_cache.disk.blocks import BlockSums
from edge_cache.disk.record import (
    BLOCK,
    DEAD,
    HEADER_SIZE,
    RECORD_GRAIN,
    Record,
    decode_header,
    decode_record,
    encode_header,
    encode_record,
    record_span,
    records,
)

RECORD = Record(b"/key", b"meta", offset=8192, length=100_000, stamp=1, sum_of_sums=2)
VOLUME = 7

made = st.builds(
    Record,
    key=st.binary(min_size=1, max_size=600),
    meta=st.binary(max_size=3000),
    offset=st.integers(0, 1 << 40),
    length=st.integers(0, 5 * BLOCK),
    stamp=st.integers(0, (1 << 64) - 1),
    sum_of_sums=st.integers(0, (1 << 64) - 1),
)


@given(made)
def test_encode_and_decode_are_inverse(record: Record) -> None:
    assert decode_record(encode_record(record, VOLUME), VOLUME) == (True, record)


@given(st.data())
def test_any_other_byte_is_no_record(data: st.DataObject) -> None:
    whole = bytearray(encode_record(RECORD, VOLUME))
    at = data.draw(st.integers(8, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    assert decode_record(bytes(whole), VOLUME) is None


def test_a_record_of_another_volume_is_none() -> None:
    assert decode_record(encode_record(RECORD, VOLUME), VOLUME + 1) is None


def test_a_record_that_is_cut_is_none() -> None:
    whole = encode_record(RECORD, VOLUME)
    assert all(decode_record(whole[:size], VOLUME) is None for size in range(len(whole)))


def test_a_dead_record_is_told_from_a_live_one() -> None:
    whole = encode_record(RECORD, VOLUME)
    assert decode_record(DEAD + whole[len(DEAD) :], VOLUME) == (False, RECORD)


@given(st.integers(0, (1 << 64) - 1))
def test_header(records_at: int) -> None:
    header = encode_header(records_at)
    assert len(header) == HEADER_SIZE
    assert decode_header(header + b"more") == records_at
    assert decode_header(header[:-1]) is None
    assert decode_header(b"x" + header[1:]) is None


def volume_of(made: list[Record], start: int = 4096) -> bytearray:
    """A volume with records alone."""
    data = bytearray(encode_header(start)).ljust(start, b"\0")
    for record in made:
        head = encode_record(record, VOLUME)
        data += head.ljust(record_span(len(head), record.length), b"s")
    return data


def found(data: bytes | bytearray) -> list[Record]:
    def read(size: int, offset: int) -> bytes:
        return bytes(data[offset : offset + size])

    return [placed.record for placed in records(read, VOLUME)]


@given(st.lists(made, max_size=20))
def test_records_come_in_order(made: list[Record]) -> None:
    assert found(volume_of(made)) == made


@given(st.lists(made, min_size=1, max_size=20, unique=True), st.data())
def test_what_is_damaged_is_passed_over(made: list[Record], data: st.DataObject) -> None:
    """One spoiled grain costs the records in it, and no other."""
    whole = volume_of(made)
    at = 4096 + RECORD_GRAIN * data.draw(st.integers(0, (len(whole) - 4097) // RECORD_GRAIN))
    whole[at : at + RECORD_GRAIN] = data.draw(st.sampled_from((b"\0", b"\xff"))) * RECORD_GRAIN
    left = found(whole)
    assert [record for record in made if record in left] == left
    assert len(left) >= len(made) - 1


@given(st.lists(made, min_size=1, max_size=5), st.data())
def test_a_truncated_volume_has_its_first_records(
    made: list[Record], data: st.DataObject
) -> None:
    whole = volume_of(made)
    left = found(whole[: data.draw(st.integers(0, len(whole)))])
    assert left == made[: len(left)]


def test_a_volume_without_a_header_has_no_records() -> None:
    assert found(b"") == []
    assert found(bytes(10_000)) == []
    assert found(encode_header(1 << 60)) == []


@given(st.lists(st.sampled_from((0, 1, 100, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK))))
def test_sums_are_those_of_the_blocks_however_it_arrives(sizes: list[int]) -> None:
    sums, body = BlockSums(), b""
    for number, size in enumerate(sizes):
        piece = bytes([number % 251]) * size
        sums.update(memoryview(piece))
        body += piece
    starts = range(0, len(body), BLOCK)
    assert sums.finish() == b"".join(xxh3_64_digest(body[at : at + BLOCK]) for at in starts)
