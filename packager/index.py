"""The flavor index: a flavor's sample tables, compact, in blocks.

    header   facts of each track, its entry points and block times  (packager.index_header)
    blocks   about 1,024 samples each                               (packager.index_blocks)

Made at ingest, or in memory from a moov on first use (packager.indexing); both work the same.
The header answers where a presentation can be cut for any segment length; a segment needs the
header and the blocks that hold its own samples.  A damaged index is a ``MalformedMedia``, not a
wrong byte.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from packager.errors import MalformedMedia
from packager.index_blocks import BLOCK, Stored, decode_block, stored
from packager.samples import Column, Flags, Samples
from packager.source import Container
from packager.tracks import Kind, Track

Blocks = Mapping[int, bytes]
"""Blocks at hand, by number."""


@dataclass(frozen=True, slots=True, eq=False)
class Timed:
    """Samples without where they lie: what manifests need of a whole track."""

    dts: Column
    cts: Column
    stops: Column
    """When each one's duration is over, on the timeline of ``dts``."""

    sync: Flags
    size: Column
    annexb: Column
    """As a byte stream without delimiters; ``size`` where not known."""


@dataclass(frozen=True, eq=False)
class TrackIndex:
    """One track of a flavor, without its sample rows."""

    number: int
    """1-based among the tracks of its kind in the flavor: ``-v1``, ``-a2``."""

    track: Track
    count: int
    """Samples, of which every number below counts from 0."""

    first_in_source: int
    """Samples of the source before the first one: the edit does not need them."""

    total_size: int
    """Bytes of all samples."""

    end: int
    """Media time at which the last presented sample ends."""

    least_offset: int
    """The smallest cts - dts."""

    uniform_duration: int
    """Ticks of every sample but the last; 0 where they differ."""

    last_duration: int
    has_offsets: bool
    """Some cts differs from its dts."""

    exact: bool
    """The sizes of the samples in a byte stream are known."""

    plain: bool
    """... and equal to the stored ones: 4-byte NAL lengths and no delimiters."""

    all_sync: bool
    sync: Column
    """Numbers of the sync samples; empty where all are."""

    entry: Column
    """Numbers of the samples where a segment may start: no later sample is presented
    before them (closed GOPs, rule S-09).  Empty for audio of which any may."""

    entry_cts: Column
    """When the earliest picture behind each is presented: itself, but for the first one."""

    block_dts: Column
    """Decode time of the first sample of each block."""

    @property
    def kind(self) -> Kind:
        return self.track.kind

    @property
    def origin(self) -> int:
        """Media time of the presentation zero."""
        return self.track.edit.origin

    @property
    def late(self) -> int:
        """How much earlier samples must be decoded than the source says, so that none is
        decoded after it is presented.  Not negative."""
        return max(0, -self.least_offset)

    @cached_property
    def base(self) -> int:
        """What is taken off media times in fMP4: decode times start low and stay unsigned."""
        return min(self.origin, int(self.block_dts[0]) - self.late)

    @property
    def lead(self) -> int:
        """What is presented before zero, in ticks: priming, reordering delay or pre-roll.
        Not negative; it is what the edit list of the init segment takes out."""
        return self.origin - self.base

    @property
    def first_time(self) -> int:
        """When the first sample is presented, ticks; negative for priming and pre-roll."""
        first = self.entry_cts if len(self.entry_cts) else self.block_dts
        return int(first[0]) - self.origin

    def first_at(self, wanted: Column, blocks: Blocks) -> tuple[Column, Column]:
        """For each media time *wanted*, which do not decrease, the first sample decoded then
        or later, and its decode time; behind the last sample its number and the end.

        All *blocks* are read where samples differ in duration, and none otherwise.
        """
        start, length = int(self.block_dts[0]), self.uniform_duration
        if length:
            rows = np.clip(-(-(wanted - start) // length), 0, self.count)
            return rows, np.where(rows < self.count, start + rows * length, self.end)
        decoded = (self._decode(at, blocks[at])[0].dts for at in range(self.block_count))
        times = np.append(np.concatenate(list(decoded)), self.end)
        rows = np.searchsorted(times[:-1], wanted)
        return rows, times[rows]

    @property
    def block_count(self) -> int:
        return len(self.block_dts)

    def block_range(self, start: int, stop: int) -> range:
        """The blocks that hold samples ``[start, stop)``."""
        return range(start // BLOCK, -(-stop // BLOCK))

    def samples(self, start: int, stop: int, blocks: Blocks) -> Samples:
        """Wide rows ``[start, stop)``; *blocks* must hold their blocks."""
        if not 0 <= start < stop <= self.count:
            raise ValueError(f"samples {start} to {stop} of {self.count}")
        numbers = self.block_range(start, stop)
        parts = [self._decode(number, blocks[number])[0] for number in numbers]
        joined = parts[0] if len(parts) == 1 else _join(parts)
        skip = numbers.start * BLOCK
        rows = joined.rows(start - skip, stop - skip)
        return replace(rows, sync=self._sync(start, stop), first=self.first_in_source + start)

    def annexb_sizes(self, start: int, stop: int, blocks: Blocks) -> Column:
        """Bytes of each sample as a byte stream without delimiters; needs ``exact``."""
        numbers = self.block_range(start, stop)
        sizes = [self._decode(number, blocks[number])[1] for number in numbers]
        skip = numbers.start * BLOCK
        return np.concatenate(sizes)[start - skip : stop - skip]

    def sizes(self, blocks: Blocks) -> Column:
        """Bytes of each sample of the track, of which *blocks* must hold all blocks."""
        return np.concatenate([rows.size for _, rows in self._stored(blocks)], dtype=np.int64)

    def timed(self, blocks: Blocks) -> Timed:
        """Every sample of the track, without where it lies; *blocks* must hold all blocks."""
        every = list(self._stored(blocks))
        size = np.concatenate([rows.size for _, rows in every], dtype=np.int64)
        duration = self._durations(every)
        dts = int(self.block_dts[0]) + np.cumsum(duration) - duration
        cts, annexb = dts, size
        if self.has_offsets:
            offsets = [rows.each_offset for _, rows in every]
            cts = dts + np.concatenate(offsets, dtype=np.int64)
        if self.exact and not self.plain:
            annexb = np.concatenate([rows.annexb for _, rows in every])
        return Timed(dts, cts, dts + duration, self._sync(0, self.count), size, annexb)

    def _durations(self, every: list[tuple[int, Stored]]) -> Column:
        if not self.uniform_duration:
            return np.concatenate([self._durations_in(*one) for one in every])
        duration = np.full(self.count, self.uniform_duration)
        duration[-1] = self.last_duration
        return duration

    def _durations_in(self, number: int, rows: Stored) -> Column:
        try:
            return rows.duration
        except ValueError as error:
            raise _damaged(number, error) from None

    def _stored(self, blocks: Blocks) -> Iterator[tuple[int, Stored]]:
        for number in range(self.block_count):
            try:
                rows = stored(blocks[number])
            except (ValueError, struct.error) as error:
                raise _damaged(number, error) from None
            self._check(number, len(rows.size), rows.dts)
            yield number, rows

    def _sync(self, start: int, stop: int) -> Flags:
        if self.all_sync:
            return np.ones(stop - start, np.bool_)
        sync = np.zeros(stop - start, np.bool_)
        low, high = np.searchsorted(self.sync, (start, stop))
        sync[self.sync[low:high] - start] = True
        return sync

    def _decode(self, number: int, block: bytes) -> tuple[Samples, Column]:
        try:
            samples, annexb = decode_block(block)
        except (ValueError, struct.error) as error:
            raise _damaged(number, error) from None
        self._check(number, len(samples), int(samples.dts[0]))
        return samples, annexb

    def _check(self, number: int, count: int, dts: int) -> None:
        expected = min(BLOCK, self.count - number * BLOCK)
        if count != expected or dts != int(self.block_dts[number]):
            raise MalformedMedia(f"flavor index: block {number} is not of this track")


def _damaged(number: int, error: Exception) -> MalformedMedia:
    return MalformedMedia(f"flavor index: block {number}: {error}")


def _join(parts: list[Samples]) -> Samples:
    def whole(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])

    return Samples(
        *(whole(name) for name in ("dts", "cts", "duration", "size", "offset", "sync"))
    )


@dataclass(frozen=True, eq=False)
class FlavorIndex:
    file_size: int
    tracks: tuple[TrackIndex, ...]
    left_out: tuple[str, ...]
    digest: str
    """Hexadecimal; of what fixes the bytes made from the flavor: size, sample tables, codec
    configuration, edits.  Never of a path or a time."""

    blocks: tuple[Blocks, ...] = field(default=())
    """Of each track, where the index was just made; empty where blocks come from a store."""

    container: Container = Container.MP4

    begin: Fraction = Fraction(0)
    """Seconds of the stream's clock at its presentation zero, where the file was cut out of a
    live stream; else 0."""

    def position(self, track: TrackIndex) -> int:
        """Of a track that is the same one, wherever its zero is."""
        same = ((one.kind, one.number) == (track.kind, track.number) for one in self.tracks)
        return list(same).index(True)

    def of_kind(self, kind: Kind) -> tuple[TrackIndex, ...]:
        return tuple(track for track in self.tracks if track.kind is kind)
