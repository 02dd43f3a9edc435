"""What reading every sample of a video track once tells, for ingest to keep in the index.

With these facts the length of a TS segment is known before its media is read, and a track
that lacks stss gets the sync samples that it really has.
"""

from dataclasses import dataclass, replace

import numpy as np

from packager.codecs.h264 import NAL_AUD, NAL_IDR, AvcConfig
from packager.codecs.hevc import NAL_IRAP, HevcConfig
from packager.codecs.nal_units import steps
from packager.errors import MalformedSample
from packager.plan import Extent, Reads
from packager.samples import Bytes, Column, Flags, Samples

_BATCH = 8 << 20
"""Bytes read at once."""

_Config = AvcConfig | HevcConfig


@dataclass(frozen=True, slots=True, eq=False)
class NalFacts:
    annexb_size: Column
    """Bytes of each sample as a byte stream with 4-byte start codes, without delimiters; of
    H.264 alone."""

    idr: Flags
    """Of HEVC: any picture at which decoding can start."""

    complete: bool = True
    """False where a sample is damaged: then its size is a guess."""

    def take(self, rows: Column) -> "NalFacts":
        return replace(self, annexb_size=self.annexb_size[rows], idr=self.idr[rows])


def check_ends(config: _Config, samples: Samples) -> Reads[None]:
    """Refuse a track whose first or last sample is not filled by its NAL lengths."""
    for row in (0, len(samples) - 1):
        yield from _batch(config, samples.rows(row, row + 1))


def scan(config: _Config, samples: Samples) -> Reads[NalFacts]:
    """Read all of *samples*.  Damage inside is noted, not refused: the rest plays.

    They are read in the order of their bytes, so that no table makes it read one twice.
    """
    sizes, idr, complete = samples.size.copy(), np.zeros(len(samples), np.bool_), True
    order = np.argsort(samples.offset, kind="stable")
    starts = samples.offset[order]
    stops = np.maximum.accumulate(starts + samples.size[order])
    row = 0
    while row < len(order):
        stop = max(row + 1, int(np.searchsorted(stops, starts[row] + _BATCH, "right")))
        rows = order[row:stop]
        try:
            facts = yield from _batch(config, samples.take(rows))
            sizes[rows], idr[rows] = facts.annexb_size, facts.idr
        except MalformedSample:
            complete = False
        row = stop
    return NalFacts(sizes, idr, complete)


def _batch(config: _Config, samples: Samples) -> Reads[NalFacts]:
    low = int(samples.offset.min())
    span = int((samples.offset + samples.size).max()) - low
    data: Bytes = np.frombuffer((yield Extent(low, span)), np.uint8)
    if len(data) < span:
        raise MalformedSample(samples.first + 1, "the file ends inside it")
    size, idr = np.zeros(len(samples), np.int64), np.zeros(len(samples), np.bool_)
    starts = samples.offset - low
    for step in steps(data, starts, samples.size, config.nal_length_size, samples.first):
        if isinstance(config, HevcConfig):  # no byte stream is made of it
            kind = step.type >> 1 & 63
            starting = (kind >= NAL_IRAP.start) & (kind < NAL_IRAP.stop)
        else:
            kind = step.type & 31
            kept = kind != NAL_AUD
            size[step.sample[kept]] += 4 + step.length[kept]
            starting = kind == NAL_IDR
        idr[step.sample[starting]] = True
    return NalFacts(size, idr)


def with_idr_as_sync(samples: Samples, facts: NalFacts) -> Samples:
    """Sync samples from the NAL types, for a track without stss (rule S-07)."""
    return replace(samples, sync=facts.idr)
