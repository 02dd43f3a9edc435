"""Cache-Control: the grammar of RFC 9111 §5.2, and the seconds of §1.2.2."""

import pytest

from edge_cache.http.cache_control import INFINITE, CacheControl, delta_seconds

SECONDS = {
    "plain": ("max-age=60", 60),
    "case": ("Max-Age=60", 60),
    "quoted": ('max-age="60"', 60),
    "leading zeros": ("max-age=0060", 60),
    "overflow": ("max-age=2147483649", INFINITE),
    "far overflow": (f"max-age={'9' * 5000}", INFINITE),
    "not there": ("public", None),
    "among others": ('private="a, max-age=1", max-age=60', 60),
    "single quotes": ("max-age='60'", 0),
    "a fraction": ("max-age=60.5", 0),
    "negative": ("max-age=-60", 0),
    "a word": ("max-age=soon", 0),
    "no argument": ("max-age", 0),
    "empty argument": ("max-age=", 0),
    "the most restrictive of two": ("max-age=60, max-age=30", 30),
    "one of two invalid": ("max-age=60, max-age=soon", 0),
    "another directive": ("max-age-2=60", None),
    "space before the sign": ("max-age =60", 0),
    "space after the sign": ("max-age= 60", 0),
    "escaped": (r'max-age="6\0"', 60),
}


@pytest.mark.parametrize(("line", "seconds"), SECONDS.values(), ids=SECONDS)
def test_seconds(line: str, seconds: int | None) -> None:
    assert CacheControl.parse([line]).seconds("max-age") == seconds


def test_directives_without_arguments() -> None:
    found = CacheControl.parse(["No-Store, , foo=bar", "public"])
    assert "no-store" in found and "public" in found and "private" not in found
    assert found.directives["foo"] == ("bar",)


def test_a_malformed_member_leaves_its_neighbours() -> None:
    assert CacheControl.parse(["@@@, max-age=60, =, a b"]).seconds("max-age") == 60


def test_a_string_without_an_end_hides_nothing() -> None:
    found = CacheControl.parse(['max-age=60, x="a, no-store, max-age=90', "s-maxage=5"])
    assert "no-store" in found and "x" in found
    assert (found.seconds("max-age"), found.seconds("s-maxage")) == (0, 5)
    assert "no-store" not in CacheControl.parse(['x="a, no-store", max-age=60'])


@pytest.mark.parametrize("text", ["", " 1", "+1", "1e3", "٣"])
def test_no_number(text: str) -> None:
    assert delta_seconds(text) is None


WITHHELD = {
    "one": ('no-cache="a"', {b"a"}),
    "several, any case": ('private="A,  set-Cookie"', {b"a", b"set-cookie"}),
    "a token": ("private=a", {b"a"}),
    "of both": ('private="a", no-cache="b"', {b"a", b"b"}),
    "of two": ('private="a", private="b"', {b"a", b"b"}),
    "plain": ("private", None),
    "plain as well": ('private="a", private', None),
    "empty": ('private=""', None),
    "an empty member": ('private="a,"', None),
    "no name": ('private="a b"', None),
    "no end": ('private="a', None),
    "in a string without end": ('x="a, private', None),
    "a space before": ("private =a", None),
    "a space behind": ("private= a", None),
    "what selects": ('private="a, Vary"', None),
    "what validates": ('no-cache="ETag"', None),
    "what says so": ('no-cache="cache-control"', None),
    "what describes the body": ('no-cache="content-encoding"', None),
}


@pytest.mark.parametrize(("line", "names"), WITHHELD.values(), ids=WITHHELD)
def test_fields_that_directives_are_about(line: str, names: set[bytes] | None) -> None:
    """All of the response if it is not clear that it is about fields alone."""
    found = CacheControl.parse([line])
    assert found.withheld == (names or set())
    assert ("private" in found or "no-cache" in found) is (names is None)
