"""The RAM tier: bytes are bounded, variants hang together, rules go when nobody needs them."""

from edge_cache.entry import CacheKey
from edge_cache.tiers.memory import MAX_VARIANTS, MemoryTier
from tests.edge_cache.support.entries import entry

A: CacheKey = (b"/a", ())
NAMES = (b"x",)


def put(tier: MemoryTier, target: bytes, size: int = 10) -> bool:
    tier.expect(target, ())
    stored = tier.put((target, ()), (), entry(body=bytes(size)))
    tier.settle(target, ())
    return stored


def put_variant(tier: MemoryTier, value: bytes) -> CacheKey:
    tier.expect(b"/a", NAMES)
    key = tier.key(b"/a", [(b"X", value)])
    assert tier.put(key, NAMES, entry(body=value))
    tier.settle(b"/a", NAMES)
    return key


def test_get_returns_what_was_put() -> None:
    tier = MemoryTier(10_000)
    assert tier.get(A) is None
    assert put(tier, b"/a")
    found = tier.get(A)
    assert found is not None and found.body == bytes(10)
    tier.delete(b"/a")
    assert tier.get(A) is None and tier.size == 0


def test_an_entry_too_large_is_not_kept() -> None:
    tier = MemoryTier(10_000)
    assert not put(tier, b"/a", size=10_000)
    assert len(tier) == tier.size == tier.evictions == 0


def test_bytes_are_bounded() -> None:
    tier = MemoryTier(10_000)
    for number in range(100):
        assert put(tier, b"/%d" % number, size=1000)
        assert tier.size <= 10_000
    assert tier.evictions == 100 - len(tier) > 90


def test_a_newer_response_replaces_the_older() -> None:
    tier = MemoryTier(10_000)
    put(tier, b"/a", size=10)
    put(tier, b"/a", size=20)
    found = tier.get(A)
    assert found is not None and len(found.body) == 20 and len(tier) == 1


def test_variants_are_apart() -> None:
    tier = MemoryTier(100_000)
    put_variant(tier, b"1")
    key = put_variant(tier, b"2")
    assert tier.key(b"/a", [(b"x", b"2")]) == key
    assert [
        getattr(tier.get(tier.key(b"/a", [(b"x", v)])), "body", None) for v in (b"1", b"2")
    ] == [
        b"1",
        b"2",
    ]
    tier.delete(b"/a")
    assert len(tier) == tier.size == 0


def test_variants_of_one_url_are_counted() -> None:
    tier = MemoryTier(10_000_000)
    for number in range(MAX_VARIANTS + 10):
        put_variant(tier, b"%d" % number)
    assert len(tier) == MAX_VARIANTS


def test_another_rule_drops_what_the_old_one_chose() -> None:
    tier = MemoryTier(100_000)
    put_variant(tier, b"1")
    put(tier, b"/a")
    assert len(tier) == 1 and tier.key(b"/a", [(b"x", b"1")]) == A


def test_a_response_under_a_rule_that_changed_is_not_stored() -> None:
    tier = MemoryTier(100_000)
    tier.expect(b"/a", NAMES)
    key = tier.key(b"/a", [(b"x", b"1")])
    put(tier, b"/a")
    assert not tier.put(key, NAMES, entry())
    assert len(tier) == 1


def test_a_rule_goes_with_its_last_fill_and_variant() -> None:
    tier = MemoryTier(100_000)
    tier.expect(b"/a", NAMES)
    tier.expect(b"/a", NAMES)
    tier.settle(b"/a", NAMES)
    assert tier.key(b"/a", []) == (b"/a", (None,))
    tier.settle(b"/a", NAMES)
    assert tier.key(b"/a", []) == A
    put_variant(tier, b"1")
    tier.delete(b"/a")
    assert tier.key(b"/a", []) == A


def test_what_is_expected_under_the_same_rule_disturbs_nothing() -> None:
    tier = MemoryTier(100_000)
    put(tier, b"/a")
    tier.expect(b"/a", ())  # a refresh that may yet fail
    assert tier.get(A) is not None
