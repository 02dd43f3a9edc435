"""The ring: even, weighted, the same everywhere, and still where nothing changed."""

from collections import Counter

import pytest

from edge_cache.upstream.address import Address
from edge_cache.upstream.ring import Ring

KEYS = [
    b"/hls/e/%d/seg-%d.ts" % (entry, number) for entry in range(100) for number in range(100)
]


def shields(*texts: str) -> list[Address]:
    return [Address.parse(f"http://{text}") for text in texts]


def owners(*texts: str) -> list[str]:
    found, ring = shields(*texts), Ring(shields(*texts))
    return [found[ring.order(key)[0]].host for key in KEYS]


@pytest.mark.parametrize(
    "texts",
    [("a", "b"), ("a", "b", "c", "d", "e"), ("a|1", "b|3"), ("a|0.5", "b|0.5", "c|2")],
)
def test_each_gets_its_share(texts: tuple[str, ...]) -> None:
    total = sum(shield.weight for shield in shields(*texts))
    counts = Counter(owners(*texts))
    for shield in shields(*texts):
        assert counts[shield.host] / len(KEYS) == pytest.approx(shield.weight / total, abs=0.02)


def test_only_the_keys_of_the_one_removed_move_and_to_their_second() -> None:
    names = ("a", "b", "c", "d")
    ring, before, after = Ring(shields(*names)), owners(*names), owners("a", "b", "d")
    moved = Counter()
    for key, was, now in zip(KEYS, before, after, strict=True):
        if was != "c":
            assert now == was
            continue
        assert now == names[ring.order(key)[1]]
        moved[now] += 1
    assert sum(moved.values()) / len(KEYS) == pytest.approx(1 / 4, abs=0.02)
    for count in moved.values():  # nobody takes all of them
        assert count / sum(moved.values()) == pytest.approx(1 / 3, abs=0.04)


def test_a_new_one_takes_its_share_and_moves_nothing_else() -> None:
    before, after = owners("a", "b", "c"), owners("a", "b", "c", "d")
    changed = [now for was, now in zip(before, after, strict=True) if was != now]
    assert set(changed) == {"d"}
    assert len(changed) / len(KEYS) == pytest.approx(1 / 4, abs=0.02)


def test_a_heavier_one_only_gains() -> None:
    before, after = owners("a", "b", "c"), owners("a", "b", "c|2")
    assert {now for was, now in zip(before, after, strict=True) if was != now} == {"c"}


def test_the_sequence_of_the_options_does_not_matter() -> None:
    assert owners("a", "b", "c") == owners("c", "a", "b")


def test_nodes_agree_from_one_release_to_the_next() -> None:
    """A changed hash would empty every shield on the day of an upgrade."""
    ring = Ring(shields("a", "b:8080", "c|2"))
    assert [ring.order(b"/%d" % number) for number in range(4)] == GOLDEN


GOLDEN = [[0, 2, 1], [2, 0, 1], [2, 1, 0], [0, 2, 1]]


def test_every_order_has_all() -> None:
    ring = Ring(shields("a", "b", "c"))
    assert all(sorted(ring.order(key)) == [0, 1, 2] for key in KEYS[:100])
    assert Ring([]).order(b"/") == []
