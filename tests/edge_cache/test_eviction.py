"""The contract of an eviction policy, run against ours and against plain LRU."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_cache.eviction.s3fifo import S3Fifo
from tests.edge_cache.support.lru import Lru

Policy = S3Fifo[int] | Lru[int]
POLICIES: dict[str, Callable[[int], Policy]] = {"s3fifo": S3Fifo, "lru": Lru}
CAPACITY = 100

operations = st.lists(
    st.tuples(
        st.sampled_from(["admit", "touch", "remove"]), st.integers(0, 12), st.integers(0, 120)
    ),
    max_size=80,
)


@pytest.mark.parametrize("make", POLICIES.values(), ids=POLICIES)
@given(operations=operations)
def test_it_accounts_for_every_byte(make: Callable[[int], Policy], operations: list) -> None:
    policy, kept = make(CAPACITY), {}
    for verb, key, size in operations:
        if verb == "admit":
            kept[key] = size
            victims = policy.admit(key, size)
            assert len(set(victims)) == len(victims)
            assert (key in victims) == (size > CAPACITY)  # a newcomer that fits is kept
            for victim in victims:
                del kept[victim]
        elif verb == "touch" and key in kept:
            policy.touch(key)
        elif verb == "remove":
            policy.remove(key)
            kept.pop(key, None)
        assert policy.size == sum(kept.values()) <= CAPACITY
        assert len(policy) == len(kept)


def test_what_was_hit_outlives_a_scan() -> None:
    policy: S3Fifo[int] = S3Fifo(100)
    for key in range(5):
        policy.admit(key, 10)
        policy.touch(key)
        policy.touch(key)
    gone = {victim for key in range(100, 200) for victim in policy.admit(key, 10)}
    assert not gone & set(range(5))


def test_a_hit_in_the_main_queue_is_another_round() -> None:
    policy: S3Fifo[int] = S3Fifo(100)
    for key in range(11):
        policy.admit(key, 10)
    for key in range(10):  # by way of the ghosts, so that main is full: 1 to 9
        policy.admit(key, 10)
    policy.touch(1)
    assert policy.admit(50, 10) == [10]  # from small, and remembered
    assert policy.admit(10, 10) == [2]  # from main, where 1 was older


def test_a_second_chance_goes_to_the_main_queue() -> None:
    policy: S3Fifo[int] = S3Fifo(100)
    for key in range(11):
        policy.admit(key, 10)  # 0 is pushed out, and remembered
    policy.admit(0, 10)
    gone = {victim for key in range(100, 200) for victim in policy.admit(key, 10)}
    assert 0 not in gone


def test_hot_is_what_was_hit_three_times_since_it_was_admitted() -> None:
    policy: S3Fifo[str] = S3Fifo(100)
    assert not policy.is_hot("a")
    policy.admit("a", 1)
    for _ in range(2):
        policy.touch("a")
        assert not policy.is_hot("a")
    policy.touch("a")
    assert policy.is_hot("a")
    policy.admit("a", 1)
    assert not policy.is_hot("a")


def hit_ratio(policy: Policy, keys: list[int]) -> float:
    kept: set[int] = set()
    hits = 0
    for key in keys:
        if key in kept:
            hits += 1
            policy.touch(key)
            continue
        kept.add(key)
        kept.difference_update(policy.admit(key, 1))
    return hits / len(keys)


def test_it_beats_lru_where_most_are_asked_for_once() -> None:
    draw = random.Random(7)
    popular = [int(draw.paretovariate(0.9)) for _ in range(20_000)]
    once = range(1_000_000, 1_020_000)
    keys = [key for pair in zip(popular, once, strict=True) for key in pair]
    assert hit_ratio(S3Fifo(200), keys) > hit_ratio(Lru(200), keys)
