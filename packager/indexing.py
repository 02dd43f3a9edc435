"""A file to its flavor index: what ingest does once, and a first use without an index."""

import hashlib
import json
import struct
from dataclasses import replace
from typing import Any

import numpy as np

from packager.codecs.h264 import AvcConfig
from packager.codecs.hevc import HevcConfig
from packager.containers import demux
from packager.edits import needed
from packager.errors import MalformedBox, PackagerError, Unsupported
from packager.in_band import with_parameter_sets
from packager.index import Blocks, FlavorIndex, TrackIndex
from packager.index_blocks import BLOCK, encode_block
from packager.index_header import track_facts
from packager.nal_facts import NalFacts, check_ends, scan, with_idr_as_sync
from packager.plan import Reads
from packager.samples import Column, Samples, column
from packager.splicing import spliced
from packager.tracks import AudioFormat, Kind, Track, VideoFormat


def build_index(file_size: int, *, facts: bool) -> Reads[FlavorIndex]:
    """Index the file of *file_size* bytes; with *facts* every sample is read.

    Raises ``PackagerError`` for a file that is refused.
    """
    movie = yield from demux(file_size)
    tracks: list[TrackIndex] = []
    blocks: list[Blocks] = []
    left_out = list(movie.left_out)
    broken: PackagerError | None = None
    digest = hashlib.sha256(struct.pack(">Q", file_size))
    for source_track, source_samples in movie.tracks:
        try:
            known = yield from with_parameter_sets(source_track, source_samples)
        except (MalformedBox, Unsupported) as reason:
            broken = broken or reason
            left_out.append(f"track {source_track.id}: {reason}")
            continue
        track, samples, nal_facts = yield from _examine(known, source_samples, facts)
        number = 1 + sum(one.kind is track.kind for one in tracks)
        made, its_blocks = encode_track(number, track, samples, nal_facts)
        _identify(digest, made, samples)
        tracks.append(made)
        blocks.append(its_blocks)
    if not tracks and broken is not None:
        raise broken
    if movie.begin:
        digest.update(f"begin {movie.begin}".encode())
    return FlavorIndex(
        file_size, tuple(tracks), tuple(left_out), digest.hexdigest(), tuple(blocks),
        movie.container, movie.begin,
    )  # fmt: skip


def _examine(
    track: Track, samples: Samples, facts: bool
) -> Reads[tuple[Track, Samples, NalFacts | None]]:
    """The rows that *track*'s edit needs, on one timeline, and the facts about them."""
    samples = _with_last_duration(samples)
    track = yield from with_parameter_sets(track, samples)
    form = track.format
    config = form.config if isinstance(form, VideoFormat) else None
    nal_facts = None
    if isinstance(config, AvcConfig | HevcConfig):
        yield from check_ends(config, samples)
        if len(samples) > 1 and (samples.sync.all() or not samples.sync.any()):
            nal_facts = yield from scan(config, samples)
            samples = with_idr_as_sync(samples, nal_facts)
    if track.edit.pieces:
        if nal_facts is None and facts and isinstance(config, AvcConfig):
            nal_facts = yield from scan(config, samples)  # once, whatever is repeated
        made = spliced(track, samples)
        track, samples = made.track, made.samples
        nal_facts = nal_facts and nal_facts.take(made.rows)
    start, stop = needed(track, samples)
    samples = samples.rows(start, stop)
    if not form.in_ts:
        return track, samples, None
    if nal_facts is not None:
        nal_facts = nal_facts.take(np.arange(start, stop))
    elif facts and isinstance(config, AvcConfig):
        nal_facts = yield from scan(config, samples)
    return track, samples, nal_facts


def _identify(digest: Any, made: TrackIndex, samples: Samples) -> None:
    digest.update(json.dumps(track_facts(made, identity=True), sort_keys=True).encode())
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
    # Of what no byte stream is made there is nothing else to know.
    known = is_audio or not track.format.in_ts
    plain = known or (annexb is not None and bool((annexb == samples.size).all()))
    offsets = samples.cts - samples.dts
    form = track.format
    entry = _closed_entries(samples)
    if isinstance(form, AudioFormat) and (not form.cut_at_sync or samples.sync.all()):
        entry = np.zeros(0, np.int64)  # any
    entry_cts = samples.cts[entry]
    if len(entry):
        # Pictures that the first one leads (RADL of VVC and HEVC) are shown before it.
        entry_cts[0] = samples.cts.min()
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
        exact=known or annexb is not None,
        plain=plain,
        all_sync=bool(samples.sync.all()),
        sync=column([]) if samples.sync.all() else np.flatnonzero(samples.sync),
        entry=entry,
        entry_cts=entry_cts,
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
