import json

import pytest

from edge_cache.purging.names import EVERYTHING, Kind
from edge_cache.purging.order import MAX_NAMES, Malformed, Order, parse_order

ORDERS: dict[str, Order] = {
    '{"urls": ["/a", "http://h/b*"]}': Order(((Kind.URL, b"/a"), (Kind.PREFIX, b"/b")), False),
    '{"prefixes": ["/a/"], "soft": true}': Order(((Kind.PREFIX, b"/a/"),), True),
    '{"tags": ["T"]}': Order(((Kind.TAG, b"t"),), False),
    '{"all": true}': Order((EVERYTHING,), False),
    '{"all": true, "soft": true, "tags": ["t"]}': Order(((Kind.TAG, b"t"), EVERYTHING), True),
}

MALFORMED = {
    "": "truncated",
    "[]": "object",
    "{}": "nothing to purge",
    '{"all": false, "urls": []}': "nothing to purge",
    '{"url": ["/a"]}': "url",
    '{"urls": "/a"}': "urls",
    '{"urls": [1]}': r"urls\[",
    '{"urls": ["/a", "b"]}': r"urls\[1\]: not an http URL",
    '{"prefixes": ["*"]}': r"prefixes\[0\]",
    '{"tags": ["a b"]}': r"tags\[0\]",
    '{"soft": "yes", "all": true}': "soft",
    '{"all": 1}': "all",
    '{"urls": ' + "[" * 100_000: "urls",
    '{"urls": ["\\ud800"]}': "truncated",
    json.dumps({"urls": ["/a"] * (MAX_NAMES + 1)}): f"urls: {MAX_NAMES + 1}",
}


@pytest.mark.parametrize(("body", "order"), ORDERS.items(), ids=ORDERS)
def test_order(body: str, order: Order) -> None:
    assert parse_order(body.encode()) == order


@pytest.mark.parametrize(
    ("body", "message"), MALFORMED.items(), ids=[body[:40] for body in MALFORMED]
)
def test_no_order(body: str, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        parse_order(body.encode())


def test_no_order_of_other_bytes() -> None:
    with pytest.raises(Malformed):
        parse_order(b'{"urls": ["/\xff"]}')
