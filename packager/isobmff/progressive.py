"""A progressive MP4 of parts of tracks: a new moov in front, samples where they are stored.

(ISO/IEC 14496-12 §8.6 to §8.8.)  Samples keep the order of the source, so that the file is
read as it lies and an interleaved source stays interleaved.  Nothing is copied: the plan
answers any range from the moov and the runs of the source behind it.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from packager.index import TrackIndex
from packager.isobmff.box import box, full_box
from packager.isobmff.movie import edit_list, media, movie_header, track_header
from packager.plan import Extents, Plan
from packager.samples import Column, Samples, runs
from packager.timescale import rescale

_FTYP = box(b"ftyp", b"mp42", bytes(4), b"mp42isom")
_MOVIE_TIMESCALE = 90_000
_LARGE_HEADER = 16


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Samples of one track, and what of them is presented."""

    track: TrackIndex
    samples: Samples
    start: int
    """Media time at which the presentation begins; samples before it are only decoded."""

    stop: int
    """Media time at which it ends."""

    @property
    def begin(self) -> int:
        """Media time of the first picture or sound: the track's own start may be later."""
        return max(self.start, int(self.samples.cts.min()))

    @property
    def lift(self) -> int:
        """Ticks by which everything is composed later than in the source: nothing is composed
        before it is decoded, so that no edit begins before the media (§8.6.6.3: -1 is an empty
        one) and old players read the offsets, which are unsigned (§8.6.1.3)."""
        return max(0, -int((self.samples.cts - self.samples.dts).min()))


def progressive(parts: Sequence[Part]) -> Plan:
    """The file of *parts*, which are numbered as tracks from 1."""
    offsets = np.concatenate([part.samples.offset for part in parts])
    sizes = np.concatenate([part.samples.size for part in parts])
    order = np.argsort(offsets, kind="stable")
    places = np.empty(len(order), np.int64)
    places[order] = np.cumsum(sizes[order]) - sizes[order]
    total = int(sizes.sum())
    ends = np.cumsum([len(part.samples) for part in parts])
    tracks = [
        _track(number, part, own)
        for number, part, own in zip(
            range(1, len(parts) + 1), parts, np.split(places, ends[:-1]), strict=True
        )
    ]
    header = movie_header(_MOVIE_TIMESCALE, max(map(_length, parts)), len(parts) + 1)

    def head(first: int, wide: bool) -> bytes:
        """All before the samples, which begin at *first*."""
        moov = box(b"moov", header, *(track.encode(first, wide) for track in tracks))
        return _FTYP + moov + _mdat_header(total)

    wide = len(head(0, wide=False)) + total >= 1 << 32
    # Chunk offsets are of fixed width, so the length does not depend on their values.
    made = head(len(head(0, wide)), wide)
    starts, lengths = runs(offsets[order], sizes[order])
    return Plan((made, Extents(tuple(starts.tolist()), tuple(lengths.tolist()), total)))


def _mdat_header(size: int) -> bytes:
    if size + 8 < 1 << 32:
        return struct.pack(">I4s", size + 8, b"mdat")
    return struct.pack(">I4sQ", 1, b"mdat", size + 16)


def _length(part: Part) -> int:
    """Ticks of the movie that are presented."""
    return rescale(part.stop - part.start, part.track.track.timescale, _MOVIE_TIMESCALE)


@dataclass(frozen=True, slots=True, eq=False)
class _Track:
    """A trak but for where its chunks are in the file."""

    number: int
    part: Part
    tables: tuple[bytes, ...]
    chunks: Column
    """Where each begins in the mdat."""

    def encode(self, first: int, wide: bool) -> bytes:
        index, samples = self.part.track, self.part.samples
        places = (self.chunks + first).astype(">u8" if wide else ">u4")
        name = b"co64" if wide else b"stco"
        stco = full_box(name, 0, 0, struct.pack(">I", len(places)), places.tobytes())
        length = _length(self.part)
        return box(
            b"trak",
            track_header(index, self.number, length),
            box(b"edts", self._edits(length)),
            media(index, int(samples.duration.sum()), *self.tables, stco),
        )

    def _edits(self, length: int) -> bytes:
        part, scale = self.part, self.part.track.track.timescale
        delay = rescale(part.begin - part.start, scale, _MOVIE_TIMESCALE)
        media_time = part.begin - int(part.samples.dts[0]) + part.lift
        return edit_list(media_time, length - delay, delay)


def _track(number: int, part: Part, places: Column) -> _Track:
    samples = part.samples
    # A chunk is a run of the track's samples that lie end to end in the new file.
    joins = places[1:] == places[:-1] + samples.size[:-1]
    starts = np.concatenate(([0], np.flatnonzero(~joins) + 1))
    counts = np.diff(np.append(starts, len(samples)))
    tables = [_pairs(b"stts", samples.duration), _stsc(counts), _stsz(samples.size)]
    offsets = samples.cts - samples.dts + part.lift
    if offsets.any():
        tables.append(_pairs(b"ctts", offsets))
    if not samples.sync.all():
        tables.append(_stss(samples))
    return _Track(number, part, tuple(tables), places[starts])


def _run_lengths(values: Column) -> tuple[Column, Column]:
    """``(count, value)`` of the runs of equal *values*."""
    starts = np.concatenate(([0], np.flatnonzero(np.diff(values)) + 1))
    return np.diff(np.append(starts, len(values))), values[starts]


def _pairs(name: bytes, values: Column) -> bytes:
    counts, found = _run_lengths(values)
    rows = np.column_stack((counts, found)).astype(">u4")
    return full_box(name, 0, 0, struct.pack(">I", len(rows)), rows.tobytes())


def _stsc(counts: Column) -> bytes:
    """Samples per chunk, in runs of chunks; they have one sample description."""
    lengths, found = _run_lengths(counts)
    rows = np.empty((len(lengths), 3), ">u4")
    rows[:, 0] = np.cumsum(lengths) - lengths + 1
    rows[:, 1], rows[:, 2] = found, 1
    return full_box(b"stsc", 0, 0, struct.pack(">I", len(rows)), rows.tobytes())


def _stsz(sizes: Column) -> bytes:
    table = sizes.astype(">u4").tobytes()
    return full_box(b"stsz", 0, 0, struct.pack(">II", 0, len(sizes)), table)


def _stss(samples: Samples) -> bytes:
    numbers = (np.flatnonzero(samples.sync) + 1).astype(">u4")
    return full_box(b"stss", 0, 0, struct.pack(">I", len(numbers)), numbers.tobytes())
