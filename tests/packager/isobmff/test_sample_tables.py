"""Sample tables against the plainest reading of ISO/IEC 14496-12 §8.6.1 and §8.7."""

import struct
import time
import tracemalloc
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.errors import MalformedBox
from packager.isobmff.box import children, full_box
from packager.isobmff.sample_tables import MAX_SAMPLES, parse_samples
from packager.samples import Samples
from tests.packager.tables import counted, stsz

FILE = 1 << 20


def table(**changes: bytes | None) -> dict[bytes, memoryview]:
    """Three samples of 10, 20 and 30 bytes in one chunk at 100; a box of None is left out."""
    made: dict[str, bytes | None] = {
        "stts": counted(b"stts", (3, 40)),
        "stsz": stsz(10, 20, 30),
        "stsc": counted(b"stsc", (1, 3, 1)),
        "stco": counted(b"stco", [100]),
        **changes,
    }
    return children(memoryview(b"".join(one for one in made.values() if one is not None)))


def parse(**changes: bytes | None) -> Samples:
    return parse_samples(table(**changes), FILE)[0]


def stz2(field: int, count: int, rows: str) -> bytes:
    return full_box(b"stz2", 0, 0, struct.pack(">II", field, count), bytes.fromhex(rows))


def test_the_usual_table() -> None:
    found = parse()
    assert found.dts.tolist() == found.cts.tolist() == [0, 40, 80]
    assert found.duration.tolist() == [40, 40, 40]
    assert found.size.tolist() == [10, 20, 30]
    assert found.offset.tolist() == [100, 110, 130]
    assert found.sync.tolist() == [True] * 3


def uniform(size: int, count: int) -> bytes:
    return full_box(b"stsz", 0, 0, struct.pack(">II", size, count))


