"""What reading every sample of a video track once tells, for ingest to keep in the index.

With these facts the length of a TS segment is known before its media is read, and a track
that lacks stss gets the sync samples that it really has.
"""

from dataclasses import dataclass, replace

import numpy as np

from packager.codecs.h264 import NAL_AUD, NAL_IDR, AvcConfig
from packager.codecs.nal_units import steps
from packager.errors import MalformedSample
from packager.plan import Extent, Reads
from packager.samples import Bytes, Column, Flags, Samples

_BATCH = 8 << 20
"""Bytes read at once."""


@dataclass(frozen=True, slots=True, eq=False)
class NalFacts:
    annexb_size: Column
    """Bytes of each sample as a byte stream with 4-byte start codes, without delimiters."""

    idr: Flags

    complete: bool = True
    """False where a sample is damaged: then its size is a guess."""


def check_ends(config: AvcConfig, samples: Samples) -> Reads[None]:
    """Refuse a track whose first or last sample is not filled by its NAL lengths."""
    for row in (0, len(samples) - 1):
        yield from _batch(config, samples.rows(row, row + 1))


def scan(config: AvcConfig, samples: Samples) -> Reads[NalFacts]:
    """Read all of *samples*.  Damage inside is noted, not refused: the rest plays."""
    sizes, idr, complete = samples.size.copy(), np.zeros(len(samples), np.bool_), True
    row = 0
    while row < len(samples):
        stop = _batch_stop(samples, row)
        try:
            facts = yield from _batch(config, samples.rows(row, stop))
            sizes[row:stop], idr[row:stop] = facts.annexb_size, facts.idr
        except MalformedSample:
            complete = False
        row = stop
    return NalFacts(sizes, idr, complete)


def _batch_stop(samples: Samples, row: int) -> int:
    """As many rows from *row* on as fit in a batch of neighbouring bytes, at least one."""
    low = samples.offset[row]
    ends = samples.offset[row:] + samples.size[row:]
    outside = np.flatnonzero((ends - low > _BATCH) | (samples.offset[row:] < low))
    return row + max(1, int(outside[0]) if len(outside) else len(ends))


def _batch(config: AvcConfig, samples: Samples) -> Reads[NalFacts]:
    low = int(samples.offset.min())
    span = int((samples.offset + samples.size).max()) - low
    data: Bytes = np.frombuffer((yield Extent(low, span)), np.uint8)
    if len(data) < span:
        raise MalformedSample(samples.first + 1, "the file ends inside it")
    size, idr = np.zeros(len(samples), np.int64), np.zeros(len(samples), np.bool_)
    starts = samples.offset - low
    for step in steps(data, starts, samples.size, config.nal_length_size, samples.first):
        kind = step.type & 31
        kept = kind != NAL_AUD
        size[step.sample[kept]] += 4 + step.length[kept]
        idr[step.sample[kind == NAL_IDR]] = True
    return NalFacts(size, idr)


def with_idr_as_sync(samples: Samples, facts: NalFacts) -> Samples:
    """Sync samples from the NAL types, for a track without stss (rule S-07)."""
    return replace(samples, sync=facts.idr)
