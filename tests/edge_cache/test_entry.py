"""Entries: what is serialised once, what a 304 changes, what memory they take."""

import pytest

from edge_cache.entry import same_version, updated_fields
from edge_cache.http.fields import Fields
from edge_cache.parts import Parts
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


def test_a_body_given_later_makes_the_same_entry() -> None:
    fields = (TYPE, TAG)
    for status in (200, 204):
        drafted = entry(body=b"", fields=fields, status=status).with_body(b"12345")
        whole = entry(body=b"12345", fields=fields, status=status)
        assert (drafted.head, drafted.body, drafted.size) == (whole.head, whole.body, 5)


def test_a_soft_purge_keeps_the_windows() -> None:
    made = entry(now=100, lifetime=60, window=10, on_error=20, unreachable=30)
    soft = made.softened(110)
    found = (soft.fresh_until, soft.stale_until, soft.error_until, soft.unreachable_until)
    assert found == (110, 120, 130, 140)
    assert soft.ttl(110) == 0 and soft.age(110) == 10
    assert soft.softened(115) is soft


STRONG: dict[str, tuple[Fields, str | None]] = {
    "a tag": ((TAG, CHANGED), '"v1"'),
    "a weak tag": (((b"ETag", b'W/"v1"'), CHANGED), None),
    "nothing": ((TYPE,), None),
    "a date without another": ((CHANGED,), None),
    "a date long before": (
        (CHANGED, (b"Date", b"Sun, 06 Nov 1994 08:50:37 GMT")),
        "Sun, 06 Nov 1994 08:49:37 GMT",
    ),
    "a date just before": ((CHANGED, (b"Date", b"Sun, 06 Nov 1994 08:50:36 GMT")), None),
}


@pytest.mark.parametrize(("fields", "validator"), STRONG.values(), ids=STRONG)
def test_strong_validators(fields: Fields, validator: str | None) -> None:
    made = entry(fields=fields)
    assert made.strong_validator == validator
    assert same_version(made, entry(fields=fields)) is (validator is not None)


def test_a_part_has_the_size_of_the_whole_and_weighs_what_is_held() -> None:
    part = entry(body=b"", parts=Parts(10**9, ((0, b"x" * 1000),)))
    assert part.is_part and part.size == 10**9
    assert 2000 < part.weight < 10_000


def test_weight_counts_more_than_the_body() -> None:
    assert entry(body=b"x" * 1000, fields=(TYPE,)).weight > 2000
