"""Request targets: the forms of RFC 9112 §3.2."""

import pytest

from edge_cache.http.targets import path_and_query

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
