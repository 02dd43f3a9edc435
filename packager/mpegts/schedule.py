"""What the multiplex of one segment sends, in order: a table with a row per item.

    video PES   one access unit: header, delimiter, parameter sets at sync samples, sample
    audio PES   several frames, those of AAC behind ADTS headers
    clock       a packet with a PCR and nothing else, where frames are far apart

All lengths follow from the sizes of the samples, so the schedule is made before their bytes
are read.  Each PID's packets are padded to a multiple of 16 (rule T-02).
"""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from packager.codecs.h264 import AUD, AvcConfig
from packager.errors import MalformedSample, Unsupported
from packager.index import TrackIndex
from packager.mpegts.clock import MAX_CLOCK_GAP, decode_times, presentation_times
from packager.mpegts.rows import BODY_SIZE, CLOCK_FIELD_SIZE
from packager.samples import Column, Flags, Samples, column
from packager.timescale import MPEG2_CLOCK

VIDEO, AUDIO, CLOCK = 0, 1, 2
PTS_HEADER_SIZE, PTS_DTS_HEADER_SIZE = 14, 19
_MAX_AUDIO_PES = 60_000
"""Bytes, so that PES_packet_length fits in 16 bits."""

_AUDIO_SPAN = 18_000
"""Ticks of 90 kHz in one audio PES: 0.2 s."""

APART = 2 * MAX_CLOCK_GAP
"""How much earlier or later than the pictures sound may be before it needs clocks of its own:
the lead of the clock covers this."""

_FIRST = np.iinfo(np.int64).min
"""Place of what starts the segment: a clock comes before all that it times."""

MAX_CLOCKS = 20_000
"""Clock packets between frames of one segment: half an hour.  No picture stands longer."""


COUNTERS = 16
"""Each PID's packets are padded to a multiple of this, so that continuity counters run on."""

_LEAST_LAST = COUNTERS - PTS_HEADER_SIZE
"""Bytes of the last audio PES: each packet that it is padded to carries one."""


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """Columns over items of a schedule, in the order in which ``_table`` has them."""

    kind: Column
    unit: Column
    """Row of the video sample, or number of the audio PES; of a clock, what it follows."""

    dts: Column
    pts: Column
    """90 kHz, not wrapped."""

    sync: Column
    """1 where a decoder can start."""

    head: Column
    """Bytes of PES header, delimiter and parameter sets."""

    payload: Column
    """Bytes of the sample in a byte stream, or of the audio frames."""

    clock: Column
    """1 where the first packet carries a PCR."""

    packets: Column
    """Without ``extra``."""

    extra: Column
    """Packets added to pad the PID: only at the last item of each."""

    counter: Column
    """Packets that the item's PID has sent before it in this segment; of a clock packet,
    which does not count itself, one less."""

    def __len__(self) -> int:
        return len(self.kind)


