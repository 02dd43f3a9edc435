"""The disk tier of a node: entries in the store that its workers share.

A small body lies beside its head, a larger one or a part of one in a record of its own, so that
new times or fields (a 304) never move it.  The head is written last.  What is found has its
body in the file, or in memory if it is small.

On the loop call ``find`` alone, and tell it not to wait: it takes microseconds then.
Everything else waits for the disk: call it from a thread.  Errors are DiskError.
"""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from errno import EAGAIN
from typing import NamedTuple

from edge_cache.disk.boot import clock_epoch
from edge_cache.disk.errors import DiskError, Reason
from edge_cache.disk.store import Store
from edge_cache.disk.stored import Stored
from edge_cache.entry import Body, Entry, make_entry
from edge_cache.http.fields import Field
from edge_cache.parts import Parts
from edge_cache.tiers.heads import (
    MALFORMED,
    SALT,
    Head,
    Run,
    Varying,
    decode,
    encode,
    freshness_at,
    head_of,
    run_key,
    run_suffix,
    suffix_of,
    variant_key,
)
from edge_cache.vary import Names, Variant, variant


class Found(NamedTuple):
    names: Names
    selected: Variant
    entry: Entry


class DiskTier:
    def __init__(
        self,
        store: Store,
        beside: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        epoch: bytes | None = None,
    ) -> None:
        """*beside*: bytes of the largest body that lies beside its head."""
        self.store = store
        self.beside = beside
        self._clock, self._wall = clock, wall
        self._epoch = clock_epoch() if epoch is None else epoch

    def find(
        self, target: bytes, fields: Iterable[Field], *, waits: bool = True
    ) -> Found | None:
        """What is stored for a request for *target* with *fields*.

        Without *waits* it raises BlockingIOError where a thread would have to wait for the
        disk; it raises nothing else.
        """
        found = self._head(target, waits=waits)
        if found is None:
            return None
        stored, head = found
        names: Names = ()
        selected: Variant = ()
        if isinstance(head, Varying):
            names, selected = head.names, variant(head.names, fields)
            found = self._head(variant_key(target, head.salt, selected), waits=waits)
            if found is None:
                return None
            stored, head = found
        if not isinstance(head, Head):
            return None
        try:
            entry = self._entry(target, stored, head, waits=waits)
        except DiskError:
            return None
        return None if entry is None else Found(names, selected, entry)

    def write(
        self, target: bytes, names: Names, selected: Variant, entry: Entry
    ) -> Entry | None:
        """Store *entry*; what it is with its body on the disk, None if that stays in RAM."""
        kept, runs = self._place(target, entry)
        meta = encode(
            head_of(kept, runs, now=self._clock(), wall=self._wall(), epoch=self._epoch)
        )
        beside = _in_memory(kept.body) if runs is None else b""
        if not names:
            self._put(target, beside, meta)
        else:
            # Written with each variant, so that it is never older than what it leads to: what
            # is oldest is evicted first.
            rule = self._rule(target, names)
            self._put(variant_key(target, rule.salt, selected), beside, meta)
            self._put(target, b"", encode(rule))
        return None if kept is entry else kept

    def remove(self, target: bytes) -> None:
        """Forget all that is stored for *target*."""
        self.store.remove(target)

    def remove_variant(self, target: bytes, names: Names, selected: Variant) -> None:
        """Forget what *selected* chooses of *target*, by *names*."""
        if not names:
            self.remove(target)
            return
        found = self._head(target)
        if found is None:  # what leads to it may be on a volume that is yet to be read
            self.remove(target)
        elif isinstance(found[1], Varying) and found[1].names == names:
            self.store.remove(variant_key(target, found[1].salt, selected))

    def _head(self, key: bytes, *, waits: bool = True) -> tuple[Stored, Head | Varying] | None:
        stored = self.store.find(key, waits=waits)
        if stored is None:
            return None
        try:
            return stored, decode(stored.meta)
        except MALFORMED:
            return None

    def _rule(self, target: bytes, names: Names) -> Varying:
        found = self._head(target)
        if found is not None and isinstance(found[1], Varying) and found[1].names == names:
            return found[1]
        return Varying(names, os.urandom(SALT))

    # Reading.

    def _entry(self, target: bytes, stored: Stored, head: Head, *, waits: bool) -> Entry | None:
        body: Body = b""
        parts = None
        if head.runs is None:
            body = _small(stored, waits=waits)
        elif head.is_part:
            parts = self._parts(target, head.size, head.runs, waits=waits)
            if not parts.runs:
                return None
        else:
            whole = self.store.find(run_key(target, head.runs[0].suffix), waits=waits)
            if whole is None:
                return None
            body = whole
        if parts is None and len(body) != head.size:
            return None
        now = self._clock()
        entry = make_entry(
            head.status,
            head.fields,
            body,
            freshness_at(head, self._wall(), now=now, epoch=self._epoch),
            now=now,
            shareable=head.shareable,
            parts=parts,
        )
        return replace(entry, begun=head.begun)

    def _parts(self, target: bytes, size: int, runs: Iterable[Run], *, waits: bool) -> Parts:
        found = (
            (run.start, self.store.find(run_key(target, run.suffix), waits=waits))
            for run in runs
        )
        return Parts(size, tuple((start, body) for start, body in found if body is not None))

    # Writing.

    def _place(self, target: bytes, entry: Entry) -> tuple[Entry, tuple[Run, ...] | None]:
        """*entry* with its body where it will stay, and the runs for its head."""
        parts, body = entry.parts, entry.body
        if parts is not None:
            salt = os.urandom(SALT)
            placed = tuple(
                (start, self._apart(target, salt, start, data)) for start, data in parts.runs
            )
            kept = replace(entry, parts=replace(parts, runs=placed))
            return kept, tuple(_run(start, stored) for start, stored in placed)
        if len(body) <= self.beside:
            return entry, None
        stored = self._apart(target, os.urandom(SALT), 0, body)
        kept = entry if stored is body else replace(entry, body=stored)
        return kept, (_run(0, stored),)

    def _apart(self, target: bytes, salt: bytes, start: int, body: Body) -> Stored:
        if isinstance(body, Stored) and suffix_of(body.key) is not None:
            return body
        key = run_key(target, run_suffix(salt, start))
        self._put(key, _in_memory(body), b"")
        stored = self.store.find(key)
        if stored is None:
            raise DiskError(Reason.MISSING, "evicted at once")
        return stored

    def _put(self, key: bytes, body: bytes, meta: bytes) -> None:
        writer = self.store.begin(key, len(body))
        try:
            writer.append(body)
            writer.commit(meta)
        finally:
            writer.abort()


def _in_memory(body: Body) -> bytes:
    if isinstance(body, Stored):
        body.verify(0, len(body))
        return body.read(0, len(body))
    return body


def _small(stored: Stored, *, waits: bool) -> bytes:
    """A body beside its head."""
    size = len(stored)
    if waits:
        stored.verify(0, size)
    elif not stored.is_verified(0, size):
        raise BlockingIOError(EAGAIN, "not verified yet")
    return stored.read(0, size, waits=waits) if size else b""


def _run(start: int, stored: Stored) -> Run:
    suffix = suffix_of(stored.key)
    assert suffix is not None
    return Run(start, suffix)
