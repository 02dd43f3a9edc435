"""The flavor index: a flavor's sample tables, compact, in blocks.

    header   JSON facts of each track, then its columns of entry points and block times
    blocks   about 1,024 samples each: sizes, composition offsets, durations and positions,
             run-length where that is shorter; at most 16 bytes a sample, and 2 to 4 more
             where the sizes in a byte stream differ or positions lie 4 GiB apart

Made at ingest, or in memory from a moov on first use; both work the same.  The header
answers where a presentation can be cut for any segment length; a segment needs the header
and the blocks that hold its own samples.  Each part ends in a CRC-32: a damaged index is a
``MalformedMedia``, not a wrong byte.
"""

import hashlib
import json
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from packager.codecs.aac import parse_asc
from packager.codecs.h264 import Colour, parse_avcc
from packager.edits import needed
from packager.errors import MalformedMedia
from packager.isobmff.demux import demux
from packager.nal_facts import NalFacts, check_ends, scan, with_idr_as_sync
from packager.plan import Reads
from packager.samples import Column, Samples, column
from packager.tracks import AudioFormat, Edit, Kind, Track, VideoFormat

FORMAT = 1
"""Version of the blob.  Another one is stale: the flavor is parsed again."""

BLOCK = 1024
"""Samples of a block; the last one may have fewer."""

_MAGIC = b"HRix"
_PREFIX = struct.Struct(">4sHI")  # magic, format, length of the JSON
_CRC = struct.Struct("<I")
_BLOCK_PREFIX = struct.Struct("<qqHBBHH")
"""First dts, lowest position, samples, width of sizes, flags, durations, positions."""

_HAS_CTS, _HAS_ANNEXB, _FAR = 1, 2, 4
_EACH_DURATION, _EACH_POSITION = 8, 16  # one a sample, not in runs
_WIDE_ANNEXB = 32

Blocks = Mapping[int, bytes]
"""Blocks at hand, by number."""


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
    before them (closed GOPs, rule S-09).  Empty for audio: any may."""

    entry_cts: Column
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

    def first_at(self, wanted: Sequence[int], blocks: Blocks) -> Iterator[tuple[int, int]]:
        """For each media time *wanted*, which do not decrease, the first sample decoded then
        or later, and its decode time; behind the last sample its number and the end.

        *blocks* are read, each once, only where samples differ in duration.
        """
        decode = lru_cache(maxsize=1)(
            lambda number: self._decode(number, blocks[number])[0].dts
        )
        return (self._first_at(dts, decode) for dts in wanted)

    def _first_at(self, dts: int, decode: Callable[[int], Column]) -> tuple[int, int]:
        start = int(self.block_dts[0])
        if dts <= start:
            return 0, start
        if self.uniform_duration:
            row = -(-(dts - start) // self.uniform_duration)
            return (row, start + row * self.uniform_duration) if row < self.count else (
                self.count, self.end
            )  # fmt: skip
        number = int(np.searchsorted(self.block_dts, dts, "right")) - 1
        times = decode(number)
        within = int(np.searchsorted(times, dts))
        if within < len(times):
            return number * BLOCK + within, int(times[within])
        if number + 1 < self.block_count:
            return (number + 1) * BLOCK, int(self.block_dts[number + 1])
        return self.count, self.end

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
        sync = np.ones(stop - start, np.bool_)
        if not self.all_sync:
            sync[:] = False
            low, high = np.searchsorted(self.sync, (start, stop))
            sync[self.sync[low:high] - start] = True
        rows = joined.rows(start - skip, stop - skip)
        return replace(rows, sync=sync, first=self.first_in_source + start)

    def annexb_sizes(self, start: int, stop: int, blocks: Blocks) -> Column:
        """Bytes of each sample as a byte stream without delimiters; needs ``exact``."""
        numbers = self.block_range(start, stop)
        sizes = [self._decode(number, blocks[number])[1] for number in numbers]
        skip = numbers.start * BLOCK
        return np.concatenate(sizes)[start - skip : stop - skip]

    def _decode(self, number: int, block: bytes) -> tuple[Samples, Column]:
        try:
            samples, annexb = decode_block(block)
        except (ValueError, struct.error) as error:
            raise MalformedMedia(f"flavor index: block {number}: {error}") from None
        expected = min(BLOCK, self.count - number * BLOCK)
        if len(samples) != expected or int(samples.dts[0]) != int(self.block_dts[number]):
            raise MalformedMedia(f"flavor index: block {number} is not of this track")
        return samples, annexb


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

    def of_kind(self, kind: Kind) -> tuple[TrackIndex, ...]:
        return tuple(track for track in self.tracks if track.kind is kind)


def build_index(file_size: int, *, facts: bool) -> Reads[FlavorIndex]:
    """Index the progressive MP4 of *file_size* bytes; with *facts* every sample is read.

    Raises ``PackagerError`` for a file that is refused.
    """
    movie = yield from demux(file_size)
    tracks: list[TrackIndex] = []
    blocks: list[Blocks] = []
    digest = hashlib.sha256(struct.pack(">Q", file_size))
    for track, samples in movie.tracks:
        samples, nal_facts = yield from _examine(track, samples, facts)
        number = 1 + sum(known.kind is track.kind for known in tracks)
        made, its_blocks = encode_track(number, track, samples, nal_facts)
        _identify(digest, made, samples)
        tracks.append(made)
        blocks.append(its_blocks)
    return FlavorIndex(
        file_size, tuple(tracks), movie.left_out, digest.hexdigest(), tuple(blocks)
    )


def _examine(
    track: Track, samples: Samples, facts: bool
) -> Reads[tuple[Samples, NalFacts | None]]:
    """The rows that *track*'s edit needs, and the facts about them."""
    nal_facts = None
    if isinstance(track.format, VideoFormat):
        config = track.format.config
        yield from check_ends(config, samples)
        if samples.sync.all() and len(samples) > 1:
            nal_facts = yield from scan(config, samples)
            samples = with_idr_as_sync(samples, nal_facts)
    start, stop = needed(track, samples)
    samples = samples.rows(start, stop)
    if nal_facts is not None:
        nal_facts = NalFacts(
            nal_facts.annexb_size[start:stop], nal_facts.idr[start:stop], nal_facts.complete
        )
    elif facts and isinstance(track.format, VideoFormat):
        nal_facts = yield from scan(track.format.config, samples)
    return samples, nal_facts


