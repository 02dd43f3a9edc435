"""One source of media: a size, a validator, and ranges of bytes.

``origin.storage.local`` is one kind; ``origin.storage.remote`` is what object stores and HTTP
servers have in common.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from origin.windows import Read
from packager.plan import Reads

T = TypeVar("T")


class Source(Protocol):
    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def validator(self) -> str:
        """Changes whenever the bytes may have changed; comparable within one process."""

    @property
    def stamp(self) -> int:
        """The same where nobody touched the source since: a file's modification time in
        nanoseconds, of anything else a number made of its size and validator."""

    async def read(self, reads: Sequence[Read], buffer: memoryview) -> None:
        """Fill *buffer* as *reads* say.

        Raises ``SourceUnavailable``; ``SourceChanged`` where the bytes are no longer those
        that the validator stands for.  After an error or a cancellation *buffer* may still
        be written to.
        """

    async def carry_out(self, reads: Reads[T]) -> T:
        """Answer what *reads* asks for, its computations in a thread: to index a source.

        Raises what *reads* raises, ``SourceUnavailable`` and ``SourceChanged``.
        """

    def sendable(self, offset: int, size: int) -> int | None:
        """A descriptor whose bytes ``[offset, offset + size)`` can be sent without waiting
        for a disk, as far as can be told; None where there is none."""

    def check(self) -> None:
        """Raises ``SourceChanged`` where the bytes are no longer those that the validator
        stands for."""
