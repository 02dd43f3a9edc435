"""What the multiplex of one segment sends, in order: a table with a row per item.

    video PES   one access unit: header, delimiter, parameter sets at sync samples, sample
    audio PES   several ADTS frames
    clock       a packet with a PCR and nothing else, where frames are far apart

All lengths follow from the sizes of the samples, so the schedule is made before their bytes
are read.  Each PID's packets are padded to a multiple of 16 (rule T-02).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from packager.codecs.aac import AacConfig
from packager.codecs.h264 import AUD, AvcConfig
from packager.errors import Unsupported
from packager.index import TrackIndex
from packager.mpegts.clock import MAX_CLOCK_GAP, end_time, stream_times
from packager.mpegts.rows import BODY_SIZE, CLOCK_FIELD_SIZE
from packager.samples import Column, Flags, Samples
from packager.timescale import MPEG2_CLOCK

VIDEO, AUDIO, CLOCK = 0, 1, 2
PTS_HEADER_SIZE, PTS_DTS_HEADER_SIZE = 14, 19
_MAX_AUDIO_PES = 60_000
"""Bytes, so that PES_packet_length fits in 16 bits."""

_AUDIO_SPAN = 18_000
"""Ticks of 90 kHz in one audio PES: 0.2 s."""

_APART = 2 * MAX_CLOCK_GAP
"""How much earlier or later than the pictures sound may be before it needs clocks of its own:
the lead of the clock covers this."""

_FIRST = np.iinfo(np.int64).min
"""Place of what starts the segment: a clock comes before all that it times."""

_MAX_CLOCKS = 20_000
"""Clock packets between frames of one segment: half an hour.  No picture stands longer."""


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    kind: Column
    unit: Column
    """Row of the video sample, or number of the audio PES; of a clock, what it follows."""

    dts: Column
    pts: Column
    """90 kHz, not wrapped."""

    sync: Flags
    head: Column
    """Bytes of PES header, delimiter and parameter sets."""

    payload: Column
    """Bytes of the sample in a byte stream, or of the ADTS frames."""

    clock: Flags
    """The first packet carries a PCR."""

    packets: Column
    """Without ``extra``."""

    extra: Column
    """Packets added to pad the PID: only at the last item of each."""

    counter: Column
    """Packets that the item's PID has sent before it in this segment; of a clock packet,
    which does not count itself, one less."""

    groups: Column
    """First sample of each audio PES, and the count of samples behind the last."""

    has_video: bool
    """The program has a video stream, which carries the clock."""

    @property
    def rows(self) -> Column:
        return self.packets + self.extra

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """The samples of one track in one segment, and their sizes in the transport stream."""

    index: TrackIndex
    samples: Samples
    sizes: Column
    """Of each as a byte stream (video), or framed in ADTS."""


def audio_group(index: TrackIndex, *, alone: bool) -> int:
    """Frames of one audio PES; *alone* where they also carry the clock."""
    if not index.uniform_duration:
        return 1
    frame = index.uniform_duration * MPEG2_CLOCK // index.track.timescale
    span = MAX_CLOCK_GAP if alone else _AUDIO_SPAN
    return max(1, min(16, span // max(1, frame)))


def schedule(video: Stream | None, audio: Stream | None, *, has_video: bool) -> Schedule:
    """Lay out one segment.  *has_video* says whether the program has a video stream at all,
    which then carries the clock, even in a segment where it has no sample."""
    parts = []
    groups = np.zeros(1, np.int64)
    if audio is not None:
        group = audio_group(audio.index, alone=not has_video)
        items, groups = _audio_items(audio, group, clock=not has_video)
        parts.append(items)
        if video is None:
            end = end_time(audio.index, audio.samples)
            parts.append(_clocks(items["dts"], end, pid_has_clock=not has_video))
    if video is not None:
        parts += _video_items(video, audio)
    table = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((table["kind"], table["order"]))
    table = {name: values[order] for name, values in table.items()}
    extra = np.zeros(len(order), np.int64)
    for kind in (VIDEO, AUDIO):
        mine = np.flatnonzero(table["kind"] == kind)
        if len(mine):
            extra[mine[-1]] = -int(table["packets"][mine].sum()) % 16
    del table["order"]
    counter = _counters(table["kind"], table["packets"] + extra, has_video)
    return Schedule(**table, extra=extra, counter=counter, groups=groups, has_video=has_video)


def _counters(kind: Column, rows: Column, has_video: bool) -> Column:
    sent = {key: np.where(kind == key, rows, 0) for key in (VIDEO, AUDIO)}
    before = {key: np.cumsum(own) - own for key, own in sent.items()}
    on_clock = before[VIDEO if has_video else AUDIO] - 1
    return np.where(
        kind == CLOCK, on_clock, np.where(kind == VIDEO, before[VIDEO], before[AUDIO])
    )


_Items = dict[str, Any]
"""The columns of a schedule, and ``order``."""


def _items(kind: int, dts: Column, **columns: Column | Flags) -> _Items:
    zero = np.zeros(len(dts), np.int64)
    table = {
        "kind": np.full(len(dts), kind, np.int64), "unit": zero, "dts": dts, "pts": dts,
        "sync": zero.astype(bool), "head": zero, "payload": zero, "clock": zero.astype(bool),
        "packets": zero, "order": dts,
    }  # fmt: skip
    return table | columns


def _video_items(stream: Stream, sound: Stream | None) -> list[_Items]:
    """The pictures, and clocks between them, and before and behind them as *sound* needs."""
    config = stream.index.track.format.config
    assert isinstance(config, AvcConfig)
    dts, pts = stream_times(stream.index, stream.samples)
    sync = stream.samples.sync
    head = np.where(dts == pts, PTS_HEADER_SIZE, PTS_DTS_HEADER_SIZE) + len(AUD)
    head = head + np.where(sync, len(config.parameter_sets), 0)
    begin, end = int(dts[0]), end_time(stream.index, stream.samples)
    if sound is not None:
        sound_end = end_time(sound.index, sound.samples)
        end = sound_end if sound_end > end + _APART else end
        sound_begin = int(stream_times(sound.index, sound.samples)[1][0])
        begin = sound_begin if sound_begin < begin - _APART else begin
    leading = _clocks(np.array([begin]), int(dts[0]), pid_has_clock=False)
    order = dts.copy()
    if not len(leading["order"]):
        order[0] = _FIRST
    clock = np.ones(len(dts), np.bool_)
    items = _items(
        VIDEO, dts, unit=np.arange(len(dts)), pts=pts, sync=sync, head=head,
        payload=stream.sizes, clock=clock, packets=_packets(head, stream.sizes, clock),
        order=order,
    )  # fmt: skip
    return [items, leading, _clocks(dts, end, pid_has_clock=True)]


def _packets(head: Column, payload: Column, clock: Flags) -> Column:
    total = head + payload + np.where(clock, CLOCK_FIELD_SIZE, 0)
    return -(-total // BODY_SIZE)


def _audio_items(stream: Stream, group: int, *, clock: bool) -> tuple[_Items, Column]:
    config = stream.index.track.format.config
    assert isinstance(config, AacConfig)
    if int(stream.sizes.max()) * group > _MAX_AUDIO_PES:
        group = 1
    if int(stream.sizes.max()) > _MAX_AUDIO_PES:
        raise Unsupported(f"mp4a: an AAC frame of {int(stream.sizes.max())} bytes")
    first = np.arange(0, len(stream.samples), group)
    _, pts = stream_times(stream.index, stream.samples)
    payload = np.add.reduceat(stream.sizes, first)
    head = np.full(len(first), PTS_HEADER_SIZE)
    has_clock = np.full(len(first), clock)
    items = _items(
        AUDIO, pts[first], unit=np.arange(len(first)), head=head, payload=payload,
        sync=has_clock, clock=has_clock, packets=_packets(head, payload, has_clock),
    )  # fmt: skip
    return items, np.append(first, len(stream.samples))


def _clocks(times: Column, end: int, *, pid_has_clock: bool) -> _Items:
    """Clock packets between items at *times* that are too far apart, and from the last one
    to *end*.

    Without a clock on the items' own PID, one goes before each of them too.
    """
    gaps = np.diff(np.append(times, end))
    count = np.clip(-(-gaps // MAX_CLOCK_GAP) - int(pid_has_clock), 0, _MAX_CLOCKS + 1)
    count[np.cumsum(count) > _MAX_CLOCKS] = 0
    unit = np.repeat(np.arange(len(times)), count)
    step = np.arange(len(unit)) - np.repeat(np.cumsum(count) - count, count)
    if pid_has_clock:
        step += 1
    parts = (count + int(pid_has_clock))[unit]
    dts = times[unit] + gaps[unit] * step // parts
    ones = np.ones(len(unit), np.int64)
    order = dts.copy()
    if len(order) and not pid_has_clock:
        order[0] = _FIRST
    return _items(CLOCK, dts, unit=unit, clock=ones.astype(bool), packets=ones, order=order)
