"""Cases of several requests: conditions, variants, methods, parts, errors, hops."""

from tests.edge_cache.conformance.playing import (
    ASKED,
    BEHIND,
    COVERED,
    CUT,
    REFRESHED,
    REUSED,
    TOLD,
    Case,
    Step,
)

HOUR = ("Cache-Control: max-age=3600", "Date: {+0}")
SECOND = ("Cache-Control: max-age=1", "Date: {+0}")
TAGGED = (*HOUR, 'ETag: "a"')
STALE = 2.1
"""Seconds after which a lifetime of one is over, whole seconds of Date included."""
WITHHELD = ("X-B: 0", "X-A: 1", "Set-Cookie: a=b")

GONE = "304 Not Modified"


def _if_none_match(*values: str, tag: str = '"a"', gets: int = 304) -> Case:
    lines = tuple(f"If-None-Match: {value}" for value in values)
    matched = ("ETag: " + tag,) if gets == 304 else ()
    return Case(
        "§4.3.2",
        (
            Step(expect=ASKED, answer=(*HOUR, "ETag: " + tag)),
            Step(expect=REUSED, lines=lines, gets=gets, tells=matched),
        ),
    )


def _if_modified_since(value: str, *answer: str, gets: int = 304) -> Case:
    lines = (f"If-Modified-Since: {value}",)
    return Case(
        "§4.3.2",
        (
            Step(expect=ASKED, answer=(*HOUR, *answer)),
            Step(expect=REUSED, lines=lines, gets=gets),
        ),
    )


CHANGED = "Wed, 01 Jan 2020 00:00:00 GMT"

CONDITIONS = {
    "If-None-Match of the same tag": _if_none_match('"a"'),
    "If-None-Match of another": _if_none_match('"b"', gets=200),
    "If-None-Match of a weak tag": _if_none_match('W/"a"', tag='W/"a"'),
    "If-None-Match, weak against strong": _if_none_match('W/"a"'),
    "If-None-Match of a list": _if_none_match('"x", "a", "y"'),
    "If-None-Match of two lines": _if_none_match('"x"', '"a"'),
    "If-None-Match of any": _if_none_match("*"),
    "If-None-Match that does not parse": _if_none_match("a", gets=200),
    "If-Modified-Since the same": _if_modified_since(CHANGED, f"Last-Modified: {CHANGED}"),
    "If-Modified-Since later": _if_modified_since(
        "Thu, 02 Jan 2020 00:00:00 GMT", f"Last-Modified: {CHANGED}"
    ),
    "If-Modified-Since earlier": _if_modified_since(
        "Tue, 31 Dec 2019 00:00:00 GMT", f"Last-Modified: {CHANGED}", gets=200
    ),
    "If-Modified-Since of RFC 850": _if_modified_since(
        "Wednesday, 01-Jan-20 00:00:00 GMT", f"Last-Modified: {CHANGED}"
    ),
    "If-Modified-Since before an unknown change": _if_modified_since(CHANGED, gets=200),
    "If-None-Match wins": Case(
        "RFC 9110 §13.1.3",
        (
            Step(expect=ASKED, answer=(*TAGGED, f"Last-Modified: {CHANGED}")),
            Step(
                expect=REUSED,
                lines=('If-None-Match: "b"', f"If-Modified-Since: {CHANGED}"),
            ),
        ),
    ),
}

