"""Entries: what is serialised once, what a 304 changes, what memory they take."""

from edge_cache.entry import updated_fields
from tests.edge_cache.support.entries import entry

TYPE = (b"Content-Type", b"video/mp4")
TAG = (b"ETag", b'"v1"')
CHANGED = (b"Last-Modified", b"Sun, 06 Nov 1994 08:49:37 GMT")


def test_the_head_is_serialised_once() -> None:
    made = entry(body=b"12345", fields=(TYPE, TAG))
    assert made.head == (
        b'HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nETag: "v1"\r\nContent-Length: 5\r\n'
    )
    assert made.etag == '"v1"' and made.last_modified is None and made.has_validator


def test_what_has_no_body_has_no_length() -> None:
    assert entry(status=204, body=b"").head == b"HTTP/1.1 204 No Content\r\n"
    assert entry(status=599, body=b"").head.startswith(b"HTTP/1.1 599 \r\n")


def test_a_304_says_nothing_of_the_body() -> None:
    assert entry(fields=(TYPE, TAG, CHANGED)).not_modified_block() == b'ETag: "v1"\r\n'


def test_conditions_ask_by_every_validator() -> None:
    assert entry(fields=(TAG, CHANGED)).conditions() == [
        (b"If-None-Match", b'"v1"'),
        (b"If-Modified-Since", CHANGED[1]),
    ]
    assert entry().conditions() == []


def test_a_304_replaces_what_it_brings_and_never_the_body() -> None:
    stored = (TYPE, TAG, (b"X-A", b"1"), (b"X-A", b"2"), (b"X-B", b"1"))
    brought = ((b"content-type", b"text/html"), (b"x-a", b"3"), (b"Content-Length", b"0"))
    assert updated_fields(stored, brought) == (TYPE, TAG, (b"X-B", b"1"), (b"x-a", b"3"))


def test_weight_counts_more_than_the_body() -> None:
    assert entry(body=b"x" * 1000, fields=(TYPE,)).weight > 2000