def _identify(digest: Any, made: TrackIndex, samples: Samples) -> None:
    digest.update(json.dumps(_track_facts(made, identity=True), sort_keys=True).encode())
    for values in (samples.dts, samples.cts, samples.size, samples.offset):
        digest.update(np.ascontiguousarray(values, "<i8").tobytes())
    digest.update(np.packbits(samples.sync).tobytes())


def encode_track(
    number: int, track: Track, samples: Samples, facts: NalFacts | None
) -> tuple[TrackIndex, Blocks]:
    """Index one track whose rows are *samples*."""
    samples = replace(_with_last_duration(samples), sync=samples.sync.copy())
    count = len(samples)
    annexb = None if facts is None or not facts.complete else facts.annexb_size
    is_audio = track.kind is Kind.AUDIO
    plain = is_audio or (annexb is not None and bool((annexb == samples.size).all()))
    offsets = samples.cts - samples.dts
    entry = np.zeros(0, np.int64) if is_audio else _closed_entries(samples)
    uniform = int(samples.duration[0])
    if count > 1 and not (samples.duration[:-1] == uniform).all():
        uniform = 0
    samples.sync[0] = True  # decoding starts here, whatever the table says
    made = TrackIndex(
        number=number,
        track=track,
        count=count,
        first_in_source=samples.first,
        total_size=int(samples.size.sum()),
        end=int((samples.cts + samples.duration).max()),
        least_offset=int(offsets.min()),
        uniform_duration=uniform,
        last_duration=int(samples.duration[-1]),
        has_offsets=bool(offsets.any()),
        exact=is_audio or annexb is not None,
        plain=plain,
        all_sync=bool(samples.sync.all()),
        sync=column([]) if samples.sync.all() else np.flatnonzero(samples.sync),
        entry=entry,
        entry_cts=samples.cts[entry],
        block_dts=samples.dts[::BLOCK].copy(),
    )
    stored = None if plain else annexb
    blocks = {
        index: encode_block(
            samples.rows(start, min(start + BLOCK, count)),
            None if stored is None else stored[start : start + BLOCK],
        )
        for index, start in enumerate(range(0, count, BLOCK))
    }
    return made, blocks


def _with_last_duration(samples: Samples) -> Samples:
    """A last sample of no duration would make the last segment last nothing (rule D-05)."""
    if samples.duration[-1] > 0:
        return samples
    duration = samples.duration.copy()
    known = duration[duration > 0]
    duration[-1] = known[-1] if len(known) else 1
    return replace(samples, duration=duration)


def _closed_entries(samples: Samples) -> Column:
    """Sync samples that nothing decoded later is presented before; the first row counts."""
    later = np.minimum.accumulate(samples.cts[::-1])[::-1]
    closed = samples.sync & (samples.cts <= later)
    closed[0] = True
    return np.flatnonzero(closed)


# -- blocks