_NAMES = tuple(field.name for field in fields(Items))
_KIND, _PACKETS, _EXTRA, _COUNTER = map(
    _NAMES.index, ("kind", "packets", "extra", "counter")
)  # fmt: skip
_Table = npt.NDArray[np.int64]
"""A row for each column of ``Items``, so that all are sorted and picked at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    items: Items
    table: _Table
    """The same."""

    numbers: tuple[Column, Column]
    """Of the items of video, and of audio."""

    groups: Column
    """First sample of each audio PES, and the count of samples behind the last."""

    clocks: int
    """How many items are a clock and nothing else."""

    has_video: bool
    """The program has a video stream, which carries the clock."""

    @property
    def rows(self) -> Column:
        return self.items.packets + self.items.extra

    def picked(self, numbers: Column) -> Items:
        """Those items alone."""
        return Items(*self.table.take(numbers, axis=1))

    def between(self, kind: int, start: int, stop: int) -> slice:
        """Which of ``numbers[kind]`` lie in ``[start, stop)``."""
        low, high = self.numbers[kind].searchsorted((start, stop)).tolist()
        return slice(low, high)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """The samples of one track in one segment, and their sizes in the transport stream."""

    index: TrackIndex
    samples: Samples
    sizes: Column
    """Of each as a byte stream, ADTS headers included."""

    @property
    def end(self) -> int:
        """When the last sample ends, on the clock of decode times."""
        samples = self.samples
        return int(decode_times(self.index, samples.dts[-1:] + samples.duration[-1:])[0])


def audio_group(index: TrackIndex, largest: int, *, alone: bool) -> int:
    """Frames of one audio PES, of at most *largest* bytes each; *alone* where they also carry
    the clock."""
    if largest > _MAX_AUDIO_PES:
        raise Unsupported(f"MPEG-TS: an audio frame of {largest} bytes")
    if not index.uniform_duration:
        return 1
    frame = index.uniform_duration * MPEG2_CLOCK // index.track.timescale
    span = MAX_CLOCK_GAP if alone else _AUDIO_SPAN
    group = max(1, min(16, span // max(1, frame)))
    return group if largest * group <= _MAX_AUDIO_PES else 1


def schedule(video: Stream | None, audio: Stream | None, *, has_video: bool) -> Schedule:
    """Lay out one segment.  *has_video* says whether the program has a video stream at all,
    which then carries the clock, even in a segment where it has no sample."""
    groups = np.zeros(1, np.int64)
    parts, clocks = [], []
    if video is not None:
        pictures = _video_items(video)
        parts.append(pictures)
        clocks += _video_clocks(video, pictures, audio)
    if audio is not None:
        sounds, groups = _audio_items(audio, clock=not has_video)
        parts.append(sounds)
        if video is None:
            end = audio.end
            clocks += _clocks(sounds.dts, end, pid_has_clock=not has_video)
    table = np.concatenate([part.table for part in (*parts, *clocks)], axis=1)
    place = np.concatenate([part.place for part in (*parts, *clocks)])
    # Stable: of items at one place video comes first, and clocks last.
    table = table.take(np.argsort(place, kind="stable"), axis=1)
    numbers = np.flatnonzero(table[_KIND] == VIDEO), np.flatnonzero(table[_KIND] == AUDIO)
    for mine in numbers:
        _count(table, mine)
    if clocks:
        _count_clocks(table, numbers[VIDEO if has_video else AUDIO])
    count = sum(len(part.place) for part in clocks)
    return Schedule(Items(*table), table, numbers, groups, count, has_video)


def _count(table: _Table, mine: Column) -> None:
    """Number the packets of the items *mine*, which are all of one PID, and pad it."""
    if len(mine):
        packets = table[_PACKETS, mine]
        sent = packets.cumsum()
        table[_COUNTER, mine] = sent - packets
        table[_EXTRA, mine[-1]] = -int(sent[-1]) % COUNTERS


def _count_clocks(table: _Table, mine: Column) -> None:
    """Counters of clock packets, which go between the items *mine* of their PID."""
    clocks = np.flatnonzero(table[_KIND] == CLOCK)
    rows = table[_PACKETS, mine] + table[_EXTRA, mine]
    sent = np.concatenate(([0], rows.cumsum()))
    table[_COUNTER, clocks] = sent[mine.searchsorted(clocks)] - 1


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Items of one kind."""

    table: _Table
    dts: Column
    place: Column
    """Where each stands in the multiplex, 90 kHz."""


def _part(dts: Column, place: Column, **columns: Column | Flags | int) -> _Part:
    table = np.zeros((len(_NAMES), len(dts)), np.int64)
    for name, values in ({"dts": dts, "pts": dts} | columns).items():
        table[_NAMES.index(name)] = values
    return _Part(table, dts, place)


def video_head(dts: Column, pts: Column, sync: Flags, parameter_sets: bytes) -> Column:
    """Bytes before each picture: PES header, delimiter and parameter sets."""
    head = PTS_HEADER_SIZE + (PTS_DTS_HEADER_SIZE - PTS_HEADER_SIZE) * (dts != pts)
    return column(head + len(AUD) + len(parameter_sets) * sync)


