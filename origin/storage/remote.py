"""A source on another machine: what object stores and HTTP servers have in common.

The first answer tells a size and a validator; every further one is asked for under that
validator and compared with it, so that two versions never mix.  Answers are streamed: at most
``Limits.requests`` at once, each a few pieces of memory.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, closing
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from origin.errors import SourceChanged, SourceUnavailable
from origin.storage.runs import Filling, Run, join, needed
from origin.windows import Read
from packager.plan import Extent, Reads

T = TypeVar("T")


class Stream(Protocol):
    """The bytes of an answer, in pieces that are not empty."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def __anext__(self) -> bytes:
        """Raises ``SourceUnavailable``."""

    def close(self) -> None:
        """Give up the rest."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What an answer tells of the whole source."""

    size: int
    """Bytes."""

    validator: str
    """A strong one: other bytes have another."""


class Remote(Protocol):
    """One thing on a server.  Its methods raise ``NotFound`` where it is not there,
    ``SourceUnavailable``, and ``SourceChanged`` where it is not the *known* one."""

    async def head(self) -> Facts: ...

    async def get(self, start: int, stop: int, known: Facts | None) -> tuple[Facts, Stream]:
        """The bytes ``[start, stop)``, or those of them that there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    requests: int = 32
    """Answers that a worker receives at once."""

    gap: int = 256 << 10
    """Bytes between two reads that are fetched along: they cost less than a request."""

    span: int = 16 << 20
    """Bytes that are asked for at once when a source is read from one end to the other."""

    ahead: int = 8 << 20
    """Bytes of an answer that are asked for at once."""

    answer: float = 10.0
    """Seconds until an answer begins."""

    idle: float = 10.0
    """Seconds between two pieces of an answer."""


class RemoteSource:
    """A version of something remote: gone for good once another one was met."""

    def __init__(
        self,
        remote: Remote,
        facts: Facts,
        limits: Limits,
        gate: asyncio.Semaphore,
        begun: Stream | None = None,
    ) -> None:
        """*begun* is an answer from the first byte on, for whoever carries out reads."""
        self._remote, self.facts = remote, facts
        self._limits, self._gate = limits, gate
        self._begun = begun
        self.is_changed = False
        digest = hashlib.sha256(f"{facts.size} {facts.validator}".encode()).digest()
        self._stamp = int.from_bytes(digest[:8]) >> 1

    @property
    def size(self) -> int:
        return self.facts.size

    @property
    def validator(self) -> str:
        return f"{self.facts.size:x} {self.facts.validator}"

    @property
    def stamp(self) -> int:
        return self._stamp

    @property
    def ahead(self) -> int:
        """Bytes of an answer's windows that are asked for at once."""
        return self._limits.ahead

    def sendable(self, offset: int, size: int) -> int | None:  # noqa: ARG002
        return None

    def check(self) -> None:
        if self.is_changed:
            raise SourceChanged("the source was changed while it was read")

    async def read(self, reads: Sequence[Read], buffer: memoryview) -> None:
        async with aclosing(self.read_on([reads], buffer)) as stages:
            await anext(stages)

    async def read_on(
        self, stages: Sequence[Sequence[Read]], buffer: memoryview
    ) -> AsyncGenerator[None, None]:
        """Fill *buffer* as ``read`` does, and tell of one stage after the other as it is there;
        the rest goes on arriving, however long the caller takes."""
        self.check()
        runs = join([read for stage in stages for read in stage], self._limits.gap)
        fillings = [Filling(run, buffer) for run in runs]
        came = asyncio.Event()
        tasks = [
            asyncio.ensure_future(self._fill(run, one, came))
            for run, one in zip(runs, fillings, strict=True)
        ]
        for task in tasks:
            task.add_done_callback(lambda done: _note(done, came))
        try:
            for number, stage in enumerate(stages):
                # the last one waits for the ends of the answers: their connections are kept
                is_last = number == len(stages) - 1
                ends = needed(stage, runs)
                while not _all_done(tasks) and (
                    is_last or any(fillings[at].position < end for at, end in ends.items())
                ):
                    came.clear()
                    await came.wait()
                yield
        finally:
            going = [task for task in tasks if task.cancel()]
            if going:
                await asyncio.wait(going)

    async def _fill(self, run: Run, filling: Filling, came: asyncio.Event) -> None:
        async with self._gate, self.stream(run.start, run.stop) as pieces:
            async for piece in pieces:
                if len(piece) > filling.lacking:
                    raise SourceUnavailable("the answer is longer than its range")
                filling.add(piece)
                came.set()
        if filling.lacking:
            raise SourceUnavailable("the answer is shorter than its range")

    @asynccontextmanager
    async def stream(self, start: int, stop: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes ``[start, stop)`` in pieces."""
        stream = await self.begin(start, stop)
        with closing(stream):
            yield in_time(stream, self._limits.idle)

    async def begin(self, start: int, stop: int) -> Stream:
        """An answer of the bytes ``[start, stop)``, to be closed by the caller."""
        try:
            async with late_after(self._limits.answer):
                facts, stream = await self._remote.get(start, stop, self.facts)
        except SourceChanged:
            self.is_changed = True
            raise
        if facts != self.facts:
            self.is_changed = True
            stream.close()
            self.check()
        return stream

    async def carry_out(self, reads: Reads[T]) -> T:
        begun, self._begun = self._begun, None
        steps = _Steps(reads)
        run = asyncio.get_running_loop().run_in_executor
        with closing(_Forward(self, self._limits, begun)) as forward:
            async with self._gate:
                wanted = await run(None, steps.first)
                while wanted is not None:
                    wanted = await run(None, steps.next, await forward.read(wanted))
        return steps.answer()

    def close(self) -> None:
        """Give up what was begun, if nobody has taken it."""
        begun, self._begun = self._begun, None
        if begun is not None:
            begun.close()


def _note(task: "asyncio.Task[None]", came: asyncio.Event) -> None:
    """That it has ended; one failure is told, and those of others are none of asyncio's."""
    if not task.cancelled():
        task.exception()
    came.set()


def _all_done(tasks: "list[asyncio.Task[None]]") -> bool:
    """Raises what any of them has raised."""
    done = [task for task in tasks if task.done()]
    for task in done:
        task.result()
    return len(done) == len(tasks)


@asynccontextmanager
async def late_after(seconds: float) -> AsyncIterator[None]:
    """Raises ``SourceUnavailable`` for what takes longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise SourceUnavailable("the source is late") from None


async def in_time(stream: Stream, idle: float) -> AsyncIterator[bytes]:
    """*stream*, whose pieces are at most *idle* seconds apart."""
    while True:
        async with late_after(idle):
            piece = await anext(stream, None)
        if piece is None:
            return
        yield piece


class _Steps(Generic[T]):
    """Computations that ask: StopIteration cannot pass through a future."""

    def __init__(self, reads: Reads[T]) -> None:
        self._reads = reads
        self._answer: Callable[[], T] | None = None

    def first(self) -> Extent | None:
        return self._step(lambda: next(self._reads))

    def next(self, data: bytes) -> Extent | None:
        return self._step(lambda: self._reads.send(data))

    def _step(self, move: Callable[[], Extent]) -> Extent | None:
        try:
            return move()
        except StopIteration as done:
            value: T = done.value
            self._answer = lambda: value
            return None

    def answer(self) -> T:
        assert self._answer is not None
        return self._answer()


_PIECE = 64 << 10
"""Bytes at least of a look aside: the next one is often close by."""


class _Forward:
    """Reads a source mostly forwards, in as few requests as that takes.

    One answer is read on and on, its end renewed span by span; a short read far from there
    is a request of its own, a long one moves there.
    """

    def __init__(self, source: RemoteSource, limits: Limits, begun: Stream | None) -> None:
        self._source, self._limits = source, limits
        self._stream = begun
        self._stop = min(limits.span, source.size)
        """Where the stream ends."""
        self._base, self._held = 0, bytearray()
        """What was received of late, and where it begins."""
        self._aside, self._piece = 0, b""

    async def read(self, extent: Extent) -> bytes:
        """The bytes of *extent*, fewer where the source ends inside it."""
        start, stop = extent.offset, min(extent.offset + extent.length, self._source.size)
        if start >= stop:
            return b""
        if self._aside <= start and stop <= self._aside + len(self._piece):
            return self._piece[start - self._aside : stop - self._aside]
        end = self._base + len(self._held)
        if not self._base <= start <= end + self._limits.gap:
            if self._stream is not None and stop - start <= _PIECE:
                return await self._look_aside(start, stop)
            self._move(start)
        return await self._read_on(start, stop)

    async def _look_aside(self, start: int, stop: int) -> bytes:
        end = min(start + _PIECE, self._source.size)
        piece = bytearray(end - start)
        await self._fetch(start, end, memoryview(piece))
        self._aside, self._piece = start, bytes(piece)
        return self._piece[: stop - start]

    async def _fetch(self, start: int, stop: int, into: memoryview) -> None:
        filling = Filling(Run(start, stop, [(start, 0, stop - start)]), into)
        async with self._source.stream(start, stop) as pieces:
            async for piece in pieces:
                filling.add(piece[: filling.lacking])
        if filling.lacking:
            raise SourceUnavailable("the answer is shorter than its range")

    def _move(self, start: int) -> None:
        self.close()
        self._base, self._held, self._stop = start, bytearray(), start

    async def _read_on(self, start: int, stop: int) -> bytes:
        if start > self._base:
            passed = min(start - self._base, len(self._held))
            del self._held[:passed]
            self._base += passed
        while self._base + len(self._held) < stop:
            self._held += await self._next()
            if self._base < start:
                passed = min(start - self._base, len(self._held))
                del self._held[:passed]
                self._base += passed
        return bytes(self._held[: stop - start])

    async def _next(self) -> bytes:
        end = self._base + len(self._held)
        if self._stream is None:
            self._stop = min(end + self._limits.span, self._source.size)
            self._stream = await self._source.begin(end, self._stop)
        async with late_after(self._limits.idle):
            piece = await anext(self._stream, b"")
        if not piece:
            self.close()
            if end < self._stop:
                raise SourceUnavailable("the answer is shorter than its range")
        return piece

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
