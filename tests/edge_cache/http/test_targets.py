"""Request targets: the forms of RFC 9112 §3.2."""

import pytest

from edge_cache.http.targets import path_and_query, same_origin_target

TARGETS = {
    "origin-form": (b"/where?q=now", b"/where?q=now"),
    "as sent": (b"/a//b/../%7e?x=1&&y", b"/a//b/../%7e?x=1&&y"),
    "empty query": (b"/a?", b"/a?"),
    "absolute-form": (b"http://www.example.org/pub/WWW/", b"/pub/WWW/"),
    "absolute, no path": (b"http://www.example.org", b"/"),
    "absolute, only query": (b"HTTP://h:80?a=/b", b"/?a=/b"),
    "a url in the query": (b"/go?to=http://x/", b"/go?to=http://x/"),
    "fragment": (b"/a#b", None),
    "asterisk": (b"*", None),
    "authority": (b"example.org:80", None),
    "another scheme": (b"ftp://example.org/", None),
    "no authority": (b"http:///a", None),
    "empty": (b"", None),
}


@pytest.mark.parametrize(("target", "expected"), TARGETS.values(), ids=TARGETS)
def test_path_and_query(target: bytes, expected: bytes | None) -> None:
    assert path_and_query(target) == expected


REFERENCES = {
    "a name beside": ("b", b"/dir/b"),
    "a path": ("/b?c=d", b"/b?c=d"),
    "a path above": ("../b", b"/b"),
    "a query": ("?x", b"/dir/a?x"),
    "nothing": ("", b"/dir/a?q"),
    "a fragment": ("/b#c", b"/b"),
    "this origin": ("http://H:80/b", b"/b"),
    "this origin, no path": ("http://h:80", b"/"),
    "by its name alone": ("//h:80/b", b"/b"),
    "another port": ("http://h:81/b", None),
    "another host": ("http://x/b", None),
    "another scheme": ("ftp://h:80/b", None),
    "not a reference": ("http://[x/", None),
}


@pytest.mark.parametrize(("reference", "expected"), REFERENCES.values(), ids=REFERENCES)
def test_same_origin_target(reference: str, expected: bytes | None) -> None:
    assert same_origin_target(reference, b"/dir/a?q", b"h:80") == expected
