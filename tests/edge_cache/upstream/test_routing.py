"""What of a target chooses its shield."""

import pytest

from edge_cache.upstream.routing import TOKENS, route_key

IGNORED = frozenset(name.encode() for name in TOKENS)
CASES = {
    "no query": (b"/a/b.ts", b"/a/b.ts"),
    "an empty query": (b"/a?", b"/a"),
    "a token alone": (b"/a?token=x", b"/a"),
    "a token among others": (b"/a?b=1&token=x&c=2", b"/a?b=1&c=2"),
    "sorted": (b"/a?c=2&b=1", b"/a?b=1&c=2"),
    "a name in another case": (b"/a?Policy=x&Signature=y&Key-Pair-Id=z&b=1", b"/a?b=1"),
    "an escaped name": (b"/a?%74oken=x&b=1", b"/a?b=1"),
    "Akamai's": (b"/a?hdnts=exp=1~hmac=2&b=1", b"/a?b=1"),
    "CMCD": (b"/a?CMCD=br%3D1&b=1", b"/a?b=1"),
    "low latency stays": (b"/a?_HLS_part=2&_HLS_msn=1&hdnea=x", b"/a?_HLS_msn=1&_HLS_part=2"),
    "a name that begins so": (b"/a?tokens=1", b"/a?tokens=1"),
    "no value": (b"/a?b&token", b"/a?b"),
    "the same twice": (b"/a?b=2&b=1", b"/a?b=1&b=2"),
    "empty pairs": (b"/a?&&b=1&", b"/a?b=1"),
    "a question mark in a value": (b"/a?b=?c", b"/a?b=?c"),
    "a semicolon separates nothing": (b"/a?b=1;token=x", b"/a?b=1;token=x"),
    "an escape that is none": (b"/a?%zz=1", b"/a?%zz=1"),
}


@pytest.mark.parametrize(("target", "key"), CASES.values(), ids=CASES)
def test_keys(target: bytes, key: bytes) -> None:
    assert route_key(target, IGNORED) == key


@pytest.mark.parametrize(
    ("target", "key"), [(b"/a?b=1&c=2&B=3", b"/a?B=3&b=1"), (b"/a?c=1", b"/a")]
)
def test_an_allow_list_keeps_nothing_else(target: bytes, key: bytes) -> None:
    assert route_key(target, IGNORED, {b"b"}) == key


def test_names_to_ignore_are_in_lower_case() -> None:
    assert [name for name in TOKENS if name != name.lower()] == []
