"""Cache-Status: the member as text, read back by a parser that we did not write."""

import http_sf
import pytest

from edge_cache.http.cache_status import CacheStatus, Forward

CASES = [
    (CacheStatus(ttl=30), "headrace; hit; ttl=30"),
    (
        CacheStatus(forward=Forward.URI_MISS, forward_status=200, stored=True, collapsed=True),
        "headrace; fwd=uri-miss; fwd-status=200; stored; collapsed",
    ),
    (
        CacheStatus(forward=Forward.STALE, forward_status=304),
        "headrace; fwd=stale; fwd-status=304",
    ),
    (
        CacheStatus(forward=Forward.BYPASS, detail="no-store"),
        "headrace; fwd=bypass; detail=no-store",
    ),
    (CacheStatus(ttl=-5), "headrace; hit; ttl=-5"),
    (CacheStatus(key='/a"b\\é'), r'headrace; hit; key="/a\"b\\?"'),
]


@pytest.mark.parametrize(("status", "text"), CASES)
def test_render(status: CacheStatus, text: str) -> None:
    assert status.render() == text
    [(name, parameters)] = http_sf.parse(text.encode(), tltype="list")
    assert str(name) == "headrace"
    assert list(parameters) == [part.strip().partition("=")[0] for part in text.split(";")[1:]]