def _video_items(stream: Stream) -> _Part:
    config = stream.index.track.format.config
    assert isinstance(config, AvcConfig)
    dts = decode_times(stream.index, stream.samples.dts)
    pts = presentation_times(stream.index, stream.samples.cts)
    sync = stream.samples.sync
    head = video_head(dts, pts, sync, config.parameter_sets)
    return _part(
        dts, dts.copy(), kind=VIDEO, unit=np.arange(len(dts)), pts=pts, sync=sync, head=head,
        payload=stream.sizes, clock=1,
        packets=packets_of(head + CLOCK_FIELD_SIZE, stream.sizes),
    )  # fmt: skip


def _video_clocks(stream: Stream, pictures: _Part, sound: Stream | None) -> list[_Part]:
    """Clocks between the pictures, and before and behind them as *sound* needs; without any
    before them, the first picture comes first."""
    first = int(pictures.dts[0])
    begin, end = first, stream.end
    if sound is not None:
        end = sound.end if sound.end > end + APART else end
        sound_begin = int(presentation_times(sound.index, sound.samples.cts[:1])[0])
        begin = sound_begin if sound_begin < begin - APART else begin
    leading = _clocks(column([begin]), first, pid_has_clock=False) if begin < first else []
    if not leading:
        pictures.place[0] = _FIRST
    return leading + _clocks(pictures.dts, end, pid_has_clock=True)


def packets_of(head: Column | int, payload: Column) -> Column:
    """How many packets carry *head* and *payload* bytes; an adaptation field for the clock
    counts as head."""
    return -(-(head + payload) // BODY_SIZE)


def _audio_items(stream: Stream, *, clock: bool) -> tuple[_Part, Column]:
    group = audio_group(stream.index, int(stream.sizes.max()), alone=clock)
    first = np.arange(0, len(stream.samples), group)
    payload = np.add.reduceat(stream.sizes, first)
    if int(payload[-1]) < _LEAST_LAST:
        raise MalformedSample(stream.samples.first + len(stream.samples), "an empty frame")
    pts = presentation_times(stream.index, stream.samples.cts[first])
    part = _part(
        pts, pts, kind=AUDIO, unit=np.arange(len(first)), head=PTS_HEADER_SIZE,
        payload=payload, sync=int(clock), clock=int(clock),
        packets=packets_of(PTS_HEADER_SIZE + CLOCK_FIELD_SIZE * clock, payload),
    )  # fmt: skip
    return part, np.append(first, len(stream.samples))


def clock_counts(gaps: Column, *, pid_has_clock: bool) -> Column:
    """How many clock packets go into each gap, 90 kHz, before any limit but one on each.

    Without a clock on the items' own PID, one goes before each of them too.
    """
    return np.clip(-(-gaps // MAX_CLOCK_GAP) - int(pid_has_clock), 0, MAX_CLOCKS + 1)


def _clocks(times: Column, end: int, *, pid_has_clock: bool) -> list[_Part]:
    """Clock packets between items at *times* that are too far apart, and from the last one
    to *end*; an empty list where there are none."""
    gaps = np.append(times[1:], end) - times
    if int(gaps.max()) <= MAX_CLOCK_GAP * pid_has_clock:
        return []
    count = clock_counts(gaps, pid_has_clock=pid_has_clock)
    count[np.cumsum(count) > MAX_CLOCKS] = 0
    unit = np.repeat(np.arange(len(times)), count)
    if not len(unit):
        return []
    step = np.arange(len(unit)) - np.repeat(np.cumsum(count) - count, count)
    if pid_has_clock:
        step += 1
    parts = (count + int(pid_has_clock))[unit]
    dts = times[unit] + gaps[unit] * step // parts
    place = dts.copy()
    if not pid_has_clock:
        place[0] = _FIRST
    return [_part(dts, place, kind=CLOCK, unit=unit, clock=1, packets=1)]
