"""CDN-Cache-Control: when it governs, and what its members come to (RFC 9213 §2)."""

import pytest

from edge_cache.http.fields import Fields
from edge_cache.http.targeted import governing

PLAIN = (b"Cache-Control", b"max-age=1")


def response(*lines: str) -> Fields:
    return (PLAIN, *((b"CDN-Cache-Control", line.encode()) for line in lines))


MAX_AGE = {
    "absent": ((), 1),
    "there": (("max-age=60",), 60),
    "several lines": (("public", "max-age=60"), 60),
    "a parameter": (("max-age=60;x",), 60),
    "the last of two": (("max-age=5, max-age=60",), 60),
    "nothing on age": (("public",), None),
    "a string": (('max-age="60"',), 0),
    "a fraction": (("max-age=60.0",), 0),
    "a token": (("max-age=soon",), 0),
    "a list": (("max-age=(60)",), 0),
    "true": (("max-age",), 0),
    "false": (("max-age=?0",), 1),
    "below zero": (("max-age=-60",), 0),
    "empty": (("",), 1),
    "not a dictionary": (("max-age=60, &",), 1),
    "capitals": (("Max-Age=60",), 1),
    "not ASCII": (("max-age=60, a=é",), 1),
    "more digits than an integer has": ((f"max-age={'9' * 16}",), 1),
}


@pytest.mark.parametrize(("lines", "seconds"), MAX_AGE.values(), ids=MAX_AGE)
def test_max_age(lines: tuple[str, ...], seconds: int | None) -> None:
    assert governing(response(*lines)).seconds("max-age") == seconds


def test_flags() -> None:
    found = governing(response('no-store=?0, private="a", no-cache'))
    assert found.is_targeted
    assert [name in found for name in ("no-store", "private", "no-cache")] == [
        False,
        True,
        True,
    ]
    assert not governing(response()).is_targeted
