"""Which flavors an entry has, and had, and in which order: pure functions over rows.

The ``-f`` number of a flavor is its position here, from 1: video first, then by height, bitrate
and id, ascending (design §3).
"""

from collections.abc import Iterable
from typing import TypeVar

from metadata.records import FlavorRecord

F = TypeVar("F", bound=FlavorRecord)


def in_order(rows: Iterable[F]) -> tuple[F, ...]:
    """*rows* as the manifests list them."""
    return tuple(sorted(rows, key=_place))


def current(rows: Iterable[F]) -> tuple[F, ...]:
    """The versions that nothing has replaced, in order."""
    return in_order(row for row in rows if row.replaced_at is None)


def generations(rows: Iterable[F], now: int, keep: int) -> list[tuple[F, ...]]:
    """Each flavor set that the entry had within the last *keep* ns, newest first, in order.

    The first is the current set, empty if nothing is current.  It is current because no row
    says otherwise, not by the clock: that of the machine that ingested may be ahead of ours.
    """
    rows = list(rows)
    found = [current(rows)]
    ends = {row.replaced_at for row in rows if row.replaced_at is not None}
    begins = {row.created_at for row in rows}
    for end in sorted(ends | begins, reverse=True):
        if end <= now - keep:
            break
        before = in_order(row for row in rows if _was_there(row, end))
        if before and before != found[-1]:
            found.append(before)
    return found


def _place(row: FlavorRecord) -> tuple[bool, int, int, str]:
    return row.height is None, row.height or 0, row.bitrate, row.id


def _was_there(row: FlavorRecord, end: int) -> bool:
    """Whether *row* was there just before *end*."""
    return row.created_at < end and (row.replaced_at is None or end <= row.replaced_at)
