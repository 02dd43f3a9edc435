"""The journal and the rules together, also between processes that are killed."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.journal import MAX_RECORD, Journal
from edge_cache.purging import purges as module
from edge_cache.purging.names import EVERYTHING, MAX_URL, Kind, Name
from edge_cache.purging.purges import Purges
from edge_cache.purging.rules import Mode
from edge_cache.purging.tags import Tags

ROUNDS = int(os.environ.get("HEADRACE_TEST_ROUNDS", "20"))
READERS = 3
ANSWER_LIMIT = 30.0
"""Seconds."""

_spawn = multiprocessing.get_context("spawn")


def url(number: int) -> Name:
    return Kind.URL, b"/%d" % number


def mode(purges: Purges, target: bytes, begun: int, tags: Tags = ()) -> Mode | None:
    """As a worker asks: after a look at the number that all share."""
    if purges.sequence() != purges.known:
        purges.catch_up()
    verdict = purges.verdict(target, tags, begun)
    return verdict and verdict.mode


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal")
    yield journal
    journal.close()


def test_a_fill_that_a_purge_overtakes_is_purged(journal: Journal) -> None:
    async def scenario() -> None:
        purges = Purges(journal)
        before = purges.known
        sequence = await purges.purge([url(1)], soft=False)
        assert mode(purges, b"/1", before) is Mode.HARD
        assert mode(purges, b"/1", purges.known) is None
        assert purges.known == sequence

    asyncio.run(scenario())


def test_who_starts_later_knows_what_was_purged(journal: Journal) -> None:
    async def scenario() -> None:
        await Purges(journal, wall=lambda: 7.0).purge([url(1), (Kind.TAG, b"t")], soft=True)
        later = Purges(journal)
        verdict = later.verdict(b"/1", (), 0)
        assert verdict is not None and verdict.time == 7.0
        assert mode(later, b"/2", 0, (b"t",)) is Mode.SOFT
        assert mode(later, b"/2", 0) is None

    asyncio.run(scenario())


def test_the_largest_order_fits_the_journal(journal: Journal) -> None:
    names: list[Name] = [(Kind.URL, b"/%03d" % n + b"a" * (MAX_URL - 4)) for n in range(100)]

    async def scenario() -> None:
        purges = Purges(journal)
        sequence = await purges.purge(names, soft=False)
        assert all(mode(purges, target, 0) for _, target in names)
        records = journal.since(0)
        assert records[-1][0] == sequence
        assert max(len(data) for _, data in records) <= MAX_RECORD

    asyncio.run(scenario())


def test_a_loop_of_purges_leaves_a_small_journal(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_RECORDS", 8)

    async def scenario() -> None:
        idle, busy = Purges(journal), Purges(journal)
        for number in range(1, 41):
            await busy.purge([url(number)], soft=False)
            await busy.close()
            assert len(journal.since(0)) <= 10
        for purges in (idle, busy, Purges(journal)):
            assert all(mode(purges, b"/%d" % number, 0) for number in range(1, 41))
            assert mode(purges, b"/41", 0) is None
            assert mode(purges, b"/40", purges.known) is None

    asyncio.run(scenario())


def test_what_all_may_forget_is_forgotten_by_the_journal_too(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_RECORDS", 8)

    async def scenario() -> None:
        idle, busy = Purges(journal), Purges(journal)
        for number in range(1, 9):
            await busy.purge([url(number)], soft=False)
        busy.rules.forget(busy.known)
        floor = await busy.purge([url(9)], soft=False) - 1
        await busy.close()
        assert len(journal.since(0)) == 1
        assert mode(idle, b"/other", 0) is Mode.HARD  # it cannot know that it was not meant
        assert mode(idle, b"/other", floor) is None
        assert mode(idle, b"/9", floor) is Mode.HARD

    asyncio.run(scenario())


def test_where_nothing_is_left_the_journal_still_says_how_far_it_was_forgotten(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        idle, busy = Purges(journal), Purges(journal)
        for number in range(1, 9):
            await busy.purge([url(number)], soft=False)
        busy.forget(busy.known)
        monkeypatch.setattr(module, "MAX_RECORDS", 1)
        await busy.purge([], soft=False)
        await busy.close()
        assert len(journal.since(0)) == 1
        assert mode(idle, b"/8", 0) is Mode.HARD

    asyncio.run(scenario())


class Unreadable:
    """A journal whose records cannot be read, for one reason or another."""

    def __init__(self, data: bytes | None) -> None:
        self._data = data

    def sequence(self) -> int:
        return 3

    def since(self, number: int, /) -> list[tuple[int, bytes]]:
        if self._data is None:
            raise DiskError(Reason.DAMAGED)
        return [(3, self._data)]

    def append(self, record: bytes, /) -> int:
        raise DiskError(Reason.FULL)

    def drop(self, numbers: object, /) -> None:
        raise AssertionError


@pytest.mark.parametrize("data", [None, b"", b"\x93\xa5purge", b"\x91\xa7unknown"])
def test_what_cannot_be_read_purges_everything(data: bytes | None) -> None:
    purges = Purges(Unreadable(data))
    assert mode(purges, b"/any", 2) is Mode.HARD
    assert mode(purges, b"/any", 3) is None


def test_a_purge_that_cannot_be_kept_fails() -> None:
    purges = Purges(Unreadable(None))
    with pytest.raises(DiskError, match="disk-full"):
        asyncio.run(purges.purge([url(1)], soft=False))


# Processes.


def _reader(directory: Path, pipe: Connection) -> None:
    """A worker: tells of targets and sequence numbers whether they are purged."""
    purges = Purges(Journal(directory))
    pipe.send(purges.known)
    while (asked := pipe.recv()) is not None:
        pipe.send(mode(purges, *asked))


def _purger(directory: Path, pipe: Connection) -> None:
    """A worker that is told what to purge, and answers when it is done."""

    async def purge() -> None:
        purges = Purges(Journal(directory))
        while True:
            pipe.send(await purges.purge(pipe.recv(), soft=False))

    asyncio.run(purge())


def answer(pipe: Connection) -> object:
    assert pipe.poll(ANSWER_LIMIT), "no answer"
    return pipe.recv()


@contextmanager
def process(target: object, directory: Path) -> Iterator[tuple[Connection, int]]:
    here, there = _spawn.Pipe()
    child = _spawn.Process(target=target, args=(directory, there), daemon=True)
    child.start()
    there.close()
    try:
        assert child.pid is not None
        yield here, child.pid
    finally:
        child.kill()
        child.join(ANSWER_LIMIT)
        child.close()
        here.close()


def test_every_process_sees_a_purge_before_it_is_answered(tmp_path: Path) -> None:
    """Each reader is asked the moment the purger has its answer."""
    with process(_purger, tmp_path) as (purger, _):
        readers = [process(_reader, tmp_path) for _ in range(READERS)]
        with readers[0] as (one, _), readers[1] as (two, _), readers[2] as (three, _):
            pipes = (one, two, three)
            for pipe in pipes:
                assert answer(pipe) == 0
            for number in range(1, ROUNDS + 1):
                purger.send([url(number)])
                sequence = answer(purger)
                assert isinstance(sequence, int) and sequence >= number
                for pipe in pipes:
                    pipe.send((b"/%d" % number, sequence - 1))
                assert [answer(pipe) for pipe in pipes] == [Mode.HARD] * READERS
                for pipe in pipes:
                    pipe.send((b"/%d" % number, sequence))
                assert [answer(pipe) for pipe in pipes] == [None] * READERS


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    """Purged, killed at once, started again: as often as the rounds say."""
    sequence = 0
    for number in range(1, max(3, ROUNDS // 4)):
        with process(_purger, tmp_path) as (purger, pid):
            purger.send([url(number)])
            sequence = answer(purger)
            os.kill(pid, signal.SIGKILL)
        journal = Journal(tmp_path)
        purges = Purges(journal)
        assert purges.known == sequence == number
        assert all(mode(purges, b"/%d" % n, n - 1) is Mode.HARD for n in range(1, number + 1))
        assert mode(purges, b"/%d" % number, number) is None
        journal.close()


def test_everything_is_one_record(journal: Journal) -> None:
    async def scenario() -> None:
        purges = Purges(journal)
        await purges.purge([EVERYTHING], soft=False)
        assert mode(purges, b"*", 0, (b"t",)) is Mode.HARD
        assert len(purges.rules) == 1

    asyncio.run(scenario())
