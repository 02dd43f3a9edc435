"""How entries stand in the disk store.  Pure.

    target                       the head of a response; or, if it varies, on what
    target \\0 v salt digest      the head of one variant
    target \\0 b salt offset      a body, or a part of one, that is not beside its head

A body is found through a head alone, and the heads of variants through what the target has.  So
one removal takes all of a target away at once, and nothing that was written for another version
or another Vary comes back: it has another salt.
"""

import struct
from dataclasses import replace
from hashlib import blake2b
from math import inf

import msgspec

from edge_cache.entry import Entry
from edge_cache.freshness import Freshness
from edge_cache.http.fields import Fields
from edge_cache.vary import Names, Variant

SALT = 8
"""Bytes, random."""

_PLACE = struct.Struct(">Q")


class Run(msgspec.Struct, frozen=True, array_like=True):
    """Some bytes of a body that are stored apart."""

    start: int
    """Of it in the body."""
    suffix: bytes
    """Of its key."""


class Head(msgspec.Struct, frozen=True, array_like=True, tag="head1"):
    status: int
    fields: Fields
    size: int
    """Bytes of the whole body."""
    runs: tuple[Run, ...] | None
    """Where it is; None for beside this head."""
    is_part: bool
    """Bytes of the body may be missing."""
    written: float
    """When its age was ``freshness.initial_age``, in seconds since 1970."""
    freshness: Freshness
    shareable: bool
    begun: int
    epoch: bytes = b""
    """What the monotonic clock counted from then, ..."""
    clock: float = 0.0
    """...and its seconds."""


class Varying(msgspec.Struct, frozen=True, array_like=True, tag="vary1"):
    """What selects among the responses to a target."""

    names: Names
    salt: bytes


MALFORMED = msgspec.DecodeError

encode = msgspec.msgpack.Encoder().encode
_decoder: msgspec.msgpack.Decoder[Head | Varying] = msgspec.msgpack.Decoder(Head | Varying)


def decode(meta: bytes) -> Head | Varying:
    """What *meta* holds; MALFORMED if nothing of ours."""
    return _decoder.decode(meta)


def head_of(
    entry: Entry, runs: tuple[Run, ...] | None, *, now: float, wall: float, epoch: bytes = b""
) -> Head:
    """The head of *entry* at *now* of a clock that counts from *epoch*, if that is not empty;
    *wall* is the same in seconds since 1970."""
    freshness = Freshness(
        initial_age=now - entry.born,
        lifetime=entry.fresh_until - entry.born,
        stale_while_revalidate=entry.stale_until - entry.fresh_until,
        stale_if_error=entry.error_until - entry.fresh_until,
        stale_if_unreachable=entry.unreachable_until - entry.fresh_until,
        early=0.0 if entry.renew_from == inf else entry.fresh_until - entry.renew_from,
    )
    return Head(
        entry.status,
        entry.fields,
        entry.size,
        runs,
        entry.is_part,
        wall,
        freshness,
        entry.shareable,
        entry.begun,
        epoch,
        now,
    )


def freshness_at(head: Head, wall: float, *, now: float = 0, epoch: bytes = b"") -> Freshness:
    """What is left of it at *now*, if that is of the clock it was written by, or at *wall*.

    The wall clock may have been set since.  What comes from its future was written before it
    was set back: how old that is nobody knows, so the upstream is asked before it is served.
    """
    is_same_clock = epoch and epoch == head.epoch
    known = head.freshness
    passed = now - head.clock if is_same_clock else wall - head.written
    if passed < 0:
        return Freshness(known.initial_age, min(known.lifetime or 0.0, known.initial_age), 0)
    age = known.initial_age + passed
    return replace(known, initial_age=age)


def target_of(key: bytes) -> bytes:
    """The target that the record under *key* is about."""
    return key.partition(b"\0")[0]


def variant_key(target: bytes, salt: bytes, selected: Variant) -> bytes:
    digest = blake2b(repr(selected).encode(), digest_size=16).digest()
    return b"%b\0v%b%b" % (target, salt, digest)


def run_suffix(salt: bytes, start: int) -> bytes:
    return salt + _PLACE.pack(start)


def run_key(target: bytes, suffix: bytes) -> bytes:
    return b"%b\0b%b" % (target, suffix)


def suffix_of(key: bytes) -> bytes | None:
    """The suffix of a ``run_key``; None for any other key."""
    rest = key.partition(b"\0")[2]
    return rest[1:] if rest.startswith(b"b") else None
