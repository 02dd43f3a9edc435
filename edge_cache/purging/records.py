"""What the journal keeps: purges, and now and then a snapshot in place of those before it."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from edge_cache.purging.names import Kind, Name

_PART = 48 << 10
"""Bytes of names in one record: the journal takes 64 KiB."""
_ROW_SIZE = 64
"""Bytes that a name and its mark take beside the text, at most."""


class Purge(msgspec.Struct, frozen=True, array_like=True, tag="purge"):
    names: tuple[Name, ...]
    soft: bool
    """Stale at once rather than gone."""
    time: float
    """Seconds since 1970."""


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """The latest purges of one name."""

    hard: int = 0
    """Sequence number; 0 if there was none."""
    soft: int = 0
    softened: float = 0.0
    """When that soft purge was, in seconds since 1970."""

    @property
    def newest(self) -> int:
        return max(self.hard, self.soft)

    def merged(self, other: "Mark") -> "Mark":
        later = self if self.soft >= other.soft else other
        return Mark(max(self.hard, other.hard), later.soft, later.softened)


class Snapshot(msgspec.Struct, frozen=True, array_like=True, tag="snapshot"):
    """All that counts of the records before it, or one part of that."""

    marks: tuple["Marked", ...]
    covered: int
    """The last number whose record it stands for."""
    floor: int
    """What was purged up to this number and is not among the marks has left every tier that its
    writer knows.  Who has not read so far must take everything for purged."""


Marked = tuple[Kind, bytes, Mark]
"""A name and its latest purges."""

Record = Purge | Snapshot

MALFORMED = msgspec.DecodeError

encode = msgspec.msgpack.Encoder().encode
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Purge | Snapshot)


def decode(data: bytes) -> Record:
    """The record in *data*; MALFORMED if there is none."""
    return _decoder.decode(data)


T = TypeVar("T", Name, Marked)


def parts(rows: Iterable[T]) -> list[tuple[T, ...]]:
    """*rows* in so many parts that a record of each fits the journal."""
    found: list[list[T]] = []
    size = _PART
    for row in rows:
        weight = len(row[1]) + _ROW_SIZE
        size += weight
        if size > _PART:
            found.append([])
            size = weight
        found[-1].append(row)
    return list(map(tuple, found))
