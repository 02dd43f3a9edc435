"""The plan of one MPEG-TS segment.

Where the sizes of all samples in the byte stream are known, a segment is a list of windows
of bounded size, each read and made when it is sent.  Otherwise it must be built whole
before its length is known.
"""

from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from packager.codecs.audio_streams import AudioStream, audio_stream
from packager.codecs.h264 import AvcConfig
from packager.errors import MalformedMedia, MalformedSample, Unsupported
from packager.index import TrackIndex
from packager.mpegts.elementary import AudioFrames, Payloads, to_annexb
from packager.mpegts.packets import Fill, Layout
from packager.mpegts.psi import tables
from packager.mpegts.rows import PACKET_SIZE
from packager.mpegts.schedule import AUDIO, VIDEO, Schedule, Stream, schedule
from packager.plan import Extent, Plan, Transform, Unplanned
from packager.samples import Bytes, Column, Samples, column, runs
from packager.tracks import AudioFormat

_WINDOW = 2 << 20
"""Bytes of output made at once."""

_GAP = 64 << 10
"""Bytes between two runs that are read along rather than read around."""


@dataclass(frozen=True, slots=True, eq=False)
class TrackRows:
    """Samples of one track in one segment."""

    index: TrackIndex
    samples: Samples
    annexb: Column | None
    """Of each sample as a byte stream, without delimiters; None where not known."""


def ts_segment(
    video: TrackRows | None, audio: TrackRows | None, number: int, *, has_video: bool,
    program_audio: AudioStream | None,
) -> Plan | Unplanned:  # fmt: skip
    """Plan segment *number* (from 1) of a program that has video or audio or both.

    *program_audio* is what the program has, also in a segment without sound.
    """
    head = tables(number, video=has_video, audio=program_audio)
    sound = None
    if audio is not None:
        sizes = framed_sizes(audio.index, audio.samples.size)
        sound = Stream(audio.index, audio.samples, sizes)
    if video is not None and video.annexb is None:
        return _unplanned(head, video, sound)
    picture = (
        None
        if video is None or video.annexb is None
        else Stream(video.index, video.samples, video.annexb)
    )
    plan = schedule(picture, sound, has_video=has_video)
    return Plan((head, *_windows(plan, picture, sound)))


def carried(index: TrackIndex) -> AudioStream:
    """How MPEG-TS carries an audio track.  Raises ``Unsupported`` where it does not."""
    form = index.track.format
    stream = audio_stream(form.config) if isinstance(form, AudioFormat) else None
    if stream is None:
        raise Unsupported(f"MPEG-TS: {form.codec} is in fMP4 alone")
    return stream


def framed_sizes(index: TrackIndex, sizes: Column) -> Column:
    """Frames of *sizes* with the headers that they get."""
    return sizes + len(carried(index).frame_header)


def _windows(plan: Schedule, video: Stream | None, audio: Stream | None) -> list[Transform]:
    layout = Layout(plan, _parameter_sets(video), _stream_id(audio))
    return [
        _window(layout, start, stop, length, video, audio)
        for start, stop, length in _spans(plan)
    ]


def _spans(plan: Schedule) -> list[tuple[int, int, int]]:
    """Items ``[start, stop)`` of each window, and its bytes."""
    ends = np.cumsum(plan.rows * PACKET_SIZE)
    found = []
    start = 0
    while start < len(plan):
        done = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + _WINDOW, "right")))
        found.append((start, stop, int(ends[stop - 1]) - done))
        start = stop
    return found


def _window(
    layout: Layout, start: int, stop: int, length: int, video: Stream | None,
    audio: Stream | None,
) -> Transform:  # fmt: skip
    picture = _part(layout.schedule, start, stop, VIDEO, video)
    sound = _part(layout.schedule, start, stop, AUDIO, audio)
    parts = [part for part in (picture, sound) if part is not None]
    offsets = np.concatenate([part.samples.offset for part in parts] or [np.zeros(0, np.int64)])
    sizes = np.concatenate([part.samples.size for part in parts] or [np.zeros(0, np.int64)])
    cover = _cover(offsets, sizes)
    return Transform(cover, length, _Window(layout, start, stop, picture, sound, cover))


