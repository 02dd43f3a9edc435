"""Remote sources over a server that lies in memory: runs, reading on, and bad answers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import SourceChanged, SourceUnavailable
from origin.storage.remote import Facts, Limits, RemoteSource
from origin.storage.runs import Filling, join
from origin.windows import reads_of
from packager.plan import Extent, Reads

CONTENT = bytes(range(256)) * 4096


class Answer:
    """A stream of pieces, the last of which may never come."""

    def __init__(self, data: bytes, piece: int, hangs: bool) -> None:
        self._pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
        self._hangs = hangs
        self.closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        await asyncio.sleep(0)
        if self._pieces:
            return self._pieces.pop(0)
        if self._hangs:
            await asyncio.Event().wait()
        raise StopAsyncIteration

    def close(self) -> None:
        self.closed = True


class Memory:
    """The server."""

    def __init__(self, content: bytes = CONTENT, *, hangs: bool = False, piece: int = 1000):
        self.content, self.validator = content, "one"
        self.asked: list[tuple[int, int]] = []
        self.answers: list[Answer] = []
        self.bend: Callable[[bytes], bytes] = lambda data: data
        self._hangs, self._piece = hangs, piece

    @property
    def facts(self) -> Facts:
        return Facts(len(self.content), self.validator)

    async def head(self) -> Facts:
        return self.facts

    async def get(self, start: int, stop: int, known: Facts | None) -> tuple[Facts, Answer]:
        self.asked.append((start, stop))
        data = self.bend(self.content[start:stop])
        self.answers.append(Answer(data, self._piece, self._hangs))
        return self.facts, self.answers[-1]


def source_of(server: Memory, limits: Limits | None = None) -> RemoteSource:
    limits = limits or Limits()
    return RemoteSource(server, server.facts, limits, asyncio.Semaphore(limits.requests))


async def read(source: RemoteSource, *extents: Extent) -> bytes:
    buffer = memoryview(bytearray(sum(extent.length for extent in extents)))
    await source.read(reads_of(extents), buffer)
    return bytes(buffer)


extents = st.lists(
    st.builds(Extent, st.integers(0, 5000), st.integers(0, 2000)), min_size=1, max_size=8
)


@given(extents, st.integers(0, 3000), st.integers(1, 900))
def test_runs_are_filled_in_pieces(wanted: list[Extent], gap: int, piece: int) -> None:
    """In any order, overlapping or empty: what each read asked for lies in its place."""
    reads = reads_of(tuple(wanted))
    buffer = memoryview(bytearray(sum(extent.length for extent in wanted)))
    runs = join(reads, gap)
    for run, after in pairwise(runs):
        assert after.start - run.stop > gap
    for run in runs:
        filling = Filling(run, buffer)
        while filling.lacking:
            at = filling.position
            filling.add(CONTENT[at : min(at + piece, run.stop)])
    assert bytes(buffer) == b"".join(CONTENT[e.offset : e.offset + e.length] for e in wanted)


def test_few_answers_at_once() -> None:
    """However many runs: no more than the limit are begun and not ended."""

    async def scenario() -> None:
        server = Memory()
        source = source_of(server, Limits(gap=0, requests=3))
        most, get = 0, server.get

        async def counted(*args: object) -> tuple[Facts, Answer]:
            nonlocal most
            answered = await get(*args)  # type: ignore[arg-type]
            most = max(most, sum(not one.closed for one in server.answers))
            return answered

        server.get = counted  # type: ignore[method-assign]
        wanted = [Extent(at * 10_000, 5000) for at in range(20)]
        assert len(await read(source, *wanted)) == 100_000
        assert len(server.asked) == 20 and most == 3

    asyncio.run(scenario())


def test_an_answer_of_another_version() -> None:
    async def scenario() -> None:
        server = Memory()
        source = source_of(server)
        server.validator = "two"
        with pytest.raises(SourceChanged):
            await read(source, Extent(0, 10))
        server.validator = "one"  # once changed, for ever
        with pytest.raises(SourceChanged):
            await read(source, Extent(0, 10))
        assert all(answer.closed for answer in server.answers)

    asyncio.run(scenario())


@pytest.mark.parametrize("bend", [lambda data: data[:-1], lambda data: data + b"x"])
def test_an_answer_of_another_length(bend: Callable[[bytes], bytes]) -> None:
    async def scenario() -> None:
        server = Memory()
        server.bend = bend
        with pytest.raises(SourceUnavailable):
            await read(source_of(server), Extent(0, 2500))
        assert all(answer.closed for answer in server.answers)

    asyncio.run(scenario())


def test_an_answer_that_stops() -> None:
    async def scenario() -> None:
        server = Memory(hangs=True)
        server.bend = lambda data: data[:100]
        with pytest.raises(SourceUnavailable, match="late"):
            await read(source_of(server, Limits(idle=0.01)), Extent(0, 2500))
        assert all(answer.closed for answer in server.answers)

    asyncio.run(scenario())


def asking(*wanted: Extent) -> Reads[list[bytes]]:
    found = []
    for extent in wanted:
        found.append((yield extent))  # noqa: PERF401 - a comprehension cannot yield
    return found


@given(
    st.lists(st.builds(Extent, st.integers(0, 9000), st.integers(0, 4000)), max_size=8),
    st.integers(1, 5000),
    st.integers(0, 500),
)
def test_reading_on_is_reading(wanted: list[Extent], span: int, gap: int) -> None:
    """In any order, and beyond the end."""

    async def scenario() -> list[bytes]:
        server = Memory(CONTENT[:10_000], piece=700)
        found = await source_of(server, Limits(span=span, gap=gap)).carry_out(asking(*wanted))
        assert all(answer.closed for answer in server.answers)
        return found

    plain = [CONTENT[:10_000][e.offset : e.offset + e.length] for e in wanted]
    assert asyncio.run(scenario()) == plain


def test_reading_forwards_is_a_request_a_span() -> None:
    """Short steps back and looks aside to the end break nothing off."""
    end = len(CONTENT)
    wanted = [Extent(0, 16), Extent(8, 40_000), Extent(end - 20, 20), Extent(end - 90, 90)]
    wanted += [Extent(at, 50_000) for at in range(40_000, end - 50_000, 50_000)]

    async def scenario() -> None:
        server = Memory()
        await source_of(server, Limits(span=end // 4)).carry_out(asking(*wanted))
        ahead = [(at, at + end // 4) for at in range(0, end, end // 4)]
        assert sorted(server.asked) == sorted([*ahead, (end - 20, end), (end - 90, end)])

    asyncio.run(scenario())


def test_the_error_of_a_computation_is_raised() -> None:
    def failing() -> Reads[None]:
        yield Extent(0, 10)
        raise ValueError("of the computation")

    async def scenario() -> None:
        server = Memory()
        with pytest.raises(ValueError, match="of the computation"):
            await source_of(server).carry_out(failing())
        assert all(answer.closed for answer in server.answers)

    asyncio.run(scenario())