def _runs(values: Column) -> tuple[Column, Column]:
    """``(length, value)`` of each run of equal *values*."""
    first = np.concatenate(([0], np.flatnonzero(np.diff(values)) + 1))
    return np.diff(np.append(first, len(values))), values[first]


def encode_block(samples: Samples, annexb: Column | None) -> bytes:
    """At most ``BLOCK`` rows; see ``decode_block`` for the inverse."""
    width = 2 if int(samples.size.max()) < 1 << 16 else 4
    offsets = samples.cts - samples.dts
    stops = samples.offset + samples.size
    jumps = np.concatenate(([0], np.flatnonzero(samples.offset[1:] != stops[:-1]) + 1))
    lengths, durations = _runs(samples.duration)
    positions = samples.offset[jumps]
    low = int(positions.min())
    growth = np.zeros(0, np.int64) if annexb is None else annexb - samples.size
    flags = (
        (_HAS_CTS if offsets.any() else 0)
        | (_HAS_ANNEXB if annexb is not None else 0)
        | (_FAR if int(positions.max()) - low >= 1 << 32 else 0)
        | (_EACH_DURATION if 3 * len(lengths) > 2 * len(samples) else 0)
        | (_EACH_POSITION if 3 * len(jumps) > 2 * len(samples) else 0)
        | (_WIDE_ANNEXB if (np.abs(growth) >= 1 << 15).any() else 0)
    )
    if flags & _EACH_DURATION:
        lengths, durations = lengths[:0], samples.duration
    if flags & _EACH_POSITION:
        jumps, positions = jumps[:0], samples.offset
    parts = [
        _BLOCK_PREFIX.pack(
            int(samples.dts[0]), low, len(samples), width, flags, len(durations), len(positions)
        ),
        samples.size.astype(f"<u{width}").tobytes(),
        lengths.astype("<u2").tobytes(),
        durations.astype("<u4").tobytes(),
        jumps.astype("<u2").tobytes(),
        (positions - low).astype("<u8" if flags & _FAR else "<u4").tobytes(),
    ]
    if flags & _HAS_CTS:
        parts.append(offsets.astype("<i4").tobytes())
    if annexb is not None:
        parts.append(growth.astype("<i4" if flags & _WIDE_ANNEXB else "<i2").tobytes())
    return _sealed(b"".join(parts))


def _sealed(data: bytes) -> bytes:
    return data + _CRC.pack(zlib.crc32(data))


def _unsealed(data: bytes) -> bytes:
    body = data[: -_CRC.size]
    if _sealed(body) != data:
        raise ValueError("its checksum is wrong")
    return body


@lru_cache(maxsize=64)
def decode_block(block: bytes) -> tuple[Samples, Column]:
    """The rows of *block*, all marked as sync, and their sizes in a byte stream.

    Segments that follow each other share blocks, so a few stay decoded (3 MiB in all).
    Raises ``ValueError`` or ``struct.error`` where the block contradicts itself.
    """
    samples, annexb = _decode_block(block)
    for each in (samples.dts, samples.cts, samples.duration, samples.size, samples.offset,
                 samples.sync, annexb):  # fmt: skip
        each.flags.writeable = False
    return samples, annexb


def _decode_block(block: bytes) -> tuple[Samples, Column]:
    block = _unsealed(block)
    dts, low, count, width, flags, run_count, jump_count = _BLOCK_PREFIX.unpack_from(block)
    position = _BLOCK_PREFIX.size

    def take(kind: str, length: int) -> Column:
        nonlocal position
        values = np.frombuffer(block, kind, length, position)
        position += values.nbytes
        return column(values)

    if not 0 < count <= BLOCK or width not in (2, 4) or not jump_count:
        raise ValueError("prefix out of range")
    size = take(f"<u{width}", count)
    lengths = np.ones(count, np.int64) if flags & _EACH_DURATION else take("<u2", run_count)
    values = take("<u4", run_count)
    jumps = np.arange(count) if flags & _EACH_POSITION else take("<u2", jump_count)
    positions = low + take("<u8" if flags & _FAR else "<u4", jump_count)
    offsets = take("<i4", count) if flags & _HAS_CTS else 0
    growth = "<i4" if flags & _WIDE_ANNEXB else "<i2"
    annexb = size + take(growth, count) if flags & _HAS_ANNEXB else size
    if position != len(block) or int(lengths.sum()) != count:
        raise ValueError("lengths do not add up")
    if jumps[0] != 0 or (np.diff(jumps) <= 0).any() or int(jumps[-1]) >= count:
        raise ValueError("positions out of order")
    duration = np.repeat(values, lengths)
    decode = dts + np.cumsum(duration) - duration
    before = np.cumsum(size) - size
    spans = np.diff(np.append(jumps, count))
    offset = before + np.repeat(positions - before[jumps], spans)
    sync = np.ones(count, np.bool_)
    return Samples(decode, decode + offsets, duration, size, offset, sync), annexb


