"""One response, and whether it answers the next request for the same URL."""

from tests.edge_cache.conformance.playing import ASKED, REUSED, Case, Expect, Step

Row = tuple[str, tuple[str, ...], Expect]
"""The clause, the response's field lines, and what becomes of the second request."""

DATE = "Date: {+0}"

FRESHNESS: dict[str, Row] = {
    "nothing is said": ("§4.2.1", (DATE,), ASKED),
    "only a validator is there": ("§4.2.1", (DATE, 'ETag: "a"'), ASKED),
    "only a date of change is there": ("§4.2.2", (DATE, "Last-Modified: {-86400}"), ASKED),
    "max-age": ("§5.2.2.1", ("Cache-Control: max-age=60",), REUSED),
    "max-age=0": ("§5.2.2.1", ("Cache-Control: max-age=0",), ASKED),
    "max-age of 2^31": ("§1.2.2", ("Cache-Control: max-age=2147483648",), REUSED),
    "max-age beyond 2^31": ("§1.2.2", ("Cache-Control: max-age=99999999999999",), REUSED),
    "max-age with zeros before it": ("§1.2.2", ("Cache-Control: max-age=0060",), REUSED),
    "max-age below zero": ("§1.2.2", ("Cache-Control: max-age=-60",), ASKED),
    "max-age with a fraction": ("§4.2.1", ("Cache-Control: max-age=60.0",), ASKED),
    "max-age with a unit": ("§4.2.1", ("Cache-Control: max-age=60s",), ASKED),
    "max-age in apostrophes": ("§5.2", ("Cache-Control: max-age='60'",), ASKED),
    "max-age in quotes": ("§5.2", ('Cache-Control: max-age="60"',), REUSED),
    "max-age within a string": ("§5.2", ('Cache-Control: x="max-age=60", max-age=0',), ASKED),
    "max-age before such a string": (
        "§5.2",
        ('Cache-Control: max-age=0, x="max-age=60"',),
        ASKED,
    ),
    "spaces around the sign": ("§5.2", ("Cache-Control: max-age = 60",), ASKED),
    "letter case": ("§5.2", ("Cache-Control: MAX-Age=60",), REUSED),
    "an unknown directive": ("§5.2.3", ("Cache-Control: hello, max-age=60",), REUSED),
    "two that disagree": ("§4.2.1", ("Cache-Control: max-age=60, max-age=0",), ASKED),
    "two lines that disagree": (
        "§4.2.1",
        ("Cache-Control: max-age=0", "Cache-Control: max-age=60"),
        ASKED,
    ),
    "s-maxage": ("§5.2.2.10", ("Cache-Control: s-maxage=60",), REUSED),
    "s-maxage above max-age": ("§5.2.2.10", ("Cache-Control: max-age=0, s-maxage=60",), REUSED),
    "s-maxage below max-age": ("§5.2.2.10", ("Cache-Control: s-maxage=0, max-age=60",), ASKED),
    "s-maxage on another line": (
        "§5.2.2.10",
        ("Cache-Control: max-age=60", "Cache-Control: s-maxage=0"),
        ASKED,
    ),
    "max-age above a past Expires": (
        "§5.3",
        ("Cache-Control: max-age=60", "Expires: {-60}", DATE),
        REUSED,
    ),
    "max-age=0 below a future Expires": (
        "§5.3",
        ("Cache-Control: max-age=0", "Expires: {+60}", DATE),
        ASKED,
    ),
}

