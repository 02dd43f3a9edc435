"""Freshness and age: the calculations of RFC 9111 §4.2, row by row."""

import pytest

from edge_cache.freshness import Defaults, Freshness, assess
from edge_cache.http.cache_control import CacheControl
from edge_cache.http.dates import format_date
from edge_cache.http.fields import Fields, values

NOW = 784111777.0


def response(**fields: str) -> Fields:
    return tuple(
        (name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()
    )


def at(seconds: float) -> str:
    return format_date(NOW + seconds)


def assessed(
    fields: Fields, delay: float = 0, *, status: int = 200, defaults: Defaults | None = None
) -> Freshness:
    control = CacheControl.parse(values(fields, b"cache-control"))
    return assess(fields, control, now=NOW, delay=delay, status=status, defaults=defaults)


LIFETIMES = {
    "nothing": (response(), None),
    "max-age": (response(cache_control="max-age=60"), 60),
    "s-maxage wins": (response(cache_control="max-age=60, s-maxage=10"), 10),
    "max-age wins over Expires": (response(cache_control="max-age=60", expires=at(600)), 60),
    "Expires against Date": (response(expires=at(50), date=at(-10)), 60),
    "Expires without Date": (response(expires=at(60)), 60),
    "Expires in the past": (response(expires=at(-60)), 0),
    "Expires: 0": (response(expires="0"), 0),
    "an invalid Expires": (response(expires="Thu, 18 Aug 50 02:01:18 GMT"), 0),
    "an invalid max-age is stale": (
        response(cache_control="max-age=soon", expires=at(60)),
        0,
    ),
    "no-cache is asked about each time": (response(cache_control="no-cache, max-age=9"), 0),
    "two Expires": (response(expires=at(60)) + response(expires=at(60)), 0),
}


@pytest.mark.parametrize(("fields", "seconds"), LIFETIMES.values(), ids=LIFETIMES)
def test_lifetime(fields: Fields, seconds: float | None) -> None:
    assert assessed(fields).lifetime == seconds


AGES = {
    "nothing known": (response(), 0, 0),
    "the delay counts": (response(), 2.5, 2.5),
    "by the clocks": (response(date=at(-30)), 1, 30),
    "by Age": (response(age="100", date=at(-30)), 1, 101),
    "a date to come": (response(date=at(30)), 0, 0),
    "Age is the first of a list": (response(age="7, 100"), 0, 7),
    "Age that is no number": (response(age="7.5"), 0, 0),
    "negative Age": (response(age="-7"), 0, 0),
    "Age beyond bounds": (response(age="99999999999"), 0, 2**31),
    "an empty Age": (response(age=""), 0, 0),
}


@pytest.mark.parametrize(("fields", "delay", "seconds"), AGES.values(), ids=AGES)
def test_initial_age(fields: Fields, delay: float, seconds: float) -> None:
    assert assessed(fields, delay).initial_age == seconds


STALE = {
    "the window": ("max-age=10, stale-while-revalidate=60", 60),
    "none": ("max-age=10", 0),
    "must-revalidate": ("max-age=10, stale-while-revalidate=60, must-revalidate", 0),
    "proxy-revalidate": ("max-age=10, stale-while-revalidate=60, proxy-revalidate", 0),
    "s-maxage": ("s-maxage=10, stale-while-revalidate=60", 0),
    "no-cache": ("max-age=10, stale-while-revalidate=60, no-cache", 0),
}


@pytest.mark.parametrize(("control", "seconds"), STALE.values(), ids=STALE)
def test_stale_while_revalidate(control: str, seconds: float) -> None:
    assert assessed(response(cache_control=control)).stale_while_revalidate == seconds


ERRORS = {
    "nothing said": ("max-age=10", 0, 100),
    "a window": ("max-age=10, stale-if-error=60", 60, 60),
    "a window of nothing": ("max-age=10, stale-if-error=0", 0, 0),
    "must-revalidate": ("max-age=10, stale-if-error=60, must-revalidate", 0, 0),
    "proxy-revalidate": ("max-age=10, stale-if-error=60, proxy-revalidate", 0, 0),
    "s-maxage": ("s-maxage=10, stale-if-error=60", 0, 0),
    "no-cache": ("no-cache, stale-if-error=60", 0, 0),
}


@pytest.mark.parametrize(("control", "error", "unreachable"), ERRORS.values(), ids=ERRORS)
def test_stale_if_error(control: str, error: float, unreachable: float) -> None:
    found = assessed(
        response(cache_control=control), defaults=Defaults(stale_if_unreachable=100)
    )
    assert (found.stale_if_error, found.stale_if_unreachable) == (error, unreachable)


def test_an_error_does_not_stand_in_for_an_upstream_that_is_out_of_reach() -> None:
    defaults = Defaults(negative_ttl={404: 5}, stale_if_unreachable=100)
    assert assessed(response(), status=404, defaults=defaults).stale_if_unreachable == 0
    said = response(cache_control="max-age=5, stale-if-error=9")
    assert assessed(said, status=404, defaults=defaults).stale_if_unreachable == 9
    assert assessed(response(), status=301, defaults=defaults).stale_if_unreachable == 100


GUESSES = {
    "a share of the time since the last change": (200, response(last_modified=at(-1000)), 100),
    "against Date": (200, response(last_modified=at(-1000), date=at(-500)), 50),
    "a day at most": (200, response(last_modified=at(-(10**8))), 86_400),
    "a change to come": (200, response(last_modified=at(1000)), None),
    "no last change": (200, response(), None),
    "a status of which nothing can be guessed": (403, response(last_modified=at(-1000)), None),
    "public": (403, response(last_modified=at(-1000), cache_control="public"), 100),
    "what is said wins": (200, response(last_modified=at(-10), cache_control="max-age=7"), 7),
    "an error": (404, response(last_modified=at(-1000)), 5),
    "an error that says itself": (404, response(cache_control="max-age=0"), 0),
}


@pytest.mark.parametrize(("status", "fields", "seconds"), GUESSES.values(), ids=GUESSES)
def test_what_an_operator_says(status: int, fields: Fields, seconds: float | None) -> None:
    defaults = Defaults(heuristic=0.1, negative_ttl={404: 5})
    assert assessed(fields, status=status, defaults=defaults).lifetime == seconds
    said = CacheControl.parse(values(fields, b"cache-control")).seconds("max-age")
    assert assessed(fields, status=status).lifetime == said


USABLE = {
    "fresh": (Freshness(5, 10, 0), True),
    "expired on arrival": (Freshness(10, 10, 0), False),
    "stale on arrival, with a window": (Freshness(15, 10, 60), True),
    "past the window": (Freshness(70, 10, 60), False),
    "no lifetime": (Freshness(0, None, 60), False),
}


@pytest.mark.parametrize(("freshness", "usable"), USABLE.values(), ids=USABLE)
def test_is_usable(freshness: Freshness, usable: bool) -> None:
    assert freshness.is_usable is usable


EARLY: dict[str, tuple[Fields, float, float]] = {
    "its last tenth": (response(cache_control="max-age=60"), 10, 6),
    "no more than is asked": (response(cache_control="max-age=86400"), 10, 10),
    "a tenth of what is left on arrival": (
        response(cache_control="max-age=60", age="40"),
        10,
        2,
    ),
    "by Expires": (response(expires=at(50), date=at(0)), 10, 5),
    "the shortest lifetime": (response(cache_control="max-age=1"), 10, 0.1),
    "too little is left": (
        response(cache_control="max-age=60", age="59.6", date=at(-59.6)),
        10,
        0,
    ),
    "expired on arrival": (response(cache_control="max-age=60", age="61"), 10, 0),
    "nothing is said": (response(), 10, 0),
    "asked about each time": (response(cache_control="no-cache"), 10, 0),
    "it never changes": (response(cache_control="max-age=60, immutable"), 10, 0),
    "it may not be served stale": (
        response(cache_control="max-age=60, must-revalidate"),
        10,
        6,
    ),
    "off": (response(cache_control="max-age=60"), 0, 0),
}


@pytest.mark.parametrize(("fields", "longest", "seconds"), EARLY.values(), ids=EARLY)
def test_the_part_in_which_a_renewal_is_early(
    fields: Fields, longest: float, seconds: float
) -> None:
    found = assessed(fields, defaults=Defaults(early_refresh=longest)).early
    assert found == pytest.approx(seconds)
