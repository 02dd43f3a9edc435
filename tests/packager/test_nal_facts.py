import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.codecs.h264 import parse_avcc
from packager.errors import MalformedSample
from packager.nal_facts import check_ends, scan
from tests.packager.carrying import read_from
from tests.packager.tables import IDR, SLICE, avcc, samples, sized

units = st.builds(
    lambda kind, size: bytes([kind]) + bytes(size),
    st.sampled_from([0x41, 0x65, 0x06, 0x09]),
    st.integers(0, 60),
)


@given(
    st.lists(st.lists(units, max_size=4), min_size=1, max_size=8),
    st.sampled_from([1, 2, 4]),
    st.randoms(use_true_random=False),
)
def test_facts_are_those_of_each_sample(
    pictures: list[list[bytes]], length_size: int, random: object
) -> None:
    """Wherever the samples lie."""
    payloads = [sized(length_size, *own) for own in pictures]
    order = list(range(len(payloads)))
    random.shuffle(order)  # type: ignore[attr-defined]
    positions, data = [0] * len(payloads), b"junk"
    for row in order:
        positions[row] = len(data)
        data += payloads[row]
    rows = samples([40] * len(payloads), sizes=list(map(len, payloads)), positions=positions)
    facts = read_from(data, scan(parse_avcc(avcc(length_size=length_size)), rows))
    kept = [[unit for unit in own if unit[0] != 0x09] for own in pictures]
    assert facts.annexb_size.tolist() == [sum(4 + len(unit) for unit in own) for own in kept]
    assert facts.idr.tolist() == [any(unit[0] == 0x65 for unit in own) for own in pictures]
    assert facts.complete


def test_damage_is_noted() -> None:
    payloads = [sized(4, IDR), b"\0\0\0\xff" + bytes(4), sized(4, SLICE)]
    rows = samples([40] * 3, sizes=list(map(len, payloads)))
    facts = read_from(b"".join(payloads), scan(parse_avcc(avcc()), rows))
    assert not facts.complete


@pytest.mark.parametrize("row", [0, 2])
def test_damage_at_an_end_is_refused(row: int) -> None:
    payloads = [sized(4, IDR), sized(4, SLICE), sized(4, SLICE)]
    payloads[row] = b"\0\0\0\xff" + bytes(4)
    rows = samples([40] * 3, sizes=list(map(len, payloads)))
    with pytest.raises(MalformedSample, match=f"sample {row + 1}: a NAL unit runs past"):
        read_from(b"".join(payloads), check_ends(parse_avcc(avcc()), rows))


def test_a_file_that_ends_early_is_refused() -> None:
    rows = samples([40], sizes=[100])
    with pytest.raises(MalformedSample, match="sample 1: the file ends inside it"):
        read_from(bytes(50), check_ends(parse_avcc(avcc()), rows))