CASES = {  # boxes, column, values
    "one size for all": ({"stsz": uniform(5, 3)}, "size", [5, 5, 5]),
    "sizes of 16 bits": (
        {"stsz": None, "stz2": stz2(16, 3, "000a 0100 0002")}, "size", [10, 256, 2],
    ),
    "sizes of 8 bits": ({"stsz": None, "stz2": stz2(8, 3, "0aff02")}, "size", [10, 255, 2]),
    "sizes of 4 bits": ({"stsz": None, "stz2": stz2(4, 3, "a1f0")}, "size", [10, 1, 15]),
    "64-bit offsets": (
        {"stco": None, "co64": counted(b"co64", [700], kind="Q")}, "offset", [700, 710, 730],
    ),
    "chunks of different lengths": (
        {"stsc": counted(b"stsc", (1, 2, 1), (2, 1, 1)), "stco": counted(b"stco", [9], [500])},
        "offset", [9, 19, 500],
    ),
    "chunks that go backwards": (
        {"stsc": counted(b"stsc", (1, 1, 1)), "stco": counted(b"stco", [9], [5000], [200])},
        "offset", [9, 5000, 200],
    ),
    "more chunks than samples": (
        {"stsc": counted(b"stsc", (1, 2, 1)), "stco": counted(b"stco", [9], [50], [90])},
        "offset", [9, 19, 50],
    ),
    "chunks without samples": (
        {"stsc": counted(b"stsc", (1, 0, 1), (2, 3, 1)), "stco": counted(b"stco", [9], [50])},
        "offset", [50, 60, 80],
    ),
    "varying durations": (
        {"stts": counted(b"stts", (1, 7), (0, 9), (2, 1))}, "duration", [7, 1, 1],
    ),
    "more durations than samples": (
        {"stts": counted(b"stts", (2, 7), (2**32 - 1, 1))}, "duration", [7, 7, 1],
    ),
    "fewer durations than samples": ({"stts": counted(b"stts", (2, 7))}, "offset", [100, 110]),
    "composition offsets": (
        {"ctts": counted(b"ctts", (1, 80), (2, 0))}, "cts", [80, 40, 80],
    ),
    "negative offsets in version 0": (
        {"ctts": counted(b"ctts", (2, 5), (1, 2**32 - 3))}, "cts", [5, 45, 77],
    ),
    "negative offsets in version 1": (
        {"ctts": counted(b"ctts", (2, 5), (1, 2**32 - 3), version=1)}, "cts", [5, 45, 77],
    ),
    "fewer offsets than samples": ({"ctts": counted(b"ctts", (1, 9))}, "cts", [9, 40, 80]),
    "no offset at all": ({"ctts": counted(b"ctts")}, "cts", [0, 40, 80]),
    "some sync": ({"stss": counted(b"stss", [1], [3])}, "sync", [True, False, True]),
    "no sync": ({"stss": counted(b"stss")}, "sync", [False] * 3),
    "no samples": (
        {"stsz": stsz(), "stsc": counted(b"stsc"), "stco": counted(b"stco")}, "size", [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "name", "values"), CASES.values(), ids=CASES)
def test_case(changes: dict[str, bytes | None], name: str, values: list[int]) -> None:
    assert getattr(parse(**changes), name).tolist() == values


REFUSED = {
    "no stsz": ({"stsz": None}, "stsz: missing from stbl"),
    "no stts": ({"stts": None}, "stts: missing from stbl"),
    "no stsc": ({"stsc": None}, "stsc: missing from stbl"),
    "no stco": ({"stco": None}, "stco: missing from stbl"),
    "empty stts": ({"stts": counted(b"stts")}, "stts: no entry for 3 samples"),
    "empty stsc": ({"stsc": counted(b"stsc")}, "stsc: no entry for 3 samples"),
    "stsc from 0": ({"stsc": counted(b"stsc", (0, 3, 1))}, "stsc: first_chunk does not"),
    "stsc twice": (
        {"stsc": counted(b"stsc", (1, 1, 1), (1, 2, 1))}, "stsc: first_chunk does not",
    ),
    "too few chunks": ({"stsc": counted(b"stsc", (1, 2, 1))}, "stco: 1 chunks hold 2 of 3"),
    "past the end": ({"stco": counted(b"stco", [FILE - 35])}, "stco: sample 3 at"),
    "far past the end": (
        {"stco": None, "co64": counted(b"co64", [2**63], kind="Q")}, "co64: offset 9223372",
    ),
    "bytes used twice": (
        {
            "stsz": uniform(FILE // 2 - 100, 3),
            "stsc": counted(b"stsc", (1, 1, 1)),
            "stco": counted(b"stco", [0], [0], [0]),
        },
        "stsz: 3 samples of 524188 bytes exceed the file",
    ),
    "overlapping": (
        {
            "stsz": stsz(*[FILE // 2 - 100] * 3),
            "stsc": counted(b"stsc", (1, 1, 1)),
            "stco": counted(b"stco", [0], [0], [0]),
        },
        "stco: 1572564 bytes of samples overlap",
    ),
    "huge sample": ({"stsz": stsz(10, 20, 2**31)}, "stsz: sample 3 has 2147483648 bytes"),
    "odd field": ({"stsz": None, "stz2": stz2(0, 3, "")}, "stz2: field size 0"),
    "stz2 cut": ({"stsz": None, "stz2": stz2(8, 9, "0a")}, "stz2: 9 samples do not fit in 1"),
    "sync 0": ({"stss": counted(b"stss", [0])}, "stss: names a sample outside 1 to 3"),
    "sync 4": ({"stss": counted(b"stss", [4])}, "stss: names a sample outside 1 to 3"),
    "negative duration": ({"stts": counted(b"stts", (3, 2**31))}, "stts: a sample lasts"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(changes: dict[str, bytes | None], message: str) -> None:
    with pytest.raises(MalformedBox) as error:
        parse(**changes)
    assert str(error.value).startswith(message)


LIES = {  # boxes that claim what they do not carry
    "stsz": {"stsz": full_box(b"stsz", 0, 0, struct.pack(">II", 0, MAX_SAMPLES))},
    "stsz without limit": {"stsz": full_box(b"stsz", 0, 0, struct.pack(">II", 0, 2**32 - 1))},
    "stsz uniform": {"stsz": uniform(1, 2**32 - 1)},
    "stsz uniform, no bytes": {"stsz": uniform(1, MAX_SAMPLES)},
    "stz2": {"stsz": None, "stz2": stz2(4, 2**32 - 1, "00")},
    "stts": {"stts": full_box(b"stts", 0, 0, struct.pack(">I", 2**32 - 1))},
    "ctts": {"ctts": full_box(b"ctts", 0, 0, struct.pack(">III", 2**31, 1, 1))},
    "stsc": {"stsc": full_box(b"stsc", 0, 0, struct.pack(">I", 2**32 - 1))},
    "stco": {"stco": full_box(b"stco", 0, 0, struct.pack(">I", 2**32 - 1))},
    "co64": {"stco": None, "co64": full_box(b"co64", 0, 0, struct.pack(">I", 2**32 - 1))},
    "stss": {"stss": full_box(b"stss", 0, 0, struct.pack(">I", 2**32 - 1))},
    "cut": {"stsz": full_box(b"stsz", 0, 0, b"\0\0")},
}


@pytest.mark.parametrize("changes", LIES.values(), ids=LIES)
def test_a_count_is_checked_before_it_sizes_anything(
    changes: dict[str, bytes | None],
) -> None:
    boxes = table(**changes)
    begin = time.perf_counter()
    tracemalloc.start()
    try:
        with pytest.raises(MalformedBox):
            parse_samples(boxes, FILE)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - begin < 1


runs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 100)), min_size=1, max_size=6)
chunks = st.lists(st.integers(0, 4), min_size=1, max_size=8)


@given(runs, runs, chunks, st.data())
def test_a_table_is_its_rows(
    stts: list[tuple[int, int]],
    ctts: list[tuple[int, int]],
    counts: list[int],
    data: st.DataObject,
) -> None:
    """Against a loop over samples: as many as have a size and a time (rule C-02)."""
    count = sum(counts)
    sizes = data.draw(st.lists(st.integers(0, 50), min_size=count, max_size=count))
    places = st.lists(st.integers(0, 5000), min_size=len(counts), max_size=len(counts))
    starts = data.draw(places)
    stts.append((1, 9))
    boxes = table(
        stts=counted(b"stts", *stts),
        ctts=counted(b"ctts", *ctts),
        stsz=stsz(*sizes),
        stsc=counted(b"stsc", *((chunk, n, 1) for chunk, n in enumerate(counts, 1))),
        stco=counted(b"stco", *([start] for start in starts)),
    )
    found, untimed = parse_samples(boxes, FILE)
    durations = [value for n, value in stts for _ in range(n)][:count]
    assert untimed == count - len(durations)
    shifts = ([value for n, value in ctts for _ in range(n)] + [0] * count)[:count]
    offsets, row = [], 0
    for start, n in zip(starts, counts, strict=True):
        for _ in range(n):
            offsets.append(start)
            start += sizes[row]
            row += 1
    assert found.duration.tolist() == durations
    assert found.dts.tolist() == list(accumulate(durations, initial=0))[:-1]
    assert (found.cts - found.dts).tolist() == shifts[: len(durations)]
    assert found.offset.tolist() == offsets[: len(durations)]
    assert found.size.tolist() == sizes[: len(durations)]