def _part(
    plan: Schedule, start: int, stop: int, kind: int, stream: Stream | None
) -> Stream | None:
    """The samples of *stream* that items ``[start, stop)`` carry."""
    numbers = plan.numbers[kind][plan.between(kind, start, stop)]
    if stream is None or not len(numbers):
        return None
    first, last = int(plan.items.unit[numbers[0]]), int(plan.items.unit[numbers[-1]]) + 1
    if kind == AUDIO:
        first, last = int(plan.groups[first]), int(plan.groups[last])
    return Stream(stream.index, stream.samples.rows(first, last), stream.sizes[first:last])


def _cover(offsets: Column, sizes: Column) -> tuple[Extent, ...]:
    """Few extents that hold all the samples: small gaps are read along, unless that would
    read much more than the samples."""
    order = np.argsort(offsets, kind="stable")
    starts, lengths = runs(offsets[order], sizes[order])
    merged = _merged(starts, lengths, _GAP)
    if sum(map(len, merged)) > 4 * int(sizes.sum()) + _WINDOW:
        merged = _merged(starts, lengths, 0)
    return merged


def _merged(starts: Column, lengths: Column, gap: int) -> tuple[Extent, ...]:
    merged: list[list[int]] = []
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        if merged and start - merged[-1][1] <= gap:
            merged[-1][1] = max(merged[-1][1], start + length)
        else:
            merged.append([start, start + length])
    return tuple(Extent(start, stop - start) for start, stop in merged)


def _writable(cover: tuple[Extent, ...], read: memoryview) -> Bytes:
    """The bytes of *cover*, end to end, in a buffer that may be written to."""
    if len(read) != sum(extent.length for extent in cover):
        raise MalformedMedia(f"the source gave {len(read)} bytes of those it was asked for")
    data = np.frombuffer(read, np.uint8)
    return data if data.flags.writeable else data.copy()


def _bases(cover: tuple[Extent, ...]) -> Column:
    """Where each extent of *cover* starts when they lie end to end."""
    lengths = column([extent.length for extent in cover])
    return np.cumsum(lengths) - lengths


def _payloads(stream: Stream, cover: tuple[Extent, ...]) -> Payloads:
    """Where the samples of *stream* are when the extents of *cover* lie end to end in a
    buffer, which comes later."""
    samples = stream.samples
    if len(cover) == 1:
        starts = samples.offset - cover[0].offset
    else:
        offsets = column([extent.offset for extent in cover])
        owner = np.searchsorted(offsets, samples.offset, "right") - 1
        starts = samples.offset + (_bases(cover) - offsets)[owner]
    return Payloads(np.zeros(0, np.uint8), starts, samples.size, samples.first)


class _Window:
    """Makes items ``[start, stop)`` of a segment from the bytes of *cover*.

    What does not depend on the bytes is worked out once, for plans that are carried out again.
    """

    def __init__(
        self, layout: Layout, start: int, stop: int, video: Stream | None,
        audio: Stream | None, cover: tuple[Extent, ...],
    ) -> None:  # fmt: skip
        self._layout, self._start, self._stop = layout, start, stop
        self._video, self._audio, self._cover = video, audio, cover

    def __call__(self, read: memoryview) -> Bytes:
        data = _writable(self._cover, read)
        fills: list[tuple[Fill, Bytes]] = []
        # Sound first: start codes are written over the pictures in place, and a hostile
        # table may have both claim the same bytes.
        if self._audio is not None:
            fills.append((self._audio_fill, self._frames.filled(data)))
        if self._video is not None:
            payloads = replace(self._video_payloads, data=data)
            units = _annexb(self._video, payloads)
            in_place = units.data is data
            fill = self._video_fill
            if not in_place:
                fill = self._fill_of(VIDEO, units.starts, len(units.data))
            fills.append((fill, units.data))
        return self._layout.packets(self._start, self._stop, fills)

    @cached_property
    def _frames(self) -> AudioFrames:
        assert self._audio is not None
        return _frames(self._audio, self._cover)

    @cached_property
    def _audio_fill(self) -> Fill:
        grouped = _grouped(self._layout.schedule, self._start, self._stop)
        return self._fill_of(AUDIO, grouped.starts, self._frames.size)

    @cached_property
    def _video_fill(self) -> Fill:
        """For samples that stay where they were read to."""
        size = sum(extent.length for extent in self._cover)
        return self._fill_of(VIDEO, self._video_payloads.starts, size)

    @cached_property
    def _video_payloads(self) -> Payloads:
        assert self._video is not None
        return _payloads(self._video, self._cover)

    def _fill_of(self, kind: int, starts: Column, size: int) -> Fill:
        fill = self._layout.fill(kind, self._start, self._stop, starts, size)
        assert fill is not None
        return fill