VALIDATION = {
    "a stale response is asked about by its tag": Case(
        "§4.3.1",
        (
            Step(expect=ASKED, answer=(*SECOND, 'ETag: "a"', "X-Kept: 1")),
            Step(
                expect=REFRESHED,
                wait=STALE,
                answer=(*HOUR, 'ETag: "a"'),
                status=GONE,
                sends=('If-None-Match: "a"',),
                tells=("X-Kept: 1",),
            ),
            Step(expect=REUSED),
        ),
    ),
    "a stale response is asked about by its date": Case(
        "§4.3.1",
        (
            Step(expect=ASKED, answer=(*SECOND, f"Last-Modified: {CHANGED}")),
            Step(
                expect=REFRESHED,
                wait=STALE,
                answer=HOUR,
                status=GONE,
                sends=(f"If-Modified-Since: {CHANGED}",),
                lines=(f"If-Modified-Since: {CHANGED}",),
                gets=304,
            ),
        ),
    ),
    "a 304 updates the stored fields, but not those of the body": Case(
        "§3.2",
        (
            Step(
                expect=ASKED,
                answer=(*SECOND, 'ETag: "a"', "X-A: 1", "Content-Encoding: a"),
            ),
            Step(
                expect=REFRESHED,
                wait=STALE,
                answer=(
                    *HOUR,
                    'ETag: "a"',
                    "X-A: 2",
                    "Content-Encoding: b",
                    "Content-Length: 9",
                ),
                status=GONE,
                tells=("X-A: 2", "Content-Encoding: a", "Content-Length: 8"),
            ),
            Step(expect=REUSED, tells=("X-A: 2", "Content-Encoding: a", "Content-Length: 8")),
        ),
    ),
    "no-cache is stored to be asked about": Case(
        "§5.2.2.4",
        (
            Step(expect=ASKED, answer=("Cache-Control: max-age=60, no-cache", 'ETag: "a"')),
            Step(
                expect=REFRESHED,
                answer=("Cache-Control: no-cache", 'ETag: "a"'),
                status=GONE,
                sends=('If-None-Match: "a"',),
            ),
            Step(expect=ASKED, answer=HOUR, sends=('If-None-Match: "a"',)),
            Step(expect=REUSED),
        ),
    ),
    "no-cache for some fields: they are for who asked": Case(
        "§5.2.2.4",
        (
            Step(
                expect=ASKED,
                answer=('Cache-Control: max-age=60, no-cache="x-A, set-cookie"', *WITHHELD),
                tells=WITHHELD,
            ),
            Step(expect=REUSED, tells=WITHHELD[:1], hides=("X-A", "Set-Cookie")),
        ),
    ),
    "private for some fields: they are for who asked": Case(
        "§5.2.2.7",
        (
            Step(
                expect=ASKED,
                answer=("Cache-Control: max-age=1, private=x-a", 'ETag: "a"', "X-A: 1"),
                tells=("X-A: 1",),
            ),
            Step(
                expect=REFRESHED,
                wait=STALE,
                answer=('Cache-Control: max-age=60, private="x-a"', 'ETag: "a"', "X-A: 2"),
                status=GONE,
                tells=("X-A: 2",),
            ),
            Step(expect=REUSED, hides=("X-A",)),
        ),
    ),
    "must-revalidate is asked about when stale": Case(
        "§5.2.2.2",
        (
            Step(
                expect=ASKED, answer=("Cache-Control: max-age=1, must-revalidate", 'ETag: "a"')
            ),
            Step(expect=REFRESHED, wait=STALE, answer=HOUR, status=GONE),
        ),
    ),
    "what stays stale without a validator is fetched": Case(
        "§4.3.1",
        (
            Step(expect=ASKED, answer=SECOND),
            Step(expect=ASKED, wait=STALE, answer=HOUR, omits=("If-None-Match",)),
            Step(expect=REUSED),
        ),
    ),
    "a client's own condition is not sent for everyone": Case(
        "§4.3.1",
        (
            Step(
                expect=ASKED,
                answer=TAGGED,
                lines=('If-None-Match: "a"',),
                gets=304,
                omits=("If-None-Match",),
            ),
            Step(expect=REUSED, text="answer 1"),
        ),
    ),
    "HEAD is answered from what GET has stored": Case(
        "§4",
        (
            Step(expect=ASKED, answer=TAGGED),
            Step(expect=REUSED, method="HEAD", tells=("Content-Length: 8",)),
        ),
    ),
    "a HEAD that agrees makes fresh": Case(
        "§4.3.5",
        (
            Step(expect=ASKED, answer=(*SECOND, 'ETag: "a"', "X-A: 1"), body="same"),
            Step(
                expect=ASKED,
                method="HEAD",
                wait=STALE,
                answer=(*TAGGED, "X-A: 2"),
                body="same",
            ),
            Step(expect=REUSED, tells=("X-A: 2",)),
        ),
    ),
    "a HEAD that differs drops": Case(
        "§4.3.5",
        (
            Step(expect=ASKED, answer=(*SECOND, 'ETag: "a"')),
            Step(expect=ASKED, method="HEAD", wait=STALE, answer=(*HOUR, 'ETag: "b"')),
            Step(expect=ASKED, omits=("If-None-Match",)),
        ),
    ),
}


