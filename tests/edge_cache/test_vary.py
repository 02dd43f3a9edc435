"""Vary: the names of a response, and what a request selects by them."""

import pytest

from edge_cache.vary import variant, vary_names

NAMES = {
    "none": ([], ()),
    "one": ([b"Accept-Encoding"], (b"accept-encoding",)),
    "several lines, any order, twice": ([b"B, a", b"A"], (b"a", b"b")),
    "star": ([b"*"], None),
    "star among others": ([b"a, *"], None),
    "star on another line": ([b"a", b", *"], None),
    "empty": ([b""], ()),
}


@pytest.mark.parametrize(("lines", "names"), NAMES.values(), ids=NAMES)
def test_names(lines: list[bytes], names: tuple[bytes, ...] | None) -> None:
    assert vary_names(tuple((b"Vary", line) for line in lines)) == names


def test_accept_encoding_is_folded() -> None:
    for sent in (b"gzip", b"gzip, deflate, br", b"*"):
        assert variant((b"accept-encoding",), [(b"Accept-Encoding", sent)]) == (b"gzip",)
    assert variant((b"accept-encoding",), []) == (b"identity",)


NORMALISED = {
    "spaces around commas": (b"1,2", b"1 ,  2"),
    "empty members": (b"1, , 2", b"1, 2"),
    "strings stay": (b'"a,b",c', b'"a,b", c'),
}


@pytest.mark.parametrize(("one", "other"), NORMALISED.values(), ids=NORMALISED)
def test_lists_are_the_same_however_they_are_written(one: bytes, other: bytes) -> None:
    assert variant((b"x",), [(b"X", one)]) == variant((b"x",), [(b"X", other)])


def test_languages_are_folded_over_all_their_lines() -> None:
    def selected(*lines: bytes) -> object:
        names = (b"accept-language",)
        return variant(names, [(b"Accept-Language", line) for line in lines])

    assert selected(b"en-GB,de") == selected(b"DE, EN-gb") == selected(b"de", b"en-GB")
    assert selected() != selected(b"")


def test_letter_case_matters_elsewhere() -> None:
    assert variant((b"x",), [(b"X", b"a")]) != variant((b"x",), [(b"X", b"A")])


def test_other_fields_are_taken_as_sent() -> None:
    fields = [(b"Origin", b"http://a"), (b"X", b"1"), (b"x", b"2")]
    assert variant((b"origin", b"x", b"y"), fields) == (b"http://a", b"1, 2", None)
    assert variant((), fields) == ()


@pytest.mark.parametrize("languages", [b"de, en", b"de, " * 100 + b"en"])
def test_long_values_are_folded_like_short_ones(languages: bytes) -> None:
    for _ in range(2):
        found = variant((b"accept-language",), [(b"Accept-Language", languages)])
        assert found == (b"de, en",)
