"""Dates: the three forms of RFC 9110 §5.6.7, and what a lenient parser would let through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_cache.http.dates import format_date, parse_date

THE_EXAMPLE = 784111777.0
FORMS = {
    "IMF-fixdate": "Sun, 06 Nov 1994 08:49:37 GMT",
    "RFC 850": "Sunday, 06-Nov-94 08:49:37 GMT",
    "asctime": "Sun Nov  6 08:49:37 1994",
    "case is ignored by caches": "sun, 06 NOV 1994 08:49:37 gmt",
}
REFUSED = {
    "empty": "",
    "zero": "0",
    "a number": "784111777",
    "two-digit year": "Sun, 06 Nov 94 08:49:37 GMT",
    "dashes": "Sun, 06-Nov-1994 08:49:37 GMT",
    "dots in the time": "Sun, 06 Nov 1994 08.49.37 GMT",
    "another zone": "Sun, 06 Nov 1994 08:49:37 UTC",
    "a numeric zone": "Sun, 06 Nov 1994 08:49:37 +0000",
    "no zone": "Sun, 06 Nov 1994 08:49:37",
    "several spaces": "Sun,  06 Nov 1994 08:49:37 GMT",
    "trailing space": "Sun, 06 Nov 1994 08:49:37 GMT ",
    "hour 24": "Sun, 06 Nov 1994 24:00:00 GMT",
    "minute 60": "Sun, 06 Nov 1994 08:60:00 GMT",
    "second 61": "Sun, 06 Nov 1994 08:49:61 GMT",
    "31 February": "Sun, 31 Feb 1994 08:49:37 GMT",
    "year 0": "Sun, 06 Nov 0000 08:49:37 GMT",
    "other digits": "Sun, ٠٦ Nov 1994 08:49:37 GMT",
    "two dates": "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_forms(text: str) -> None:
    assert parse_date(text) == THE_EXAMPLE


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_refused(text: str) -> None:
    assert parse_date(text) is None


def test_a_leap_second_is_the_next_second() -> None:
    assert parse_date("Sat, 31 Dec 2016 23:59:60 GMT") == parse_date(
        "Sun, 01 Jan 2017 00:00:00 GMT"
    )


@pytest.mark.parametrize(("digits", "year"), [("00", 2000), ("69", 2069), ("70", 1970)])
def test_two_digit_years(digits: str, year: int) -> None:
    assert parse_date(f"Friday, 01-Jan-{digits} 00:00:00 GMT") == parse_date(
        f"Fri, 01 Jan {year} 00:00:00 GMT"
    )


@given(st.integers(0, 2**35))
def test_parse_undoes_format(seconds: int) -> None:
    assert parse_date(format_date(seconds)) == seconds
    assert format_date(seconds + 0.75) == format_date(seconds)


@given(st.text(max_size=40))
def test_nothing_breaks_it(text: str) -> None:
    assert parse_date(text) is None or text