EXPIRES: dict[str, Row] = {
    "to come": ("§5.3", ("Expires: {+60}", DATE), REUSED),
    "to come, without Date": ("§5.3", ("Expires: {+60}",), REUSED),
    "to come, beside a Date that is none": ("§5.3", ("Expires: {+60}", "Date: now"), REUSED),
    "past": ("§5.3", ("Expires: {-60}", DATE), ASKED),
    "now": ("§5.3", ("Expires: {+0}", DATE), ASKED),
    "before a Date to come": ("§4.2.1", ("Expires: {+300}", "Date: {+400}"), ASKED),
    "0": ("§5.3", ("Expires: 0", DATE), ASKED),
    "beyond 32 bits": ("§5.3", ("Expires: Sun, 21 Nov 2286 04:46:39 GMT", DATE), REUSED),
    "of RFC 850": (
        "RFC 9110 §5.6.7",
        ("Expires: Thursday, 18-Aug-50 02:01:18 GMT", DATE),
        REUSED,
    ),
    "of asctime": ("RFC 9110 §5.6.7", ("Expires: Thu Aug  8 02:01:18 2050", DATE), REUSED),
    "letter case": ("§4.2", ("Expires: THU, 18 aug 2050 02:01:18 gmt", DATE), REUSED),
    "UTC": ("§5.3", ("Expires: Thu, 18 Aug 2050 02:01:18 UTC", DATE), ASKED),
    "AEST": ("§5.3", ("Expires: Thu, 18 Aug 2050 02:01:18 AEST", DATE), ASKED),
    "two digits of year": ("§5.3", ("Expires: Thu, 18 Aug 50 02:01:18 GMT", DATE), ASKED),
    "no comma": ("§5.3", ("Expires: Thu 18 Aug 2050 02:01:18 GMT", DATE), ASKED),
    "two spaces": ("§5.3", ("Expires: Thu, 18  Aug 2050 02:01:18 GMT", DATE), ASKED),
    "dashes": ("§5.3", ("Expires: Thu, 18-Aug-2050 02:01:18 GMT", DATE), ASKED),
    "full stops": ("§5.3", ("Expires: Thu, 18 Aug 2050 02.01.18 GMT", DATE), ASKED),
    "one digit of hour": ("§5.3", ("Expires: Thu, 18 Aug 2050 2:01:18 GMT", DATE), ASKED),
    "two lines": ("§5.3", ("Expires: {+60}", "Expires: {+90}", DATE), ASKED),
}

AGE: dict[str, Row] = {
    "below the lifetime": ("§4.2.3", ("Age: 30",), REUSED),
    "above the lifetime": ("§4.2.3", ("Age: 90",), ASKED),
    "of 2^31": ("§1.2.2", ("Age: 2147483648",), ASKED),
    "above 2^31": ("§1.2.2", ("Age: 99999999999",), ASKED),
    "a word": ("§5.1", ("Age: old",), REUSED),
    "below zero": ("§5.1", ("Age: -90",), REUSED),
    "a fraction": ("§5.1", ("Age: 90.0",), REUSED),
    "a list that begins old": ("§5.1", ("Age: 90, 0",), ASKED),
    "a list that begins young": ("§5.1", ("Age: 0, 90",), REUSED),
    "lines of which the first is old": ("§5.1", ("Age: 90", "Age: 0"), ASKED),
    "lines of which the first is young": ("§5.1", ("Age: 0", "Age: 90"), REUSED),
    "the clock says older": ("§4.2.3", ("Age: 0", "Date: {-90}"), ASKED),
}

DIRECTIVES: dict[str, Row] = {
    "no-store": ("§5.2.2.5", ("Cache-Control: max-age=60, No-Store",), ASKED),
    "no-store that does not parse": (
        "§4.2.1",
        ("Cache-Control: max-age=60, no-store =",),
        ASKED,
    ),
    "private": ("§5.2.2.7", ("Cache-Control: private, max-age=60",), ASKED),
    "private for some fields": (
        "§5.2.2.7",
        ('Cache-Control: private="a", max-age=60',),
        REUSED,
    ),
    "private for some fields and for all": (
        "§5.2.2.7",
        ('Cache-Control: private="a", private, max-age=60',),
        ASKED,
    ),
    "private for a field that caching needs": (
        "§5.2.2.7",
        ('Cache-Control: private="vary", max-age=60',),
        ASKED,
    ),
    "private for what are no fields": (
        "§5.2.2.7",
        ('Cache-Control: private="a b", max-age=60',),
        ASKED,
    ),
    "no-cache": ("§5.2.2.4", ("Cache-Control: max-age=60, no-cache", "Expires: {+60}"), ASKED),
    "no-cache for some fields": (
        "§5.2.2.4",
        ('Cache-Control: no-cache="a", max-age=60',),
        REUSED,
    ),
    "must-revalidate, while fresh": (
        "§5.2.2.2",
        ("Cache-Control: max-age=60, must-revalidate",),
        REUSED,
    ),
    "must-understand, understood": (
        "§5.2.2.3",
        ("Cache-Control: max-age=60, no-store, must-understand",),
        REUSED,
    ),
    "Pragma of a response": ("§5.4", ("Cache-Control: max-age=60", "Pragma: no-cache"), REUSED),
    "Set-Cookie": ("§7.3", ("Cache-Control: max-age=60", "Set-Cookie: a=b"), ASKED),
    "Content-Range outside a 206": (
        "RFC 9110 §14.4",
        ("Cache-Control: max-age=60", "Content-Range: bytes 0-1/9"),
        REUSED,
    ),
}

