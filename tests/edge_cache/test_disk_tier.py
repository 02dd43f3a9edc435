"""Entries on the disk and back, with clocks that are set; removals that fail."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.store import Store
from edge_cache.entry import CacheKey, Entry
from edge_cache.parts import Parts
from edge_cache.tiers.behind import WriteBehind
from edge_cache.tiers.disk import DiskTier
from edge_cache.tiers.heads import suffix_of, target_of, variant_key
from edge_cache.vary import Names
from tests.edge_cache.disk.bodies import lose_power
from tests.edge_cache.support.edge import run
from tests.edge_cache.support.entries import entry

BESIDE = 1000
FIELDS = ((b"ETag", b'"x"'), (b"Cache-Tag", b"a b"))


class Clocks:
    """Of a machine whose wall clock may be set."""

    now = 1000.0
    wall = 1e9
    epoch = b"one boot"

    def disk(self, store: Store) -> DiskTier:
        return DiskTier(
            store, BESIDE, clock=lambda: self.now, wall=lambda: self.wall, epoch=self.epoch
        )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "store", 16 << 20)
    yield opened
    opened.close()


def body_of(found: Entry) -> bytes:
    return found.body if isinstance(found.body, bytes) else found.body.read(0, found.size)


@pytest.mark.parametrize("size", [0, 1, BESIDE, BESIDE + 1, 300_000])
def test_what_is_written_is_found(store: Store, size: int) -> None:
    clocks = Clocks()
    disk = clocks.disk(store)
    made = entry(
        body=bytes(size), fields=FIELDS, now=995, age=7, lifetime=60, window=5, on_error=9
    )
    disk.write(b"/", (), (), replace(made, begun=3, shareable=True))
    clocks.now, clocks.wall, clocks.epoch = clocks.now + 500, clocks.wall + 4, b"another boot"
    found = clocks.disk(store).find(b"/", ())
    assert found is not None
    back = found.entry
    assert body_of(back) == bytes(size)
    assert (back.fields, back.tags, back.begun) == (made.fields, (b"a", b"b"), 3)
    assert (back.status, back.shareable, back.head) == (200, True, made.head)
    assert back.age(clocks.now) == made.age(1004)
    for name in ("fresh_until", "stale_until", "error_until", "unreachable_until"):
        assert getattr(back, name) - clocks.now == getattr(made, name) - 1004


@pytest.mark.parametrize("step", [0, 61, 1e6, -1, -1e6])
@pytest.mark.parametrize("passed", [0, 59, 61])
def test_a_clock_that_steps_while_the_machine_runs(
    store: Store, step: float, passed: float
) -> None:
    clocks = Clocks()
    made = entry(now=clocks.now, lifetime=60, window=100, on_error=100)
    clocks.disk(store).write(b"/", (), (), made)
    clocks.wall += passed + step
    clocks.now += passed
    found = clocks.disk(store).find(b"/", ())
    assert found is not None
    for name in ("born", "fresh_until", "stale_until", "error_until"):
        assert getattr(found.entry, name) == getattr(made, name)


@pytest.mark.parametrize("epoch", [b"another boot", b""])
@pytest.mark.parametrize(
    ("step", "is_fresh"), [(0, True), (59, True), (61, False), (-1, False), (-1e6, False)]
)
def test_a_clock_that_steps_between_two_boots(
    store: Store, step: float, is_fresh: bool, epoch: bytes
) -> None:
    clocks = Clocks()
    disk = clocks.disk(store)
    disk.write(b"/", (), (), entry(now=clocks.now, lifetime=60, window=100, on_error=100))
    clocks.wall, clocks.epoch = clocks.wall + step, epoch
    found = clocks.disk(store).find(b"/", ())
    assert found is not None
    assert (clocks.now < found.entry.fresh_until) == is_fresh
    assert (clocks.now < found.entry.stale_until) == (step >= 0)


def test_a_rule_that_changes_hides_what_was_stored_by_the_old_one(store: Store) -> None:
    disk = Clocks().disk(store)
    disk.write(b"/", (b"a",), (b"1",), entry(body=b"old"))
    disk.write(b"/", (b"b",), (b"1",), entry(body=b"new"))
    disk.write(b"/", (b"a",), (b"2",), entry(body=b"newer"))
    assert disk.find(b"/", [(b"A", b"1")]) is None
    found = disk.find(b"/", [(b"A", b"2")])
    assert found is not None and body_of(found.entry) == b"newer"
    disk.remove_variant(b"/", (b"a",), (b"2",))
    assert disk.find(b"/", [(b"A", b"2")]) is None


def test_a_variant_removed_before_its_volume_is_read_stays_away(tmp_path: Path) -> None:
    before = Store.open(tmp_path, 64 << 20)
    Clocks().disk(before).write(b"/", (b"a",), (b"1",), entry(body=b"old"))
    lose_power(before)
    again = Store.open(tmp_path, 64 << 20)
    disk = Clocks().disk(again)
    disk.remove_variant(b"/", (b"a",), (b"1",))
    while again.statistics().unread:
        again.tend()
    assert disk.find(b"/", [(b"A", b"1")]) is None
    again.close()


def test_one_removal_takes_all_variants_and_parts(store: Store) -> None:
    disk = Clocks().disk(store)
    for names, selected in ((b"a",), (b"1",)), ((b"a",), (b"2",)), ((), ()):
        disk.write(
            b"/", names, selected, entry(parts=Parts(9000, ((0, bytes(4000)),)), body=b"")
        )
    disk.remove(b"/")
    for value in b"1", b"2":
        assert disk.find(b"/", [(b"A", value)]) is None


def test_parts_grow_and_lose_what_is_evicted(store: Store) -> None:
    disk = Clocks().disk(store)
    parts = Parts(9000, ((0, b"a" * 3000), (6000, b"c" * 3000)))
    kept = disk.write(b"/", (), (), entry(parts=parts, body=b""))
    assert kept is not None and kept.parts is not None and kept.parts.held == 0
    more = kept.parts.with_run(3000, b"b" * 3000, 1 << 20)
    kept = disk.write(b"/", (), (), replace(kept, parts=more))
    assert kept is not None and kept.parts is not None
    store.remove(dict(kept.parts.runs)[6000].key)  # type: ignore[union-attr]
    found = disk.find(b"/", ())
    assert found is not None and found.entry.parts is not None
    assert found.entry.parts.read(0, 6000) is not None
    assert found.entry.parts.read(6000, 6001) is None


def test_keys_tell_their_target() -> None:
    key = variant_key(b"/a?b", bytes(8), (b"x", None))
    assert (target_of(key), suffix_of(key)) == (b"/a?b", None)
    assert key != variant_key(b"/a?b", bytes(8), (b"x", b"None"))


def test_what_is_no_head_is_a_miss(store: Store) -> None:
    writer = store.begin(b"/", 1)
    writer.append(b"x")
    writer.commit(b"no head of ours")
    assert Clocks().disk(store).find(b"/", ()) is None


class Failing(DiskTier):
    """Whose writes fail while it is broken."""

    is_broken = True

    def remove(self, target: bytes) -> None:
        if self.is_broken:
            raise DiskError(Reason.FAILED)
        super().remove(target)


def ignore(_key: CacheKey, _names: Names, _old: Entry, _new: Entry) -> None:
    pass


def test_a_removal_that_fails_is_tried_again_and_hides_what_is_there(store: Store) -> None:
    async def scenario() -> None:
        disk = Failing(store, BESIDE)
        disk.write(b"/", (), (), entry())
        behind = WriteBehind(disk, 1 << 20, ignore)
        for _ in range(2):
            behind.remove_all(b"/")
            await behind.told(b"/")
            assert disk.find(b"/", ()) is not None
            assert behind.find(b"/", ()) is None
        disk.is_broken = False
        behind.retry()
        await behind.told(b"/")
        assert disk.find(b"/", ()) is None
        assert await behind.close(5)

    run(scenario())


def test_changes_hold_in_their_order(store: Store) -> None:
    async def scenario() -> None:
        disk = Clocks().disk(store)
        behind = WriteBehind(disk, 1 << 20, ignore)
        for number in range(51):
            behind.put((b"/", ()), (), entry(body=b"%d" % number))
            if number % 7 == 0:
                behind.remove_all(b"/")
                assert behind.find(b"/", ()) is None
            if number % 5 == 0:
                await asyncio.sleep(0)
            if number % 7:
                found = behind.find(b"/", ())
                assert found is not None and body_of(found.entry) == b"%d" % number
        await behind.told(b"/")
        found = disk.find(b"/", ())
        assert found is not None and body_of(found.entry) == b"50"
        assert await behind.close(5)

    run(scenario())


def test_what_is_too_much_to_wait_is_taken_away(store: Store) -> None:
    async def scenario() -> None:
        disk = Clocks().disk(store)
        disk.write(b"/", (), (), entry(body=b"old"))
        behind = WriteBehind(disk, 5000, ignore)
        behind.put((b"/", ()), (), entry(body=bytes(5000)))
        assert behind.find(b"/", ()) is None and behind.skipped == 1
        await behind.told(b"/")
        assert disk.find(b"/", ()) is None
        behind.put((b"/", ()), (), entry(body=b"new"))
        await behind.told(b"/")
        assert disk.find(b"/", ()) is not None
        assert await behind.close(5)

    run(scenario())
