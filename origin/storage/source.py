"""One source of media: a size, a validator, and ranges of bytes.

``origin.storage.local`` is the first kind; object stores and HTTP servers fit the same shape.
"""

from collections.abc import Sequence
from typing import Protocol

from origin.windows import Read


class Source(Protocol):
    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def validator(self) -> str:
        """Changes whenever the bytes may have changed; comparable within one process."""

    async def read(self, reads: Sequence[Read], buffer: memoryview) -> None:
        """Fill *buffer* as *reads* say.

        Raises ``SourceUnavailable``; ``SourceChanged`` where the bytes are no longer those
        that the validator stands for.  After an error or a cancellation *buffer* may still
        be written to.
        """

    def sendable(self, offset: int, size: int) -> int | None:
        """A descriptor whose bytes ``[offset, offset + size)`` can be sent without waiting
        for a disk, as far as can be told; None where there is none."""

    def check(self) -> None:
        """Raises ``SourceChanged`` where the bytes are no longer those that the validator
        stands for."""