# -- the header


def _format_facts(form: VideoFormat | AudioFormat) -> dict[str, Any]:
    if isinstance(form, AudioFormat):
        config = form.config
        return {"asc": config.record.hex(), "oti": config.object_type_indication}
    colour = form.colour
    return {
        "avcc": form.config.record.hex(),
        "size": [form.width, form.height],
        "aspect": [form.pixel_aspect.numerator, form.pixel_aspect.denominator],
        "colour": colour
        and [colour.primaries, colour.transfer, colour.matrix, colour.full_range],
        "matrix": form.matrix.hex(),
    }


def _parse_format(facts: dict[str, Any]) -> VideoFormat | AudioFormat:
    if "asc" in facts:
        return AudioFormat(parse_asc(bytes.fromhex(facts["asc"]), int(facts["oti"])))
    colour = facts["colour"]
    width, height = facts["size"]
    return VideoFormat(
        parse_avcc(bytes.fromhex(facts["avcc"])),
        int(width),
        int(height),
        Fraction(*facts["aspect"]),
        colour and Colour(*colour),
        bytes.fromhex(facts["matrix"]),
    )


_NUMBERS = (
    "number", "count", "first_in_source", "total_size", "end", "least_offset",
    "uniform_duration", "last_duration",
)  # fmt: skip
_BOOLEANS = ("has_offsets", "exact", "plain", "all_sync")
_COLUMNS = ("sync", "entry", "entry_cts", "block_dts")


def _track_facts(made: TrackIndex, *, identity: bool = False) -> dict[str, Any]:
    track = made.track
    facts = {
        "id": track.id,
        "timescale": track.timescale,
        "edit": [track.edit.origin, track.edit.end],
        "language": track.language,
        "format": _format_facts(track.format),
    }
    if not identity:
        facts |= {name: getattr(made, name) for name in (*_NUMBERS, *_BOOLEANS)}
        facts["columns"] = [len(getattr(made, name)) for name in _COLUMNS]
    return facts


def encode_header(index: FlavorIndex) -> bytes:
    facts = {
        "file_size": index.file_size,
        "digest": index.digest,
        "left_out": index.left_out,
        "tracks": [_track_facts(track) for track in index.tracks],
    }
    text = json.dumps(facts, separators=(",", ":")).encode()
    columns = (
        getattr(track, name).astype("<i8").tobytes()
        for track in index.tracks
        for name in _COLUMNS
    )
    return _sealed(b"".join((_PREFIX.pack(_MAGIC, FORMAT, len(text)), text, *columns)))


def decode_header(header: bytes) -> FlavorIndex:
    """Raises ``MalformedMedia`` for a header of another format or that is damaged."""
    try:
        return _decode_header(header)
    except (ValueError, KeyError, TypeError, struct.error, ZeroDivisionError) as error:
        raise MalformedMedia(f"flavor index: header: {error}") from None


def _decode_header(header: bytes) -> FlavorIndex:
    magic, version, length = _PREFIX.unpack_from(header)
    if (magic, version) != (_MAGIC, FORMAT):
        raise ValueError(f"format {version} is not {FORMAT}")
    header = _unsealed(header)
    facts = json.loads(header[_PREFIX.size : _PREFIX.size + length])
    position = _PREFIX.size + length
    tracks = []
    for each in facts["tracks"]:
        columns: dict[str, Any] = {}
        for name, size in zip(_COLUMNS, each["columns"], strict=True):
            columns[name] = column(np.frombuffer(header, "<i8", size, position))
            position += 8 * size
        tracks.append(_parse_track(each, columns))
    if position != len(header) or not tracks:
        raise ValueError("lengths do not add up")
    return FlavorIndex(
        int(facts["file_size"]), tuple(tracks), tuple(facts["left_out"]), str(facts["digest"])
    )


def _parse_track(facts: dict[str, Any], columns: dict[str, Any]) -> TrackIndex:
    origin, end = facts["edit"]
    track = Track(
        int(facts["id"]),
        _parse_format(facts["format"]),
        int(facts["timescale"]),
        Edit(int(origin), None if end is None else int(end)),
        facts["language"],
    )
    numbers: dict[str, Any] = {name: int(facts[name]) for name in _NUMBERS}
    booleans: dict[str, Any] = {name: bool(facts[name]) for name in _BOOLEANS}
    made = TrackIndex(track=track, **numbers, **booleans, **columns)
    if made.block_count != -(-made.count // BLOCK) or made.count < 1 or track.timescale < 1:
        raise ValueError("a track's counts contradict each other")
    return made