def _vary(names: str, first: tuple[str, ...], second: tuple[str, ...], *, same: bool) -> Case:
    return Case(
        "§4.1",
        (
            Step(expect=ASKED, answer=(*HOUR, f"Vary: {names}"), lines=first),
            Step(expect=REUSED if same else ASKED, lines=second),
        ),
    )


VARIANTS = {
    "the same field": _vary("Foo", ("Foo: 1",), ("foo: 1", "Bar: 2"), same=True),
    "another value": _vary("Foo", ("Foo: 1",), ("Foo: 2",), same=False),
    "absent, then there": _vary("Foo", (), ("Foo: 1",), same=False),
    "there, then absent": _vary("Foo", ("Foo: 1",), (), same=False),
    "absent both times": _vary("Foo, Bar", ("Foo: 1",), ("Foo: 1",), same=True),
    "the second of two differs": _vary(
        "Foo, Bar", ("Foo: 1", "Bar: 1"), ("Bar: 2", "Foo: 1"), same=False
    ),
    "spaces in a list": _vary("Foo", ("Foo: 1,2",), ("Foo: 1 ,  2",), same=True),
    "a list on two lines": _vary("Foo", ("Foo: 1, 2",), ("Foo: 1", "Foo: 2"), same=True),
    "case of a language": _vary(
        "Accept-Language", ("Accept-Language: en, de",), ("Accept-Language: EN,de",), same=True
    ),
    "order of languages": _vary(
        "Accept-Language",
        ("Accept-Language: en, de",),
        ("Accept-Language: de, en",),
        same=True,
    ),
    "weights of languages": _vary(
        "Accept-Language",
        ("Accept-Language: en, de",),
        ("Accept-Language: en, de;q=0.9",),
        same=False,
    ),
    "two variants stand beside one another": Case(
        "§4.1",
        (
            Step(expect=ASKED, answer=(*HOUR, "Vary: Foo"), lines=("Foo: 1",)),
            Step(expect=ASKED, answer=(*HOUR, "Vary: Foo"), lines=("Foo: 2",)),
            Step(expect=REUSED, lines=("Foo: 1",), text="answer 1"),
        ),
    ),
    "what selects goes upstream with the condition": Case(
        "§4.3.1",
        (
            Step(expect=ASKED, answer=(*SECOND, 'ETag: "a"', "Vary: Foo"), lines=("Foo: 1",)),
            Step(
                expect=REFRESHED,
                wait=STALE,
                answer=HOUR,
                status=GONE,
                lines=("Foo: 1",),
                sends=("Foo: 1", 'If-None-Match: "a"'),
            ),
        ),
    ),
    "queries are apart": Case(
        "§2",
        (
            Step(expect=ASKED, at="?a=1", answer=HOUR),
            Step(expect=ASKED, at="?a=2", answer=HOUR),
            Step(expect=REUSED, at="?a=1", text="answer 1"),
        ),
    ),
}

LOCATIONS = ("Location: other", "Content-Location: third")


def _unsafe(method: str) -> dict[str, Case]:
    fails = "500 Internal Server Error"
    return {
        f"{method} that succeeds": Case(
            "§4.4",
            (
                Step(expect=ASKED, answer=HOUR),
                Step(expect=ASKED, method=method, text="answer 2"),
                Step(expect=ASKED),
            ),
        ),
        f"{method} that fails": Case(
            "§4.4",
            (
                Step(expect=ASKED, answer=HOUR),
                Step(expect=ASKED, method=method, status=fails, gets=500),
                Step(expect=REUSED),
            ),
        ),
        f"{method} and what it names": Case(
            "§4.4",
            (
                Step(expect=ASKED, at="/other", answer=HOUR),
                Step(expect=ASKED, at="/third", answer=HOUR),
                Step(expect=ASKED, at="/", method=method, answer=LOCATIONS, text="answer 3"),
                Step(expect=ASKED, at="/other"),
                Step(expect=ASKED, at="/third"),
            ),
        ),
        f"{method} and what it names elsewhere": Case(
            "§4.4",
            (
                Step(expect=ASKED, at="/other", answer=HOUR),
                Step(
                    expect=ASKED,
                    at="/",
                    method=method,
                    answer=("Location: http://elsewhere.example/other",),
                    text="answer 2",
                ),
                Step(expect=REUSED, at="/other", text="answer 1"),
            ),
        ),
    }


