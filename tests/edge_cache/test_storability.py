"""What may be stored (RFC 9111 §3), and the name of every refusal."""

import pytest

from edge_cache.freshness import assess
from edge_cache.http.cache_control import CacheControl
from edge_cache.http.fields import Fields, values
from edge_cache.storability import Refusal, refusal

OK = (b"Cache-Control", b"max-age=60")


UNDERSTAND = "max-age=60, no-store, must-understand"


def control(text: str) -> Fields:
    return ((b"Cache-Control", text.encode()),)


CASES: dict[str, tuple[int, Fields, bool, Refusal | None]] = {
    "plain": (200, (OK,), False, None),
    "404 with a lifetime": (404, (OK,), False, None),
    "an unknown status": (599, (OK,), False, None),
    "no lifetime": (200, (), False, Refusal.NO_LIFETIME),
    "404 without": (404, (), False, Refusal.NO_LIFETIME),
    "max-age=0": (200, control("max-age=0"), False, Refusal.EXPIRED),
    "old already": (200, (OK, (b"Age", b"60")), False, Refusal.EXPIRED),
    "no-store": (200, control("max-age=60, no-store"), False, Refusal.NO_STORE),
    "private": (200, control("max-age=60, private"), False, Refusal.PRIVATE),
    "private, qualified": (200, control('max-age=60, private="a"'), False, None),
    "no-cache, qualified": (200, control('max-age=60, no-cache="a"'), False, None),
    "no-cache": (200, control("max-age=60, no-cache"), False, Refusal.NO_CACHE),
    "206": (206, (OK,), False, Refusal.PARTIAL),
    "200 with Content-Range": (
        200,
        (OK, (b"Content-Range", b"bytes 0-1/9")),
        False,
        None,
    ),
    "416": (416, (OK,), False, Refusal.STATUS),
    "must-understand, known": (200, control(UNDERSTAND), False, None),
    "must-understand, unknown": (599, control(UNDERSTAND), False, Refusal.STATUS),
    "304": (304, (OK,), False, Refusal.STATUS),
    "Set-Cookie": (200, (OK, (b"Set-Cookie", b"a=1")), False, Refusal.SET_COOKIE),
    "Vary: *": (200, (OK, (b"Vary", b"*")), False, Refusal.VARY_ANY),
    "Vary: foo, *": (200, (OK, (b"Vary", b"foo"), (b"Vary", b", *")), False, Refusal.VARY_ANY),
    "Vary: foo": (200, (OK, (b"Vary", b"foo")), False, None),
    "authorized": (200, (OK,), True, Refusal.AUTHORIZATION),
    "authorized, public": (200, control("public, max-age=60"), True, None),
    "authorized, s-maxage": (200, control("s-maxage=60"), True, None),
    "authorized, must-revalidate": (200, control("must-revalidate, max-age=9"), True, None),
    "stale on arrival, with a window": (
        200,
        control("max-age=0, stale-while-revalidate=60"),
        False,
        None,
    ),
}


@pytest.mark.parametrize(
    ("status", "fields", "authorized", "expected"), CASES.values(), ids=CASES
)
def test_refusal(
    status: int, fields: Fields, authorized: bool, expected: Refusal | None
) -> None:
    control = CacheControl.parse(values(fields, b"cache-control"))
    freshness = assess(fields, control, now=784111777.0, delay=0)
    assert refusal(status, fields, control, freshness, authorized=authorized) is expected
