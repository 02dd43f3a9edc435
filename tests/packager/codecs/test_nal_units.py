import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.codecs.nal_units import MAX_UNITS, steps
from packager.errors import MalformedSample
from packager.samples import column


def plainly(sample: bytes, length_size: int) -> list[tuple[int, int]] | str:
    """``(position, length)`` of each unit, or what is wrong: one sample, one loop."""
    found, at = [], 0
    while at < len(sample):
        if at + length_size >= len(sample):
            return "cut short inside a NAL length"
        length = int.from_bytes(sample[at : at + length_size], "big")
        if not length:
            return "a NAL unit of length 0"
        if at + length_size + length > len(sample):
            return "a NAL unit runs past its end"
        found.append((at, length))
        at += length_size + length
    return found


raw = st.lists(st.sampled_from([0, 1, 2, 3, 5, 0x41]), max_size=24).map(bytes)
built = st.lists(st.integers(1, 5), max_size=5)


@given(st.lists(raw | built, max_size=6), st.sampled_from([1, 2, 4]))
def test_steps_are_the_loops(parts: list[bytes | list[int]], length_size: int) -> None:
    batch = [
        part
        if isinstance(part, bytes)
        else b"".join(n.to_bytes(length_size, "big") + b"\x41" * n for n in part)
        for part in parts
    ]
    sizes = column(list(map(len, batch)))
    starts = np.cumsum(sizes) - sizes
    data = np.frombuffer(b"".join(batch) or b"\0", np.uint8)
    plain = [plainly(sample, length_size) for sample in batch]
    wrong = {
        f"sample {number}: {what}" for number, what in enumerate(plain, 11) if type(what) is str
    }
    try:
        found = list(steps(data, starts, sizes, length_size, first=10))
    except MalformedSample as error:
        assert str(error) in wrong
        return
    assert not wrong
    for row, own in enumerate(plain):
        mine = [
            (int(step.position[at] - starts[row]), int(step.length[at]))
            for step in found
            for at in np.flatnonzero(step.sample == row)
        ]
        assert mine == own
    for step in found:
        assert (step.type == data[step.position + length_size]).all()


def test_units_are_bounded() -> None:
    data = np.frombuffer(b"\x01\x41" * (MAX_UNITS + 1), np.uint8)
    fits = list(steps(data, column([0]), column([2 * MAX_UNITS]), 1))
    assert len(fits) == MAX_UNITS
    with pytest.raises(MalformedSample, match=f"sample 1: more than {MAX_UNITS} NAL units"):
        list(steps(data, column([0]), column([2 * MAX_UNITS + 2]), 1))
