"""Conditional requests: RFC 9110 §13 and the comparison table of §8.8.3.2."""

import pytest

from edge_cache.http.conditionals import not_modified, range_applies, same_tag
from edge_cache.http.dates import format_date

CHANGED = 784111777.0
THEN = format_date(CHANGED)
LATER, EARLIER = format_date(CHANGED + 1), format_date(CHANGED - 1)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ('W/"1"', 'W/"1"', True),
        ('W/"1"', 'W/"2"', False),
        ('W/"1"', '"1"', True),
        ('"1"', '"1"', True),
    ],
)
def test_weak_comparison(one: str, other: str, same: bool) -> None:
    assert same_tag(one, other) is same


NONE_MATCH = {  # If-None-Match against "v1"
    "the tag": ('"v1"', True),
    "its weak form": ('W/"v1"', True),
    "another": ('"v2"', False),
    "in a list": ('"v2", "v1"', True),
    "in a sloppy list": (' ,"v2",, W/"v1" ,', True),
    "a tag with a comma in it": ('"v0,v1"', False),
    "anything": ("*", True),
    "anything, padded": (" * ", True),
    "a star in a list": ('*, "v2"', False),
    "no quotes": ("v1", False),
    "no comma": ('"v1" "v2"', False),
    "half a tag": ('"v1', False),
    "empty": ("", False),
    "case counts": ('w/"v1"', False),
}


@pytest.mark.parametrize(("header", "expected"), NONE_MATCH.values(), ids=NONE_MATCH)
def test_if_none_match(header: str, expected: bool) -> None:
    for since in (None, EARLIER, LATER):  # never looked at: If-None-Match wins
        found = not_modified(header, since, etag='"v1"', last_modified=CHANGED)
        assert found is expected


def test_star_matches_what_has_no_tag() -> None:
    assert not_modified("*", None, etag=None, last_modified=None)
    assert not not_modified('"v1"', None, etag=None, last_modified=None)


SINCE = {
    "the same second": (THEN, CHANGED, True),
    "the same second, finer clock": (THEN, CHANGED + 0.9, True),
    "changed since": (EARLIER, CHANGED, False),
    "older": (LATER, CHANGED, True),
    "no validator": (THEN, None, False),
    "no date": ("yesterday", CHANGED, False),
    "no condition": (None, CHANGED, False),
}


@pytest.mark.parametrize(("since", "changed", "expected"), SINCE.values(), ids=SINCE)
def test_if_modified_since(since: str | None, changed: float | None, expected: bool) -> None:
    assert not_modified(None, since, etag='"v1"', last_modified=changed) is expected


IF_RANGE = {  # (If-Range, etag, expected)
    "none": (None, None, True),
    "the tag": ('"v1"', '"v1"', True),
    "another": ('"v2"', '"v1"', False),
    "weak in the request": ('W/"v1"', '"v1"', False),
    "weak in both": ('W/"v1"', 'W/"v1"', False),
    "no tag here": ('"v1"', None, False),
    "the date": (THEN, '"v1"', True),
    "a later date": (LATER, '"v1"', False),
    "no date": ("yesterday", '"v1"', False),
}


@pytest.mark.parametrize(("header", "etag", "expected"), IF_RANGE.values(), ids=IF_RANGE)
def test_if_range(header: str | None, etag: str | None, expected: bool) -> None:
    assert range_applies(header, etag=etag, last_modified=CHANGED) is expected


def test_a_date_without_last_modified_is_no_match() -> None:
    assert not range_applies(THEN, etag=None, last_modified=None)


def test_a_date_of_the_same_second_is_weak() -> None:
    assert not range_applies(THEN, etag=None, last_modified=CHANGED, date=CHANGED)
    assert range_applies(THEN, etag=None, last_modified=CHANGED, date=CHANGED + 1)
