"""Movie fragments to runs of samples (ISO/IEC 14496-12 §8.8).  Contained in: moof.

A ``Run`` is one trun with what its traf gives it; what only trex gives stays open, for moov
may come later.  No sample is looked at here: a run keeps its rows as bytes.
"""

import struct
from dataclasses import dataclass, field

from packager.errors import MalformedBox, Unsupported
from packager.isobmff.box import iter_boxes, unpack, version_and_flags
from packager.source import MAX_SAMPLES

MAX_RUNS = 1 << 18
"""Of a file: a trun each."""

TFXD = bytes.fromhex("6d1d9b0542d544e680e2141daff757b2")
"""Type of the uuid box in which Smooth Streaming says what tfdt does."""

ROWS = ((0x100, "duration", ">u4"), (0x200, "size", ">u4"),
        (0x400, "flags", ">u4"), (0x800, "offset", ">i4"))  # fmt: skip
"""Columns of a trun, by flag.  Offsets are signed in version 0 too (rule C-02)."""

_COLUMNS = sum(flag for flag, _, _ in ROWS)

_WORD = struct.Struct(">I")
_SIGNED = struct.Struct(">i")
_LONG = struct.Struct(">Q")
_HAS_OFFSET, _HAS_FIRST_FLAGS = 0x1, 0x4
_BASE_IS_MOOF = 0x20000
_TFHD = (
    (0x1, "base", _LONG), (0x2, "description", _WORD), (0x8, "duration", _WORD),
    (0x10, "size", _WORD), (0x20, "flags", _WORD),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Defaults:
    """What tfhd or trex says of all samples; None where it does not."""

    description: int | None = None
    """1-based, of stsd."""

    duration: int | None = None
    size: int | None = None
    flags: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    base: int
    """Bytes from the start of the file, or from the end of ``after``."""

    after: int | None = None
    """Number of a run."""


@dataclass(frozen=True, slots=True)
class Run:
    """One trun."""

    fragment: int
    """1-based, of the file."""

    track_id: int
    decode_time: int | None
    """Of its first sample, ticks; None where it goes on after the run before."""

    place: Place
    """Where its data begins."""

    count: int
    """Samples."""

    columns: int
    """The flags of those ``ROWS`` that it has."""

    rows: bytes
    defaults: Defaults
    first_flags: int | None

    @property
    def has_no_size(self) -> bool:
        """Where trex tells none."""
        return self.defaults.size is None and not self.columns & 0x200


@dataclass(slots=True)
class Fragments:
    """Runs of a file, in its order."""

    file_size: int
    runs: list[Run] = field(default_factory=list)
    count: int = 0
    """Movie fragments seen."""

    samples: int = 0

    def add(self, moof: memoryview, position: int) -> None:
        """The runs of the fragment whose box is at *position* and has the payload *moof*."""
        self.count += 1
        last = None  # the run at the end of the track fragment before
        for fourcc, payload in iter_boxes(moof):
            if fourcc == b"traf":
                last = self._add_traf(payload, position, last)

    def _add_traf(self, traf: memoryview, moof: int, last: int | None) -> int | None:
        boxes = list(iter_boxes(traf))
        track_id, base, from_moof, defaults = _parse_tfhd(boxes)
        if base is not None:
            place = Place(base)
        else:
            place = Place(moof) if from_moof or last is None else Place(0, last)
        time, of_traf = _decode_time(boxes), place
        for fourcc, payload in boxes:
            if fourcc == b"trun":
                self._add_trun(payload, track_id, time, of_traf, place, defaults)
                last, time = len(self.runs) - 1, None
                place = Place(0, last)
        return last

    def _add_trun(
        self,
        payload: memoryview,
        track_id: int,
        time: int | None,
        of_traf: Place,
        following: Place,
        defaults: Defaults,
    ) -> None:
        """Its data begins *of_traf* and its offset, or without one *following*."""
        version, flags, body = version_and_flags(b"trun", payload)
        (count,) = unpack(b"trun", _WORD, body)
        body = body[4:]
        place = following
        if version > 1:
            raise MalformedBox(b"trun", f"unknown version {version} (fragment {self.count})")
        if flags & _HAS_OFFSET:
            (offset,) = unpack(b"trun", _SIGNED, body)
            place = Place(of_traf.base + offset, of_traf.after)
            body = body[4:]
        first_flags = None
        if flags & _HAS_FIRST_FLAGS:
            (first_flags,) = unpack(b"trun", _WORD, body)
            body = body[4:]
        columns = flags & _COLUMNS
        size = 4 * columns.bit_count() * count
        if size > len(body):
            raise MalformedBox(
                b"trun", f"{count} samples do not fit in {len(body)} bytes"
                f" (fragment {self.count})",
            )  # fmt: skip
        self._bound(count)
        rows = bytes(body[:size])  # not a view, which would keep all that was read with it
        self.runs.append(
            Run(self.count, track_id, time, place, count, columns, rows, defaults, first_flags)
        )

    def _bound(self, count: int) -> None:
        """A trun whose samples are all alike has no bytes for them."""
        self.samples += count
        if self.samples > min(MAX_SAMPLES, self.file_size):
            raise MalformedBox(b"trun", f"{self.samples} samples or more: too many of the file")
        if len(self.runs) == MAX_RUNS:
            raise Unsupported(f"trun: more than {MAX_RUNS} in one file")


def _parse_tfhd(
    boxes: list[tuple[bytes, memoryview]],
) -> tuple[int, int | None, bool, Defaults]:
    """Track, base data offset where given, default-base-is-moof, and defaults (§8.8.7)."""
    payload = next((payload for fourcc, payload in boxes if fourcc == b"tfhd"), None)
    if payload is None:
        raise MalformedBox(b"tfhd", "missing from traf")
    _, flags, body = version_and_flags(b"tfhd", payload)
    (track_id,) = unpack(b"tfhd", _WORD, body)
    body = body[4:]
    said: dict[str, int] = {}
    for flag, name, layout in _TFHD:
        if flags & flag:
            (said[name],) = unpack(b"tfhd", layout, body)
            body = body[layout.size :]
    base = said.pop("base", None)
    return track_id, base, bool(flags & _BASE_IS_MOOF), Defaults(**said)


def _decode_time(boxes: list[tuple[bytes, memoryview]]) -> int | None:
    """baseMediaDecodeTime (§8.8.12); without it, what Smooth Streaming says."""
    time = None
    for fourcc, payload in boxes:
        if fourcc == b"tfdt":
            return _long_or_word(b"tfdt", payload)
        if fourcc == b"uuid" and payload[:16] == TFXD:
            time = _long_or_word(b"tfxd", payload[16:], signed=True)
    return time


def _long_or_word(fourcc: bytes, payload: memoryview, *, signed: bool = False) -> int:
    """FFmpeg writes priming into tfxd as a negative time."""
    version, _, body = version_and_flags(fourcc, payload)
    (time,) = unpack(fourcc, _LONG if version else _WORD, body)
    if signed and version:
        time -= time >> 63 << 64
    if not -(1 << 46) < time < 1 << 62:
        raise MalformedBox(fourcc, f"time {time} is out of range")
    return time


_TREX = struct.Struct(">5I")


def parse_trex(mvex: memoryview) -> dict[int, Defaults]:
    """Defaults by track (§8.8.3)."""
    found = {}
    for fourcc, payload in iter_boxes(mvex):
        if fourcc == b"trex":
            track_id, *said = unpack(b"trex", _TREX, version_and_flags(b"trex", payload)[2])
            found[track_id] = Defaults(*said)
    return found
