"""The configuration: wrong values are named by their field before anything starts."""

from dataclasses import replace
from typing import Any

import pytest

from edge_cache.config import MIB, EdgeConfig

GOOD = ["http://127.0.0.1:8081", "https://origin.example", "http://[::1]:80/", "unix:///run/o"]
BAD: dict[str, dict[str, Any]] = {
    "upstreams: at least": {"upstreams": ()},
    "upstreams: ftp://x: not": {"upstreams": ("ftp://x",)},
    "upstreams: http://: not": {"upstreams": ("http://",)},
    "upstreams: http://h:0: not": {"upstreams": ("http://h:0",)},
    "upstreams: http://h:99999: Port": {"upstreams": ("http://h:99999",)},
    "upstreams: http://h/path: a host and": {"upstreams": ("http://h/path",)},
    "upstreams: http://u:p@h: a host and": {"upstreams": ("http://u:p@h",)},
    "upstreams: http://h|2: they have an order": {"upstreams": ("http://h|2",)},
    "upstreams: http://h/: given twice": {"upstreams": ("http://h", "http://h/")},
    "upstreams: more than 64": {"shields": tuple(f"http://h{n}" for n in range(64))},
    "shields: http://h: given twice": {"shields": ("http://h",)},
    "shields: http://s|0: weight '0'": {"shields": ("http://s|0",)},
    "shields: s: not http://": {"shields": ("s",)},
    "upstream_ca: no/such: No such file": {"upstream_ca": "no/such"},
    f"upstream_ca: {__file__}: no certificates": {"upstream_ca": __file__},
    "health: 'a b' is not a path": {"health": "a b"},
    "health: '/a\\r\\nb' is not a path": {"health": "/a\r\nb"},
    "retry_share: 2 is not between": {"retry_share": 2},
    "retry_burst: -1 is not 0": {"retry_burst": -1},
    "breaker_share: 0 is not above": {"breaker_share": 0},
    "breaker_failures: 0 is not positive": {"breaker_failures": 0},
    "port: 65536 is not a port": {"port": 65536},
    "admin_port: -1 is not a port": {"admin_port": -1},
    "workers: 257 is not 1 to 256": {"workers": 257},
    "ram: 1000 is not 1M": {"ram": 1000},
    "max_upstream: 0 is not positive": {"max_upstream": 0},
    "idle_timeout: -1 is not positive": {"idle_timeout": -1},
    "block: 65535 is not 64K or more": {"block": 65535},
    "heuristic: 2 is not between": {"heuristic": 2},
    "stale_if_unreachable: -1 is not 0 or": {"stale_if_unreachable": -1},
    "negative_ttl: 200: 5 is no error": {"negative_ttl": {200: 5}},
    "negative_ttl: 404: 0 is no error": {"negative_ttl": {404: 0}},
    "negative_ttl: 404: inf is no error": {"negative_ttl": {404: float("inf")}},
    "early_refresh: -1 is not 0 or": {"early_refresh": -1},
    "stale_if_unreachable: inf is not 0 or": {"stale_if_unreachable": float("inf")},
    "heuristic: nan is not between": {"heuristic": float("nan")},
    "node_id: 'a b' is not a token": {"node_id": "a b"},
    "forwarded: 'for' is none of": {"forwarded": "for"},
}


@pytest.mark.parametrize("url", GOOD)
def test_good(url: str) -> None:
    assert EdgeConfig(upstreams=(url,)).port == 8080


@pytest.mark.parametrize(("message", "values"), BAD.items(), ids=BAD)
def test_bad(message: str, values: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as told:
        EdgeConfig(**{"upstreams": ("http://h",), **values})
    assert str(told.value).startswith(message)


def test_no_object_takes_more_than_a_quarter_of_the_tier() -> None:
    small = EdgeConfig(upstreams=("http://h",), ram=4 * MIB)
    assert small.object_limit == MIB
    assert EdgeConfig(upstreams=("http://h",), max_object=5).object_limit == 5


def test_the_share_of_a_worker() -> None:
    config = EdgeConfig(upstreams=("http://a:1",), ram=4 * MIB, fill_memory=2 * MIB, workers=4)
    share = config.of_worker()
    assert (share.ram, share.fill_memory, share.node_id) == (MIB, MIB // 2, config.node_id)
    with pytest.raises(ValueError, match=r"ram: "):
        replace(config, workers=5).of_worker()
