"""What a worker's RAM tier makes of purges, its own and those of others."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from timeit import timeit

import pytest

from edge_cache.disk.journal import Journal
from edge_cache.entry import CacheKey, Entry
from edge_cache.http.fields import Fields
from edge_cache.metrics import METRICS, Tally
from edge_cache.purging import purges as module
from edge_cache.purging.names import EVERYTHING, Kind, Name
from edge_cache.purging.purges import Purges
from edge_cache.purging.tier import NEVER, STEP, PurgedTier
from edge_cache.tiers.memory import MemoryTier
from serving.counters import Counters
from tests.edge_cache.support.edge import run, until
from tests.edge_cache.support.entries import entry

A: CacheKey = (b"/a", ())
URL_A: Name = (Kind.URL, b"/a")
TAGGED: Fields = ((b"Surrogate-Key", b"x y"),)


@dataclass
class Bench:
    """A tier on clocks that a test sets, and another worker that purges."""

    tier: PurgedTier
    purges: Purges
    other: Purges
    counters: Counters
    now: float = 100.0
    wall: float = 1_000_000.0

    def store(self, key: CacheKey, stored: Entry) -> Entry:
        self.tier.get(key)  # as a request does first
        begun = self.tier.begin(key, None)
        assert self.tier.put(key, (), replace(stored, begun=begun))
        self.tier.end(begun)
        found = self.tier.get(key)
        assert found is not None
        return found

    async def purge(self, *names: Name, soft: bool = False) -> int:
        """By another worker."""
        return await self.other.purge(names, soft=soft)

    async def swept(self) -> None:
        self.tier.get((b"/nothing", ()))
        await until(lambda: self.tier.is_clean)

    def purged(self, mode: str) -> float:
        return self.counters.value("headrace_edge_purged_total", mode)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path)
    yield journal
    journal.close()


@pytest.fixture
def bench(journal: Journal) -> Iterator[Bench]:
    counters = Counters(METRICS, 1)
    bench: Bench
    purges = Purges(journal, wall=lambda: bench.wall)
    other = Purges(journal, wall=lambda: bench.wall)
    tier = PurgedTier(
        64 << 20,
        purges,
        Tally(counters.row(0)),
        clock=lambda: bench.now,
        wall=lambda: bench.wall,
    )
    bench = Bench(tier, purges, other, counters)
    yield bench
    tier.close()


def test_a_purged_entry_is_not_found(bench: Bench) -> None:
    async def scenario() -> None:
        bench.store(A, entry())
        bench.store((b"/b", ()), entry())
        await bench.purge(URL_A)
        assert bench.tier.get(A) is None
        assert bench.tier.get((b"/b", ())) is not None
        assert bench.purged("hard") == 1

    run(scenario())


def test_all_variants_go(bench: Bench) -> None:
    async def scenario() -> None:
        keys = [(b"/a", (coding,)) for coding in (b"gzip", b"identity")]
        for key in keys:
            bench.tier.expect(b"/a", (b"accept-encoding",))
            bench.tier.put(key, (b"accept-encoding",), entry())
            bench.tier.settle(b"/a", (b"accept-encoding",))
        assert len(bench.tier) == 2
        await bench.purge(URL_A)
        await bench.swept()
        assert len(bench.tier) == 0

    run(scenario())


def test_tags_come_from_the_fields(bench: Bench) -> None:
    async def scenario() -> None:
        bench.store(A, entry(fields=TAGGED))
        await bench.purge((Kind.TAG, b"z"))
        assert bench.tier.get(A) is not None
        await bench.purge((Kind.TAG, b"y"))
        assert bench.tier.get(A) is None

    run(scenario())


def test_a_fill_that_a_purge_overtook_stores_nothing(bench: Bench) -> None:
    async def scenario() -> None:
        begun = bench.tier.begin(A, None)
        await bench.purge(URL_A)
        await bench.swept()  # and what it was about is forgotten, but for this fill
        assert bench.tier.is_overtaken(b"/a", (), begun)
        assert not bench.tier.put(A, (), entry())
        assert bench.tier.get(A) is None
        bench.tier.end(begun)
        bench.store(A, entry())  # the next one began after it

    run(scenario())


def test_a_soft_purge_makes_stale_and_keeps_the_windows(bench: Bench) -> None:
    async def scenario() -> None:
        bench.store(A, entry(now=100, lifetime=60, window=30))
        bench.now, bench.wall = 110, 1_000_010
        await bench.purge(URL_A, soft=True)
        bench.now, bench.wall = 115, 1_000_015  # seen five seconds later
        found = bench.tier.get(A)
        assert found is not None
        assert (found.fresh_until, found.stale_until) == (110, 140)
        await bench.swept()
        assert bench.tier.get(A) is found
        assert bench.purged("soft") == 1

    run(scenario())


def test_a_clock_that_was_set_back_makes_nothing_fresh(bench: Bench) -> None:
    async def scenario() -> None:
        bench.store(A, entry(now=100, lifetime=60, window=30))
        await bench.purge(URL_A, soft=True)
        bench.wall -= 86_400
        found = bench.tier.get(A)
        assert found is not None and found.fresh_until == bench.now

    run(scenario())


def test_what_is_fetched_after_a_soft_purge_is_fresh(bench: Bench) -> None:
    async def scenario() -> None:
        stale = bench.store(A, entry(now=100, lifetime=60))
        await bench.purge(URL_A, soft=True)
        begun = bench.tier.begin(A, stale)
        assert bench.tier.put(A, (), replace(stale, begun=begun))
        found = bench.tier.get(A)
        assert found is not None and found.fresh_until == stale.fresh_until

    run(scenario())


def test_what_began_before_a_soft_purge_does_not_take_the_place_of_what_began_after(
    bench: Bench,
) -> None:
    async def scenario() -> None:
        early = bench.tier.begin(A, None)
        await bench.purge(URL_A, soft=True)
        late = bench.store(A, entry(body=b"late"))
        assert not bench.tier.put(A, (), replace(entry(body=b"early"), begun=early))
        assert bench.tier.get(A) is late

    run(scenario())


def test_what_was_purged_is_not_revived_by_a_revalidation(bench: Bench) -> None:
    """Found, purged, swept and forgotten, and only then asked about."""

    async def scenario() -> None:
        found = bench.store(A, entry())
        await bench.purge(URL_A)
        await bench.swept()
        assert len(bench.purges.rules) == 0
        begun = bench.tier.begin(A, found)
        assert begun == NEVER
        assert bench.tier.is_overtaken(b"/a", (), begun)
        assert not bench.tier.put(A, (), replace(found, begun=begun))
        bench.tier.end(begun)

    run(scenario())


def test_what_another_has_replaced_meanwhile_may_still_be_added_to(bench: Bench) -> None:
    async def scenario() -> None:
        mine = bench.store(A, entry(body=b"1"))
        bench.store(A, entry(body=b"2"))
        assert bench.tier.begin(A, mine) == bench.purges.known

    run(scenario())


def test_a_sweep_frees_what_nobody_asks_for(bench: Bench) -> None:
    async def scenario() -> None:
        count = 5 * STEP + 1
        for number in range(count):
            bench.store((b"/%d/%d" % (number % 2, number), ()), entry())
        size = bench.tier.size
        await bench.purge((Kind.PREFIX, b"/0/"))
        bench.tier.get(A)
        turns = 0
        while not bench.tier.is_clean:
            before = len(bench.tier)
            await asyncio.sleep(0)
            turns += 1
            assert before - len(bench.tier) <= STEP  # never more at once
        assert len(bench.tier) == count // 2
        assert bench.tier.size < size * 0.6
        assert turns > 5
        assert len(bench.purges.rules) == 0  # nothing is left for it to be about

    run(scenario())


def test_a_worker_that_nobody_asks_sweeps_too(bench: Bench) -> None:
    async def scenario() -> None:
        bench.store(A, entry())
        bench.tier.start()
        await bench.purge(EVERYTHING)
        await until(lambda: len(bench.tier) == 0)

    run(scenario())


def test_a_purge_during_a_sweep_is_swept_as_well(bench: Bench) -> None:
    async def scenario() -> None:
        for number in range(3 * STEP):
            bench.store((b"/%d" % number, ()), entry())
        await bench.purge((Kind.URL, b"/0"))
        bench.tier.get(A)
        await asyncio.sleep(0)  # a step has been made
        assert not bench.tier.is_clean
        await bench.purge(EVERYTHING)
        await bench.swept()
        assert len(bench.tier) == 0

    run(scenario())


def test_a_worker_far_behind_takes_the_snapshot(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_RECORDS", 4)

    async def scenario() -> None:
        bench.store(A, entry())
        bench.store((b"/7", ()), entry())
        for number in range(1, 9):
            await bench.purge((Kind.URL, b"/%d" % number))
        await bench.other.close()
        assert bench.tier.get((b"/7", ())) is None
        assert bench.tier.get(A) is not None

    run(scenario())


def test_a_hit_pays_little_for_it(bench: Bench) -> None:
    """Below a microsecond by hand; the bound leaves room for a machine that is busy."""

    async def scenario() -> None:
        bench.store(A, entry())
        plain = MemoryTier(64 << 20)
        plain.put(A, (), entry())
        number = 20_000
        costs = [
            min(timeit(lambda tier=tier: tier.get(A), number=number) for _ in range(5)) / number
            for tier in (bench.tier, plain)
        ]
        assert costs[0] - costs[1] < 3e-6

    run(scenario())