def _annexb(stream: Stream, payloads: Payloads) -> Payloads:
    config = stream.index.track.format.config
    assert isinstance(config, AvcConfig)
    units = to_annexb(payloads, config)
    wrong = np.flatnonzero(units.sizes != stream.sizes)
    if len(wrong):
        raise MalformedSample(
            payloads.first + int(wrong[0]) + 1, "its NAL units are not those that were indexed"
        )
    return units


def _frames(stream: Stream, cover: tuple[Extent, ...]) -> AudioFrames:
    return AudioFrames(_payloads(stream, cover), carried(stream.index).frame_header)


def _stream_id(audio: Stream | None) -> int:
    return 0 if audio is None else carried(audio.index).stream_id


def _parameter_sets(video: Stream | None) -> bytes:
    config = None if video is None else video.index.track.format.config
    return config.parameter_sets if isinstance(config, AvcConfig) else b""


def _grouped(plan: Schedule, start: int, stop: int) -> Payloads:
    """Audio frames, which lie end to end, as the PES among items ``[start, stop)`` that hold
    several."""
    sizes = plan.items.payload[plan.numbers[AUDIO][plan.between(AUDIO, start, stop)]]
    return Payloads(np.zeros(0, np.uint8), np.cumsum(sizes) - sizes, sizes, 0)


def _unplanned(head: bytes, video: TrackRows, audio: Stream | None) -> Unplanned:
    offsets = [video.samples.offset] + ([audio.samples.offset] if audio else [])
    sizes = [video.samples.size] + ([audio.samples.size] if audio else [])
    cover = _cover(np.concatenate(offsets), np.concatenate(sizes))

    def make(read: memoryview) -> Plan:
        data = _writable(cover, read)
        frames = sound = None
        if audio is not None:
            frames = _frames(audio, cover).filled(data)
        placeholder = Stream(video.index, video.samples, video.samples.size)
        config = video.index.track.format.config
        assert isinstance(config, AvcConfig)
        units = to_annexb(replace(_payloads(placeholder, cover), data=data), config)
        plan = schedule(Stream(video.index, video.samples, units.sizes), audio, has_video=True)
        if audio is not None and frames is not None:
            grouped = _grouped(plan, 0, len(plan))
            sound = replace(grouped, data=frames)
        layout = Layout(plan, config.parameter_sets, _stream_id(audio))
        windows = (
            Transform((), length, partial(_cut_out, layout, start, stop, units, sound))
            for start, stop, length in _spans(plan)
        )
        return Plan((head, *windows))

    return Unplanned(cover, make)


def _cut_out(
    layout: Layout, start: int, stop: int, units: Payloads, frames: Payloads | None,
    _: memoryview,
) -> Bytes:  # fmt: skip
    """A window of a segment whose payloads are all at hand."""
    fills = []
    for kind, payloads in ((VIDEO, units), (AUDIO, frames)):
        if payloads is None:
            continue
        part = _of_items(layout.schedule, start, stop, kind, payloads)
        fill = layout.fill(kind, start, stop, part.starts, len(part.data))
        if fill is not None:
            fills.append((fill, payloads.data))
    return layout.packets(start, stop, fills)


def _of_items(plan: Schedule, start: int, stop: int, kind: int, payloads: Payloads) -> Payloads:
    """Those of *payloads*, one for each unit of *kind*, that items ``[start, stop)`` carry."""
    numbers = plan.numbers[kind][plan.between(kind, start, stop)]
    if not len(numbers):
        return replace(payloads, starts=payloads.starts[:0], sizes=payloads.sizes[:0])
    units = plan.items.unit[numbers]
    part = slice(int(units[0]), int(units[-1]) + 1)
    return replace(payloads, starts=payloads.starts[part], sizes=payloads.sizes[part])