METHODS = {
    name: case
    for method in ("POST", "PUT", "DELETE", "PATCH", "M-SEARCH")
    for name, case in _unsafe(method).items()
}

SECRET = ("Authorization: Basic eA==",)


def _authorized(control: str, *, shared: bool) -> Case:
    return Case(
        "§3.5",
        (
            Step(
                expect=ASKED, answer=(f"Cache-Control: {control}",), lines=SECRET, sends=SECRET
            ),
            Step(expect=REUSED if shared else ASKED),
        ),
    )


AUTHORIZATION = {
    "Authorization, and max-age alone": _authorized("max-age=60", shared=False),
    "Authorization, and public": _authorized("max-age=60, public", shared=True),
    "Authorization, and s-maxage": _authorized("s-maxage=60", shared=True),
    "Authorization, and must-revalidate": _authorized(
        "max-age=60, must-revalidate", shared=True
    ),
    "Authorization against what others have": Case(
        "§3.5",
        (
            Step(expect=ASKED, answer=HOUR),
            Step(expect=ASKED, lines=SECRET, answer=HOUR),
            Step(expect=REUSED, text="answer 1"),
        ),
    ),
}

TEN = "0123456789"


def _range(value: str, text: str, *, gets: int = 206, tells: tuple[str, ...] = ()) -> Case:
    return Case(
        "§4",
        (
            Step(expect=ASKED, answer=TAGGED, body=TEN),
            Step(expect=REUSED, lines=(f"Range: {value}",), gets=gets, text=text, tells=tells),
        ),
    )


def _part(value: str, text: str, *, held: str = "bytes 4-9/10") -> Case:
    """Of a body whose end is stored."""
    return Case(
        "§3.3",
        (
            Step(
                expect=ASKED,
                answer=(*TAGGED, f"Content-Range: {held}"),
                status="206 Partial Content",
                body=TEN[4:],
                lines=("Range: bytes=-6",),
                sends=("Range: bytes=-6",),
                gets=206,
                text=TEN[4:],
            ),
            Step(expect=REUSED, lines=(f"Range: {value}",), gets=206, text=text),
        ),
    )


PARTS = {
    "the first bytes of a whole": _range(
        "bytes=0-1", "01", tells=("Content-Range: bytes 0-1/10", "Content-Length: 2")
    ),
    "the rest of a whole": _range("bytes=7-", "789"),
    "the last bytes of a whole": _range("bytes=-1", "9"),
    "beyond a whole": _range("bytes=10-", "", gets=416, tells=("Content-Range: bytes */10",)),
    "a range that does not parse": _range("bytes=9-0", TEN, gets=200),
    "the same bytes of a part": _part("bytes=-6", "456789"),
    "some bytes of a part": _part("bytes=5-6", "56"),
    "the rest of a part": _part("bytes=8-", "89"),
    "the last bytes of a part": _part("bytes=-1", "9"),
    "bytes that a part has not": Case(
        "§3.4",
        (
            Step(
                expect=ASKED,
                answer=(*TAGGED, "Content-Range: bytes 4-9/10"),
                status="206 Partial Content",
                body=TEN[4:],
                lines=("Range: bytes=-6",),
                gets=206,
            ),
            Step(
                expect=ASKED,
                answer=(*TAGGED, "Content-Range: bytes 0-9/10", "X-New: 1"),
                status="206 Partial Content",
                body=TEN,
                lines=("Range: bytes=0-1",),
                sends=("Range: bytes=0-1048575", 'If-Range: "a"'),
                gets=206,
                text="01",
                tells=("X-New: 1",),
            ),
            Step(expect=REUSED, text=TEN, tells=("X-New: 1",), hides=("Content-Range",)),
        ),
    ),
    "a part that is not what it claims": Case(
        "RFC 9110 §14.4",
        (
            Step(
                expect=ASKED,
                answer=(*TAGGED, "Content-Range: bytes 4-9/10"),
                status="206 Partial Content",
                body=TEN[:5],
                lines=("Range: bytes=-6",),
                gets=206,
                text=TEN[:5],
            ),
            Step(
                expect=ASKED,
                answer=(*TAGGED, "Content-Range: bytes 4-9/10"),
                status="206 Partial Content",
                body=TEN[4:],
                lines=("Range: bytes=-6",),
                gets=206,
                text=TEN[4:],
            ),
        ),
    ),
    "If-Range of another version": Case(
        "RFC 9110 §13.1.5",
        (
            Step(expect=ASKED, answer=TAGGED, body=TEN),
            Step(expect=REUSED, lines=("Range: bytes=0-1", 'If-Range: "b"'), text=TEN),
        ),
    ),
    "a part without a lifetime": Case(
        "§3.3",
        (
            Step(
                expect=ASKED,
                answer=('ETag: "a"', "Content-Range: bytes 4-9/10"),
                status="206 Partial Content",
                body=TEN[4:],
                lines=("Range: bytes=-6",),
                gets=206,
                text=TEN[4:],
            ),
            Step(expect=ASKED, body=TEN, answer=HOUR),
        ),
    ),
}

