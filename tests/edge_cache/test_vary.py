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


def test_other_fields_are_taken_as_sent() -> None:
    fields = [(b"Origin", b"http://a"), (b"X", b"1"), (b"x", b"2")]
    assert variant((b"origin", b"x", b"y"), fields) == (b"http://a", b"1, 2", None)
    assert variant((), fields) == ()
