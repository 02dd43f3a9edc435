import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import BadId
from metadata.ids import check_id, new_id


@given(st.integers(0, 10**9 - 1), st.randoms(use_true_random=False))
def test_a_new_id_is_an_id(data_centre: int, source: random.Random) -> None:
    made = new_id(data_centre, choice=source.choice)
    assert check_id(made) == made
    assert made.startswith(f"{data_centre}_")


def test_the_random_source_is_passed_in() -> None:
    assert new_id(choice=lambda letters: letters[10]) == "0_aaaaaaaa"
    assert len({new_id() for _ in range(100)}) == 100


@pytest.mark.parametrize("text", ["0_abcd1234", "1_00000000", "12_zzzzzzzz"])
def test_ids(text: str) -> None:
    assert check_id(text) == text


NOT_IDS = [
    "",
    "abcd1234",
    "_abcd1234",
    "0-abcd1234",
    "0_abcd123",
    "0_abcd12345",
    "0_ABCD1234",
    "0_abcd123,",
    "0_abcd1234\n",
    "0_abcd/234",
    "../etc",
    "\u0660_abcd1234",
    "1234567890_abcd1234",
]


@pytest.mark.parametrize("text", NOT_IDS)
def test_not_ids(text: str) -> None:
    with pytest.raises(BadId, match=r"flavor id .* is not of Kaltura's form"):
        check_id(text, "flavor")


def test_a_long_id_makes_no_long_message() -> None:
    with pytest.raises(BadId) as caught:
        check_id("x" * 10_000)
    assert len(str(caught.value)) < 250