STATUSES = (
    {
        f"{status} with a lifetime": Case(
            "§3",
            (
                Step(expect=ASKED, answer=HOUR, status=status, gets=int(status[:3]), text=text),
                Step(expect=REUSED, gets=int(status[:3]), text=text),
            ),
        )
        for status, text in (
            *((f"{code} X", "answer 1") for code in (203, 299, 301, 302, 303, 307, 308)),
            *(
                (f"{code} X", "answer 1")
                for code in (400, 404, 410, 499, 500, 502, 503, 504, 599)
            ),
            ("204 No Content", ""),
        )
    }
    | {
        f"{code} without one": Case(
            "§3",
            (
                Step(
                    expect=ASKED,
                    answer=("Last-Modified: {-86400}",),
                    status=f"{code} X",
                    gets=code,
                ),
                Step(expect=ASKED, status=f"{code} X", gets=code),
            ),
        )
        for code in (201, 202, 403, 404, 410, 501, 502, 503, 504, 599)
    }
    | {
        "an unknown status under must-understand": Case(
            "§5.2.2.3",
            (
                Step(
                    expect=ASKED,
                    answer=("Cache-Control: max-age=60, no-store, must-understand",),
                    status="599 X",
                    gets=599,
                ),
                Step(expect=ASKED),
            ),
        ),
    }
)


def _failing(control: str, status: str, *, covered: bool, gets: int) -> Case:
    expect = COVERED if covered else ASKED
    text = None if covered else ("" if status == CUT else "answer 2")
    return Case(
        "RFC 5861 §4",
        (
            Step(expect=ASKED, answer=(f"Cache-Control: {control}",)),
            Step(expect=expect, wait=STALE, status=status, gets=gets, text=text),
        ),
    )


UNAVAILABLE = "503 Service Unavailable"
STALE_ANSWERS = {
    "an origin that is away": _failing("max-age=1", CUT, covered=True, gets=200),
    "an origin that says 503": _failing("max-age=1", UNAVAILABLE, covered=False, gets=503),
    "stale-if-error, and away": _failing(
        "max-age=1, stale-if-error=60", CUT, covered=True, gets=200
    ),
    "stale-if-error, and 503": _failing(
        "max-age=1, stale-if-error=60", UNAVAILABLE, covered=True, gets=200
    ),
    "stale-if-error, and 404": _failing(
        "max-age=1, stale-if-error=60", "404 Not Found", covered=False, gets=404
    ),
    "stale-if-error that is over": _failing(
        "max-age=0, stale-if-error=1", UNAVAILABLE, covered=False, gets=503
    ),
    **{
        f"{directive}, and away": _failing(
            f"max-age=1, stale-if-error=60, {directive}", CUT, covered=False, gets=502
        )
        for directive in ("must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=1")
    },
    "the upstream rests after a stale answer": Case(
        "RFC 5861 §4",
        (
            Step(expect=ASKED, answer=("Cache-Control: max-age=1, stale-if-error=60",)),
            Step(expect=COVERED, wait=STALE, status=CUT),
            Step(expect=REUSED),
        ),
    ),
    "stale-while-revalidate": Case(
        "RFC 5861 §3",
        (
            Step(
                expect=ASKED,
                answer=("Cache-Control: max-age=1, stale-while-revalidate=60", "Date: {+0}"),
            ),
            Step(expect=BEHIND, wait=STALE, answer=HOUR, text="answer 1"),
            Step(expect=REUSED, text="answer 2"),
        ),
    ),
    "stale-while-revalidate that is over": Case(
        "RFC 5861 §3",
        (
            Step(expect=ASKED, answer=("Cache-Control: max-age=0, stale-while-revalidate=1",)),
            Step(expect=ASKED, wait=STALE),
        ),
    ),
    "stale-while-revalidate under must-revalidate": Case(
        "§5.2.2.2",
        (
            Step(
                expect=ASKED,
                answer=(
                    "Cache-Control: max-age=1, stale-while-revalidate=60, must-revalidate",
                ),
            ),
            Step(expect=ASKED, wait=STALE),
        ),
    ),
}

