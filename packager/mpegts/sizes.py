"""Sizes of all TS segments of a film at once: what ``schedule`` would count for each.

A segment's size is that of its packets: those of each PID padded to a multiple of 16, and
clocks between frames that are far apart.  Here they are counted in columns over the whole
film, for a schedule a segment would cost a thousand times as much.
"""

from dataclasses import dataclass

import numpy as np

from packager.codecs.h264 import AvcConfig
from packager.index import Timed, TrackIndex
from packager.mpegts.clock import decode_times, presentation_times
from packager.mpegts.psi import TABLES_SIZE
from packager.mpegts.rows import CLOCK_FIELD_SIZE, PACKET_SIZE
from packager.mpegts.schedule import (
    APART,
    COUNTERS,
    MAX_CLOCKS,
    PTS_HEADER_SIZE,
    audio_group,
    clock_counts,
    packets_of,
    video_head,
)
from packager.samples import Column, column


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """All samples of one track, and how they are cut."""

    index: TrackIndex
    samples: Timed
    sizes: Column
    """Of each as a byte stream, ADTS headers included."""

    bounds: Column
    """First sample of each segment, and behind the last one their number; a segment may have
    none."""

    @property
    def filled(self) -> Column:
        """Segments that have samples."""
        return np.flatnonzero(self.bounds[1:] > self.bounds[:-1])

    @property
    def firsts(self) -> Column:
        """First sample of each of these."""
        return self.bounds[self.filled]

    @property
    def ends(self) -> Column:
        """When the last sample of each of these ends, on the clock of decode times."""
        lasts = self.bounds[self.filled + 1] - 1
        return decode_times(self.index, self.samples.stops[lasts])


def ts_sizes(video: Film | None, audio: Film | None) -> Column:
    """Bytes of each segment of a program that has video or audio or both, which are cut into
    as many segments.  Raises ``Unsupported`` as ``schedule`` does."""
    either = video or audio
    assert either is not None
    packets = np.zeros(len(either.bounds) - 1, np.int64)
    if video is not None:
        packets += _pictures(video)
        packets[video.filled] += _clocks_of_pictures(video, audio)
    if audio is not None:
        packets += _sounds(audio, video)
    return TABLES_SIZE + PACKET_SIZE * packets


def _padded(packets: Column, bounds: Column) -> Column:
    """Sums of the *packets* of one PID from each of *bounds* to the next, as they are sent."""
    sums = np.diff(np.concatenate(([0], packets.cumsum()))[bounds])
    return -(-sums // COUNTERS) * COUNTERS


def _pictures(film: Film) -> Column:
    """Packets of the pictures of each segment."""
    config = film.index.track.format.config
    assert isinstance(config, AvcConfig)
    dts = decode_times(film.index, film.samples.dts)
    pts = presentation_times(film.index, film.samples.cts)
    head = video_head(dts, pts, film.samples.sync, config.parameter_sets)
    return _padded(packets_of(head + CLOCK_FIELD_SIZE, film.sizes), film.bounds)


def _clocks_of_pictures(film: Film, sound: Film | None) -> Column:
    """Clocks alone of each segment that has pictures: between them, and as sound needs."""
    times = decode_times(film.index, film.samples.dts)
    first, ends = times[film.firsts], film.ends
    begins = first.copy()
    if sound is not None:
        _, mine, its = np.intersect1d(film.filled, sound.filled, return_indices=True)
        heard = presentation_times(sound.index, sound.samples.cts[sound.firsts[its]])
        begins[mine] = np.where(heard < first[mine] - APART, heard, first[mine])
        stops = sound.ends[its]
        ends[mine] = np.where(stops > ends[mine] + APART, stops, ends[mine])
    leading = clock_counts(first - begins, pid_has_clock=False)
    leading[leading > MAX_CLOCKS] = 0
    return leading + _clocks(times, film.firsts, ends, pid_has_clock=True)


def _sounds(film: Film, video: Film | None) -> Column:
    """Packets of the sound of each segment, with the clocks of those without pictures."""
    alone, sizes = video is None, film.sizes[: film.bounds[-1]]
    largest = np.maximum.reduceat(sizes, film.firsts).tolist()
    group = column([audio_group(film.index, size, alone=alone) for size in largest])
    frames = np.diff(film.bounds)[film.filled]
    counts = -(-frames // group)
    bounds = np.concatenate(([0], np.cumsum(counts)))
    within = np.arange(bounds[-1]) - np.repeat(bounds[:-1], counts)
    first = np.repeat(film.firsts, counts) + within * np.repeat(group, counts)
    head = PTS_HEADER_SIZE + CLOCK_FIELD_SIZE * alone
    found = np.zeros(len(film.bounds) - 1, np.int64)
    found[film.filled] = _padded(packets_of(head, np.add.reduceat(sizes, first)), bounds)
    times = presentation_times(film.index, film.samples.cts[first])
    clocks = _clocks(times, bounds[:-1], film.ends, pid_has_clock=alone)
    dark = np.ones(len(clocks), np.bool_)
    if video is not None:
        dark = np.isin(film.filled, video.filled, invert=True)
    found[film.filled] += clocks * dark
    return found


def _clocks(times: Column, firsts: Column, ends: Column, *, pid_has_clock: bool) -> Column:
    """Clocks alone between items at *times*, for segments whose items start at *firsts* and
    whose last item ends at *ends*."""
    lasts = np.append(firsts[1:], len(times)) - 1
    following = np.append(times[1:], 0)
    following[lasts] = ends
    count = clock_counts(following - times, pid_has_clock=pid_has_clock)
    sent = np.cumsum(count)
    segment_sent = np.repeat((sent - count)[firsts], lasts + 1 - firsts)
    count[sent - segment_sent > MAX_CLOCKS] = 0
    return np.add.reduceat(count, firsts)
