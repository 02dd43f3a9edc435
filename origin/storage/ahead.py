"""One answer's reads of a source on another machine: several windows by one request.

What a batch of windows reads is fetched as fast as it comes, the first window sent as soon as
it is there, and the client's pace holds up no request.  Where there is no room for a batch,
each window is a request.
"""

from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence

import numpy as np

from origin.batches import Reads, batches, room_of, shifted
from origin.room import Lease, Room
from origin.storage.remote import RemoteSource
from origin.windows import Read


class Ahead:
    """Takes the place of the source for whoever reads what *needs* says, in that order."""

    def __init__(self, source: RemoteSource, needs: Iterable[Reads], room: Room) -> None:
        self._source, self._room = source, room
        self._batches = batches(needs, source.ahead)
        self._places: deque[slice] = deque()
        """In the batch that is being read, of the windows to come."""
        self._single = 0
        """Windows to come that are read by themselves."""
        self._buffer = memoryview(b"")
        self._lease: Lease | None = None
        self._stages: AsyncGenerator[None, None] | None = None

    async def read(self, reads: Sequence[Read], buffer: memoryview) -> None:
        if not self._places and not self._single:
            await self._begin(next(self._batches))
        if self._single:
            self._single -= 1
            await self._source.read(reads, buffer)
            return
        assert self._stages is not None
        await anext(self._stages)
        place = self._places.popleft()
        buffer[: place.stop - place.start] = self._buffer[place]

    async def _begin(self, batch: list[Reads]) -> None:
        await self.close()
        sizes = [room_of(reads) for reads in batch]
        whole = sum(sizes)
        if len(batch) == 1 or whole > self._room.free:
            self._single = len(batch)
            return
        self._lease = self._room.lend(whole)
        self._buffer = memoryview(np.empty(whole, np.uint8))  # type: ignore[arg-type]
        stages, start = [], 0
        for reads, size in zip(batch, sizes, strict=True):
            self._places.append(slice(start, start + size))
            stages.append(shifted(reads, start))
            start += size
        self._stages = self._source.read_on(stages, self._buffer)

    async def close(self) -> None:
        """Give up what is on its way."""
        try:
            if self._stages is not None:
                await self._stages.aclose()
        finally:
            self._stages = None
            if self._lease is not None:
                self._lease.release()
                self._lease, self._buffer = None, memoryview(b"")

    def sendable(self, offset: int, size: int) -> int | None:
        return self._source.sendable(offset, size)

    def check(self) -> None:
        self._source.check()