SECRET_FIELDS = ("Connection: X-Secret", "X-Secret: 1", "Keep-Alive: timeout=9")
HOPS = {
    "Age grows": Case(
        "§5.1",
        (
            Step(expect=ASKED, answer=(*HOUR, "Age: 30"), age=30),
            Step(expect=REUSED, wait=1.0, age=31),
        ),
    ),
    "Date stays": Case(
        "RFC 9110 §6.6.1",
        (
            Step(expect=ASKED, answer=("Cache-Control: max-age=999999999", f"Date: {CHANGED}")),
            Step(expect=REUSED, tells=(f"Date: {CHANGED}",)),
        ),
    ),
    "fields of one hop are not stored": Case(
        "§3.1",
        (
            Step(expect=ASKED, answer=(*HOUR, *SECRET_FIELDS, "X-Open: 1")),
            Step(expect=REUSED, tells=("X-Open: 1",), hides=("X-Secret", "Keep-Alive")),
        ),
    ),
    "CDN-Cache-Control goes on": Case(
        "RFC 9213 §3.1",
        (
            Step(expect=ASKED, answer=("CDN-Cache-Control: max-age=60, x",)),
            Step(expect=REUSED, tells=("CDN-Cache-Control: max-age=60, x",)),
        ),
    ),
    "a 103 goes on and is not merged": Case(
        "RFC 9110 §15.2",
        (
            Step(
                expect=ASKED, interim=("Link: </a>; rel=preload",), answer=HOUR, hides=("Link",)
            ),
            Step(expect=REUSED, hides=("Link",)),
        ),
    ),
    "unknown fields of a request go on": Case(
        "RFC 9110 §16.3.2.2",
        (Step(expect=ASKED, lines=("X-New: 1",), sends=("X-New: 1", "Via: 1.1 headrace")),),
    ),
    "only-if-cached": Case(
        "§5.2.1.7",
        (
            Step(expect=TOLD, lines=("Cache-Control: only-if-cached",), gets=504),
            Step(expect=ASKED, answer=HOUR),
            Step(expect=REUSED, lines=("Cache-Control: only-if-cached",)),
        ),
    ),
    "clients cannot make the origin work": Case(
        "§5.2.1",
        (
            Step(expect=ASKED, answer=HOUR),
            Step(expect=REUSED, lines=("Cache-Control: no-cache", "Pragma: no-cache")),
            Step(expect=REUSED, lines=("Cache-Control: max-age=0, min-fresh=9999",)),
            Step(expect=REUSED, lines=("Cache-Control: no-store",)),
        ),
    ),
    "a client says nothing of how stale an answer may be": Case(
        "§5.2.1.2",
        (
            Step(expect=ASKED, answer=SECOND),
            Step(expect=ASKED, wait=STALE, lines=("Cache-Control: max-stale",)),
        ),
    ),
    "CDN-Loop that does not parse": Case(
        "RFC 8586 §2",
        (Step(expect=TOLD, lines=("CDN-Loop: a b",), gets=400),),
    ),
    "Max-Forwards": Case(
        "RFC 9110 §7.6.2",
        (
            Step(expect=TOLD, method="OPTIONS", lines=("Max-Forwards: 0",), gets=204),
            Step(
                expect=ASKED,
                method="OPTIONS",
                lines=("Max-Forwards: 5",),
                sends=("Max-Forwards: 4",),
            ),
        ),
    ),
}

CASES = {
    **CONDITIONS,
    **VALIDATION,
    **VARIANTS,
    **METHODS,
    **AUTHORIZATION,
    **PARTS,
    **STATUSES,
    **STALE_ANSWERS,
    **HOPS,
}