TARGETED: dict[str, Row] = {
    "max-age": ("RFC 9213 §2.1", ("CDN-Cache-Control: max-age=60",), REUSED),
    "max-age beyond 2^31": (
        "RFC 9213 §2.1",
        ("CDN-Cache-Control: max-age=99999999999",),
        REUSED,
    ),
    "max-age=0 against Expires": (
        "RFC 9213 §2.2",
        ("CDN-Cache-Control: max-age=0", "Expires: {+60}", DATE),
        ASKED,
    ),
    "nothing on lifetime against Expires": (
        "RFC 9213 §2.2",
        ("CDN-Cache-Control: public", "Expires: {+60}", DATE),
        ASKED,
    ),
    "an unknown directive": ("RFC 9213 §2.1", ("CDN-Cache-Control: hi, max-age=60",), REUSED),
    "longer": (
        "RFC 9213 §2.2",
        ("CDN-Cache-Control: max-age=60", "Cache-Control: max-age=0"),
        REUSED,
    ),
    "shorter": (
        "RFC 9213 §2.2",
        ("CDN-Cache-Control: max-age=0", "Cache-Control: max-age=60"),
        ASKED,
    ),
    "over no-store": (
        "RFC 9213 §2.2",
        ("CDN-Cache-Control: max-age=60", "Cache-Control: no-store"),
        REUSED,
    ),
    "private": (
        "RFC 9213 §2.2",
        ("CDN-Cache-Control: private", "Cache-Control: max-age=60"),
        ASKED,
    ),
    "no-cache": (
        "RFC 9213 §2.2",
        ("CDN-Cache-Control: no-cache", "Cache-Control: max-age=60"),
        ASKED,
    ),
    "no-store": (
        "RFC 9213 §2.2",
        ("CDN-Cache-Control: no-store", "Cache-Control: max-age=60"),
        ASKED,
    ),
    "no-store, said to be false": (
        "RFC 9651 §3.3.6",
        ("CDN-Cache-Control: max-age=60, no-store=?0",),
        REUSED,
    ),
    "not a dictionary": (
        "RFC 9213 §2.2",
        ("CDN-Cache-Control: max-age=60, &&", "Cache-Control: no-store"),
        ASKED,
    ),
    "capitals, which no key has": (
        "RFC 9651 §3.1.2",
        ("CDN-Cache-Control: Max-Age=60", "Cache-Control: max-age=0"),
        ASKED,
    ),
    "a string for a number": (
        "RFC 9213 §2.1",
        ('CDN-Cache-Control: max-age="60"', "Cache-Control: no-store"),
        ASKED,
    ),
    "empty": ("RFC 9213 §2.2", ("CDN-Cache-Control: ", "Cache-Control: max-age=60"), REUSED),
    "Age above it": ("§4.2.3", ("CDN-Cache-Control: max-age=60", "Age: 90"), ASKED),
}

VARY_ANY: dict[str, Row] = {
    f"Vary is {lines}": (
        "§4.1",
        ("Cache-Control: max-age=60", *(f"Vary: {one}" for one in lines)),
        ASKED,
    )
    for lines in (["*"], ["*, *"], ["*", "*"], [", *"], ["", "*"], ["*, foo"], ["foo, *"])
}


def _case(row: Row, answer: tuple[str, ...] = ()) -> Case:
    clause, lines, expect = row
    return Case(clause, (Step(expect=ASKED, answer=answer + lines), Step(expect=expect)))


CASES = {
    **{f"freshness: {name}": _case(row) for name, row in FRESHNESS.items()},
    **{f"Expires: {name}": _case(row) for name, row in EXPIRES.items()},
    **{f"Age: {name}": _case(row, ("Cache-Control: max-age=60",)) for name, row in AGE.items()},
    **{f"directives: {name}": _case(row) for name, row in DIRECTIVES.items()},
    **{f"CDN-Cache-Control: {name}": _case(row) for name, row in TARGETED.items()},
    **{name: _case(row) for name, row in VARY_ANY.items()},
}
